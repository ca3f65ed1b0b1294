/** Replicas that are promoted while writes go on. */
import { assert } from "@std/assert";
import { type PostgresClient, PostgresStore } from "@pagi/session/store/postgres";
import { RedisStore } from "@pagi/session/store/redis";
import { format } from "./_books.ts";
import { rideOut, surviveKills } from "./_outage.ts";
import { until } from "./_processes.ts";
import { SENTINELS } from "./_redis_clients.ts";
import { RespClient } from "./_resp.ts";
import { openSql } from "./_sql_clients.ts";
import { OwnPostgres, ownPostgresMissing } from "./_sql_servers.ts";
import { OwnRedis, ownRedisMissing, serverTest } from "./_servers.ts";
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

for (const [name, open] of Object.entries(SENTINELS)) {
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
      const { client, close } = await open(sentinel.port);
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
