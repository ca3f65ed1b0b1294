import { PostgresStore } from "@pagi/session/store/postgres";
import { format } from "./_books.ts";
import { rideOut } from "./_outage.ts";
import { serverTest } from "./_servers.ts";
import { POSTGRES_CLIENTS } from "./_sql_clients.ts";
import { OwnPostgres, ownPostgresMissing } from "./_sql_servers.ts";

for (const name of ["a Pool of pg", "postgres.js"]) {
  for (const signal of ["SIGINT", "SIGQUIT"] as const) {
    const title = `PostgresStore on ${name}: PostgreSQL is ended by ${signal} under load and ` +
      "started again";
    serverTest(ownPostgresMissing, title, async () => {
      await using postgres = await OwnPostgres.start();
      const { client, close } = await POSTGRES_CLIENTS[name]!(postgres.url);
      const store = new PostgresStore(client);
      await store.setup();
      const balance = await rideOut({
        store,
        stop: () => postgres.stop(signal),
        start: () => postgres.start(),
      });
      console.log(`${name}, ${signal}: ${format(balance)}`);
      await close();
    });
  }
}
