import { assert, assertEquals } from "@std/assert";
import { RedisStore } from "@pagi/session/store/redis";
import { CLUSTERS } from "./_redis_clients.ts";
import { RespClient } from "./_resp.ts";
import { ownRedisMissing, serverTest, startCluster } from "./_servers.ts";
import { holdToContract, race } from "./_suites.ts";

const RACES = 200;

serverTest(ownRedisMissing, "RedisStore on a Redis Cluster of three nodes", async (t) => {
  await using cluster = await startCluster();
  for (const [name, open] of Object.entries(CLUSTERS)) {
    await t.step(`through ${name}`, async (t) => {
      const { client, close } = await open(cluster.ports[0]!);
      const store = new RedisStore(client);
      await holdToContract(t, store);
      await t.step("no race breaks a session", () => race(store, RACES));
      await close();
    });
  }
  await t.step("every node had its share, and every key has a ttl", async () => {
    for (const port of cluster.ports) {
      const node = await RespClient.connect(port);
      const keyspace = String(await node.send("INFO", "keyspace"));
      const [, keys, expiring] = /keys=(\d+),expires=(\d+)/.exec(keyspace)!;
      assert(Number(keys) > 0);
      assertEquals(expiring, keys);
      node.close();
    }
  });
});
