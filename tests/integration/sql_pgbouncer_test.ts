import { assert, assertEquals } from "@std/assert";
import { SessionMiddleware } from "@pagi/session";
import { PostgresStore } from "@pagi/session/store/postgres";
import { pgbouncerMissing, startPgbouncer } from "./_pgbouncer.ts";
import { POSTGRES_CLIENTS, type SqlOpener } from "./_sql_clients.ts";
import { anyPostgres, postgresMissing } from "./_sql_servers.ts";
import { newTable } from "./_sql_suite.ts";
import { serverTest } from "./_servers.ts";
import { holdToContract, race } from "./_suites.ts";

const SECRET = "a secret of more than 32 characters";
const VISITORS = 20;
const VISITS = 10;

/** A store behind PgBouncer, and a way past it. */
async function openPooled(connect: SqlOpener<never>) {
  const pooled = await startPgbouncer(await anyPostgres());
  const direct = await anyPostgres();
  const table = newTable();
  const { ask, close: closeDirect } = await POSTGRES_CLIENTS["a Client of pg"]!(direct.url);
  const { client, close } = await connect(pooled.url);
  const store = new PostgresStore(client, { table });
  await store.setup();
  return {
    store,
    ask,
    table,
    async [Symbol.asyncDispose]() {
      await close();
      await ask(`DROP TABLE ${table}`);
      await closeDirect();
      await direct[Symbol.asyncDispose]();
      await pooled[Symbol.asyncDispose]();
    },
  };
}

const missing = pgbouncerMissing ?? postgresMissing;

for (
  const [name, events] of [
    ["a Pool of pg", ["statements-unprepared"]],
    ["a database of pg-promise", ["statements-unprepared"]],
    ["postgres.js", []],
  ] as [string, string[]][]
) {
  serverTest(
    missing,
    `PostgresStore on ${name} works behind PgBouncer in transaction mode`,
    async (t) => {
      await using rig = await openPooled(POSTGRES_CLIENTS[name] as SqlOpener<never>);
      const { store } = rig;
      await t.step("of 200 requests, each is answered and each write is stored", async () => {
        const seen: string[] = [];
        const onEvent = ({ type }: { type: string }) => seen.push(type);
        const sessions = new SessionMiddleware({ secret: SECRET, store, onEvent });
        const handler = sessions.handler((_request, session) => {
          session.update("visits", (n) => Number(n ?? 0) + 1);
          return new Response(String(session.get("visits")));
        });
        await Promise.all(Array.from({ length: VISITORS }, async () => {
          const headers: Record<string, string> = {};
          for (let visit = 1; visit <= VISITS; visit++) {
            const response = await handler(new Request("http://localhost/", { headers }));
            assertEquals([response.status, await response.text()], [200, String(visit)]);
            headers.cookie ??= response.headers.getSetCookie()[0]!.split(";")[0]!;
          }
        }));
        assertEquals(seen, events);
        const rows = await rig.ask(`SELECT text FROM ${rig.table}`);
        assertEquals(rows.length, VISITORS);
        for (const { text } of rows) {
          assert(String(text).includes(`"visits":${VISITS}`), String(text));
        }
      });
      await holdToContract(t, store);
      await t.step("no race breaks a session", () => race(store, 50));
    },
  );
}
