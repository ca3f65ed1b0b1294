/** Replicas that are promoted while writes go on. */
import { assert } from "@std/assert";
import { type PostgresClient, PostgresStore } from "@pagi/session/store/postgres";
import { RedisStore } from "@pagi/session/store/redis";
import { format } from "./_books.ts";
import { rideOut, surviveKills } from "./_outage.ts";
import { until } from "./_processes.ts";
import { CLUSTERS, SENTINELS } from "./_redis_clients.ts";
import { RespClient } from "./_resp.ts";
import { openSql } from "./_sql_clients.ts";
import { OwnPostgres, ownPostgresMissing } from "./_sql_servers.ts";
import {
  OwnRedis,
  ownRedisMissing,
  serverTest,
  startCluster,
  startClusterReplica,
} from "./_servers.ts";
import { Switch } from "./_switch.ts";

const portOf = (url: string) => Number(new URL(url).port);

serverTest(
  ownPostgresMissing,
  "PostgresStore loses nothing when a synchronous standby is promoted",
  async () => {
    await using primary = await OwnPostgres.start();
    await using standby = await OwnPostgres.startStandby(primary);
    using address = new Switch(portOf(primary.url));
    const url = new URL(primary.url);
    url.port = String(address.port);
    const { client, close } = await openSql.pg(url.href, { max: 8 });
    const store = new PostgresStore(client as PostgresClient);
    await store.setup();
    const balance = await rideOut({
      store,
      stop: async () => {
        address.target = undefined;
        await primary.stop("SIGQUIT");
      },
      start: async () => {
        await standby.promote();
        address.target = portOf(standby.url);
      },
    });
    console.log(format(balance));
    await close();
  },
);

/** The newest version of each library; the other tests run all versions. */
const LIBRARIES = ["ioredis 6", "node-redis 6"];

for (const name of LIBRARIES) {
  serverTest(
    ownRedisMissing,
    `RedisStore on ${name} follows Sentinel to a replica that is promoted`,
    async () => {
      await using first = await OwnRedis.start();
      await using second = await OwnRedis.start("--replicaof", "127.0.0.1", String(first.port));
      await using sentinel = await OwnRedis.startSentinel(first.port);
      const [oldMaster, watcher] = await Promise.all(
        [first.port, sentinel.port].map((port) => RespClient.connect(port)),
      );
      await until(
        "the replica is known",
        async () =>
          String(await watcher!.send("SENTINEL", "REPLICAS", "main")).includes(String(second.port)),
      );
      await until(
        "the replica is in step",
        async () => String(await oldMaster!.send("INFO", "replication")).includes("state=online"),
      );
      const { client, close } = await SENTINELS[name]!(sentinel.port);
      let isPromoted = false;
      const balance = await surviveKills(new RedisStore(client), async () => {
        if (isPromoted) return;
        isPromoted = true;
        // Nothing is acknowledged that the replica does not have: writes wait until it has all.
        await oldMaster!.send("CLIENT", "PAUSE", "60000", "WRITE");
        await oldMaster!.send("WAIT", "1", "5000");
        await watcher!.send("SENTINEL", "FAILOVER", "main");
        await until(
          "the replica is the master",
          async () =>
            String(await watcher!.send("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "main"))
              .includes(String(second.port)),
        );
        await first.stop("SIGKILL");
      });
      console.log(`${name}: ${format(balance)}`);
      assert(balance.counted > 0);
      await close();
      oldMaster!.close();
      watcher!.close();
    },
  );
}

for (const name of LIBRARIES) {
  serverTest(
    ownRedisMissing,
    `RedisStore on ${name} follows a cluster to a replica that is promoted`,
    async () => {
      await using cluster = await startCluster();
      await using replica = await startClusterReplica(cluster.ports[0]!);
      const promoting = await RespClient.connect(replica.port);
      // A node that stays: the client asks it for the others.
      const { client, close } = await CLUSTERS[name]!(cluster.ports[1]!);
      let isPromoted = false;
      const balance = await surviveKills(new RedisStore(client), async () => {
        if (isPromoted) return;
        isPromoted = true;
        // The master stops, waits until the replica has all, and hands its slots over.
        await promoting.send("CLUSTER", "FAILOVER");
        await until(
          "the replica is a master",
          async () => String(await promoting.send("ROLE")).startsWith("master"),
        );
      });
      console.log(`${name}: ${format(balance)}`);
      assert(balance.counted > 0);
      await close();
      promoting.close();
    },
  );
}
