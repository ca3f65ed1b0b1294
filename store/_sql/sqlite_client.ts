/** The clients that a {@linkcode SqliteStore} supports. */
import { after, type Awaitable, isPromise } from "../../base/awaitable.ts";
import { hasMethods, optionError } from "../../base/check_options.ts";
import { received } from "../_received.ts";
import { firstText, firstValue, type SqlDriver } from "./records.ts";
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
 * Requires a client that answers without promises. It is asked for two values that it is given,
 * because clients with other arguments and answers have methods of the same names. SQLite does not
 * open the file for that.
 *
 * @throws {TypeError} If it is another client.
 */
export function checkSqlite(database: unknown): void {
  const problem = hasMethods(database, ["prepare", "exec"])
    ? problemOf(database as SqliteDatabase)
    : received(database);
  if (problem === undefined) return;
  throw optionError(
    "SqliteStore",
    "database must be a DatabaseSync of node:sqlite, " +
      `or a Database of bun:sqlite, better-sqlite3 or libsql; ${problem}`,
  );
}

function problemOf(database: SqliteDatabase): string | undefined {
  const statement = database.prepare("SELECT ? || ? AS a");
  // Two values, because some clients take a list or a single value.
  const answer = hasMethods(statement, ["run", "get"]) ? statement.get("a", "b") : statement;
  if (firstText(answer) === "ab") return undefined;
  if (!isPromise(answer)) {
    return `${received(database)}, whose prepare(sql).get(...values) does not return the first row`;
  }
  // Nothing waits for it.
  answer.then(undefined, () => {});
  return "it answers with promises";
}

/**
 * Runs statements on a database, each prepared once. If another process holds a lock, SQLite itself
 * would block this whole process while it waits. So it does not wait here, and the driver retries
 * later: only then does it return a promise.
 */
export class SqliteDriver implements SqlDriver {
  readonly #database: SqliteDatabase;
  readonly #prepared = new WeakMap<CompiledSql, SqliteStatement>();
  #busyTimeout: SqliteStatement | undefined;
  /** Whether another process may hold up reads. With a write-ahead log, none can. */
  #readsWait = true;

  constructor(database: SqliteDatabase) {
    this.#database = database;
  }

  first(statement: CompiledSql, values: SqlValue[], signal?: AbortSignal): unknown {
    const read = () => this.#prepare(statement).get(...values);
    return this.#readsWait ? this.#whenUnlocked(read, signal) : read();
  }

  write(
    statement: CompiledSql,
    values: SqlValue[],
    _expected: string,
    signal?: AbortSignal,
  ): Awaitable<boolean> {
    return after(this.sweep(statement, values, signal), (rows) => rows > 0);
  }

  sweep(statement: CompiledSql, values: SqlValue[], signal?: AbortSignal): Awaitable<number> {
    return this.#whenUnlocked(() => {
      // Not RETURNING with get(): get() stops at the first row and hides a failed commit.
      const rows = Number(this.#prepare(statement).run(...values)?.changes);
      if (Number.isNaN(rows)) throw new TypeError("Cannot write: the database gave no `changes`");
      return rows;
    }, signal);
  }

  /** Runs `work` now or, if the database is locked, as soon as it is not; until `signal` aborts. */
  #whenUnlocked<T>(work: () => T, signal: AbortSignal | undefined): Awaitable<T> {
    try {
      return this.#withoutWaiting(work);
    } catch (error) {
      if (!isLocked(error) || signal?.aborted) throw error;
      return retryLocked(() => this.#withoutWaiting(work), signal);
    }
  }

  /** Runs `work` with a busy timeout of 0, and restores that of the connection, which is the app's. */
  #withoutWaiting<T>(work: () => T): T {
    this.#busyTimeout ??= this.#database.prepare("PRAGMA busy_timeout");
    const own = Number(firstValue(this.#busyTimeout.get()));
    if (!(own > 0)) return work();
    this.#database.exec("PRAGMA busy_timeout = 0");
    try {
      return work();
    } finally {
      this.#database.exec(`PRAGMA busy_timeout = ${own}`);
    }
  }

  #prepare(statement: CompiledSql): SqliteStatement {
    let prepared = this.#prepared.get(statement);
    if (prepared === undefined) {
      prepared = this.#database.prepare(statement.text);
      this.#prepared.set(statement, prepared);
    }
    return prepared;
  }

  /**
   * Prepares the database: a write-ahead log, `synchronous`, and the table.
   *
   * @param ddl The statements that create the table.
   */
  async setUp(synchronous: string, ddl: readonly string[]): Promise<void> {
    const journal = await this.#whenUnlocked(() => {
      const pragma = (text: string) => firstValue(this.#database.prepare(`PRAGMA ${text}`).get());
      const journal = pragma("journal_mode") === "wal" ? "wal" : pragma("journal_mode = WAL");
      // Some databases have no write-ahead log, for example in memory. Then only the default of
      // `synchronous` is safe.
      if (journal === "wal") this.#database.exec(`PRAGMA synchronous = ${synchronous}`);
      for (const statement of ddl) this.#database.exec(statement);
      return journal;
    }, undefined);
    // No other process has a database in memory.
    this.#readsWait = journal !== "wal" && journal !== "memory";
  }
}

/** How long a call without a deadline retries. */
const MAX_RETRY_MS = 10_000;
/** The pauses between attempts grow from 1 ms to this. */
const MAX_PAUSE_MS = 25;

async function retryLocked<T>(attempt: () => T, signal: AbortSignal | undefined): Promise<T> {
  const deadline = performance.now() + MAX_RETRY_MS;
  for (let pause = 1;; pause = Math.min(pause * 2, MAX_PAUSE_MS)) {
    // Random, so that several processes do not retry in step.
    await new Promise((resolve) => setTimeout(resolve, pause * (0.5 + Math.random())));
    if (signal?.aborted) throw signal.reason;
    try {
      return attempt();
    } catch (error) {
      if (!isLocked(error) || performance.now() > deadline) throw error;
    }
  }
}

/** Whether a statement failed only because another process is writing. */
export function isLocked(error: unknown): boolean {
  return error instanceof Error && /\b(?:locked|busy)\b/i.test(error.message);
}
