/**
 * {@linkcode MysqlStore}: sessions in MySQL or MariaDB, through the client that you have.
 *
 * @module
 */
import { plainGet, plainSet } from "./_plain_methods.ts";
import {
  checkSqlOptions,
  DEFAULT_TABLE,
  ID_LENGTH,
  SqlRecords,
  VERSION_LENGTH,
} from "./_sql/records.ts";
import {
  checkMysql,
  isNoTable,
  type MysqlClient,
  MysqlDriver,
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

export type { MysqlClient };

/** Options of {@linkcode MysqlStore}. */
export interface MysqlStoreOptions {
  /**
   * The table: letters, digits and `_`, at most 48, with a database and a dot in front or without.
   * @default {"pagi_sessions"}
   */
  table?: string;
  /**
   * The clock, in Unix milliseconds; for tests.
   *
   * @default {Date.now}
   */
  now?: () => number;
}

/** How a sweep is bounded. */
export interface MysqlSweepOptions {
  /**
   * How many records go at most.
   *
   * @default {1000}
   */
  limit?: number;
}

/**
 * Keeps sessions in a table (InnoDB) of MySQL 5.7 or MariaDB 10.2, or later. Each call is one
 * statement and one round trip, which the server keeps prepared.
 *
 * It takes a pool or connection of `mysql2/promise`. The client stays yours: connect it to the
 * primary, not to a replica, with the charset utf8mb4 and autocommit, as it does by default; call
 * {@linkcode MysqlStore.setup} at each start; close it. A connection must not be in a transaction
 * of yours. Where replication is asynchronous, a failover can lose the last writes, and so undo a
 * logout.
 *
 * What has expired is absent at once; its row goes with a later {@linkcode MysqlStore.create}, one
 * in a hundred of which removes up to 250, or with {@linkcode MysqlStore.sweep}. The server's clock
 * is never asked. A text may be as long as the server's `max_allowed_packet`, 16 MiB or more.
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
 * @example What it takes, and what it makes
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
  /** The statement that makes the table with its index, for those who run migrations themselves. */
  readonly ddl: readonly string[];
  readonly #client: MysqlClient;
  readonly #table: string;
  readonly #records: SqlRecords;

  /**
   * Checks what it is given; sends nothing yet.
   *
   * @throws {TypeError} When `client` is none that it knows, or an option is unknown or of the wrong
   * kind.
   */
  constructor(client: MysqlClient, options: MysqlStoreOptions = {}) {
    const now = checkSqlOptions("MysqlStore", options, []);
    const { table = DEFAULT_TABLE } = options;
    const { full, index } = tableName("MysqlStore", table, "`");
    checkMysql(client);
    this.#client = client;
    this.#table = full;
    this.#records = new SqlRecords(new MysqlDriver(client), {
      texts: mysqlTexts(full),
      placeholders: "?",
      now,
    });
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
   * Makes the table with its index where it is missing. Many may at once, and where it is there it
   * needs no right to make it.
   *
   * @throws {Error} The client's own, when it fails.
   */
  async setup(): Promise<void> {
    try {
      await this.#client.execute(`SELECT id FROM ${this.#table} LIMIT 0`);
    } catch (error) {
      if (!isNoTable(error)) throw error;
      for (const statement of this.ddl) await this.#client.execute(statement);
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
  async sweep(options: MysqlSweepOptions = {}): Promise<number> {
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
