/**
 * {@linkcode SqliteStore}: sessions in a file of SQLite, through the client that you have.
 *
 * @module
 */
import type { Awaitable } from "../base/awaitable.ts";
import { hasMethods } from "../base/check_options.ts";
import { plainGet, plainSet } from "./_plain_methods.ts";
import { checkSqlOptions, DEFAULT_TABLE, SqlRecords } from "./_sql/records.ts";
import {
  isLocked,
  preparePragmas,
  type SqliteDatabase,
  SqliteDriver,
  type SqliteStatement,
} from "./_sql/sqlite_client.ts";
import { sqlTexts, tableName } from "./_sql/statements.ts";
import type {
  DeleteOptions,
  ReplaceOptions,
  SessionHash,
  StoredRecord,
  TouchOptions,
  VersionedStore,
  WriteOptions,
} from "./store.ts";

export type { SqliteDatabase, SqliteStatement };

/** Options of {@linkcode SqliteStore}. */
export interface SqliteStoreOptions {
  /**
   * The table: letters, digits and `_`, at most 48, with an attached database and a dot in front
   * or without.
   *
   * @default {"pagi_sessions"}
   */
  table?: string;
  /**
   * What `setup()` makes of `PRAGMA synchronous`. With `"NORMAL"` what was answered survives the end
   * of the process, `kill -9` too; a power failure may take the last writes back, a logout among
   * them. `"FULL"` survives that as well, and each write waits for the disk.
   *
   * @default {"NORMAL"}
   */
  synchronous?: "NORMAL" | "FULL";
  /**
   * The clock, in Unix milliseconds; for tests.
   *
   * @default {Date.now}
   */
  now?: () => number;
}

/** How a sweep is bounded. */
export interface SqliteSweepOptions {
  /**
   * How many records go at most.
   *
   * @default {1000}
   */
  limit?: number;
}

/** How long setup is tried again while others are at it, and how long it waits in between. */
const SETUP_PATIENCE_MS = 10_000;
const SETUP_PAUSE_MS = 50;

/**
 * Keeps sessions in a table of SQLite 3.24 or later. It answers at once, with no promise, and
 * several processes of one machine can share the file: each call is one statement, and SQLite lets
 * one write at a time.
 *
 * It takes `DatabaseSync` of `node:sqlite`, or `Database` of `bun:sqlite` or better-sqlite3. The
 * database stays yours: open it for the store alone, as what is written inside a transaction of
 * yours ends with it; call {@linkcode SqliteStore.setup} at each start; close it.
 *
 * What has expired is absent at once; its row goes with a later {@linkcode SqliteStore.create}, one
 * in a hundred of which removes up to 250, or with {@linkcode SqliteStore.sweep}.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { DatabaseSync } from "node:sqlite";
 * import { SessionMiddleware } from "@pagi/session";
 * import { SqliteStore } from "@pagi/session/store/sqlite";
 *
 * const store = new SqliteStore(new DatabaseSync(":memory:"));
 * await store.setup();
 * const sessions = new SessionMiddleware({ secret: "change me", store });
 * const handler = sessions.handler((_request, session) => {
 *   session.update("visits", (n) => Number(n ?? 0) + 1);
 *   return new Response(String(session.get("visits")));
 * });
 *
 * const first = await handler(new Request("http://localhost/"));
 * assertEquals(await first.text(), "1");
 * const cookie = first.headers.getSetCookie()[0]!.split(";")[0]!;
 * const second = await handler(new Request("http://localhost/", { headers: { cookie } }));
 * assertEquals(await second.text(), "2");
 * ```
 */
export class SqliteStore implements VersionedStore {
  /** The statements that make the table and its index, for those who run migrations themselves. */
  readonly ddl: readonly string[];
  readonly #database: SqliteDatabase;
  readonly #records: SqlRecords;
  readonly #synchronous: string;

