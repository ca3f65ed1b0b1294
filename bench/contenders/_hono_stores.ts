/** The stores of hono-sessions, set up as in its README. */
import { CookieStore, MemoryStore, type SessionOptions } from "hono-sessions";
import { BunSqliteStore } from "hono-sessions/bun-sqlite-store";
import { openBunSqliteFile, type OpenStore } from "./_outside.ts";
import type { StoreName } from "./contender.ts";

/** Opens a store. */
export async function openStore(store: StoreName): Promise<OpenStore<SessionOptions["store"]>> {
  if (store === "cookie") return { store: new CookieStore() };
  if (store === "sqlite") return await openSqlite();
  const memory = new MemoryStore();
  return { store: memory, clear: () => memory["data"].clear() };
}

/** Its store on `bun:sqlite`. */
async function openSqlite(): Promise<OpenStore<SessionOptions["store"]>> {
  const { database, close } = await openBunSqliteFile();
  // The same settings as the other libraries: by default each write waits for the disk.
  database.run("PRAGMA journal_mode = WAL");
  database.run("PRAGMA synchronous = NORMAL");
  return { store: new BunSqliteStore(database), close };
}
