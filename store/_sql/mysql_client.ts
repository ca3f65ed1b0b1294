/** The clients that a {@linkcode MysqlStore} takes, its SQL, and how they are used. */
import { hasMethods } from "../../base/check_options.ts";
import type { SqlDriver, SqlRow } from "./records.ts";
import { hasCode, retrying } from "./retry.ts";
import { type CompiledSql, type SqlTexts, sqlTexts, type SqlValue } from "./statements.ts";

/** What is used of mysql2: the pools and connections of `mysql2/promise` have it. */
export interface MysqlClient {
  /** Prepares a statement, unless it is already, and runs it. */
  execute(sql: string, values?: (string | number)[]): Promise<[unknown, unknown]>;
}

/** What a statement answers that writes. */
interface Header {
  affectedRows: number;
  insertId: number | string;
}

/** ER_LOCK_DEADLOCK, and ER_CHECKREAD of MariaDB's snapshot isolation: the statement is undone. */
const UNDONE = [1213, 1020];
/** ER_NO_SUCH_TABLE. */
const NO_TABLE = [1146];
/** What `create` leaves in the place of an inserted id where a live record was in its way. */
const REFUSED = 1;

/** Where an error has the server's number. */
const CODE = ["errno"];

/** Whether an error says that there is no such table. */
export function isNoTable(error: unknown): boolean {
  return hasCode(error, CODE, NO_TABLE);
}

/** Refuses what is not a client; mysql2's own pools and connections take callbacks. */
export function checkMysql(client: unknown): void {
  if (hasMethods(client, ["execute"]) && !hasMethods(client, ["promise"])) return;
  throw new TypeError(
    "Cannot make MysqlStore: client must be a pool or connection of mysql2/promise " +
      "(of mysql2, what promise() gives)",
  );
}

/**
 * The statements in MySQL's SQL, which has no WHERE in ON DUPLICATE KEY. How many rows were
 * affected is no answer there: a client that counts the rows found, as mysql2 does by default, is
 * told 1 for a row that was inserted and 1 for a row that was left as it is.
 */
export function mysqlTexts(table: string): SqlTexts {
  const unlessLive = (column: string) =>
    `${column} = IF(expires_at >= :now, ${column}, VALUES(${column}))`;
  return {
    ...sqlTexts(table),
    // LAST_INSERT_ID(x) is x, and is told to the client with the answer; it is asked only where there
    // is a row, so 1 means a live one. Columns are set from left to right: expires_at comes last.
    create: `INSERT INTO ${table} (id, version, last_access, expires_at, text) ` +
      "VALUES (:id, :version, :lastAccess, :expiresAt, :text) ON DUPLICATE KEY UPDATE " +
      `version = IF(LAST_INSERT_ID(expires_at >= :now) = ${REFUSED}, version, VALUES(version)), ` +
      `${unlessLive("last_access")}, ${unlessLive("text")}, ${unlessLive("expires_at")}`,
    // A client may count the rows that changed: the second of two touches at once is a millisecond
    // off, so that it counts too.
    touch: `UPDATE ${table} SET last_access = :lastAccess, ` +
      "expires_at = IF(expires_at = :expiresAt, expires_at + 0.001, :expiresAt) " +
      "WHERE id = :id AND expires_at >= :now AND version = :oldVersion",
    sweep: (limit) =>
      `DELETE FROM ${table} WHERE expires_at < :now ORDER BY expires_at LIMIT ${limit}`,
  };
}

/** Runs statements; again where the server has undone them. The client keeps them prepared. */
export class MysqlDriver implements SqlDriver {
  readonly #client: MysqlClient;

  constructor(client: MysqlClient) {
    this.#client = client;
  }

  async first({ text }: CompiledSql, values: SqlValue[]): Promise<SqlRow | undefined> {
    return (await this.#run(text, values) as SqlRow[])[0];
  }

  async write({ text }: CompiledSql, values: SqlValue[]): Promise<number> {
    const { affectedRows, insertId } = await this.#run(text, values) as Header;
    // A client of another kind that looks the same.
    if (typeof affectedRows !== "number" || Number.isNaN(Number(insertId))) {
      throw new TypeError("Cannot write: the client gave no affectedRows and insertId");
    }
    return Number(insertId) === REFUSED ? 0 : affectedRows;
  }

  async #run(text: string, values: SqlValue[]): Promise<unknown> {
    const [answer] = await retrying(
      () => this.#client.execute(text, values),
      (error) => hasCode(error, CODE, UNDONE),
    );
    return answer;
  }
}
