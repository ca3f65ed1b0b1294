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
  return openFile((path) => new DatabaseSync(path));
}

/** The same through `bun:sqlite`, which is there on Bun alone. */
export async function openBunSqliteFile(): Promise<{ database: BunDatabase; close(): void }> {
  const name = "bun:sqlite";
  const { Database }: { Database: new (path: string) => BunDatabase } = await import(name);
  return openFile((path) => new Database(path));
}

/** What is called here of a database of Bun's. */
interface BunDatabase {
  run(sql: string): void;
  close(): void;
}

function openFile<Database extends { close(): void }>(
  open: (path: string) => Database,
): { database: Database; close(): void } {
  const folder = mkdtempSync(join(tmpdir(), "pagi-bench-"));
  const database = open(join(folder, "sessions.db"));
  return {
    database,
    close() {
      database.close();
      rmSync(folder, { recursive: true });
    },
  };
}
