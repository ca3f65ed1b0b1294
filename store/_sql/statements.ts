/**
 * The statements of the SQL stores: written with their values by name, `:now`, and compiled to the
 * placeholders that a client takes. Whether a record has expired is asked of our clock, which comes
 * along as a value; the database's own is never consulted.
 */

/** What a statement's values are called. */
export type SqlName = "id" | "version" | "lastAccess" | "expiresAt" | "text" | "oldVersion" | "now";

/** A value. */
export type SqlValue = string | number;

/** A statement as a client takes it. */
export interface CompiledSql {
  /** What it is called where it is kept prepared; no other on its table is called so. */
  readonly label: string | undefined;
  readonly text: string;
  /** Which value goes in each place. */
  readonly names: readonly SqlName[];
}

/** How a client marks the place of a value: by its order, or by a number that may be used again. */
export type Placeholders = "?" | "$1";

/** The texts of a store's statements. */
export interface SqlTexts {
  read: string;
  create: string;
  replace: string;
  touch: string;
  delete: string;
  deleteAt: string;
  /** Removes at most `limit` expired records. */
  sweep(limit: number): string;
}

/** The longest name of a table, its schema included: the names of its index and its statements add to it. */
const MAX_NAME = 48;
const NAME = /^(?:([A-Za-z_]\w*)\.)?([A-Za-z_]\w*)$/;

/** A table's name, each part in quotes. */
export interface TableName {
  /** The schema or database that it is in, with a dot at the end; empty if none is named. */
  readonly schema: string;
  readonly table: string;
  readonly index: string;
  /** Schema and table. */
  readonly full: string;
}

/** Takes `name` apart, and refuses what is no identifier: it becomes part of the statements. */
export function tableName(owner: string, name: unknown, quote: string): TableName {
  const parts = typeof name === "string" && name.length <= MAX_NAME ? NAME.exec(name) : null;
  if (parts === null) {
    throw new TypeError(
      `Cannot make ${owner}: table must be letters, digits and _, at most ${MAX_NAME}, ` +
        `with a schema and a dot in front or without`,
    );
  }
  const schema = parts[1] === undefined ? "" : `${quote}${parts[1]}${quote}.`;
  const table = quote + parts[2] + quote;
  return { schema, table, index: `${quote}${parts[2]}_expires_at${quote}`, full: schema + table };
}

/** The statements in the SQL that PostgreSQL and SQLite have in common. */
export function sqlTexts(table: string): SqlTexts {
  const isLive = "id = :id AND expires_at >= :now";
  const atVersion = `${isLive} AND version = :oldVersion`;
  return {
    // Named without an underscore: clients can be told to write names with one otherwise.
    read: `SELECT text, version, last_access AS accessed FROM ${table} WHERE ${isLive}`,
    // One statement: the conflict locks the row that it is decided by.
    create: `INSERT INTO ${table} AS old (id, version, last_access, expires_at, text) ` +
      "VALUES (:id, :version, :lastAccess, :expiresAt, :text) " +
      "ON CONFLICT (id) DO UPDATE SET version = excluded.version, " +
      "last_access = excluded.last_access, expires_at = excluded.expires_at, " +
      "text = excluded.text WHERE old.expires_at < :now",
    replace: `UPDATE ${table} SET version = :version, last_access = :lastAccess, ` +
      `expires_at = :expiresAt, text = :text WHERE ${atVersion}`,
    touch:
      `UPDATE ${table} SET last_access = :lastAccess, expires_at = :expiresAt WHERE ${atVersion}`,
    delete: `DELETE FROM ${table} WHERE id = :id`,
    deleteAt: `DELETE FROM ${table} WHERE id = :id AND version = :oldVersion`,
    sweep: (limit) =>
      `DELETE FROM ${table} WHERE id IN ` +
      `(SELECT id FROM ${table} WHERE expires_at < :now ORDER BY expires_at LIMIT ${limit})`,
  };
}

/** Puts a client's placeholders in the place of the names. */
export function compile(text: string, placeholders: Placeholders, label?: string): CompiledSql {
  const names: SqlName[] = [];
  const compiled = text.replace(/:([a-zA-Z]+)/g, (_, name: SqlName) => {
    if (placeholders === "?") return names.push(name), "?";
    if (!names.includes(name)) names.push(name);
    return `$${names.indexOf(name) + 1}`;
  });
  return { label, text: compiled, names };
}
