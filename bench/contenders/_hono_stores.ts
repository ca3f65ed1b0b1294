/** Stores of hono-sessions, as its README sets them up. */
import { CookieStore, MemoryStore, type SessionOptions } from "hono-sessions";
import { BunSqliteStore } from "hono-sessions/bun-sqlite-store";
import { openBunSqliteFile, type OpenStore } from "./_outside.ts";
import type { StoreName } from "./contender.ts";

/** The store that it is measured on. */
export async function openStore(store: StoreName): Promise<OpenStore<SessionOptions["store"]>> {
  if (store === "cookie") return { store: new CookieStore() };
  if (store === "sqlite") return await openSqlite();
  return { store: new MemoryStore() };
}

/** Its store for Bun's own SQLite. */
async function openSqlite(): Promise<OpenStore<SessionOptions["store"]>> {
  const { database, close } = await openBunSqliteFile();
  // As the others here have it: by default each write waits for the disk.
  database.run("PRAGMA journal_mode = WAL");
  database.run("PRAGMA synchronous = NORMAL");
  return { store: new BunSqliteStore(database), close };
}
