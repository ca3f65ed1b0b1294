/**
 * {@linkcode PostgresStore}: keeps sessions in PostgreSQL, through your own client.
 *
 * @module
 */
import { optionError } from "../base/check_options.ts";
import { plainDelete, plainGet, plainSet } from "./_plain_methods.ts";
import { checkSqlOptions, DEFAULT_TABLE, firstText, SqlRecords } from "./_sql/records.ts";
import {
  alreadyExists,
  parseDouble,
  type PgClient,
  type PgPromiseDatabase,
  POSTGRES_CLOCK,
  POSTGRES_LAST_ACCESS,
  type PostgresClient,
  PostgresDriver,
  type PostgresQuery,
  type PostgresTag,
  recognizePostgres,
} from "./_sql/postgres_client.ts";
import { retrying } from "./_sql/retry.ts";
import { recordText, sqlTexts, tableName } from "./_sql/statements.ts";
import type {
  DeleteOptions,
  ReplaceOptions,
  SessionHash,
  StoredRecord,
  StoreEvent,
  TouchOptions,
  VersionedStore,
  WriteOptions,
} from "./store.ts";

export type { PgClient, PgPromiseDatabase, PostgresClient, PostgresTag };

/** Options of {@linkcode PostgresStore}. */
export interface PostgresStoreOptions {
  /**
   * Names the table: at most 48 letters, digits and `_`. May start with a schema and a dot.
   *
   * @default {"pagi_sessions"}
   */
  table?: string;
  /**
   * Keeps the statements prepared on the server. If a pooler such as PgBouncer in transaction mode
   * does not support that, the store stops preparing them at the first error, with the event
   * `statements-unprepared`. Set it to `true` for postgres.js only if no pooler is in between. For
   * Bun.SQL, set `prepare` when you create it; PGlite has no such statements.
   *
   * @default {true for pg and pg-promise, false for other clients}
   */
  prepare?: boolean;
  /**
   * Lets one in ten creates remove up to 25 expired rows. No request waits for that, and it skips rows that are
   * locked.
   * With `false`, call {@linkcode PostgresStore.sweep} from a job.
   *
   * @default {true}
   */
  sweep?: boolean;
  /**
   * Replaces the clock of the database in tests. Returns Unix milliseconds. Do not set it otherwise:
   * the sessions of all servers must expire by one clock.
   *
   * @default {the clock of the database}
   */
  now?: () => number;
}

/** Options of a sweep. */
export interface PostgresSweepOptions {
  /**
   * Limits how many records one call removes.
   *
   * @default {1000}
   */
  limit?: number;
}

