/** The clients that a {@linkcode SqliteStore} supports. */
import { isPromise } from "../../base/awaitable.ts";
import type { SqlDriver, SqlRow } from "./records.ts";
import type { CompiledSql, SqlValue } from "./statements.ts";

/** The part of a prepared statement that the store uses. */
export interface SqliteStatement {
  /** Runs the statement to its end. `changes` is the number of rows that it wrote. */
  run(...values: (string | number)[]): { changes: number | bigint };
  /** Returns the first row. */
  get(...values: (string | number)[]): unknown;
}

/**
 * The part of a database that the store uses. `DatabaseSync` of `node:sqlite` (in Deno and Node)
 * and `Database` of `bun:sqlite` and of better-sqlite3 have it.
 */
export interface SqliteDatabase {
  /** Prepares a statement. */
  prepare(sql: string): SqliteStatement;
  /** Runs a statement without values. */
  exec(sql: string): unknown;
}

/**
 * The current time. `unixepoch('subsec')` would be shorter, but needs SQLite 3.42. A Julian day has
 * the time to the millisecond, and 2440587.5 is 1970-01-01. SQLite reads its clock once a statement.
 */
export const SQLITE_CLOCK = "(julianday('now') - 2440587.5) * 86400.0";

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
    // Not RETURNING with get(): get() stops at the first row and hides a failed commit.
    const rows = Number(this.#prepare(statement).run(...values)?.changes);
    // Clients that return promises have the same methods.
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

/** How long a statement waits at least for writes of other processes. */
const BUSY_TIMEOUT_MS = 5000;

/** Configures a connection: a write-ahead log, `synchronous` and a busy timeout. */
export function preparePragmas(database: SqliteDatabase, synchronous: string): void {
  const pragma = (text: string) => {
    const row = database.prepare(`PRAGMA ${text}`).get() as SqlRow | undefined | null;
    return Object.values(row ?? {})[0];
  };
  if (!(Number(pragma("busy_timeout")) >= BUSY_TIMEOUT_MS)) {
    database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
  }
  const isLogged = pragma("journal_mode") === "wal" || pragma("journal_mode = WAL") === "wal";
  // Some databases have no write-ahead log, for example in memory. Then only the default is safe.
  if (isLogged) database.exec(`PRAGMA synchronous = ${synchronous}`);
}

/** Whether a statement failed only because another process is writing. */
export function isLocked(error: unknown): boolean {
  return error instanceof Error && /\b(?:locked|busy)\b/i.test(error.message);
}
