import { assertEquals } from "@std/assert";
import { DRIVERS } from "./_sql_clients.ts";

const CONFIG = `${import.meta.dirname}/deno.json`;

/** Each kind of client as its driver's own types have it, handed to a store without a cast. */
const PROGRAM = `
// @ts-types="npm:@types/pg@8.15.5"
import pg from "${DRIVERS.pg}";
import postgres from "${DRIVERS.postgres}";
import callbacks from "${DRIVERS.mysql2}";
import mysql from "${DRIVERS.mysql2Promise}";
import mariadb from "${DRIVERS.mariadb}";
import pgPromise from "${DRIVERS.pgPromise}";
import { PGlite } from "${DRIVERS.pglite}";
import type Database from "npm:@types/better-sqlite3@7.6.13";
import { DatabaseSync } from "node:sqlite";
import { MysqlStore } from "@pagi/session/store/mysql";
import { PostgresStore } from "@pagi/session/store/postgres";
import { SqliteStore } from "@pagi/session/store/sqlite";

export async function open(better: Database.Database): Promise<unknown[]> {
  const pool = new pg.Pool();
  const typed = postgres({ types: { bigint: postgres.BigInt } });
  return [
    new PostgresStore(pool),
    new PostgresStore(await pool.connect()),
    new PostgresStore(new pg.Client()),
    new PostgresStore(postgres()),
    new PostgresStore(typed),
    new PostgresStore(await typed.reserve()),
    new MysqlStore(mysql.createPool({})),
    new MysqlStore(await mysql.createConnection({})),
    new MysqlStore(await mysql.createPool({}).getConnection()),
    new MysqlStore(callbacks.createPool({}).promise()),
    new MysqlStore(callbacks.createPool({})),
    new MysqlStore(callbacks.createConnection({})),
    new MysqlStore(mariadb.createPool({})),
    new MysqlStore(await mariadb.createConnection({})),
    new PostgresStore(pgPromise()("postgres://db")),
    new PostgresStore(new PGlite()),
    new SqliteStore(new DatabaseSync(":memory:")),
    new SqliteStore(better),
    // @ts-expect-error: it is MySQL's.
    new PostgresStore(mysql.createPool({})),
    // @ts-expect-error: it is PostgreSQL's.
    new MysqlStore(new pg.Pool()),
    // @ts-expect-error: it is PostgreSQL's.
    new SqliteStore(new pg.Pool()),
  ];
}
`;

Deno.test("The stores on SQL take the drivers' clients as they are typed", async () => {
  const path = await Deno.makeTempFile({ prefix: "pagi-types-", suffix: ".ts" });
  try {
    await Deno.writeTextFile(path, PROGRAM);
    const args = ["check", "--config", CONFIG, path];
    const { success, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
    assertEquals(success, true, new TextDecoder().decode(stderr));
  } finally {
    await Deno.remove(path);
  }
});
