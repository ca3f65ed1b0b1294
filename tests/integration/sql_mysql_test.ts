import { assert, assertEquals, assertRejects } from "@std/assert";
import { type MysqlClient, type MysqlPromiseClient, MysqlStore } from "@pagi/session/store/mysql";
import { MYSQL_CLIENTS, type SqlOpener } from "./_sql_clients.ts";
import { anyMysql, mysqlMissing } from "./_sql_servers.ts";
import { callAll, holdSqlStore, newId, newTable, openRig, raceSetup, write } from "./_sql_suite.ts";
import { serverTest } from "./_servers.ts";
import { holdToContract, race } from "./_suites.ts";

/** Races for each client. */
const RACES = 100;
const ONE = "a connection of mysql2";
const COUNTS_CHANGES = "a pool of mysql2 that counts what changed";
const { signal } = write;

for (const [name, connect] of Object.entries(MYSQL_CLIENTS)) {
  serverTest(mysqlMissing, `MysqlStore on ${name} keeps the contract`, async (t) => {
    await using rig = await openRig(anyMysql, connect);
    const { client, ask, table } = rig;
    const open = (options = {}) => new MysqlStore(client, { table, ...options });
    await holdSqlStore(t, { open, ask, table }, RACES);
  });
}

serverTest(mysqlMissing, "MysqlStore.setup() may race", async () => {
  await using server = await anyMysql();
  const table = newTable();
  await raceSetup(async () => {
    const { client, ask, close } = await MYSQL_CLIENTS[ONE]!(server.url);
    return { store: new MysqlStore(client, { table }), ask, close };
  }, table);
});

/** The client of these tests is one with promises. */
const promised = (client: MysqlClient) => client as MysqlPromiseClient;

/** Opens a client that uses several connections in rotation, all with a setting. */
function told(setting: string): SqlOpener<MysqlClient> {
  return async (url) => {
    const open = await Promise.all(Array.from({ length: 6 }, () => MYSQL_CLIENTS[ONE]!(url)));
    for (const { ask } of open) await ask(setting);
    let turn = 0;
    const client: MysqlClient = {
      execute: (sql, values) => promised(open[turn++ % open.length]!.client).execute(sql, values),
    };
    const close = () => Promise.all(open.map(({ close }) => close()));
    return { client, ask: open[0]!.ask, close };
  };
}

const SETTINGS = [
  "SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
  "SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE",
  // Old servers have these, and servers that imitate others.
  "SESSION sql_mode = ''",
  "SESSION sql_mode = 'ANSI,TRADITIONAL,NO_BACKSLASH_ESCAPES'",
];
/** Settings that MySQL does not know. */
const MARIADB_SETTINGS = [
  "SESSION sql_mode = 'ORACLE'",
  "SESSION sql_mode = 'SIMULTANEOUS_ASSIGNMENT'",
  "SESSION innodb_snapshot_isolation = ON",
];

for (const setting of [...SETTINGS, ...MARIADB_SETTINGS]) {
  serverTest(mysqlMissing, `MysqlStore keeps the contract after SET ${setting}`, async (t) => {
    if (MARIADB_SETTINGS.includes(setting)) {
      await using rig = await openRig(anyMysql, MYSQL_CLIENTS[ONE]!);
      const [row] = await rig.ask("SELECT version() AS version");
      if (!String(row!.version).includes("MariaDB")) return console.log("only MariaDB knows this");
    }
    await using rig = await openRig(anyMysql, told(`SET ${setting}`));
    const store = new MysqlStore(rig.client, { table: rig.table });
    await store.setup();
    await holdToContract(t, store);
    await t.step("no race breaks a session", () => race(store, RACES / 4));
  });
}

serverTest(mysqlMissing, "MysqlStore.create() is not misled by other inserted IDs", async () => {
  await using rig = await openRig(anyMysql, MYSQL_CLIENTS[ONE]!);
  const { client, ask, table } = rig;
  const other = newTable();
  let now = 0;
  const store = new MysqlStore(client, { table, now: () => now });
  await store.setup();
  await ask(`CREATE TABLE ${other} (n INT AUTO_INCREMENT PRIMARY KEY, v INT)`);
  rig.atLast(`DROP TABLE ${other}`);
  // The number that means a refusal, from elsewhere on the connection.
  const insertOne = () => ask(`REPLACE INTO ${other} (n) VALUES (1)`);
  const id = newId();
  await ask(`INSERT INTO ${other} (v) VALUES (0)`);
  const version = await store.create(id, "a", write);
  assert(version !== undefined);
  assertEquals(await store.create(id, "b", write), undefined);
  await insertOne();
  assert(await store.touch(id, { ...write, version, text: "a" }));
  assertEquals(await store.create(id, "b", write), undefined);
  await insertOne();
  const { version: touched } = (await store.read(id))!;
  assert(await store.replace(id, "b", { ...write, version: touched }) !== undefined);
  assertEquals(await store.create(id, "c", write), undefined);
  now = 61_000;
  assert(await store.create(id, "c", write) !== undefined);
  assertEquals(await store.create(id, "d", write), undefined);
  assert(await store.delete(id, { signal }));
  assert(await store.create(id, "e", write) !== undefined);
});

