/**
 * {@linkcode PostgresStore}: sessions in PostgreSQL, through the client that you have.
 *
 * @module
 */
import { plainGet, plainSet } from "./_plain_methods.ts";
import { checkSqlOptions, DEFAULT_TABLE, SqlRecords } from "./_sql/records.ts";
import {
  isJustMade,
  openPostgres,
  type PgClient,
  type PostgresClient,
  PostgresDriver,
  type PostgresQuery,
  type PostgresTag,
} from "./_sql/postgres_client.ts";
import { retrying } from "./_sql/retry.ts";
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

export type { PgClient, PostgresClient, PostgresTag };

/** Options of {@linkcode PostgresStore}. */
export interface PostgresStoreOptions {
  /**
   * The table: letters, digits and `_`, at most 48, with a schema and a dot in front or without.
   * @default {"pagi_sessions"}
   */
  table?: string;
  /**
   * Whether the server keeps the statements prepared. Not behind a pooler that gives each statement
   * another connection and does not know of them, as PgBouncer before 1.21 in transaction mode. What
   * postgres.js or Bun.SQL was told itself comes first.
   * @default {true}
   */
  prepare?: boolean;
  /**
   * The clock, in Unix milliseconds; for tests.
   *
   * @default {Date.now}
   */
  now?: () => number;
}

/** How a sweep is bounded. */
export interface PostgresSweepOptions {
  /**
   * How many records go at most.
   *
   * @default {1000}
   */
  limit?: number;
}

/**
 * Keeps sessions in a table of PostgreSQL 9.5 or later. Each call is one statement and one round
 * trip, which the server keeps prepared.
 *
 * It takes a `Pool` or `Client` of pg, the `sql` of postgres.js, or a `Bun.SQL`. The client stays
 * yours: connect it to the primary, not to a replica, call {@linkcode PostgresStore.setup} at each
 * start, close it. A Client must not be in a transaction of yours. Listen for `"error"` on a Pool
 * of pg, or the end of an idle connection ends the process. In Deno take pg: there postgres.js
 * 3.4.9 may not connect again when the server was away. Where replication is asynchronous, a
 * failover can lose the last writes, and so undo a logout.
 *
 * What has expired is absent at once; its row goes with a later {@linkcode PostgresStore.create},
 * one in a hundred of which removes up to 250, or with {@linkcode PostgresStore.sweep}. The server's
 * clock is never asked. The database's encoding must be UTF8.
 *
 * @example With pg
 * ```ts ignore
 * import pg from "pg";
 * import { SessionMiddleware } from "@pagi/session";
 * import { PostgresStore } from "@pagi/session/store/postgres";
 *
 * const pool = new pg.Pool({ connectionString: "postgres://localhost/shop" });
 * pool.on("error", console.error);
 * const store = new PostgresStore(pool);
 * await store.setup();
 * const sessions = new SessionMiddleware({ secret: Deno.env.get("SESSION_SECRET")!, store });
 * ```
 *
 * @example What it takes, and what it makes
 * ```ts
 * import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
 * import { PostgresStore } from "@pagi/session/store/postgres";
 *
 * assertThrows(() => new PostgresStore("postgres://db" as never), TypeError, "client must be");
 *
 * const nothing = { query: () => Promise.resolve({ rows: [], rowCount: 0 }) };
 * const store = new PostgresStore(nothing, { table: "shop.sessions" });
 * assertStringIncludes(store.ddl[0]!, 'CREATE TABLE IF NOT EXISTS "shop"."sessions"');
 * assertEquals(await store.get("a"), undefined);
 * ```
 */
export class PostgresStore implements VersionedStore {
  /** The statements that make the table and its index, for those who run migrations themselves. */
  readonly ddl: readonly string[];
  readonly #index: string;
  readonly #query: PostgresQuery;
  readonly #records: SqlRecords;

  /**
   * Checks what it is given; sends nothing yet.
   *
   * @throws {TypeError} When `client` is none that it knows, or an option is unknown or of the wrong
   * kind.
   */
  constructor(client: PostgresClient, options: PostgresStoreOptions = {}) {
    const now = checkSqlOptions("PostgresStore", options, ["prepare"]);
    const { table = DEFAULT_TABLE, prepare = true } = options;
    const { full, schema, index } = tableName("PostgresStore", table, '"');
    if (typeof prepare !== "boolean") {
      throw new TypeError("Cannot make PostgresStore: prepare must be true or false");
    }
    this.#query = openPostgres(client);
    this.#index = schema + index;
    const texts = {
      ...sqlTexts(full),
      // Several may sweep at once: each takes rows that no other has, and none waits.
      sweep: (limit: number) =>
        `DELETE FROM ${full} WHERE id = ANY(ARRAY(SELECT id FROM ${full} ` +
        `WHERE expires_at < :now ORDER BY expires_at LIMIT ${limit} FOR UPDATE SKIP LOCKED))`,
    };
    const driver = new PostgresDriver(this.#query, prepare ? table : undefined);
    this.#records = new SqlRecords(driver, { texts, placeholders: "$1", now });
    this.ddl = [
      `CREATE TABLE IF NOT EXISTS ${full} (` +
      "id text NOT NULL PRIMARY KEY, version text NOT NULL, " +
      "last_access double precision NOT NULL, expires_at double precision NOT NULL, " +
      "text text NOT NULL)",
      `CREATE INDEX IF NOT EXISTS ${index} ON ${full} (expires_at)`,
    ];
  }

  /**
   * Makes the table and its index where they are missing. Many may at once, and where both are there
   * it needs no right to make them, and locks nothing.
   *
   * @throws {Error} The client's own, when it fails.
   */
  async setup(): Promise<void> {
    // The index is made last.
    const asked = "SELECT to_regclass($1) IS NOT NULL AS found";
    const { rows } = await this.#query(asked, [this.#index], undefined);
    if ((rows[0] as { found: boolean }).found) return;
    for (const statement of this.ddl) {
      await retrying(() => this.#query(statement, [], undefined), isJustMade);
    }
  }

  /**
   * The record, or undefined when there is none.
   *
   * @throws {Error} The client's own, when it fails.
   */
  async read(id: string): Promise<StoredRecord | undefined> {
    return await this.#records.read(id);
  }

  /**
   * Writes a record where there is none.
   *
   * @throws {RangeError} When `id` is not 1 to 64 characters of ASCII, without blanks.
   * @throws {Error} The client's own, when it fails.
   */
  async create(id: string, text: string, options: WriteOptions): Promise<string | undefined> {
    return await this.#records.create(id, text, options);
  }

  /**
   * Writes over the record if it has the version; never inserts.
   *
   * @throws {Error} The client's own, when it fails.
   */
  async replace(id: string, text: string, options: ReplaceOptions): Promise<string | undefined> {
    return await this.#records.replace(id, text, options);
  }

  /**
   * Notes the record's use if it has the version.
   *
   * @throws {Error} The client's own, when it fails.
   */
  async touch(id: string, options: TouchOptions): Promise<boolean> {
    return await this.#records.touch(id, options);
  }

  /**
   * Removes the record, if it has the version where one is given.
   *
   * @throws {Error} The client's own, when it fails.
   */
  async delete(id: string, options: Partial<DeleteOptions> = {}): Promise<boolean> {
    return await this.#records.delete(id, options);
  }

  /**
   * Removes expired records, the oldest first; resolves to how many went. Several may at once.
   *
   * @throws {RangeError} When `limit` is not a whole number above 0.
   * @throws {Error} The client's own, when it fails.
   */
  async sweep(options: PostgresSweepOptions = {}): Promise<number> {
    return await this.#records.sweep(options);
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
