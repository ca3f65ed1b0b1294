/** The databases that the end-to-end tests share between processes. */
import { DatabaseSync } from "node:sqlite";
import { auditText, type Backend, type Place } from "./_backend.ts";
import { MYSQL_CLIENTS, POSTGRES_CLIENTS, type SqlOpener } from "./_sql_clients.ts";
import { anyMysql, anyPostgres, mysqlMissing, postgresMissing } from "./_sql_servers.ts";
import { newTable } from "./_sql_suite.ts";

/** The databases. */
export const SQL_BACKENDS: Backend[] = [
  { name: "sqlite", missing: undefined, start: startSqlite, kills: 200 },
  { name: "postgres", missing: postgresMissing, start: startPostgres, kills: 25 },
  { name: "mysql", missing: mysqlMissing, start: startMysql, kills: 25 },
];

async function startSqlite(): Promise<Place> {
  const folder = await Deno.makeTempDir({ prefix: "pagi-sqlite-" });
  const path = `${folder}/sessions.db`;
  return {
    where: path,
    audit() {
      const database = new DatabaseSync(path);
      try {
        const [check] = database.prepare("PRAGMA integrity_check").all();
        if (check?.integrity_check !== "ok") throw new Error("The file is damaged");
        auditRows(database.prepare("SELECT * FROM pagi_sessions").all());
      } finally {
        database.close();
      }
      return Promise.resolve();
    },
    kept() {
      const database = new DatabaseSync(path);
      try {
        return Promise.resolve(keptIn(database.prepare("SELECT * FROM pagi_sessions").all()));
      } finally {
        database.close();
      }
    },
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

function startPostgres(): Promise<Place> {
  return startServer(anyPostgres, POSTGRES_CLIENTS["a Client of pg"]!);
}

function startMysql(): Promise<Place> {
  return startServer(anyMysql, MYSQL_CLIENTS["a connection of mysql2"]!);
}

/** A table on a server. */
async function startServer<Client>(
  start: typeof anyPostgres,
  connect: SqlOpener<Client>,
): Promise<Place> {
  const server = await start();
  const table = newTable();
  const asked = async (sql: string) => {
    const { ask, close } = await connect(server.url);
    try {
      return await ask(sql);
    } finally {
      await close();
    }
  };
  return {
    where: `${server.url} ${table}`,
    audit: async () => auditRows(await asked(`SELECT * FROM ${table}`)),
    kept: async () => keptIn(await asked(`SELECT * FROM ${table}`)),
    async [Symbol.asyncDispose]() {
      await asked(`DROP TABLE IF EXISTS ${table}`);
      await server[Symbol.asyncDispose]();
    },
  };
}

function keptIn(rows: Record<string, unknown>[]): number[] {
  return rows.map(({ expires_at }) => Number(expires_at) - Date.now() / 1000);
}

function auditRows(rows: Record<string, unknown>[]): void {
  if (rows.length === 0) throw new Error("There are no records at all");
  for (const { version, text, expires_at } of rows) {
    if (!/^[\da-f]{24}$/.test(String(version))) throw new Error("A record has no version");
    if (!(Number(expires_at) > 0)) throw new Error("A record has no end");
    auditText(String(text));
  }
}