serverTest(
  mysqlMissing,
  "MysqlStore.touch() succeeds when the times stay as they are",
  async () => {
    for (const name of [COUNTS_CHANGES, ONE]) {
      await using rig = await openRig(anyMysql, MYSQL_CLIENTS[name]!);
      const { client, ask, table } = rig;
      const now = 1_700_000_000_000;
      const store = new MysqlStore(client, { table, now: () => now });
      await store.setup();
      const id = newId();
      await store.create(id, "a", write);
      for (let turn = 0; turn < 5; turn++) {
        const touch = { ...write, ...(await store.read(id))!, ttl: write.ttl - turn };
        assertEquals(await store.touch(id, touch), true);
        // The record has a new version now.
        assertEquals(await store.touch(id, touch), false);
      }
      const [row] = await ask(`SELECT expires_at FROM ${table}`);
      assertEquals(Number(row!.expires_at), now / 1000 + write.ttl);
    }
  },
);

/** Has a connection take this for the current time, in Unix seconds. */
const setTime = (seconds: number) => `SET timestamp = ${seconds}`;

serverTest(
  mysqlMissing,
  "MysqlStore does not depend on the time zone of a connection",
  async () => {
    await using rig = await openRig(anyMysql, MYSQL_CLIENTS[ONE]!);
    const { client, ask, table } = rig;
    const store = new MysqlStore(client, { table, sweep: false });
    await store.setup();
    const zones = ["+00:00", "+13:00", "-12:00", "+05:45"];
    for (const zone of zones) {
      await ask(`SET time_zone = '${zone}'`);
      await store.create(newId(), zone, write);
      await store.create(newId(), zone, { ...write, ttl: -1 });
    }
    const rows = await ask(`SELECT id, text FROM ${table} WHERE expires_at > ${Date.now() / 1000}`);
    assertEquals(rows.map(({ text }) => text).sort(), zones.toSorted());
    for (const { id } of rows) assert(await store.read(String(id)) !== undefined);
    assertEquals(await store.sweep(), zones.length);
  },
);

serverTest(
  mysqlMissing,
  "MysqlStore tells the two hours apart when summer time ends",
  async (t) => {
    await using rig = await openRig(anyMysql, MYSQL_CLIENTS[ONE]!);
    const { client, ask, table } = rig;
    const zone = "Europe/Berlin";
    const [row] = await ask(`SELECT CONVERT_TZ('2026-01-01', 'UTC', '${zone}') AS converted`);
    if (row!.converted === null) return console.log("the server has no time zones");
    const store = new MysqlStore(client, { table });
    await store.setup();
    await ask(`SET time_zone = '${zone}'`);
    // At 02:30 summer time, and one hour later, at 02:30 standard time.
    const first = Date.UTC(2026, 9, 25, 0, 30) / 1000;
    const second = first + 3600;
    for (const [at, later] of [[first, second], [second, first]] as const) {
      await t.step(at < later ? "forward" : "back", async () => {
        const id = newId();
        await ask(setTime(at));
        await store.create(id, "a", { ...write, ttl: 1800 });
        assertEquals((await store.read(id))?.text, "a");
        const [{ expires_at }] = await ask(
          `SELECT expires_at FROM ${table} WHERE id = '${id}'`,
        ) as [
          Record<string, unknown>,
        ];
        assertEquals(Number(expires_at), at + 1800);
        await ask(setTime(later));
        assertEquals((await store.read(id))?.text, at < later ? undefined : "a");
      });
    }
  },
);

serverTest(mysqlMissing, "MysqlStore has the fractions of the time", async () => {
  await using rig = await openRig(anyMysql, MYSQL_CLIENTS[ONE]!);
  const { client, ask, table } = rig;
  const store = new MysqlStore(client, { table });
  await store.setup();
  // This setting would cut the digits of a decimal number off.
  for (const setting of ["SET div_precision_increment = 0", setTime(1_700_000_000.875)]) {
    await ask(setting);
  }
  await store.create(newId(), "a", write);
  const [row] = await ask(`SELECT expires_at FROM ${table}`);
  assertEquals(Number(row!.expires_at), 1_700_000_060.875);
});

