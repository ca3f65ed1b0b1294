/**
 * Measures how much longer requests take while a store has 300,000 expired rows: with the sweeps of
 * its creates alone, and while a job removes the rows. Prints a table, in milliseconds.
 *
 *     deno run -A --config tests/integration/deno.json tests/integration/_mass_expiry.ts
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";
import { SessionMiddleware } from "@pagi/session";
import { type MysqlClient, MysqlStore } from "@pagi/session/store/mysql";
import { type PostgresClient, PostgresStore } from "@pagi/session/store/postgres";
import { SqliteStore } from "@pagi/session/store/sqlite";
import { MYSQL_CLIENTS, POSTGRES_CLIENTS } from "./_sql_clients.ts";
import { anyMysql, anyPostgres } from "./_sql_servers.ts";
import { newTable, openRig, type SqlStore } from "./_sql_suite.ts";

const EXPIRED = 300_000;
const ROWS = 5000;
const REQUESTS = 2000;
const CONCURRENT = 4;

interface Place {
  store: SqlStore;
  ask(sql: string): Promise<unknown>;
  table: string;
}

/** Requests of users who sign in and come back; the slowest, and the one that 99 % are faster than. */
async function measure({ store }: Place): Promise<string> {
  const secret = "a secret of more than 32 characters";
  const handler = new SessionMiddleware({ secret, store }).handler((_request, session) => {
    session.update("visits", (n) => Number(n ?? 0) + 1);
    return new Response();
  });
  const times: number[] = [];
  const visit = async (headers: Record<string, string>) => {
    const began = performance.now();
    const response = await handler(new Request("http://localhost/", { headers }));
    times.push(performance.now() - began);
    if (response.status !== 200) throw new Error(`A request failed: ${response.status}`);
    return response.headers.getSetCookie()[0]?.split(";")[0];
  };
  await Promise.all(Array.from({ length: CONCURRENT }, async () => {
    for (let turn = 0; turn < REQUESTS / 2 / CONCURRENT; turn++) {
      const cookie = await visit({});
      await visit({ cookie: cookie! });
      // SQLite answers immediately; other requests would never come first.
      await new Promise((resolve) => setTimeout(resolve));
    }
  }));
  times.sort((a, b) => a - b);
  const ms = (at: number) => times[at]!.toFixed(1);
  return `median ${ms(times.length >> 1)}, 99 % ${ms(Math.floor(times.length * 0.99))}, ` +
    `slowest ${ms(times.length - 1)}`;
}

async function report(name: string, place: Place): Promise<void> {
  const { store, ask, table } = place;
  await store.setup();
  await measure(place);
  console.log(`${name}, no expired rows: ${await measure(place)}`);
  const end = Date.now() / 1000 - EXPIRED;
  for (let from = 0; from < EXPIRED; from += ROWS) {
    const row = (n: number) =>
      `('${crypto.randomUUID().replaceAll("-", "")}', 'v', 0, ${end + from + n}, '${
        "x".repeat(300)
      }')`;
    const values = Array.from({ length: ROWS }, (_, n) => row(n)).join();
    await ask(`INSERT INTO ${table} (id, version, last_access, expires_at, text) VALUES ${values}`);
  }
  console.log(`${name}, ${EXPIRED} expired rows: ${await measure(place)}`);
  let isDone = false;
  let swept = 0;
  const began = performance.now();
  const job = (async () => {
    while (!isDone) {
      const rows = await store.sweep();
      swept += rows;
      if (rows === 0) break;
    }
  })();
  console.log(`${name}, while a job sweeps: ${await measure(place)}`);
  isDone = true;
  await job;
  console.log(
    `${name}: the job removed ${swept} in ${((performance.now() - began) / 1000).toFixed(1)} s`,
  );
}

{
  await using rig = await openRig(anyPostgres, POSTGRES_CLIENTS["a Pool of pg"]!);
  const { client, table, ask } = rig;
  await report("PostgreSQL", {
    store: new PostgresStore(client as PostgresClient, { table }),
    ask,
    table,
  });
}
{
  await using rig = await openRig(anyMysql, MYSQL_CLIENTS["a pool of mysql2"]!);
  const { client, table, ask } = rig;
  await report("MariaDB", { store: new MysqlStore(client as MysqlClient, { table }), ask, table });
}
{
  const path = await Deno.makeTempFile({ prefix: "pagi-sqlite-", suffix: ".db" });
  using database = new DatabaseSync(path);
  const table = newTable();
  const ask = (sql: string) => Promise.resolve(database.exec(sql));
  await report("SQLite", { store: new SqliteStore(database, { table }), ask, table });
  await Deno.remove(path);
}
