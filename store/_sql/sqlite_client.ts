/** The clients that a {@linkcode SqliteStore} takes, and how they are used. */
import { isPromise } from "../../base/awaitable.ts";
import type { SqlDriver, SqlRow } from "./records.ts";
import type { CompiledSql, SqlValue } from "./statements.ts";

/** What is used of a prepared statement. */
export interface SqliteStatement {
  /** Runs it to its end; `changes` is how many rows it wrote. */
  run(...values: (string | number)[]): { changes: number | bigint };
  /** The first row. */
  get(...values: (string | number)[]): unknown;
}

/**
 * What is used of a database: `DatabaseSync` of `node:sqlite` (in Deno and Node), `Database` of
 * `bun:sqlite` and of better-sqlite3 have it.
 */
export interface SqliteDatabase {
  /** Prepares a statement. */
  prepare(sql: string): SqliteStatement;
  /** Runs a statement that has no values. */
  exec(sql: string): unknown;
}

/** Runs statements on a database, each prepared once. */
export class SqliteDriver implements SqlDriver {
  readonly #database: SqliteDatabase;
  readonly #prepared = new WeakMap<CompiledSql, SqliteStatement>();

  constructor(database: SqliteDatabase) {
    this.#database = database;
  }

  first(statement: CompiledSql, values: SqlValue[]): SqlRow | undefined | null {
    const row = this.#prepare(statement).get(...values) as SqlRow | undefined | null;
    if (isPromise(row)) throw new TypeError("Cannot read: the database does not answer at once");
    return row;
  }

  write(statement: CompiledSql, values: SqlValue[]): number {
    // Not RETURNING and get(): that stops at the first row, and hides a commit that fails.
    const rows = Number(this.#prepare(statement).run(...values)?.changes);
    // Clients that answer later look the same.
    if (Number.isNaN(rows)) throw new TypeError("Cannot write: the database gave no `changes`");
    return rows;
  }

  #prepare(statement: CompiledSql): SqliteStatement {
    let prepared = this.#prepared.get(statement);
    if (prepared === undefined) {
      prepared = this.#database.prepare(statement.text);
      this.#prepared.set(statement, prepared);
    }
    return prepared;
  }
}

/** How long a statement waits for the other processes' writes. */
const BUSY_TIMEOUT_MS = 5000;

/** Sets a connection up: a write-ahead log, `synchronous`, and patience with other processes. */
export function preparePragmas(database: SqliteDatabase, synchronous: string): void {
  const pragma = (text: string) => {
    const row = database.prepare(`PRAGMA ${text}`).get() as SqlRow | undefined | null;
    return Object.values(row ?? {})[0];
  };
  if (!(Number(pragma("busy_timeout")) >= BUSY_TIMEOUT_MS)) {
    database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
  }
  const isLogged = pragma("journal_mode") === "wal" || pragma("journal_mode = WAL") === "wal";
  // Without the log (a database in memory, a file system that cannot share it) less is not safe.
  if (isLogged) database.exec(`PRAGMA synchronous = ${synchronous}`);
}

/** Whether it failed only because others are writing. */
export function isLocked(error: unknown): boolean {
  return error instanceof Error && /\b(?:locked|busy)\b/i.test(error.message);
}
