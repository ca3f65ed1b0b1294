/** Stores for express-session, set up as in their READMEs; @fastify/session takes the same. */
import betterSqliteStore from "better-sqlite3-session-store";
import { RedisStore } from "connect-redis";
import session from "express-session";
import { createClient } from "redis";
import { openSqliteFile, type OpenStore, redisAddress } from "./_outside.ts";
import type { Setup } from "./contender.ts";

/** Opens a store; `memory` is the library's own store in memory. */
export async function openStore<Memory>(
  { store, redisPort }: Setup,
  memory: Memory,
): Promise<OpenStore<Memory | session.Store>> {
  if (store === "redis") return await openRedis(redisPort);
  if (store === "sqlite") return openSqlite();
  return { store: memory };
}

/** connect-redis on node-redis, the only client that it documents. */
async function openRedis(port: number | undefined): Promise<OpenStore<session.Store>> {
  const client = createClient({ socket: redisAddress(port) });
  await client.connect();
  return {
    store: new RedisStore({ client, prefix: "express-bench:" }),
    close: () => client.close(),
  };
}

const SqliteStore = betterSqliteStore(session);
// Nothing stops its timer, which deletes expired sessions: the process would not end.
SqliteStore.prototype.startInterval = () => {};

/** better-sqlite3-session-store on `node:sqlite`, which has all the methods that it calls. */
function openSqlite(): OpenStore<session.Store> {
  const { database, close } = openSqliteFile();
  // The same settings as our store's. By default each write waits for the disk.
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
  // The package has no types, and those inferred from its code are wrong.
  const store = new SqliteStore({ client: database }) as unknown as session.Store;
  return { store, close };
}
