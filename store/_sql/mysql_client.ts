/** The clients that a {@linkcode MysqlStore} supports, and its SQL. */
import { hasMethods, isObject, optionError } from "../../base/check_options.ts";
import { received } from "../_received.ts";
import { firstText, type SqlDriver } from "./records.ts";
import { hasCode, retrying } from "./retry.ts";
import { type CompiledSql, type SqlTexts, sqlTexts, type SqlValue } from "./statements.ts";

/**
 * The part of mysql2 and of MariaDB's connector that the store uses: their pools and connections
 * have it.
 */
export interface MysqlPromiseClient {
  /** Prepares a statement, unless it is prepared already, and runs it. */
  execute(sql: string, values?: (string | number)[]): Promise<unknown>;
}

/** The part of mysql2's pools and connections with callbacks that the store uses. */
export interface MysqlCallbackClient {
  /** Returns the same pool or connection with promises. */
  promise(): MysqlPromiseClient;
}

/** The clients that a {@linkcode MysqlStore} supports. */
export type MysqlClient = MysqlPromiseClient | MysqlCallbackClient;

/** Runs a statement, and resolves to its result: rows, or what it wrote. */
export type MysqlQuery = (sql: string, values: SqlValue[]) => Promise<unknown>;

/** The result of a statement that writes. */
interface WriteResult {
  affectedRows: number;
  insertId: number | bigint | string;
}

/** ER_LOCK_DEADLOCK, and ER_CHECKREAD of MariaDB's snapshot isolation. */
const ROLLED_BACK = [1213, 1020];
/** ER_PARSE_ERROR, ER_NOT_SUPPORTED_YET: before MySQL 8.0 and MariaDB 10.6, for SKIP LOCKED. */
const UNKNOWN_STATEMENT = [1064, 1235];
/** ER_NO_SUCH_TABLE. */
const NO_TABLE = [1146];
/**
 * The insert IDs that `create` reports: it wrote, or an unexpired record exists. Large, so that they
 * are not those of an AUTO_INCREMENT column.
 */
export const STORED = 4_503_599_627_370_497;
export const REFUSED = 4_503_599_627_370_498;

/** The property of an error with the server's error number. */
const CODE = ["errno"];

/**
 * The current time. Both functions give the time at which the statement started.
 * `UNIX_TIMESTAMP(NOW(6))` would be shorter, but it converts a local time, and in the hour after
 * the end of daylight saving time the local time is ambiguous. Of NOW(6), this uses only the
 * microseconds, which are the same in every time zone.
 */
export const MYSQL_CLOCK = "UNIX_TIMESTAMP() + MICROSECOND(NOW(6)) / 1e6";

/** Whether an error says that the table does not exist. */
export function isNoTable(error: unknown): boolean {
  return hasCode(error, CODE, NO_TABLE);
}

/**
 * The function that runs statements on `client`.
 *
 * @throws {TypeError} If it is not a supported client.
 */
export function mysqlQuery(client: MysqlClient): MysqlQuery {
  const promised = hasMethods(client, ["promise"])
    ? (client as MysqlCallbackClient).promise()
    : client as MysqlPromiseClient;
  // With callbacks, the methods of MariaDB's connector have a third parameter. Clients that use HTTP
  // or serve other databases have a transaction(). A cluster of mysql2's pools has an of(), and sends
  // statements to any of its servers.
  const isSupported = hasMethods(promised, ["execute"]) && promised.execute.length < 3 &&
    !hasMethods(promised, ["transaction"]) && !hasMethods(promised, ["of"]);
  if (!isSupported) {
    throw optionError(
      "MysqlStore",
      "client must be a pool or connection of mysql2, or one of MariaDB's connector with " +
        `promises; ${received(client)}`,
    );
  }
  if (!hasMethods(promised, ["batch"])) {
    return async (sql, values) => resultOf(await promised.execute(sql, values));
  }
  // MariaDB's connector. With named placeholders, it would not take a list of values.
  const { execute } = promised as unknown as MariadbExecute;
  return async (sql, values) =>
    resultOf(await execute.call(promised, { sql, namedPlaceholders: false }, values));
}

