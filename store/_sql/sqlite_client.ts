/** The clients that a {@linkcode SqliteStore} supports. */
import { isPromise } from "../../base/awaitable.ts";
import { hasMethods, optionError } from "../../base/check_options.ts";
import { received } from "../_received.ts";
import { firstText, type SqlDriver } from "./records.ts";
import { type CompiledSql, recordText, type SqlFunctions, type SqlValue } from "./statements.ts";

/** The part of a prepared statement that the store uses. */
export interface SqliteStatement {
  /** Runs the statement to its end. `changes` is the number of rows that it wrote. */
  run(...values: (string | number)[]): { changes: number | bigint };
  /** Returns the first row. */
  get(...values: (string | number)[]): unknown;
}

/**
 * The part of a database that the store uses. `DatabaseSync` of `node:sqlite` (in Deno and Node)
 * and `Database` of `bun:sqlite`, better-sqlite3 and libsql have it.
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

/**
 * SQLite's functions. `quote()` gives a number with all of its digits; the default conversion keeps
 * 15. `RETURNING` needs SQLite 3.35, and the number of changes is exact: the client runs no other
 * statement in between.
 */
export const SQLITE_FUNCTIONS: SqlFunctions = {
  greatest: "max",
  record: recordText("quote(last_access)"),
  returning: () => "",
};

/**
 * Requires a client that answers without promises. It is asked for a constant, because clients with
 * promises and callbacks have methods of the same names. SQLite does not open the file for that.
 *
 * @throws {TypeError} If it is another client.
 */
export function checkSqlite(database: unknown): void {
  const answer = hasMethods(database, ["prepare", "exec"])
    ? answerOf(database as SqliteDatabase)
    : undefined;
  if (firstText(answer) === PROBE) return;
  const isAsynchronous = isPromise(answer) ? "it answers with promises" : received(database);
  throw optionError(
    "SqliteStore",
    "database must be a DatabaseSync of node:sqlite, " +
      `or a Database of bun:sqlite, better-sqlite3 or libsql; ${isAsynchronous}`,
  );
}

const PROBE = "a";

function answerOf(database: SqliteDatabase): unknown {
  const statement = database.prepare(`SELECT '${PROBE}' AS a`);
  const answer = hasMethods(statement, ["run", "get"]) ? statement.get() : statement;
  // Nothing waits for it.
  if (isPromise(answer)) answer.then(undefined, () => {});
  return answer;
}

/** Runs statements on a database, each prepared once. */
export class SqliteDriver implements SqlDriver {
  readonly #database: SqliteDatabase;
  readonly #prepared = new WeakMap<CompiledSql, SqliteStatement>();

  constructor(database: SqliteDatabase) {
    this.#database = database;
  }

  first(statement: CompiledSql, values: SqlValue[]): unknown {
    return this.#prepare(statement).get(...values);
  }

  write(statement: CompiledSql, values: SqlValue[]): boolean {
    return this.sweep(statement, values) > 0;
  }

  sweep(statement: CompiledSql, values: SqlValue[]): number {
    // Not RETURNING with get(): get() stops at the first row and hides a failed commit.
    const rows = Number(this.#prepare(statement).run(...values)?.changes);
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
    return Object.values(database.prepare(`PRAGMA ${text}`).get() ?? {})[0];
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
