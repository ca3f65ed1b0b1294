/** Connections that are ended under load, and pools that have only one. */
import { type MysqlClient, MysqlStore } from "@pagi/session/store/mysql";
import { type PostgresClient, PostgresStore } from "@pagi/session/store/postgres";
import { RedisStore } from "@pagi/session/store/redis";
import { format } from "./_books.ts";
import { rideOut, surviveKills } from "./_outage.ts";
import { CLIENTS } from "./_redis_clients.ts";
import { RespClient } from "./_resp.ts";
import { MYSQL_CLIENTS, openSql } from "./_sql_clients.ts";
import {
  anyMysql,
  anyPostgres,
  mysqlMissing,
  OwnMariadb,
  ownMariadbMissing,
  OwnPostgres,
  ownPostgresMissing,
  postgresMissing,
} from "./_sql_servers.ts";
import { newTable, openRig } from "./_sql_suite.ts";
import { OwnRedis, ownRedisMissing, serverTest } from "./_servers.ts";

for (const name of ["ioredis 5", "iovalkey", "node-redis 4", "node-redis 5", "node-redis 6"]) {
  serverTest(ownRedisMissing, `RedisStore on ${name} survives CLIENT KILL under load`, async () => {
    await using redis = await OwnRedis.start();
    const admin = await RespClient.connect(redis.port);
    const { client, close } = await CLIENTS[name]!(redis.port);
    const kill = () => admin.send("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
    console.log(`${name}: ${format(await surviveKills(new RedisStore(client), kill))}`);
    await close();
    admin.close();
  });
}

for (const max of [1, 8]) {
  serverTest(
    postgresMissing,
    `PostgresStore survives ended connections of a pool of ${max}`,
    async () => {
      const connect = (url: string) => openSql.pg(`${url}?application_name=pagi_kills`, { max });
      await using rig = await openRig(anyPostgres, connect);
      const store = new PostgresStore(rig.client as PostgresClient, { table: rig.table });
      await store.setup();
      const kill = () =>
        rig.ask(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() " +
            "AND application_name = 'pagi_kills'",
        );
      console.log(`a pool of ${max}: ${format(await surviveKills(store, kill))}`);
    },
  );

  serverTest(
    mysqlMissing,
    `MysqlStore survives ended connections of a pool of ${max}`,
    async () => {
      await using rig = await openRig(anyMysql, MYSQL_CLIENTS["a connection of mysql2"]!);
      const { ask, table } = rig;
      await new MysqlStore(rig.client, { table }).setup();
      // A user of its own, by which the server knows its connections.
      const user = newTable();
      for (const host of ["'%'", "localhost"]) {
        await ask(`CREATE USER ${user}@${host}`);
        rig.atLast(`DROP USER ${user}@${host}`);
        await ask(`GRANT SELECT, INSERT, UPDATE, DELETE ON ${table} TO ${user}@${host}`);
      }
      const url = new URL(rig.url);
      url.username = user;
      const { client, close } = await openSql.mysql2(url.href, { connectionLimit: max });
      const kill = async () => {
        const rows = await ask(
          `SELECT id FROM information_schema.processlist WHERE user = '${user}'`,
        );
        for (const { id } of rows) await ask(`KILL CONNECTION ${id}`).catch(() => {});
      };
      const store = new MysqlStore(client as MysqlClient, { table });
      console.log(`a pool of ${max}: ${format(await surviveKills(store, kill))}`);
      await close();
    },
  );
}

serverTest(ownPostgresMissing, "PostgresStore on a pool of one survives a restart", async () => {
  await using postgres = await OwnPostgres.start();
  const { client, close } = await openSql.pg(postgres.url, { max: 1 });
  const store = new PostgresStore(client as PostgresClient);
  await store.setup();
  const stop = () => postgres.stop("SIGQUIT");
  console.log(format(await rideOut({ store, stop, start: () => postgres.start() })));
  await close();
});

for (const max of [1, 8]) {
  serverTest(ownMariadbMissing, `MysqlStore on a pool of ${max} survives a restart`, async () => {
    await using mariadb = await OwnMariadb.start();
    const { client, close } = await openSql.mysql2(mariadb.url, { connectionLimit: max });
    const store = new MysqlStore(client as MysqlClient);
    await store.setup();
    const stop = () => mariadb.stop("SIGKILL");
    console.log(format(await rideOut({ store, stop, start: () => mariadb.start() })));
    await close();
  });
}
