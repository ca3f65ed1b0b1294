/** The stores of this library on Redis and SQLite. */
import { Redis } from "ioredis";
import { RedisStore, type SessionStore, SqliteStore } from "../../mod.ts";
import { openSqliteFile, type OpenStore, redisAddress } from "./_outside.ts";

/** RedisStore on ioredis. */
export function openRedis(port: number | undefined): OpenStore<SessionStore> {
  const client = new Redis(redisAddress(port));
  return {
    store: new RedisStore(client, { prefix: "pagi-bench:" }),
    close: () => client.disconnect(),
  };
}

/** SqliteStore on a new file. */
export async function openSqlite(): Promise<OpenStore<SessionStore>> {
  const { database, close } = openSqliteFile();
  const store = new SqliteStore(database);
  await store.setup();
  return { store, close };
}
