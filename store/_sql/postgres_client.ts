/** The clients that a {@linkcode PostgresStore} supports, recognized by their methods. */
import { hasMethods, isObject, optionError } from "../../base/check_options.ts";
import type { StoreEvent } from "../store.ts";
import { received } from "../_received.ts";
import { firstText, type SqlDriver } from "./records.ts";
import { hasCode, retrying } from "./retry.ts";
import type { CompiledSql, SqlValue } from "./statements.ts";

/**
 * The part of pg that the store uses. Its `Pool` and its `Client` have it, and so does a `PGlite`.
 */
export interface PgClient {
  /** Runs a statement. */
  query(text: string, values?: (string | number)[]): PromiseLike<{ rows: unknown[] }>;
}

/** The part of a pg-promise database that the store uses. */
export interface PgPromiseDatabase {
  /** Runs a statement. */
  result(
    query: { text: string; values: (string | number)[]; name?: string },
  ): PromiseLike<{ rows: unknown[] }>;
}

/** The part of postgres.js and `Bun.SQL` that the store uses. Their template function has it. */
export interface PostgresTag {
  /** Runs a statement that is not a template. */
  unsafe(text: string, values?: (string | number)[]): PromiseLike<unknown>;
}

/** The clients that a {@linkcode PostgresStore} supports. */
export type PostgresClient = PgClient | PgPromiseDatabase | PostgresTag;

/** Runs a statement, and resolves to its rows. A statement with a name stays prepared. */
export type PostgresQuery = (
  text: string,
  values: SqlValue[],
  name: string | undefined,
) => Promise<readonly unknown[]>;

/** deadlock_detected, and serialization_failure, which occurs only under stricter isolation. */
const ROLLED_BACK = ["40P01", "40001"];
/** unique_violation, duplicate_table, duplicate_object: another process created it first. */
const ALREADY_EXISTS = ["23505", "42P07", "42710"];
/**
 * invalid_sql_statement_name and duplicate_prepared_statement: the connection to the server is not
 * the one on which the client prepared its statements. The statement has not run.
 */
const NOT_PREPARED_HERE = ["26000", "42P05"];

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

/**
 * The last-access time as a text: the hex digits of its eight bytes. As a decimal number, its
 * precision would depend on the server's version and on a setting of the connection.
 */
export const POSTGRES_LAST_ACCESS = "encode(float8send(last_access), 'hex')";

/** The number whose eight bytes have these hex digits; `NaN` if they are not digits. */
export function parseDouble(hex: string): number {
  if (!/^[\da-f]{16}$/.test(hex)) return NaN;
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, BigInt(`0x${hex}`));
  return view.getFloat64(0);
}

/** Whether an error says that another process created the same table or index at the same time. */
export function alreadyExists(error: unknown): boolean {
  return hasCode(error, CODE, ALREADY_EXISTS);
}

/** A function that runs statements on a client, and whether it prepares them by default. */
interface Recognized {
  query: PostgresQuery;
  preparesByDefault: boolean;
}

/**
 * Recognizes `client`.
 *
 * @throws {TypeError} If it is not a supported client.
 */
export function recognizePostgres(client: PostgresClient): Recognized {
  if (isTag(client)) {
    const tag: Unsafe = client;
    const query: PostgresQuery = async (text, values, name) =>
      // If the client was created with `prepare: false`, that takes precedence.
      toRows(await tag.unsafe(text, values, { prepare: name !== undefined }));
    // postgres.js names a statement by a number. Behind a pooler, another connection may know
    // another statement by that number, and run that one.
    return { query, preparesByDefault: false };
  }
  if (hasMethods(client, ["result", "query", "none"])) {
    const database = client as PgPromiseDatabase;
    const query: PostgresQuery = async (text, values, name) =>
      toRows(await database.result(name === undefined ? { text, values } : { text, values, name }));
    return { query, preparesByDefault: true };
  }
  if (!hasMethods(client, ["query"]) || OTHERS.some((name) => hasMethods(client, [name]))) {
    throw optionError(
      "PostgresStore",
      "client must be a Pool or Client of pg, a database of pg-promise, the sql of postgres.js, " +
        `a PGlite, or a Bun.SQL for PostgreSQL; ${received(client)}`,
    );
  }
  const { query } = client as NamedQuery;
  const isNamed = !hasMethods(client, ["describeQuery"]);
  return {
    query: async (text, values, name) =>
      toRows(
        await (name === undefined || !isNamed
          ? query.call(client, text, values)
          : query.call(client, { name, text, values })),
      ),
    preparesByDefault: isNamed,
  };
}

