/** The clients that a {@linkcode MysqlStore} supports, and its SQL. */
import { hasMethods, optionError } from "../../base/check_options.ts";
import type { SqlDriver, SqlRow } from "./records.ts";
import { hasCode, retrying } from "./retry.ts";
import { type CompiledSql, type SqlTexts, sqlTexts, type SqlValue } from "./statements.ts";

/** The part of mysql2 that the store uses. Pools and connections of `mysql2/promise` have it. */
export interface MysqlClient {
  /** Prepares a statement, unless it is prepared already, and runs it. */
  execute(sql: string, values?: (string | number)[]): Promise<[unknown, unknown]>;
}

/** The result of a statement that writes. */
interface WriteResult {
  affectedRows: number;
  insertId: number | string;
}

/** ER_LOCK_DEADLOCK, and ER_CHECKREAD of MariaDB's snapshot isolation. */
const ROLLED_BACK = [1213, 1020];
/** ER_NO_SUCH_TABLE. */
const NO_TABLE = [1146];
/** The insert ID that `create` reports if an unexpired record exists. */
const REFUSED = 1;

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

/** Refuses other objects, among them mysql2's pools and connections that take callbacks. */
export function checkMysql(client: unknown): void {
  if (hasMethods(client, ["execute"]) && !hasMethods(client, ["promise"])) return;
  throw optionError(
    "MysqlStore",
    "client must be a pool or connection of mysql2/promise " +
      "(of mysql2, what promise() gives)",
  );
}

/**
 * The statements in the SQL of MySQL, whose ON DUPLICATE KEY has no WHERE. The number of affected
 * rows does not tell whether `create` succeeded: if the client counts matched rows, which is the
 * default of mysql2, both an inserted row and an unchanged row count as 1.
 */
export function mysqlTexts(table: string): SqlTexts {
  const unlessUnexpired = (column: string) =>
    `${column} = IF(expires_at >= :now, ${column}, VALUES(${column}))`;
  return {
    ...sqlTexts(table, "GREATEST"),
    // LAST_INSERT_ID(x) returns x and sends it to the client as the insert ID. It is evaluated only
    // if the row exists, so 1 means an unexpired one. Columns are assigned from left to right, so
    // expires_at comes last.
    create: `INSERT INTO ${table} (id, version, last_access, expires_at, text) ` +
      "VALUES (:id, :version, :lastAccess, :expiresAt, :text) ON DUPLICATE KEY UPDATE " +
      `version = IF(LAST_INSERT_ID(expires_at >= :now) = ${REFUSED}, version, VALUES(version)), ` +
      `${unlessUnexpired("last_access")}, ${unlessUnexpired("text")}, ${
        unlessUnexpired("expires_at")
      }`,
    sweep: (limit) =>
      `DELETE FROM ${table} WHERE expires_at < :now ORDER BY expires_at LIMIT ${limit}`,
  };
}

/**
 * Runs statements, and retries those that the server rolled back. The client keeps them prepared.
 */
export class MysqlDriver implements SqlDriver {
  readonly #client: MysqlClient;

  constructor(client: MysqlClient) {
    this.#client = client;
  }

  async first({ text }: CompiledSql, values: SqlValue[]): Promise<SqlRow | undefined> {
    return (await this.#run(text, values) as SqlRow[])[0];
  }

  async write({ text }: CompiledSql, values: SqlValue[]): Promise<number> {
    const { affectedRows, insertId } = await this.#run(text, values) as WriteResult;
    // Another client may have a method of the same name.
    if (typeof affectedRows !== "number" || Number.isNaN(Number(insertId))) {
      throw new TypeError("Cannot write: the client gave no affectedRows and insertId");
    }
    return Number(insertId) === REFUSED ? 0 : affectedRows;
  }

  async #run(text: string, values: SqlValue[]): Promise<unknown> {
    const [result] = await retrying(
      () => this.#client.execute(text, values),
      (error) => hasCode(error, CODE, ROLLED_BACK),
    );
    return result;
  }
}
