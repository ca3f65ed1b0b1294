/** Expired rows, however many and whoever locks them, hold up no request. */
import { assert, assertEquals } from "@std/assert";
import { type MysqlClient, MysqlStore } from "@pagi/session/store/mysql";
import { type PostgresClient, PostgresStore } from "@pagi/session/store/postgres";
import { MYSQL_CLIENTS, openSql, POSTGRES_CLIENTS, type SqlOpener } from "./_sql_clients.ts";
import {
  anyMysql,
  anyPostgres,
  mysqlMissing,
  postgresMissing,
  type SqlServer,
} from "./_sql_servers.ts";
import { newId, openRig, type SqlStore, write } from "./_sql_suite.ts";
import { serverTest } from "./_servers.ts";

const { signal } = write;
/** A statement waits 50 seconds for a locked row on MariaDB, and for ever on PostgreSQL. */
const PATIENCE_MS = 20_000;

interface Server {
  name: string;
  missing: string | undefined;
  start: () => Promise<SqlServer>;
  /** A pool of four connections. */
  pool: SqlOpener<unknown>;
  /** One connection, which holds a lock. */
  connection: SqlOpener<unknown>;
  open(client: unknown, table: string, options?: { sweep: boolean }): SqlStore;
}

const SERVERS: Server[] = [
  {
    name: "PostgresStore",
    missing: postgresMissing,
    start: anyPostgres,
    pool: (url) => openSql.pg(url, { max: 4 }),
    connection: POSTGRES_CLIENTS["a Client of pg"]!,
    open: (client, table, options) =>
      new PostgresStore(client as PostgresClient, { ...options, table }),
  },
  {
    name: "MysqlStore",
    missing: mysqlMissing,
    start: anyMysql,
    pool: (url) => openSql.mysql2(url, { connectionLimit: 4 }),
    connection: MYSQL_CLIENTS["a connection of mysql2"]!,
    open: (client, table, options) => new MysqlStore(client as MysqlClient, { ...options, table }),
  },
];

/** Runs `work` while each create sweeps. */
async function sweeping(work: () => Promise<void>): Promise<void> {
  const { random } = Math;
  Math.random = () => 0;
  try {
    await work();
  } finally {
    Math.random = random;
  }
}

for (const { name, missing, start, pool, connection, open } of SERVERS) {
  serverTest(missing, `${name} waits for no expired row that is locked`, async () => {
    await using rig = await openRig(start, pool);
    const store = open(rig.client, rig.table);
    await store.setup();
    // No sweep of these creates may still run when the rows have expired.
    const filling = open(rig.client, rig.table, { sweep: false });
    const ids = Array.from({ length: 100 }, newId);
    for (const id of ids) await filling.create(id, "", { ...write, ttl: 3600 });
    await rig.ask(`UPDATE ${rig.table} SET expires_at = 1`);
    const left = async () =>
      (await rig.ask(`SELECT id FROM ${rig.table} WHERE expires_at < 2`)).length;
    const holder = await connection(rig.url);
    try {
      await holder.ask("BEGIN");
      // One by one: for many, MySQL would read the table from its start and lock the gaps as well.
      for (const id of ids.slice(0, 10)) {
        await holder.ask(`UPDATE ${rig.table} SET last_access = 2 WHERE id = '${id}'`);
      }
      const began = performance.now();
      await sweeping(async () => {
        await Promise.all(Array.from({ length: 40 }, async () => {
          const id = newId();
          const version = await store.create(id, "", write);
          assert(await store.touch(id, { ...write, version: version!, text: "" }));
          assert(await store.read(id, { signal }) !== undefined);
        }));
      });
      while (await store.sweep() > 0);
      assert(performance.now() - began < PATIENCE_MS);
      assertEquals(await left(), 10);
    } finally {
      // Otherwise the table could not be dropped.
      await holder.ask("ROLLBACK");
      await holder.close();
    }
    assertEquals(await store.sweep(), 10);
    assertEquals(await left(), 0);
  });
}
