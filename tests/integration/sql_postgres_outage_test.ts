import { PostgresStore } from "@pagi/session/store/postgres";
import { format } from "./_books.ts";
import { rideOut } from "./_outage.ts";
import { serverTest } from "./_servers.ts";
import { POSTGRES_CLIENTS } from "./_sql_clients.ts";
import { OwnPostgres, ownPostgresMissing } from "./_sql_servers.ts";

// Not postgres.js 3.4.9: where a connection is closed while it has something to send, it forgets to
// take that back, and the next one never sends its greeting. Every few runs none is left.
for (const signal of ["SIGINT", "SIGQUIT"] as const) {
  const title =
    `PostgresStore on pg: PostgreSQL is ended by ${signal} under load and started again`;
  serverTest(ownPostgresMissing, title, async () => {
    await using postgres = await OwnPostgres.start();
    const { client, close } = await POSTGRES_CLIENTS["a Pool of pg"]!(postgres.url);
    const store = new PostgresStore(client);
    await store.setup();
    const balance = await rideOut({
      store,
      stop: () => postgres.stop(signal),
      start: () => postgres.start(),
    });
    console.log(`pg, ${signal}: ${format(balance)}`);
    await close();
  });
}