interface MariadbExecute {
  execute(query: { sql: string; namedPlaceholders: boolean }, values: SqlValue[]): Promise<unknown>;
}

/** The result in an answer. mysql2 returns it with a description of the columns. */
function resultOf(answer: unknown): unknown {
  const isPair = Array.isArray(answer) && answer.length === 2 && !("meta" in answer);
  return isPair && isObject(answer[0]) ? answer[0] : answer;
}

/**
 * The statements in the SQL of MySQL, whose ON DUPLICATE KEY has no WHERE. The number of affected
 * rows does not tell whether `create` succeeded: if the client counts matched rows, which is the
 * default of mysql2, both an inserted row and an unchanged row count as 1.
 */
export function mysqlTexts(table: string): SqlTexts {
  const unlessUnexpired = (column: string) =>
    `${column} = IF(expires_at >= :now, ${column}, VALUES(${column}))`;
  // In a table that was created manually, each column may have another character set.
  const converted = (column: string) => `CONVERT(${column} USING utf8mb4)`;
  const columns = [converted("id"), converted("version"), "last_access", converted("text")];
  // As bytes, because not every character set of a connection has a backslash.
  const record = columns.join(", ' ', ");
  const functions = {
    greatest: "GREATEST",
    record: `CAST(CONCAT(${record}) AS BINARY)`,
    returning: () => "",
  };
  return {
    ...sqlTexts(table, functions),
    // LAST_INSERT_ID(x) returns x and sends it to the client as the insert ID. The second one is
    // evaluated only if the row exists. Columns are assigned from left to right, so expires_at comes
    // last.
    create: `INSERT INTO ${table} (id, version, last_access, expires_at, text) ` +
      `VALUES (:id, :version, :lastAccess + 0 * LAST_INSERT_ID(${STORED}), :expiresAt, :text) ` +
      "ON DUPLICATE KEY UPDATE version = " +
      `IF(LAST_INSERT_ID(IF(expires_at >= :now, ${REFUSED}, ${STORED})) = ${REFUSED}, ` +
      "version, VALUES(version)), " +
      `${unlessUnexpired("last_access")}, ${unlessUnexpired("text")}, ${
        unlessUnexpired("expires_at")
      }`,
    // Joined in this order, so that it looks up each row by its key and locks only what it deletes.
    sweep: (limit) =>
      `DELETE session FROM (SELECT id AS expired_id FROM ${table} WHERE expires_at < :now ` +
      `ORDER BY expires_at LIMIT ${limit} FOR UPDATE SKIP LOCKED) AS expired ` +
      `STRAIGHT_JOIN ${table} AS session ON session.id = expired.expired_id`,
    waitingSweep: (limit) =>
      `DELETE FROM ${table} WHERE expires_at < :now ORDER BY expires_at LIMIT ${limit}`,
  };
}

/**
 * Runs statements, and retries those that the server rolled back. The client keeps them prepared.
 */
export class MysqlDriver implements SqlDriver {
  readonly #query: MysqlQuery;
  readonly #columns: MysqlColumns;
  readonly #table: string;

  /** @param table Its name, quoted. */
  constructor(query: MysqlQuery, columns: MysqlColumns, table: string) {
    this.#query = query;
    this.#columns = columns;
    this.#table = table;
  }

  async first(statement: CompiledSql, values: SqlValue[]): Promise<unknown> {
    const rows = await this.#run(statement, values);
    if (!Array.isArray(rows)) throw new TypeError("Cannot read: the client answered without rows");
    return rows[0];
  }

  async write(statement: CompiledSql, values: SqlValue[], expected: string): Promise<boolean> {
    if (statement.names.includes("text")) await this.#columns.check(textsOf(statement, values));
    const { affectedRows, insertId } = await this.#run(statement, values) as WriteResult;
    // Another client may have a method of the same name.
    if (typeof affectedRows !== "number" || Number.isNaN(Number(insertId))) {
      throw new TypeError("Cannot write: the client gave no affectedRows and insertId");
    }
    if (statement.label !== "create") return affectedRows > 0;
    const id = Number(insertId);
    if (id === STORED || id === REFUSED) return id === STORED;
    // A trigger or an AUTO_INCREMENT column has replaced the insert ID.
    return await this.#hasVersion(String(values[statement.names.indexOf("id")]), expected);
  }

