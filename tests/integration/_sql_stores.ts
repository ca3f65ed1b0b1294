/** How a server process opens a store on SQL, by name. */
import { MYSQL_CLIENTS, POSTGRES_CLIENTS } from "./_sql_clients.ts";
import type { StoreOpener } from "./_backend.ts";

/** The stores by name; where they are is a file, or a server's address, a blank and a table. */
export const SQL_STORES: { [name: string]: StoreOpener } = {
  async sqlite(path) {
    const { DatabaseSync } = await import("node:sqlite");
    const { SqliteStore } = await import("@pagi/session/store/sqlite");
    const database = new DatabaseSync(path);
    const store = new SqliteStore(database);
    await store.setup();
    return { store, close: () => database.close() };
  },
  async postgres(where) {
    const [url, table] = where.split(" ");
    const { PostgresStore } = await import("@pagi/session/store/postgres");
    const { client, close } = await POSTGRES_CLIENTS["a Pool of pg"]!(url!);
    const store = new PostgresStore(client, { table });
    await store.setup();
    return { store, close };
  },
  async mysql(where) {
    const [url, table] = where.split(" ");
    const { MysqlStore } = await import("@pagi/session/store/mysql");
    const { client, close } = await MYSQL_CLIENTS["a pool of mysql2"]!(url!);
    const store = new MysqlStore(client, { table });
    await store.setup();
    return { store, close };
  },
};
