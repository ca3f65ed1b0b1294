/** Stores for express-session, as their READMEs set them up; @fastify/session takes the same. */
import betterSqliteStore from "better-sqlite3-session-store";
import { RedisStore } from "connect-redis";
import session from "express-session";
import { createClient } from "redis";
import { openSqliteFile, type OpenStore, redisAddress } from "./_outside.ts";
import type { Setup } from "./contender.ts";

/** The store that a contender is measured on; `memory` is its own. */
export async function openStore<Memory>(
  { store, redisPort }: Setup,
  memory: Memory,
): Promise<OpenStore<Memory | session.Store>> {
  if (store === "redis") return await openRedis(redisPort);
  if (store === "sqlite") return openSqlite();
  return { store: memory };
}

/** connect-redis, through node-redis: it takes no ioredis. */
async function openRedis(port: number | undefined): Promise<OpenStore<session.Store>> {
  const client = createClient({ socket: redisAddress(port) });
  await client.connect();
  return {
    store: new RedisStore({ client, prefix: "express-bench:" }),
    close: () => client.close(),
  };
}

const SqliteStore = betterSqliteStore(session);
// It deletes what has expired every 15 minutes, and nothing stops that: the process would not end.
SqliteStore.prototype.startInterval = () => {};

/** better-sqlite3-session-store on `node:sqlite`, which has the methods of better-sqlite3 it calls. */
function openSqlite(): OpenStore<session.Store> {
  const { database, close } = openSqliteFile();
  // As our store has it. The package leaves it to the app; by default each write waits for the disk.
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
  // The package has no types: those that are found in its code do not know what a Store is.
  const store = new SqliteStore({ client: database }) as unknown as session.Store;
  return { store, close };
}
