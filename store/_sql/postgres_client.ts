/** The clients that a {@linkcode PostgresStore} supports, recognized by their methods. */
import { hasMethods, optionError } from "../../base/check_options.ts";
import type { SqlDriver, SqlRow } from "./records.ts";
import { hasCode, retrying } from "./retry.ts";
import type { CompiledSql, SqlValue } from "./statements.ts";

/** The part of pg that the store uses. Its `Pool` and its `Client` have it. */
export interface PgClient {
  /** Runs a statement. */
  query(
    text: string,
    values?: (string | number)[],
  ): PromiseLike<{ rows: unknown[]; rowCount: number | null }>;
}

/** The part of postgres.js and `Bun.SQL` that the store uses. Their template function has it. */
export interface PostgresTag {
  /** Runs a statement that is not a template. */
  unsafe(text: string, values?: (string | number)[]): PromiseLike<unknown>;
}

/** The clients that a {@linkcode PostgresStore} supports. */
export type PostgresClient = PgClient | PostgresTag;

/** The result of a statement: its rows, and how many it returned or wrote. */
interface QueryResult {
  rows: readonly unknown[];
  count: number;
}

/** Runs a statement. A statement with a name stays prepared on the server. */
export type PostgresQuery = (
  text: string,
  values: SqlValue[],
  name: string | undefined,
) => Promise<QueryResult>;

/** deadlock_detected, and serialization_failure, which occurs only under stricter isolation. */
const ROLLED_BACK = ["40P01", "40001"];
/** unique_violation, duplicate_table, duplicate_object: another process created it first. */
const ALREADY_EXISTS = ["23505", "42P07", "42710"];

/**
 * The properties of an error with PostgreSQL's code: pg and postgres.js use the first, Bun the
 * second.
 */
const CODE = ["code", "errno"];

/**
 * The current time: when the database received the statement. Not `clock_timestamp()`, which may
 * change within a statement, so that the index on the expiry could not be used; and not `now()`,
 * which is when the transaction started.
 */
// language: off
export const POSTGRES_CLOCK = "CAST(EXTRACT(EPOCH FROM statement_timestamp()) AS double precision)";
// language: on

/** Whether an error says that another process created the same table or index at the same time. */
export function alreadyExists(error: unknown): boolean {
  return hasCode(error, CODE, ALREADY_EXISTS);
}

/**
 * The function that runs statements on `client`.
 *
 * @throws {TypeError} If it is not a supported client.
 */
export function queryFunction(client: PostgresClient): PostgresQuery {
  if (isTag(client)) {
    return async (text, values, name) => {
      // If the client was created with `prepare: false`, that takes precedence.
      const rows = await client.unsafe(text, values, { prepare: name !== undefined });
      return { rows, count: rows.count };
    };
  }
  // MySQL clients have a query() too, but also an execute().
  if (hasMethods(client, ["query"]) && !hasMethods(client, ["execute"])) {
    const { query } = client as NamedQuery;
    return async (text, values, name) => {
      const { rows, rowCount } = await (name === undefined
        ? query.call(client, text, values)
        : query.call(client, { name, text, values }));
      return { rows, count: rowCount! };
    };
  }
  throw optionError(
    "PostgresStore",
    "client must be a Pool or Client of pg, " +
      "the sql of postgres.js, or a Bun.SQL",
  );
}

/** The methods of both kinds of clients, with the arguments that their public types above omit. */
interface Unsafe {
  unsafe(
    text: string,
    values: SqlValue[],
    options: { prepare: boolean },
  ): PromiseLike<unknown[] & { count: number }>;
}
interface NamedQuery {
  query(
    query: string | { name: string; text: string; values: SqlValue[] },
    values?: SqlValue[],
  ): PromiseLike<{ rows: unknown[]; rowCount: number | null }>;
}

function isTag(client: unknown): client is Unsafe {
  return typeof client === "function" && typeof (client as unknown as Unsafe).unsafe === "function";
}

/** Runs statements, and retries those that the server rolled back. */
export class PostgresDriver implements SqlDriver {
  readonly #query: PostgresQuery;
  readonly #suffix: string | undefined;

  /**
   * @param suffix Ends the names of prepared statements. If `undefined`, no statement is prepared.
   */
  constructor(query: PostgresQuery, suffix: string | undefined) {
    this.#query = query;
    this.#suffix = suffix;
  }

  async first(statement: CompiledSql, values: SqlValue[]): Promise<SqlRow | undefined> {
    return (await this.#run(statement, values)).rows[0] as SqlRow | undefined;
  }

  async write(statement: CompiledSql, values: SqlValue[]): Promise<number> {
    const { count } = await this.#run(statement, values);
    // Another client may have a method of the same name.
    if (typeof count !== "number") throw new TypeError("Cannot write: the client gave no count");
    return count;
  }

  #run({ text, label }: CompiledSql, values: SqlValue[]): Promise<QueryResult> {
    const isNamed = label !== undefined && this.#suffix !== undefined;
    const name = isNamed ? `pagi_${label}_${this.#suffix}` : undefined;
    return retrying(
      () => this.#query(text, values, name),
      (error) => hasCode(error, CODE, ROLLED_BACK),
    );
  }
}
