import { RedisStore } from "@pagi/session/store/redis";
import { format } from "./_books.ts";
import { rideOut } from "./_outage.ts";
import { CLIENTS } from "./_redis_clients.ts";
import { OwnRedis, ownRedisMissing, serverTest } from "./_servers.ts";

const DURABLE = ["--appendonly", "yes", "--appendfsync", "always"];

for (const name of ["ioredis 5", "ioredis 6", "node-redis 5", "node-redis 6"]) {
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    const title = `RedisStore on ${name}: Redis is ended by ${signal} under load and started again`;
    serverTest(ownRedisMissing, title, async () => {
      await using redis = await OwnRedis.start(...DURABLE);
      const { client, close } = await CLIENTS[name]!(redis.port);
      const balance = await rideOut({
        store: new RedisStore(client),
        stop: () => redis.stop(signal),
        start: () => redis.start(),
      });
      console.log(`${name}, ${signal}: ${format(balance)}`);
      await close();
    });
  }
}
