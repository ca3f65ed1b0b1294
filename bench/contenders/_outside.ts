/** Redis and SQLite, the same for every library. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** A store, and how to empty it and to close what it uses. */
export interface OpenStore<Store> {
  store: Store;
  clear?(): void;
  close?(): Promise<void> | void;
}

/** Where Redis listens. */
export function redisAddress(port: number | undefined): { host: string; port: number } {
  if (port === undefined) throw new TypeError("Cannot open Redis: the option redisPort is missing");
  return { host: "127.0.0.1", port };
}

/** Opens a new SQLite file. A database in memory would leave out the cost of the file. */
export function openSqliteFile(): { database: DatabaseSync; close(): void } {
  return openFile((path) => new DatabaseSync(path));
}

/** The same through `bun:sqlite`, which only Bun has. */
export async function openBunSqliteFile(): Promise<{ database: BunDatabase; close(): void }> {
  const name = "bun:sqlite";
  const { Database }: { Database: new (path: string) => BunDatabase } = await import(name);
  return openFile((path) => new Database(path));
}

/** The methods of Bun's database that the libraries call. */
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
