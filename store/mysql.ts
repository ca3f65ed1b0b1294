/**
 * {@linkcode MysqlStore}: keeps sessions in MySQL or MariaDB, through your own client.
 *
 * @module
 */
import { plainDelete, plainGet, plainSet } from "./_plain_methods.ts";
import {
  checkSqlOptions,
  DEFAULT_TABLE,
  ID_LENGTH,
  SqlRecords,
  VERSION_LENGTH,
} from "./_sql/records.ts";
import {
  isNoTable,
  MYSQL_CLOCK,
  type MysqlCallbackClient,
  type MysqlClient,
  MysqlColumns,
  MysqlDriver,
  type MysqlPromiseClient,
  type MysqlQuery,
  mysqlQuery,
  mysqlTexts,
} from "./_sql/mysql_client.ts";
import { tableName } from "./_sql/statements.ts";
import type {
  DeleteOptions,
  ReplaceOptions,
  SessionHash,
  StoredRecord,
  TouchOptions,
  VersionedStore,
  WriteOptions,
} from "./store.ts";

export type { MysqlCallbackClient, MysqlClient, MysqlPromiseClient };

/** Options of {@linkcode MysqlStore}. */
export interface MysqlStoreOptions {
  /**
   * Names the table: at most 48 letters, digits and `_`. May start with a database and a dot.
   *
   * @default {"pagi_sessions"}
   */
  table?: string;
  /**
   * Lets one in ten creates remove up to 25 expired rows. No request waits for that, and it skips rows that are
   * locked. Servers that cannot skip (before MySQL 8.0 and MariaDB 10.6) remove nothing.
   * With `false`, call {@linkcode MysqlStore.sweep} from a job.
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
export interface MysqlSweepOptions {
  /**
   * Limits how many records one call removes.
   *
   * @default {1000}
   */
  limit?: number;
}

/**
 * Keeps sessions in an InnoDB table of MySQL 5.7 or later, or MariaDB 10.2 or later. Each call
 * sends one prepared statement and takes one round trip.
 *
 * Pass a pool or a connection of mysql2, or one of MariaDB's connector with promises. You connect the
 * client and close it, and you call {@linkcode MysqlStore.setup} at each start. The client must
 * connect to the primary, not to a replica, and with autocommit, which is its default. Do not pass a
 * connection that is inside a transaction. If replication is asynchronous, a failover can lose the
 * last writes, and can so undo a logout.
 *
 * An expired session is treated as absent immediately. Its row is removed later: one in ten calls of
 * {@linkcode MysqlStore.create} also removes up to 25 expired rows, if the server can skip locked
 * rows (MySQL 8.0, MariaDB 10.6). Your own call of {@linkcode MysqlStore.sweep} removes more. Only
 * the clock of the database decides what has expired, so a web server whose clock is wrong removes
 * nothing.
 *
 * Texts are stored in ASCII, so the connection and the table may have any character set. A text may
 * be as long as the database's `max_allowed_packet`, which is 16 MiB or more, and as the column. The
 * store refuses a text that the column cannot hold, because a server without strict mode would cut it
 * off.
 *
 * @example With mysql2
 * ```ts ignore
 * import mysql from "mysql2/promise";
 * import { SessionMiddleware } from "@pagi/session";
 * import { MysqlStore } from "@pagi/session/store/mysql";
 *
 * const store = new MysqlStore(mysql.createPool("mysql://localhost/shop"));
 * await store.setup();
 * const sessions = new SessionMiddleware({ secret: Deno.env.get("SESSION_SECRET")!, store });
 * ```
 *
 * @example Arguments, and the table
 * ```ts
 * import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
 * import { MysqlStore } from "@pagi/session/store/mysql";
 *
 * assertThrows(() => new MysqlStore("mysql://db" as never), TypeError, "client must be");
 *
 * const nothing = { execute: () => Promise.resolve<[unknown, unknown]>([[], []]) };
 * const store = new MysqlStore(nothing, { table: "shop.sessions" });
 * assertStringIncludes(store.ddl[0]!, "CREATE TABLE IF NOT EXISTS `shop`.`sessions`");
 * assertEquals(await store.get("a"), undefined);
 * ```
 */
export class MysqlStore implements VersionedStore {
  /**
   * The SQL statement that creates the table and its index. Use it if you manage migrations
   * yourself.
   */
  readonly ddl: readonly string[];
  readonly #query: MysqlQuery;
  readonly #columns: MysqlColumns;
  readonly #table: string;
  readonly #records: SqlRecords;

  /**
   * Validates the arguments. Sends nothing yet.
   *
   * @throws {TypeError} If `client` is not a supported client, or an option is unknown or of the
   * wrong type.
   */
  constructor(client: MysqlClient, options: MysqlStoreOptions = {}) {
    checkSqlOptions("MysqlStore", options, []);
    const { table = DEFAULT_TABLE } = options;
    const { full, index } = tableName("MysqlStore", table, "`");
    this.#query = mysqlQuery(client);
    this.#table = full;
    const dialect = { placeholders: "?", clock: MYSQL_CLOCK } as const;
    const [unqualified, schema] = table.split(".").reverse();
    this.#columns = new MysqlColumns(this.#query, schema, unqualified!);
    const driver = new MysqlDriver(this.#query, this.#columns, full);
    this.#records = new SqlRecords(driver, mysqlTexts(full), dialect, options);
    const ascii = (length: number) =>
      `CHAR(${length}) CHARACTER SET ascii COLLATE ascii_bin NOT NULL`;
    this.ddl = [
      `CREATE TABLE IF NOT EXISTS ${full} (` +
      `id ${ascii(ID_LENGTH)} PRIMARY KEY, version ${ascii(VERSION_LENGTH)}, ` +
      "last_access DOUBLE NOT NULL, expires_at DOUBLE NOT NULL, " +
      "text LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, " +
      `KEY ${index} (expires_at)) ENGINE = InnoDB`,
    ];
  }

  /**
   * Creates the table and its index if they do not exist. Several processes may call it at the same
   * time. If the table exists, the client needs no right to create tables.
   *
   * @throws {Error} If the client fails, with its error.
   */
  async setup(): Promise<void> {
    try {
      await this.#query(`SELECT id FROM ${this.#table} LIMIT 0`, []);
    } catch (error) {
      if (!isNoTable(error)) throw error;
      for (const statement of this.ddl) await this.#query(statement, []);
    }
    await this.#columns.check({});
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
   * @throws {RangeError} If `id` is not 1 to 64 ASCII characters without spaces, or the table cannot
   * hold the text.
   * @throws {Error} If the client fails, with its error.
   */
  async create(id: string, text: string, options: WriteOptions): Promise<string | undefined> {
    return await this.#records.create(id, text, options);
  }

  /**
   * Replaces the record if it has the given version. Resolves to the new version; `undefined` if
   * the record does not exist or has another version.
   *
   * @throws {RangeError} If the table cannot hold the text.
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
  async sweep(options: MysqlSweepOptions = {}): Promise<number> {
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