  /**
   * Checks what it is given; asks the database nothing yet.
   *
   * @throws {TypeError} When `database` is none that it knows, or an option is unknown or of the
   * wrong kind.
   */
  constructor(database: SqliteDatabase, options: SqliteStoreOptions = {}) {
    const now = checkSqlOptions("SqliteStore", options, ["synchronous"]);
    const { table = DEFAULT_TABLE, synchronous = "NORMAL" } = options;
    const name = tableName("SqliteStore", table, '"');
    if (synchronous !== "NORMAL" && synchronous !== "FULL") {
      throw new TypeError('Cannot make SqliteStore: synchronous must be "NORMAL" or "FULL"');
    }
    if (!hasMethods(database, ["prepare", "exec"])) {
      throw new TypeError(
        "Cannot make SqliteStore: database must be a DatabaseSync of node:sqlite, " +
          "or a Database of bun:sqlite or better-sqlite3",
      );
    }
    this.#database = database;
    this.#synchronous = synchronous;
    this.#records = new SqlRecords(new SqliteDriver(database), {
      texts: sqlTexts(name.full),
      placeholders: "?",
      now,
    });
    this.ddl = [
      `CREATE TABLE IF NOT EXISTS ${name.full} (` +
      "id TEXT NOT NULL PRIMARY KEY, version TEXT NOT NULL, " +
      "last_access REAL NOT NULL, expires_at REAL NOT NULL, text TEXT NOT NULL)",
      `CREATE INDEX IF NOT EXISTS ${name.schema}${name.index} ON ${name.table} (expires_at)`,
    ];
  }

  /**
   * Makes the table and its index where they are missing, and sets the connection up: a write-ahead
   * log, `synchronous` as the option says, and at least five seconds' patience with other processes.
   * To be called at each start; many may at once.
   *
   * @throws {Error} The client's own, when it fails.
   */
  async setup(): Promise<void> {
    const deadline = performance.now() + SETUP_PATIENCE_MS;
    while (true) {
      try {
        preparePragmas(this.#database, this.#synchronous);
        for (const statement of this.ddl) this.#database.exec(statement);
        return;
      } catch (error) {
        if (!isLocked(error) || performance.now() > deadline) throw error;
        // Not all of it waits by itself: of two that change to the log at once, one fails at once.
        await new Promise((resolve) => setTimeout(resolve, SETUP_PAUSE_MS));
      }
    }
  }

  /**
   * The record, or undefined when there is none.
   *
   * @throws {Error} The client's own, when it fails.
   */
  read(id: string): StoredRecord | undefined {
    return atOnce(this.#records.read(id));
  }

  /**
   * Writes a record where there is none.
   *
   * @throws {RangeError} When `id` is not 1 to 64 characters of ASCII, without blanks.
   * @throws {Error} The client's own, when it fails.
   */
  create(id: string, text: string, options: WriteOptions): string | undefined {
    return atOnce(this.#records.create(id, text, options));
  }

  /**
   * Writes over the record if it has the version; never inserts.
   *
   * @throws {Error} The client's own, when it fails.
   */
  replace(id: string, text: string, options: ReplaceOptions): string | undefined {
    return atOnce(this.#records.replace(id, text, options));
  }

  /**
   * Notes the record's use if it has the version.
   *
   * @throws {Error} The client's own, when it fails.
   */
  touch(id: string, options: TouchOptions): boolean {
    return atOnce(this.#records.touch(id, options));
  }

  /**
   * Removes the record, if it has the version where one is given.
   *
   * @throws {Error} The client's own, when it fails.
   */
  delete(id: string, options: Partial<DeleteOptions> = {}): boolean {
    return atOnce(this.#records.delete(id, options));
  }

  /**
   * Removes expired records, the oldest first; how many went.
   *
   * @throws {RangeError} When `limit` is not a whole number above 0.
   * @throws {Error} The client's own, when it fails.
   */
  sweep(options: SqliteSweepOptions = {}): number {
    return atOnce(this.#records.sweep(options));
  }

  /** PAGI's `get`: the session's data with its reserved keys. */
  get(id: string): Promise<SessionHash | undefined> {
    return plainGet(this, id);
  }

  /** PAGI's `set`: writes the data whatever was there, and resolves to the id. */
  set(id: string, data: SessionHash): Promise<string> {
    return plainSet(this, id, data, Math.floor(this.#records.now()));
  }
}

/** The driver answers at once, and so do the records. */
function atOnce<T>(answer: Awaitable<T>): T {
  return answer as T;
}
