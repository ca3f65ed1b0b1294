/**
 * {@linkcode SqliteStore}: keeps sessions in an SQLite file, through your own client.
 *
 * @module
 */
import type { Awaitable } from "../base/awaitable.ts";
import { optionError } from "../base/check_options.ts";
import { plainDelete, plainGet, plainSet } from "./_plain_methods.ts";
import { checkSqlOptions, DEFAULT_TABLE, SqlRecords } from "./_sql/records.ts";
import {
  checkSqlite,
  SQLITE_CLOCK,
  SQLITE_FUNCTIONS,
  type SqliteDatabase,
  SqliteDriver,
  type SqliteStatement,
} from "./_sql/sqlite_client.ts";
import { sqlTexts, tableName } from "./_sql/statements.ts";
import type {
  DeleteOptions,
  ReplaceOptions,
  SessionHash,
  StoreCallOptions,
  StoredRecord,
  TouchOptions,
  VersionedStore,
  WriteOptions,
} from "./store.ts";

export type { SqliteDatabase, SqliteStatement };

/** Options of {@linkcode SqliteStore}. */
export interface SqliteStoreOptions {
  /**
   * Names the table: at most 48 letters, digits and `_`. May start with an attached database and a
   * dot.
   *
   * @default {"pagi_sessions"}
   */
  table?: string;
  /**
   * Sets `PRAGMA synchronous` in `setup()`. With `"NORMAL"`, completed writes survive the end of
   * the process, including `kill -9`. A power failure may undo the last writes, and so a logout.
   * With `"FULL"`, completed writes survive a power failure too, and each write waits for the disk.
   *
   * @default {"NORMAL"}
   */
  synchronous?: "NORMAL" | "FULL";
  /**
   * Lets one in ten creates remove up to 25 expired rows. No request waits for that for other processes.
   * With `false`, call {@linkcode SqliteStore.sweep} from a job.
   *
   * @default {true}
   */
  sweep?: boolean;
  /**
   * Replaces the clock of SQLite in tests. Returns Unix milliseconds. Do not set it otherwise: the
   * sessions of all processes must expire by one clock.
   *
   * @default {the clock of SQLite, which is that of the system}
   */
  now?: () => number;
}

/** Options of a sweep. */
export interface SqliteSweepOptions {
  /**
   * Limits how many records one call removes.
   *
   * @default {1000}
   */
  limit?: number;
}

/**
 * Keeps sessions in a table of SQLite 3.24 or later. Several processes of one machine can share the
 * file: each call is one statement, and SQLite lets one process write at a time. Its methods return
 * values. If another process is writing, they return promises and try again until `storeTimeout`;
 * this process goes on in the meantime. With the write-ahead log that
 * {@linkcode SqliteStore.setup} turns on, reads never wait.
 *
 * Pass a `DatabaseSync` of `node:sqlite`, or a `Database` of `bun:sqlite`, better-sqlite3 or libsql. You
 * open the database and close it, and you call {@linkcode SqliteStore.setup} at each start. Open it
 * for the store alone: a write inside a transaction of your own would be lost if that transaction
 * is rolled back.
 *
 * An expired session is treated as absent immediately. Its row is removed later: one in ten calls of
 * {@linkcode SqliteStore.create} also removes up to 25 expired rows, and your own call of
 * {@linkcode SqliteStore.sweep} removes more. SQLite's clock decides what has expired.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { DatabaseSync } from "node:sqlite";
 * import { SessionMiddleware } from "@pagi/session";
 * import { SqliteStore } from "@pagi/session/store/sqlite";
 * import { visitor } from "@pagi/session/testing";
 *
 * const store = new SqliteStore(new DatabaseSync(":memory:"));
 * await store.setup();
 * const sessions = new SessionMiddleware({
 *   secret: "replace this with: openssl rand -hex 32",
 *   store,
 * });
 * const handler = sessions.handler((_request, session) => {
 *   session.update("visits", (n) => Number(n ?? 0) + 1);
 *   return new Response(String(session.get("visits")));
 * });
 *
 * const ada = await visitor(sessions);
 * assertEquals(await (await ada.fetch(handler)).text(), "1");
 * assertEquals(await (await ada.fetch(handler)).text(), "2");
 * ```
 */
export class SqliteStore implements VersionedStore {
  /**
   * The SQL statements that create the table and its index. Use them if you manage migrations
   * yourself.
   */
  readonly ddl: readonly string[];
  readonly #driver: SqliteDriver;
  readonly #records: SqlRecords;
  readonly #synchronous: string;

