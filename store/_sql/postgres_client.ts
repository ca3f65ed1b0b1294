/** The clients that a {@linkcode PostgresStore} takes, told apart by shape, and how they are used. */
import { hasMethods } from "../../base/check_options.ts";
import type { SqlDriver, SqlRow } from "./records.ts";
import { hasCode, retrying } from "./retry.ts";
import type { CompiledSql, SqlValue } from "./statements.ts";

/** What is used of pg: its `Pool` and its `Client` have it. */
export interface PgClient {
  /** Runs a statement. */
  query(
    text: string,
    values?: (string | number)[],
  ): PromiseLike<{ rows: unknown[]; rowCount: number | null }>;
}

/** What is used of postgres.js and of `Bun.SQL`: their function for templates has it. */
export interface PostgresTag {
  /** Runs a statement that is no template. */
  unsafe(text: string, values?: (string | number)[]): PromiseLike<unknown>;
}

/** What a {@linkcode PostgresStore} takes. */
export type PostgresClient = PgClient | PostgresTag;

/** The rows of a statement, and how many they are, or how many it wrote. */
interface Answer {
  rows: readonly unknown[];
  count: number;
}

/** Runs a statement; it stays prepared if it has a name. */
export type PostgresQuery = (
  text: string,
  values: SqlValue[],
  name: string | undefined,
) => Promise<Answer>;

/** deadlock_detected, and serialization_failure, which is seen under stricter isolation alone. */
const UNDONE = ["40P01", "40001"];
/** unique_violation, duplicate_table, duplicate_object: another was faster by a moment. */
const JUST_MADE = ["23505", "42P07", "42710"];

/** Where an error has the code of PostgreSQL: pg and postgres.js, Bun. */
const CODE = ["code", "errno"];

/** Whether an error says that another has made the same table or index at the same time. */
export function isJustMade(error: unknown): boolean {
  return hasCode(error, CODE, JUST_MADE);
}

/** The way to call `client`. */
export function openPostgres(client: PostgresClient): PostgresQuery {
  if (isTag(client)) {
    return async (text, values, name) => {
      // Where the client itself was made with `prepare: false`, that counts.
      const rows = await client.unsafe(text, values, { prepare: name !== undefined });
      return { rows, count: rows.count };
    };
  }
  // MySQL's clients have a query() of their own.
  if (hasMethods(client, ["query"]) && !hasMethods(client, ["execute"])) {
    const { query } = client as NamedQuery;
    return async (text, values, name) => {
      const { rows, rowCount } = await (name === undefined
        ? query.call(client, text, values)
        : query.call(client, { name, text, values }));
      return { rows, count: rowCount! };
    };
  }
  throw new TypeError(
    "Cannot make PostgresStore: client must be a Pool or Client of pg, " +
      "the sql of postgres.js, or a Bun.SQL",
  );
}

/** Both clients with what they take beyond their shape. */
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

/** Runs statements; again where the server has undone them. */
export class PostgresDriver implements SqlDriver {
  readonly #query: PostgresQuery;
  readonly #suffix: string | undefined;

  /** `suffix` ends the names of prepared statements; without it none is prepared. */
  constructor(query: PostgresQuery, suffix: string | undefined) {
    this.#query = query;
    this.#suffix = suffix;
  }

  async first(statement: CompiledSql, values: SqlValue[]): Promise<SqlRow | undefined> {
    return (await this.#run(statement, values)).rows[0] as SqlRow | undefined;
  }

  async write(statement: CompiledSql, values: SqlValue[]): Promise<number> {
    const { count } = await this.#run(statement, values);
    // A client of another kind that looks the same.
    if (typeof count !== "number") throw new TypeError("Cannot write: the client gave no count");
    return count;
  }

  #run({ text, label }: CompiledSql, values: SqlValue[]): Promise<Answer> {
    const isNamed = label !== undefined && this.#suffix !== undefined;
    const name = isNamed ? `pagi_${label}_${this.#suffix}` : undefined;
    return retrying(
      () => this.#query(text, values, name),
      (error) => hasCode(error, CODE, UNDONE),
    );
  }
}
