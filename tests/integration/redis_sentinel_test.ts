import { RedisStore } from "@pagi/session/store/redis";
import { SENTINELS } from "./_redis_clients.ts";
import { OwnRedis, ownRedisMissing, serverTest } from "./_servers.ts";
import { holdToContract, race } from "./_suites.ts";

const RACES = 200;

serverTest(ownRedisMissing, "RedisStore on a Redis that a Sentinel names", async (t) => {
  await using redis = await OwnRedis.start();
  await using sentinel = await OwnRedis.startSentinel(redis.port);
  for (const [name, open] of Object.entries(SENTINELS)) {
    await t.step(`through ${name}`, async (t) => {
      const { client, close } = await open(sentinel.port);
      const store = new RedisStore(client);
      await holdToContract(t, store);
      await t.step("no race breaks a session", () => race(store, RACES));
      await close();
    });
  }
});
