/** What stores stand on outside of the process, the same for every contender. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** A store, and how what it stands on is closed. */
export interface OpenStore<Store> {
  store: Store;
  close?(): Promise<void> | void;
}

/** Where Redis listens. */
export function redisAddress(port: number | undefined): { host: string; port: number } {
  if (port === undefined) throw new TypeError("Cannot open Redis: nobody said where it listens");
  return { host: "127.0.0.1", port };
}

/** A SQLite file that nobody else uses: a database in memory would skip what a file costs. */
export function openSqliteFile(): { database: DatabaseSync; close(): void } {
  const folder = mkdtempSync(join(tmpdir(), "pagi-bench-"));
  const database = new DatabaseSync(join(folder, "sessions.db"));
  return {
    database,
    close() {
      database.close();
      rmSync(folder, { recursive: true });
    },
  };
}