  async #hasVersion(id: string, version: string): Promise<boolean> {
    const sql = "SELECT CAST(CONVERT(version USING utf8mb4) AS BINARY) AS version " +
      `FROM ${this.#table} WHERE id = ?`;
    const rows = await this.#query(sql, [id]);
    return Array.isArray(rows) && firstText(rows[0])?.trimEnd() === version;
  }

  async sweep(statement: CompiledSql, values: SqlValue[]): Promise<number> {
    return (await this.#run(statement, values) as WriteResult).affectedRows;
  }

  isUnknownStatement(error: unknown): boolean {
    return hasCode(error, CODE, UNKNOWN_STATEMENT);
  }

  #run({ text }: CompiledSql, values: SqlValue[]): Promise<unknown> {
    return retrying(
      () => this.#query(text, values),
      (error) => hasCode(error, CODE, ROLLED_BACK),
    );
  }
}

/** The values of a statement that are written to columns of texts, by column. */
function textsOf({ names }: CompiledSql, values: SqlValue[]): Record<string, string> {
  const columns = ["id", "version", "text"] as const;
  return Object.fromEntries(columns.map((name) => [name, String(values[names.indexOf(name)])]));
}

/**
 * The sizes of the columns in a table. A server without strict mode cuts off what a column cannot
 * hold, and only counts a warning. So the store compares the sizes before it writes.
 */
export class MysqlColumns {
  readonly #query: MysqlQuery;
  readonly #schema: string | undefined;
  readonly #table: string;
  #sizes: ReadonlyMap<string, number> | undefined;

  /** @param schema The database; that of the connection if `undefined`. */
  constructor(query: MysqlQuery, schema: string | undefined, table: string) {
    this.#query = query;
    this.#schema = schema;
    this.#table = table;
  }

  /**
   * Requires that the values fit. Asks the database once, and again before it refuses: the table may
   * have changed.
   *
   * @throws {RangeError} If a value is longer than its column.
   */
  async check(values: Readonly<Record<string, string>>): Promise<void> {
    if (this.#sizes !== undefined && tooLong(this.#sizes, values) === undefined) return;
    // Each call asks for itself, so that none waits for an answer that another call never gets.
    const sizes = await this.#ask();
    // Nobody may have created the table yet.
    if (sizes.size > 0) this.#sizes = sizes;
    const column = tooLong(sizes, values);
    if (column === undefined) return;
    throw new RangeError(
      `Cannot write the record: it has ${values[column]!.length} characters for the column ` +
        `${column}, which holds ${sizes.get(column)}. ` +
        "Change the table to the column's type in store.ddl",
    );
  }

  async #ask(): Promise<ReadonlyMap<string, number>> {
    const [schema, values] = this.#schema === undefined
      ? ["DATABASE()", [this.#table]]
      : ["?", [this.#schema, this.#table]];
    const sql =
      "SELECT CAST(CONCAT(column_name, ' ', COALESCE(character_maximum_length, '')) AS BINARY) " +
      `AS size FROM information_schema.columns WHERE table_schema = ${schema} AND table_name = ?`;
    const rows = await this.#query(sql, values);
    const sizes = new Map<string, number>();
    for (const row of Array.isArray(rows) ? rows : []) {
      const [column, size] = (firstText(row) ?? "").split(" ");
      // A view may compute a column, so that it has no size.
      if (size) sizes.set(column!.toLowerCase(), Number(size));
    }
    return sizes;
  }
}

/** The first column that is too small for its value. */
function tooLong(
  sizes: ReadonlyMap<string, number>,
  values: Readonly<Record<string, string>>,
): string | undefined {
  return Object.keys(values).find((name) => values[name]!.length > (sizes.get(name) ?? Infinity));
}