/**
 * Keeps sessions in a table of PostgreSQL 9.5 or later. Each call sends one statement. With pg, it is
 * prepared and takes one round trip.
 *
 * Pass a `Pool` or `Client` of pg, a database of pg-promise, the `sql` of postgres.js, a `PGlite`, or
 * a `Bun.SQL`. You connect the client
 * and close it, and you call {@linkcode PostgresStore.setup} at each start. The client must connect
 * to the primary, not to a replica. Do not pass a Client that is inside a transaction. Listen for
 * `"error"` on a Pool of pg; otherwise the process ends when an idle connection is lost. In Deno,
 * use pg: there, postgres.js 3.4.9 may not reconnect after the server was unavailable. If
 * replication is asynchronous, a failover can lose the last writes, and can so undo a logout.
 *
 * An expired session is treated as absent immediately. Its row is removed later: one in ten calls of
 * {@linkcode PostgresStore.create} also removes up to 25 expired rows, and your own call of
 * {@linkcode PostgresStore.sweep} removes more. Only the clock of the database decides what has
 * expired, so a web server whose clock is wrong removes nothing. Texts are stored in ASCII, so the
 * database may have any encoding.
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
 * @example Arguments, and the table
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
  /**
   * The SQL statements that create the table and its index. Use them if you manage migrations
   * yourself.
   */
  readonly ddl: readonly string[];
  readonly #index: string;
  readonly #query: PostgresQuery;
  readonly #records: SqlRecords;
  readonly #reports: ((event: StoreEvent) => void)[] = [];

  /**
   * Validates the arguments. Sends nothing yet.
   *
   * @throws {TypeError} If `client` is not a supported client, or an option is unknown or of the
   * wrong type.
   */
  constructor(client: PostgresClient, options: PostgresStoreOptions = {}) {
    checkSqlOptions("PostgresStore", options, ["prepare"]);
    const { table = DEFAULT_TABLE, prepare } = options;
    const { full, schema, index } = tableName("PostgresStore", table, '"');
    if (prepare !== undefined && typeof prepare !== "boolean") {
      throw optionError("PostgresStore", "prepare must be true or false");
    }
    const { query, preparesByDefault } = recognizePostgres(client);
    this.#query = query;
    this.#index = schema + index;
    const functions = {
      greatest: "GREATEST",
      record: recordText(POSTGRES_LAST_ACCESS),
      returning: (column: string) => ` RETURNING ${column}`,
    };
    const texts = {
      ...sqlTexts(full, functions),
      // Concurrent sweeps take different rows, and none waits for another. The limit is a value,
      // because postgres.js pipelines statements without values, and PgBouncer then loses answers.
      sweep: () =>
        `DELETE FROM ${full} WHERE id = ANY(ARRAY(SELECT id FROM ${full} ` +
        `WHERE expires_at < :now ORDER BY expires_at LIMIT :limit FOR UPDATE SKIP LOCKED))` +
        functions.returning("id"),
    };
    const driver = new PostgresDriver(query, prepare ?? preparesByDefault, (event) => {
      for (const report of this.#reports) report(event);
    });
    const dialect = {
      placeholders: "$1",
      clock: POSTGRES_CLOCK,
      parseNumber: parseDouble,
    } as const;
    this.#records = new SqlRecords(driver, texts, dialect, options);
    this.ddl = [
      `CREATE TABLE IF NOT EXISTS ${full} (` +
      "id text NOT NULL PRIMARY KEY, version text NOT NULL, " +
      "last_access double precision NOT NULL, expires_at double precision NOT NULL, " +
      "text text NOT NULL)",
      `CREATE INDEX IF NOT EXISTS ${index} ON ${full} (expires_at)`,
    ];
  }

  /**
   * Creates the table and its index if they do not exist. Several processes may call it at the same
   * time. If both exist, the client needs no right to create them, and nothing is locked.
   *
   * @throws {Error} If the client fails, with its error.
   */
  async setup(): Promise<void> {
    // The index is created last, so the table exists if the index does.
    const asked = "SELECT CASE WHEN to_regclass($1) IS NULL THEN 'no' ELSE 'yes' END AS found";
    const [row] = await this.#query(asked, [this.#index], undefined);
    if (firstText(row) === "yes") return;
    for (const statement of this.ddl) {
      await retrying(() => this.#query(statement, [], undefined), alreadyExists);
    }
  }

  /**
   * Resolves to the record; `undefined` if it does not exist.
   *
   * @throws {Error} If the client fails, with its error.
   */
  async read(id: string): Promise<StoredRecord | undefined> {
    return await this.#records.read(id);
  }

  /**
   * Creates a record. Resolves to its version; `undefined` if a record exists.
   *
   * @throws {RangeError} If `id` is not 1 to 64 ASCII characters without spaces.
   * @throws {Error} If the client fails, with its error.
   */
  async create(id: string, text: string, options: WriteOptions): Promise<string | undefined> {
    return await this.#records.create(id, text, options);
  }

  /**
   * Replaces the record if it has the given version. Resolves to the new version; `undefined` if
   * the record does not exist or has another version.
   *
   * @throws {Error} If the client fails, with its error.
   */
  async replace(id: string, text: string, options: ReplaceOptions): Promise<string | undefined> {
    return await this.#records.replace(id, text, options);
  }

  /**
   * Updates the last-access time and the expiry of the record if it has the given version. Of both
   * times and of both expiries, the later one counts. The record gets a new version.
   *
   * @throws {Error} If the client fails, with its error.
   */
  async touch(id: string, options: TouchOptions): Promise<boolean> {
    return await this.#records.touch(id, options);
  }

  /**
   * Deletes the record. If a version is given, only a record of that version is deleted. Without
   * options, this implements PAGI's `delete`: `id` may also be any ID that the session had.
   *
   * @throws {Error} If the client fails, with its error.
   */
  async delete(id: string, options?: Partial<DeleteOptions>): Promise<boolean> {
    if (options === undefined) return await plainDelete(id, (key) => this.#records.delete(key));
    return await this.#records.delete(id, options);
  }

  /**
   * Removes expired records, the oldest first, in small batches with pauses for other work in
   * between. Resolves to their number. Several processes may sweep at the same time.
   *
   * @throws {RangeError} If `limit` is not a whole number above 0.
   * @throws {Error} If the client fails, with its error.
   */
  async sweep(options: PostgresSweepOptions = {}): Promise<number> {
    return await this.#records.sweep(options);
  }

  /** Reports events to `report`, too. The middleware calls it once. */
  reportTo(report: (event: StoreEvent) => void): void {
    this.#reports.push(report);
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