  /**
   * Validates the arguments. Does not access the database yet.
   *
   * @throws {TypeError} If `database` is not a supported client, or an option is unknown or of the
   * wrong type.
   */
  constructor(database: SqliteDatabase, options: SqliteStoreOptions = {}) {
    checkSqlOptions("SqliteStore", options, ["synchronous"]);
    const { table = DEFAULT_TABLE, synchronous = "NORMAL" } = options;
    const name = tableName("SqliteStore", table, '"');
    if (synchronous !== "NORMAL" && synchronous !== "FULL") {
      throw optionError("SqliteStore", 'synchronous must be "NORMAL" or "FULL"');
    }
    checkSqlite(database);
    this.#driver = new SqliteDriver(database);
    this.#synchronous = synchronous;
    const dialect = { placeholders: "?", clock: SQLITE_CLOCK } as const;
    const texts = sqlTexts(name.full, SQLITE_FUNCTIONS);
    this.#records = new SqlRecords(this.#driver, texts, dialect, options);
    this.ddl = [
      `CREATE TABLE IF NOT EXISTS ${name.full} (` +
      "id TEXT NOT NULL PRIMARY KEY, version TEXT NOT NULL, " +
      "last_access REAL NOT NULL, expires_at REAL NOT NULL, text TEXT NOT NULL)",
      `CREATE INDEX IF NOT EXISTS ${name.schema}${name.index} ON ${name.table} (expires_at)`,
    ];
  }

  /**
   * Creates the table and its index if they do not exist, and configures the connection: a
   * write-ahead log and the `synchronous` option. The connection keeps its busy timeout. Call it at
   * each start. Several processes may call it at the same time.
   *
   * @throws {Error} If the client fails, with its error.
   */
  async setup(): Promise<void> {
    await this.#driver.setUp(this.#synchronous, this.ddl);
  }

  /**
   * Returns the record; `undefined` if it does not exist.
   *
   * @throws {Error} If the client fails, with its error.
   */
  read(id: string, options?: StoreCallOptions): Awaitable<StoredRecord | undefined> {
    return this.#records.read(id, options);
  }

  /**
   * Creates a record. Returns its version; `undefined` if a record exists.
   *
   * @throws {RangeError} If `id` is not 1 to 64 ASCII characters without spaces.
   * @throws {Error} If the client fails, with its error.
   */
  create(id: string, text: string, options: WriteOptions): Awaitable<string | undefined> {
    return this.#records.create(id, text, options);
  }

  /**
   * Replaces the record if it has the given version. Returns the new version; `undefined` if the
   * record does not exist or has another version.
   *
   * @throws {Error} If the client fails, with its error.
   */
  replace(id: string, text: string, options: ReplaceOptions): Awaitable<string | undefined> {
    return this.#records.replace(id, text, options);
  }

  /**
   * Updates the last-access time and the expiry of the record if it has the given version. Of both
   * times and of both expiries, the later one counts. The record gets a new version.
   *
   * @throws {Error} If the client fails, with its error.
   */
  touch(id: string, options: TouchOptions): Awaitable<boolean> {
    return this.#records.touch(id, options);
  }

  /**
   * Deletes the record. If a version is given, only a record of that version is deleted. Without
   * options, this implements PAGI's `delete`: `id` may also be any ID that the session had.
   *
   * @throws {Error} If the client fails, with its error.
   */
  delete(id: string, options?: Partial<DeleteOptions>): Awaitable<boolean> {
    if (options === undefined) {
      return plainDelete(id, (key) => this.#records.delete(key));
    }
    return this.#records.delete(id, options);
  }

  /**
   * Removes expired records, the oldest first, in small batches with pauses for other work in
   * between. Resolves to their number.
   *
   * @throws {RangeError} If `limit` is not a whole number above 0.
   * @throws {Error} If the client fails, with its error.
   */
  async sweep(options: SqliteSweepOptions = {}): Promise<number> {
    return await this.#records.sweep(options);
  }

  /**
   * Implements PAGI's `get`: resolves to the session's data with its reserved keys. Only the current
   * ID of a session finds it.
   */
  get(id: string): Promise<SessionHash | undefined> {
    return plainGet(this, id);
  }

  /**
   * Implements PAGI's `set`: writes the data, overwriting any record, and resolves to the ID, which
   * is the session's only valid ID from now on.
   */
  set(id: string, data: SessionHash): Promise<string> {
    return plainSet(this, id, data, Math.floor(this.#records.now()));
  }
}