serverTest(mysqlMissing, "MysqlStore finds rows by its indexes", async () => {
  await using rig = await openRig(anyMysql, MYSQL_CLIENTS[ONE]!);
  const { client, ask, table } = rig;
  const plans: [sql: string, keys: unknown[]][] = [];
  const explaining: MysqlClient = {
    async execute(sql, values) {
      if (/^(SELECT|UPDATE|DELETE)/.test(sql) && !sql.includes("information_schema")) {
        const [rows] = await promised(client).execute(`EXPLAIN ${sql}`, values) as [
          { key: unknown }[],
        ];
        plans.push([sql, rows.map(({ key }) => key)]);
      }
      return await promised(client).execute(sql, values);
    },
  };
  const store = new MysqlStore(explaining, { table, sweep: false });
  await store.setup();
  // Rows in plenty, so that an index is worth it.
  const end = Date.now() / 1000 + 3600;
  const row = (n: number) => `('${newId()}', 'v', 0, ${end + n}, 'text')`;
  for (let from = 0; from < 10_000; from += 1000) {
    const rows = Array.from({ length: 1000 }, (_, n) => row(from + n));
    await ask(`INSERT INTO ${table} VALUES ${rows.join()}`);
  }
  await ask(`ANALYZE TABLE ${table}`);
  await callAll(store);
  assertEquals(plans.length, 6);
  for (const [sql, keys] of plans) {
    // A sweep reads the rows that it deletes from a table in memory, and finds each by its key.
    const isSweep = sql.includes("LIMIT");
    assertEquals(keys, isSweep ? [null, "PRIMARY", `${table}_expires_at`] : ["PRIMARY"], sql);
  }
});

serverTest(mysqlMissing, "MysqlStore works in another database, under any name", async () => {
  await using rig = await openRig(anyMysql, MYSQL_CLIENTS[ONE]!);
  const { client, ask } = rig;
  const database = newTable();
  rig.atLast(`DROP DATABASE IF EXISTS ${database}`);
  await ask(`CREATE DATABASE ${database} CHARACTER SET latin1`);
  const store = new MysqlStore(client, { table: `${database}.Order` });
  await store.setup();
  await store.setup();
  await callAll(store);
  const id = newId();
  await store.create(id, "ω 𝒳", write);
  assertEquals((await store.read(id))?.text, "ω 𝒳");
});

serverTest(
  mysqlMissing,
  "MysqlStore.setup() needs no rights where the table is there",
  async () => {
    await using admin = await openRig(anyMysql, MYSQL_CLIENTS[ONE]!);
    const { table } = admin;
    const user = newTable();
    await new MysqlStore(admin.client, { table }).setup();
    for (const host of ["'%'", "localhost"]) {
      await admin.ask(`CREATE USER ${user}@${host}`);
      admin.atLast(`DROP USER ${user}@${host}`);
      await admin.ask(`GRANT SELECT, INSERT, UPDATE, DELETE ON ${table} TO ${user}@${host}`);
    }
    const url = new URL(admin.url);
    url.username = user;
    const { client, close } = await MYSQL_CLIENTS[ONE]!(url.href);
    const store = new MysqlStore(client, { table });
    await store.setup();
    await callAll(store);
    await assertRejects(() => new MysqlStore(client, { table: newTable() }).setup());
    await close();
  },
);

serverTest(mysqlMissing, "MysqlStore passes on what the server says", async () => {
  await using rig = await openRig(anyMysql, MYSQL_CLIENTS[ONE]!);
  const store = new MysqlStore(rig.client, { table: rig.table });
  await assertRejects(() => store.read(newId()), Error, "doesn't exist");
  await assertRejects(() => store.create(newId(), "", write), Error, "doesn't exist");
  await assertRejects(() => store.sweep(), Error, "doesn't exist");
});

for (const [name, connect] of Object.entries(MYSQL_CLIENTS)) {
  serverTest(
    mysqlMissing,
    `MysqlStore on ${name} acknowledges only what it stored, whatever replaces the insert ID`,
    async () => {
      await using rig = await openRig(anyMysql, connect);
      const { client, ask, table } = rig;
      await ask(
        `CREATE TABLE ${table} (n INT AUTO_INCREMENT PRIMARY KEY, id CHAR(64) UNIQUE, ` +
          "version CHAR(24), last_access DOUBLE, expires_at DOUBLE, text LONGTEXT)",
      );
      rig.atLast(`DROP TABLE IF EXISTS ${table}_log`);
      await ask(`CREATE TABLE ${table}_log (n INT AUTO_INCREMENT PRIMARY KEY, id CHAR(64))`);
      const store = new MysqlStore(client, { table, sweep: false });
      for (const hasTriggers of [false, true]) {
        for (const event of hasTriggers ? ["INSERT", "UPDATE"] : []) {
          await ask(
            `CREATE TRIGGER ${table}_${event} AFTER ${event} ON ${table} ` +
              `FOR EACH ROW INSERT INTO ${table}_log (id) VALUES (NEW.id)`,
          );
        }
        for (const ttl of [60, -1]) {
          const id = newId();
          const first = await store.create(id, "one", { ...write, ttl });
          assert(first !== undefined);
          const second = await store.create(id, "two", write);
          const [version, text] = ttl < 0 ? [second, "two"] : [first, "one"];
          assertEquals(second !== undefined, ttl < 0);
          assertEquals(await store.read(id), { text, version: version!, lastAccess: 1 });
        }
      }
    },
  );
}