/**
 * Methods of clients that have a `query()` of another kind: those of MySQL, a query builder, and
 * object-relational mappers.
 */
const OTHERS = ["execute", "escapeId", "getConnection", "define", "createQueryRunner", "maybeOne"];

/** The methods of the clients, with the arguments that their public types above omit. */
interface Unsafe {
  unsafe(text: string, values: SqlValue[], options: { prepare: boolean }): PromiseLike<unknown>;
}
interface NamedQuery {
  query(
    query: string | { name: string; text: string; values: SqlValue[] },
    values?: SqlValue[],
  ): PromiseLike<unknown>;
}

/** Neon's template function has an `unsafe()` that runs nothing, and Bun.SQL also serves others. */
function isTag(client: unknown): client is Unsafe & PostgresTag {
  if (typeof client !== "function") return false;
  const { unsafe, transaction, begin, options } = client as unknown as Record<string, unknown>;
  if (typeof unsafe !== "function") return false;
  if (typeof transaction === "function" && typeof begin !== "function") return false;
  const adapter = isObject(options) ? options.adapter ?? "postgres" : "postgres";
  return adapter === "postgres" || adapter === "postgresql";
}

/** The rows in an answer: a list, or an object that has them. */
function toRows(answer: unknown): readonly unknown[] {
  const rows = isObject(answer) && "rows" in answer ? answer.rows : answer;
  if (Array.isArray(rows)) return rows;
  throw new TypeError("Cannot use PostgresStore: the client answered without rows");
}

/** Runs statements, and retries those that the server rolled back. */
export class PostgresDriver implements SqlDriver {
  readonly #query: PostgresQuery;
  readonly #report: (event: StoreEvent) => void;
  #isPrepared: boolean;

  /** @param report Receives the event that statements are not prepared any more. */
  constructor(query: PostgresQuery, isPrepared: boolean, report: (event: StoreEvent) => void) {
    this.#query = query;
    this.#isPrepared = isPrepared;
    this.#report = report;
  }

  async first(statement: CompiledSql, values: SqlValue[]): Promise<unknown> {
    return (await this.#run(statement, values))[0];
  }

  /**
   * The row count does not prove that the statement ran: behind a pooler, the answer may be that of
   * another statement.
   */
  async write(statement: CompiledSql, values: SqlValue[], expected: string): Promise<boolean> {
    const [row] = await this.#run(statement, values);
    if (row === undefined) return false;
    const found = firstText(row)?.trimEnd();
    if (found === expected) return true;
    throw new TypeError(
      found === undefined
        ? "Cannot write: the client returned a row that is not one text. " +
          "Remove the client's options that convert results"
        : "Cannot write: the client returned the result of another statement. " +
          "Check how it is pooled, and set prepare to false",
    );
  }

  async sweep(statement: CompiledSql, values: SqlValue[]): Promise<number> {
    return (await this.#run(statement, values)).length;
  }

  async #run({ text, label }: CompiledSql, values: SqlValue[]): Promise<readonly unknown[]> {
    const isRetryable = (error: unknown) => hasCode(error, CODE, ROLLED_BACK);
    if (label !== undefined && this.#isPrepared) {
      const name = statementName(label, text);
      try {
        return await retrying(() => this.#query(text, values, name), isRetryable);
      } catch (cause) {
        if (!hasCode(cause, CODE, NOT_PREPARED_HERE)) throw cause;
        this.#stopPreparing();
      }
    }
    return await retrying(() => this.#query(text, values, undefined), isRetryable);
  }

  #stopPreparing(): void {
    // Several calls may fail at the same time.
    if (!this.#isPrepared) return;
    this.#isPrepared = false;
    this.#report({
      type: "statements-unprepared",
      message: "A pooler between the server and PostgresStore does not keep statements prepared, " +
        "so the store no longer prepares them. Set the option prepare to false",
    });
  }
}

const names = new Map<string, string>();

/**
 * The name of a prepared statement: unique for its text, so that a pooler that mixes up connections
 * cannot run another statement under this name.
 */
function statementName(label: string, text: string): string {
  let name = names.get(text);
  if (name === undefined) {
    // FNV-1a. BigInt, because it runs once a statement.
    let hash = 0xcbf29ce484222325n;
    for (let at = 0; at < text.length; at++) {
      hash = BigInt.asUintN(64, (hash ^ BigInt(text.charCodeAt(at))) * 0x100000001b3n);
    }
    name = `pagi_${label}_${hash.toString(16).padStart(16, "0")}`;
    names.set(text, name);
  }
  return name;
}
