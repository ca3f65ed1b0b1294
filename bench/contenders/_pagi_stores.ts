/** The stores of this library that stand on something outside. */
import { DatabaseSync } from "node:sqlite";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { RedisStore, type SessionStore, SqliteStore } from "../../mod.ts";

/** A store, and how what it stands on is closed. */
export interface OpenStore {
  store: SessionStore;
  close?(): void;
}

/** On Redis, through ioredis. */
export function openRedis(port: number | undefined): OpenStore {
  if (port === undefined) throw new TypeError("Cannot open Redis: nobody said where it listens");
  const client = new Redis({ host: "127.0.0.1", port });
  return {
    store: new RedisStore(client, { prefix: "pagi-bench:" }),
    close: () => client.disconnect(),
  };
}

/** On a SQLite file of its own: a database in memory would skip what a file costs. */
export async function openSqlite(): Promise<OpenStore> {
  const folder = mkdtempSync(join(tmpdir(), "pagi-bench-"));
  const database = new DatabaseSync(join(folder, "sessions.db"));
  const store = new SqliteStore(database);
  await store.setup();
  return {
    store,
    close() {
      database.close();
      rmSync(folder, { recursive: true });
    },
  };
}
