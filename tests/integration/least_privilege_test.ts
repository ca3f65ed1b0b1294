// deno-lint-ignore-file no-import-prefix -- the package's own check has to find these too
/** The smallest rights that docs/production.md lists are enough, and none of them is needless. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { Redis } from "npm:ioredis@5.11.1";
import { createClient } from "npm:redis@5.12.1";
import { type MysqlClient, MysqlStore } from "@pagi/session/store/mysql";
import { PostgresStore } from "@pagi/session/store/postgres";
import { RedisStore } from "@pagi/session/store/redis";
import { RespClient } from "./_resp.ts";
import { MYSQL_CLIENTS, POSTGRES_CLIENTS } from "./_sql_clients.ts";
import { anyMysql, anyPostgres, mysqlMissing, postgresMissing } from "./_sql_servers.ts";
import { newId, newTable, openRig, type SqlStore, write } from "./_sql_suite.ts";
import { anyRedis, redisMissing, serverTest } from "./_servers.ts";
import type { VersionedStore } from "@pagi/session/store";

const { signal } = write;
const REDIS_COMMANDS = [
  "get",
  "eval",
  "evalsha",
  "getrange",
  "set",
  "setrange",
  "pttl",
  "pexpire",
  "del",
];
const SQL_RIGHTS = ["SELECT", "INSERT", "UPDATE", "DELETE"];

/** Makes each call, so that it has an effect. */
async function useStore(store: VersionedStore): Promise<void> {
  const id = newId();
  const version = (await store.create(id, "a", write))!;
  const later = { ...write, ttl: 120 };
  assert(await store.touch(id, { ...later, version, text: "a" }));
  const record = (await store.read(id, { signal }))!;
  const next = await store.replace(id, "b", { ...write, version: record.version });
  assert(await store.delete(id, { version: next, signal }));
  assertEquals(await store.delete(id, { signal }), false);
}

serverTest(redisMissing, "RedisStore works with the smallest ACL", async (t) => {
  await using redis = await anyRedis();
  const admin = await RespClient.connect(redis.port);
  const allow = async (commands: string[]) => {
    const rules = [
      "reset",
      "on",
      ">secret",
      "~pagi:session:*",
      ...commands.map((one) => `+${one}`),
    ];
    await admin.send("ACL", "SETUSER", "sessions", ...rules);
  };
  await allow(REDIS_COMMANDS);
  const user = { username: "sessions", password: "secret" };
  await t.step("with node-redis", async () => {
    const client = createClient({ url: `redis://127.0.0.1:${redis.port}`, ...user });
    client.on("error", () => {});
    await client.connect();
    const store = new RedisStore(client);
    await useStore(store);
    await assertRejects(() => new RedisStore(client, { prefix: "b:" }).read("a", { signal }));
    for (const command of REDIS_COMMANDS) {
      await allow(REDIS_COMMANDS.filter((other) => other !== command));
      await admin.send("SCRIPT", "FLUSH");
      await assertRejects(() => useStore(store), Error, "", command);
    }
    await allow(REDIS_COMMANDS);
    await useStore(store);
    client.destroy();
  });
  await t.step("with ioredis, whose check at the start needs INFO", async () => {
    await allow([...REDIS_COMMANDS, "info"]);
    const client = new Redis({ port: redis.port, ...user });
    await useStore(new RedisStore(client));
    client.disconnect();
  });
  await admin.send("ACL", "DELUSER", "sessions");
  admin.close();
});

/** Has a store fail as soon as one right is missing. */
async function holdToRights(
  store: SqlStore,
  change: (verb: "GRANT" | "REVOKE", right: string) => Promise<unknown>,
): Promise<void> {
  for (const right of SQL_RIGHTS) await change("GRANT", right);
  await store.setup();
  await useStore(store);
  await store.sweep();
  for (const right of SQL_RIGHTS) {
    await change("REVOKE", right);
    await assertRejects(() => useStore(store), Error, "denied", right);
    await change("GRANT", right);
  }
  await useStore(store);
}

serverTest(postgresMissing, "PostgresStore works with the smallest rights", async () => {
  await using rig = await openRig(anyPostgres, POSTGRES_CLIENTS["a Client of pg"]!);
  const { ask, table } = rig;
  const role = newTable();
  await new PostgresStore(rig.client, { table }).setup();
  await ask(`CREATE ROLE ${role} LOGIN`);
  for (const sql of [`DROP ROLE ${role}`, `DROP OWNED BY ${role}`]) rig.atLast(sql);
  const url = new URL(rig.url);
  url.username = role;
  const { client, close } = await POSTGRES_CLIENTS["a Pool of pg"]!(url.href);
  const store = new PostgresStore(client, { table });
  await holdToRights(
    store,
    (verb, right) =>
      ask(`${verb} ${right} ON ${table} ${verb === "GRANT" ? "TO" : "FROM"} ${role}`),
  );
  await assertRejects(() => new PostgresStore(client, { table: newTable() }).setup());
  await close();
});

serverTest(mysqlMissing, "MysqlStore works with the smallest rights", async () => {
  await using rig = await openRig(anyMysql, MYSQL_CLIENTS["a connection of mysql2"]!);
  const { ask, table } = rig;
  const user = newTable();
  await new MysqlStore(rig.client, { table }).setup();
  const hosts = ["'%'", "localhost"];
  for (const host of hosts) {
    await ask(`CREATE USER ${user}@${host}`);
    rig.atLast(`DROP USER ${user}@${host}`);
  }
  const url = new URL(rig.url);
  url.username = user;
  const change = async (verb: string, right: string) => {
    for (const host of hosts) {
      await ask(`${verb} ${right} ON ${table} ${verb === "GRANT" ? "TO" : "FROM"} ${user}@${host}`);
    }
  };
  await change("GRANT", "SELECT");
  const { client, close } = await MYSQL_CLIENTS["a connection of mysql2"]!(url.href);
  const store = new MysqlStore(client as MysqlClient, { table });
  await holdToRights(store, change);
  await assertRejects(() => new MysqlStore(client, { table: newTable() }).setup());
  await close();
});
