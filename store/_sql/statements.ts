/**
 * The statements of the SQL stores. They are written with named values such as `:id`, and compiled
 * to the placeholders of a client. `:now` and `:expiresAt` become SQL that asks the clock of the
 * database: the clocks of several servers may differ, and the database has only one.
 */
import { optionError } from "../../base/check_options.ts";

/** The names of the values. */
export type SqlName =
  | "id"
  | "version"
  | "lastAccess"
  | "ttl"
  | "expiresAt"
  | "text"
  | "oldVersion"
  | "limit"
  | "now";

/** A value that is passed to a statement. */
export type SqlValue = string | number;

/** A statement with the placeholders of a client. */
export interface CompiledSql {
  /** A name for it; `undefined` if its text is not used again, so that it is never prepared. */
  readonly label: string | undefined;
  readonly text: string;
  /** The name of the value for each placeholder. */
  readonly names: readonly SqlName[];
}

/** The placeholders of a client: `?` for each value in order, or numbers that can be repeated. */
export type Placeholders = "?" | "$1";

/** How statements are compiled. */
export interface Dialect {
  readonly placeholders: Placeholders;
  /**
   * The current time in SQL, in Unix seconds with fractions. It must be constant within a
   * statement, so that it can be compared by an index. If `undefined`, the process passes `:now` and
   * `:expiresAt` as values: in tests, which move the clock.
   */
  readonly clock: string | undefined;
  /**
   * Parses the last-access time in the text of a record.
   *
   * @default {Number}
   */
  readonly parseNumber?: (text: string) => number;
}

/** The SQL texts of a store. */
export interface SqlTexts {
  read: string;
  create: string;
  replace: string;
  touch: string;
  delete: string;
  deleteAt: string;
  /**
   * Removes at most `limit` expired records, and skips those that are locked. The limit is a value,
   * or part of the text.
   */
  sweep(limit: number): string;
  /** The same for servers that cannot skip locked records; `undefined` if all of them can. */
  waitingSweep?(limit: number): string;
}

/** The parts of the statements that differ between databases. */
export interface SqlFunctions {
  /** Returns the greatest of its arguments. */
  readonly greatest: string;
  /** SQL for a whole record as one text. */
  readonly record: string;
  /** Ends a statement that writes, so that it returns a column of the row; empty if it cannot. */
  readonly returning: (column: string) => string;
}

/** The longest table name, with its schema. The index and the prepared statements append to it. */
const MAX_NAME = 48;
const NAME = /^(?:([A-Za-z_]\w*)\.)?([A-Za-z_]\w*)$/;

/** The parts of a table name, quoted. */
export interface TableName {
  /** The schema or database, with a dot at the end; empty if the name has none. */
  readonly schema: string;
  readonly table: string;
  readonly index: string;
  /** Schema and table. */
  readonly full: string;
}

/**
 * Splits and quotes a table name.
 *
 * @throws {TypeError} If it is not an identifier: the name becomes part of the statements.
 */
export function tableName(owner: string, name: unknown, quote: string): TableName {
  const parts = typeof name === "string" && name.length <= MAX_NAME ? NAME.exec(name) : null;
  if (parts === null) {
    throw optionError(
      owner,
      `table must be letters, digits and _, at most ${MAX_NAME}, ` +
        `with a schema and a dot in front or without`,
    );
  }
  const schema = parts[1] === undefined ? "" : `${quote}${parts[1]}${quote}.`;
  const table = quote + parts[2] + quote;
  return { schema, table, index: `${quote}${parts[2]}_expires_at${quote}`, full: schema + table };
}

/**
 * SQL for a record as one text: ID, version, last-access time and text, with spaces in between. A
 * client can be configured to convert numbers, to rename columns, and to return rows in many forms.
 * A row with a single text is the same in all of them.
 *
 * @param lastAccess SQL for the last-access time as a text.
 */
export function recordText(lastAccess: string): string {
  return ["id", "version", lastAccess, "text"].join(" || ' ' || ");
}

/** The statements in the SQL that PostgreSQL and SQLite share. */
export function sqlTexts(table: string, functions: SqlFunctions): SqlTexts {
  const { greatest, record, returning } = functions;
  const isUnexpired = "id = :id AND expires_at >= :now";
  const atVersion = `${isUnexpired} AND version = :oldVersion`;
  return {
    read: `SELECT ${record} AS record FROM ${table} WHERE ${isUnexpired}`,
    // A single statement: the conflict locks the row whose expiry decides.
    create: `INSERT INTO ${table} AS old (id, version, last_access, expires_at, text) ` +
      "VALUES (:id, :version, :lastAccess, :expiresAt, :text) " +
      "ON CONFLICT (id) DO UPDATE SET version = excluded.version, " +
      "last_access = excluded.last_access, expires_at = excluded.expires_at, " +
      `text = excluded.text WHERE old.expires_at < :now${returning("version")}`,
    replace: `UPDATE ${table} SET version = :version, last_access = :lastAccess, ` +
      `expires_at = :expiresAt, text = :text WHERE ${atVersion}${returning("version")}`,
    touch: `UPDATE ${table} SET version = :version, ` +
      `last_access = ${greatest}(last_access, :lastAccess), ` +
      `expires_at = ${greatest}(expires_at, :expiresAt) WHERE ${atVersion}${returning("version")}`,
    delete: `DELETE FROM ${table} WHERE id = :id${returning("id")}`,
    deleteAt: `DELETE FROM ${table} WHERE id = :id AND version = :oldVersion${returning("id")}`,
    sweep: (limit) =>
      `DELETE FROM ${table} WHERE id IN ` +
      `(SELECT id FROM ${table} WHERE expires_at < :now ORDER BY expires_at LIMIT ${limit})`,
  };
}

/** Replaces the names with the placeholders of a client, and the times with its clock. */
export function compile(text: string, dialect: Dialect, label?: string): CompiledSql {
  const { placeholders, clock } = dialect;
  const names: SqlName[] = [];
  const placeholderOf = (name: SqlName) => {
    if (placeholders === "?") return names.push(name), "?";
    if (!names.includes(name)) names.push(name);
    return `$${names.indexOf(name) + 1}`;
  };
  const compiled = text.replace(/:([a-zA-Z]+)/g, (_, name: SqlName) => {
    if (clock === undefined) return placeholderOf(name);
    if (name === "now") return clock;
    return name === "expiresAt" ? `${clock} + ${placeholderOf("ttl")}` : placeholderOf(name);
  });
  return { label, text: compiled, names };
}
