/** Clients that need no server, and clients that the constructors have to refuse. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import type { VersionedStore } from "@pagi/session/store";
import { MysqlStore } from "@pagi/session/store/mysql";
import { PostgresStore } from "@pagi/session/store/postgres";
import { SqliteStore } from "@pagi/session/store/sqlite";
import { DRIVERS } from "./_sql_clients.ts";
import { newId, write } from "./_sql_suite.ts";
import { holdToContract, race } from "./_suites.ts";

const RACES = 100;
const { signal } = write;

async function hold(t: Deno.TestContext, store: VersionedStore): Promise<void> {
  await holdToContract(t, store);
  await t.step("no race breaks a session", () => race(store, RACES));
  for (const text of ["a\0b", "é 𝒳 \ud800", "x".repeat(100_000)]) {
    const id = newId();
    const lastAccess = 1_700_000_000.123;
    const version = await store.create(id, text, { ...write, lastAccess });
    assertEquals(await store.read(id, { signal }), { text, version: version!, lastAccess });
  }
}

Deno.test("PostgresStore on PGlite keeps the contract", async (t) => {
  const { PGlite } = await import(DRIVERS.pglite);
  const client = new PGlite();
  try {
    const store = new PostgresStore(client, { sweep: false });
    await store.setup();
    await store.setup();
    await hold(t, store);
    const version = (await store.create(newId(), "", { ...write, ttl: -1 }))!;
    assert(version !== undefined && await store.sweep() > 0);
  } finally {
    await client.close();
  }
});

Deno.test("SqliteStore on libsql keeps the contract", async (t) => {
  const { default: Database } = await import(DRIVERS.libsql);
  const client = new Database(":memory:");
  const store = new SqliteStore(client);
  await store.setup();
  await hold(t, store);
  client.close();
});

/** The driver is loaded and nothing is connected. */
const OTHERS = {
  async mysqljs() {
    const { default: mysql } = await import("npm:mysql@2.18.1");
    return { pool: mysql.createPool({}), connection: mysql.createConnection({}) };
  },
  async mysql2() {
    const { default: mysql } = await import(DRIVERS.mysql2);
    const { default: promised } = await import(DRIVERS.mysql2Promise);
    return {
      pool: mysql.createPool({}),
      promised: promised.createPool({}),
      clusters: [mysql.createPoolCluster(), promised.createPoolCluster()],
      Pool: mysql.Pool,
    };
  },
  async mariadb() {
    const { default: mariadb } = await import(DRIVERS.mariadb);
    const { default: callbacks } = await import(`${DRIVERS.mariadb}/callback.js`);
    const options = { host: "127.0.0.1", minimumIdle: 0, connectionLimit: 1 };
    return { pool: mariadb.createPool(options), callbacks: callbacks.createPool(options) };
  },
  async pg() {
    const { default: pg } = await import(DRIVERS.pg);
    return { module: pg, Pool: pg.Pool, pool: new pg.Pool(), client: new pg.Client() };
  },
  async postgres() {
    const { default: postgres } = await import(DRIVERS.postgres);
    return { factory: postgres, sql: postgres() };
  },
  async pgPromise() {
    const { default: pgPromise } = await import(DRIVERS.pgPromise);
    return { factory: pgPromise, pgp: pgPromise() };
  },
  async libsql() {
    const { default: Database } = await import(`${DRIVERS.libsql}/promise`);
    const { createClient } = await import("npm:@libsql/client@0.15.15");
    return {
      Database,
      promises: new Database(":memory:"),
      client: createClient({ url: ":memory:" }),
    };
  },
};

Deno.test({
  name: "the stores on SQL refuse clients that they cannot use, and say what they received",
  // Pools start timers and sockets of their own.
  sanitizeOps: false,
  sanitizeResources: false,
  async fn(t) {
    const { mysqljs, mysql2, mariadb, pg, postgres, pgPromise, libsql } = OTHERS;
    const refuse = (Store: new (client: never) => unknown, client: unknown, needs: RegExp) => {
      const error = assertThrows(() => new Store(client as never), TypeError);
      assert(error instanceof Error && needs.test(error.message), (error as Error).message);
    };
    await t.step("PostgresStore", async () => {
      const my = await mysqljs();
      const other = await mysql2();
      const maria = await mariadb();
      for (const client of [my.pool, my.connection, other.pool, other.promised, maria.pool]) {
        refuse(PostgresStore, client, /pg.*; it is an? /);
      }
      const { module, Pool, pool, client } = await pg();
      refuse(PostgresStore, module, /pg.*; it is /);
      refuse(PostgresStore, Pool, /it is the class \w+: create an instance with new/);
      refuse(PostgresStore, client.constructor, /it is the class Client/);
      refuse(PostgresStore, Promise.resolve(pool), /it is a Promise: await it first/);
      refuse(PostgresStore, "postgres://db", /it is a string/);
      refuse(PostgresStore, (await postgres()).factory, /it is the function \w+.*: call it/);
      const { factory, pgp } = await pgPromise();
      refuse(PostgresStore, factory, /it is the function/);
      refuse(PostgresStore, pgp, /it is the function/);
      refuse(PostgresStore, new DatabaseSync(":memory:"), /it is a DatabaseSync/);
      new PostgresStore(pool);
      new PostgresStore(client);
      await maria.pool.end();
      await new Promise<void>((resolve) => maria.callbacks.end(() => resolve()));
    });
    await t.step("MysqlStore", async () => {
      const my = await mysqljs();
      const { callbacks, pool: mariaPool } = await mariadb();
      const { pool, client } = await pg();
      const { sql } = await postgres();
      for (const other of [my.pool, my.connection, callbacks, pool, client]) {
        refuse(
          MysqlStore,
          other,
          /mysql2, or one of MariaDB's connector with promises; it is an? /,
        );
      }
      refuse(MysqlStore, sql, /it is the function/);
      refuse(MysqlStore, Promise.resolve(mariaPool), /it is a Promise: await it first/);
      refuse(MysqlStore, (await libsql()).client, /it is a/);
      const { pool: mysqlPool, promised, clusters, Pool } = await mysql2();
      for (const cluster of clusters) refuse(MysqlStore, cluster, /it is a (Promise)?PoolCluster/);
      if (Pool !== undefined) refuse(MysqlStore, Pool, /it is the class/);
      for (const one of [mysqlPool, promised, mariaPool]) new MysqlStore(one);
      await mariaPool.end();
      await new Promise<void>((resolve) => callbacks.end(() => resolve()));
    });
    await t.step("SqliteStore", async () => {
      const { Database, promises, client } = await libsql();
      refuse(SqliteStore, Database, /it is the /);
      refuse(SqliteStore, promises, /it answers with promises/);
      refuse(SqliteStore, client, /it is a/);
      // It takes the values of a statement as a list.
      const { default: wasm } = await import("npm:node-sqlite3-wasm@0.8.60");
      const withLists = new wasm.Database(":memory:");
      refuse(SqliteStore, withLists, /it is a Database, whose .* does not return the first row$/);
      withLists.close();
      refuse(SqliteStore, DatabaseSync, /it is the (class|function) DatabaseSync/);
      refuse(SqliteStore, "sessions.db", /it is a string/);
      refuse(SqliteStore, (await pg()).pool, /it is a/);
    });
  },
});
