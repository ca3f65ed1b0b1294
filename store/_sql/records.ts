/**
 * The common part of the SQL stores: the five methods of a versioned store on one table. Each
 * method runs one statement, so the database decides every race. The stores supply a driver for
 * their client.
 */
import { after, type Awaitable, isPromise } from "../../base/awaitable.ts";
import { toHex } from "../../base/hex.ts";
import { checkOptions, isObject, optionError } from "../../base/check_options.ts";
import {
  compile,
  type CompiledSql,
  type Dialect,
  type SqlName,
  type SqlTexts,
  type SqlValue,
} from "./statements.ts";
import { hasCode } from "./retry.ts";
import { fromStorableText, toAsciiText } from "../../base/utf8.ts";
import type {
  DeleteOptions,
  ReplaceOptions,
  StoreCallOptions,
  StoredRecord,
  TouchOptions,
  VersionedStore,
  WriteOptions,
} from "../store.ts";

/** Runs statements on a client. Returns promises only if the client does. */
export interface SqlDriver {
  /** The first row of a result, in whatever form the client returns it. */
  first(statement: CompiledSql, values: SqlValue[], signal?: AbortSignal): Awaitable<unknown>;
  /**
   * Whether a statement wrote a row.
   *
   * @param expected The text that such a statement returns, if the database can return one. Any
   * other text is the result of another statement.
   */
  write(
    statement: CompiledSql,
    values: SqlValue[],
    expected: string,
    signal?: AbortSignal,
  ): Awaitable<boolean>;
  /** The number of rows that a sweep removed. */
  sweep(statement: CompiledSql, values: SqlValue[], signal?: AbortSignal): Awaitable<number>;
  /** Whether an error says that the server does not know a statement. */
  isUnknownStatement?(error: unknown): boolean;
}

/** Options of a sweep. */
export interface SqlSweepOptions {
  /** The most records to remove. */
  limit?: number;
}

/** The default of the `table` option. */
export const DEFAULT_TABLE = "pagi_sessions";

/**
 * The IDs that fit into the column. No other ID has a record, so the database is not asked for it.
 */
const ID = /^[!-~]{1,64}$/;
export const ID_LENGTH = 64;
/** The random bytes of a version, which is stored as hex digits. */
const VERSION_BYTES = 12;
export const VERSION_LENGTH: number = 2 * VERSION_BYTES;
/** The default `limit` of a sweep. */
const SWEEP_LIMIT = 1000;
/** How many records one statement removes. It is short, so that no other statement waits for long. */
const SWEEP_BATCH = 50;
/**
 * On average one of this many creates sweeps. It removes more records than were created, so
 * sweeping keeps up.
 */
const CREATES_PER_SWEEP = 10;
const CREATE_SWEEP_LIMIT = 25;

/** Checks the options that the SQL stores share. */
export function checkSqlOptions(
  owner: string,
  options: SqlRecordsOptions,
  known: readonly string[],
): void {
  checkOptions(owner, options, ["table", "sweep", "now", ...known]);
  const { now, sweep } = options;
  if (sweep !== undefined && typeof sweep !== "boolean") {
    throw optionError(owner, "sweep must be true or false");
  }
  if (now !== undefined && typeof now !== "function") {
    throw optionError(owner, "now must be a function");
  }
}

/** The records in one table. Its methods return promises only if the driver does. */
export class SqlRecords implements VersionedStore {
  readonly #driver: SqlDriver;
  readonly #texts: SqlTexts;
  readonly #dialect: Dialect;
  readonly #now: () => number;
  readonly #statements: Record<StatementName, CompiledSql>;
  #sweepsOnCreate: boolean;
  #isSweeping = false;
  #skipsLocked = true;

  constructor(
    driver: SqlDriver,
    texts: SqlTexts,
    dialect: Dialect,
    { now, sweep = true }: SqlRecordsOptions,
  ) {
    this.#sweepsOnCreate = sweep;
    this.#driver = driver;
    this.#texts = texts;
    this.#dialect = now === undefined ? dialect : { ...dialect, clock: undefined };
    this.#now = now ?? Date.now;
    const compiled = (name: StatementName) => compile(texts[name], this.#dialect, name);
    this.#statements = {
      read: compiled("read"),
      create: compiled("create"),
      replace: compiled("replace"),
      touch: compiled("touch"),
      delete: compiled("delete"),
      deleteAt: compiled("deleteAt"),
    };
  }

  read(id: string, options?: StoreCallOptions): Awaitable<StoredRecord | undefined> {
    if (!ID.test(id)) return undefined;
    const { read } = this.#statements;
    const values = this.#values(read, { id });
    const row = explained(() => this.#driver.first(read, values, options?.signal));
    return after(row, (row) => {
      if (row === undefined || row === null) return undefined;
      return parseRecord(row, id, this.#dialect);
    });
  }

  create(id: string, text: string, options: WriteOptions): Awaitable<string | undefined> {
    if (!ID.test(id)) {
      throw new RangeError("Cannot create the record: its id must be 1 to 64 characters of ASCII");
    }
    const version = newVersion();
    const { lastAccess, ttl } = options;
    const values = { id, version, text: toAsciiText(text), lastAccess, ttl };
    return after(this.#write("create", values, version, options), (isDone) => {
      if (!isDone) return undefined;
      this.#sweepSometimes();
      return version;
    });
  }

  replace(id: string, text: string, options: ReplaceOptions): Awaitable<string | undefined> {
    if (!ID.test(id)) return undefined;
    const version = newVersion();
    const { version: oldVersion, lastAccess, ttl } = options;
    const values = { id, version, oldVersion, text: toAsciiText(text), lastAccess, ttl };
    return after(
      this.#write("replace", values, version, options),
      (isDone) => isDone ? version : undefined,
    );
  }

  touch(id: string, options: TouchOptions): Awaitable<boolean> {
    if (!ID.test(id)) return false;
    const { version: oldVersion, lastAccess, ttl } = options;
    // Some clients of MySQL count changed rows instead of matched ones. A new version is a change
    // even if the times stay as they are.
    const version = newVersion();
    return this.#write("touch", { id, version, oldVersion, lastAccess, ttl }, version, options);
  }

  delete(id: string, options: Partial<DeleteOptions> = {}): Awaitable<boolean> {
    if (!ID.test(id)) return false;
    const { version } = options;
    if (version === undefined) return this.#write("delete", { id }, id, options);
    return this.#write("deleteAt", { id, oldVersion: version }, id, options);
  }

  /**
   * Removes expired records in small batches. Other statements run in between. Resolves
   * to the number of records.
   */
  async sweep({ limit = SWEEP_LIMIT }: SqlSweepOptions = {}): Promise<number> {
    if (!Number.isSafeInteger(limit) || limit < 1) {
      throw new RangeError("Cannot sweep: limit must be a whole number above 0");
    }
    let removed = 0;
    while (true) {
      const batch = Math.min(limit - removed, SWEEP_BATCH);
      const start = performance.now();
      const rows = await this.#sweepBatch(batch) ?? await this.#waitingSweep(batch);
      removed += rows;
      if (rows < batch || removed === limit) return removed;
      // As long as the batch took, so that sweeping takes half of the time at most.
      await new Promise((resolve) => setTimeout(resolve, performance.now() - start));
    }
  }

  /**
   * Removes at most `limit` expired records, and waits for no locked one. Returns `undefined` if the
   * server cannot skip them.
   */
  #sweepBatch(limit: number, signal?: AbortSignal): Awaitable<number | undefined> {
    if (!this.#skipsLocked) return undefined;
    const rows = this.#runSweep(this.#texts.sweep(limit), limit, signal);
    if (!isPromise(rows)) return rows;
    return rows.catch((error) => {
      if (!this.#driver.isUnknownStatement?.(error)) throw error;
      this.#skipsLocked = false;
      return undefined;
    });
  }

  #waitingSweep(limit: number): Awaitable<number> {
    return this.#runSweep(this.#texts.waitingSweep!(limit), limit);
  }

  #runSweep(text: string, limit: number, signal?: AbortSignal): Awaitable<number> {
    const statement = compile(text, this.#dialect);
    return this.#driver.sweep(statement, this.#values(statement, { limit }), signal);
  }

  /** The current time of this process, in Unix seconds. */
  now(): number {
    return this.#now() / 1000;
  }

  #write(
    name: Exclude<StatementName, "read">,
    values: Values,
    expected: string,
    { signal }: Partial<StoreCallOptions>,
  ): Awaitable<boolean> {
    const statement = this.#statements[name];
    const given = this.#values(statement, values);
    return explained(() => this.#driver.write(statement, given, expected, signal));
  }

  #values({ names }: CompiledSql, { ttl = 0, ...given }: Values): SqlValue[] {
    const ms = this.#now();
    // Divided like `now`, so that both are rounded alike and a record lives to its last
    // millisecond.
    const expiresAt = Math.min((ms + ttl * 1000) / 1000, Number.MAX_SAFE_INTEGER);
    const limited = Math.min(ttl, Number.MAX_SAFE_INTEGER);
    const values: Values = { ...given, ttl: limited, now: ms / 1000, expiresAt };
    return names.map((name) => values[name]!);
  }

  /**
   * Removes a few expired records, in one of several creates. No create waits for it, and a failure
   * changes nothing: the next one tries again.
   */
  #sweepSometimes(): void {
    if (!this.#sweepsOnCreate || this.#isSweeping || !this.#skipsLocked) return;
    if (Math.random() * CREATES_PER_SWEEP >= 1) return;
    this.#isSweeping = true;
    const end = () => {
      this.#isSweeping = false;
    };
    try {
      // It does not retry.
      const swept = this.#sweepBatch(CREATE_SWEEP_LIMIT, AbortSignal.abort());
      if (isPromise(swept)) swept.then(end, end);
      else end();
    } catch {
      end();
    }
  }
}

/** The options that the SQL stores share. */
export interface SqlRecordsOptions {
  /** Replaces the clock of the dialect. */
  now?: () => number;
  /** Whether creates remove a few expired records. */
  sweep?: boolean;
}

type StatementName = Exclude<keyof SqlTexts, "sweep" | "waitingSweep">;

type Values = Partial<Record<SqlName, SqlValue>> & { ttl?: number };

/** PostgreSQL's undefined_table, and ER_NO_SUCH_TABLE of MySQL. SQLite has a message alone. */
const NO_TABLE = ["42P01", "ER_NO_SUCH_TABLE", 1146];

/** The result of a call. If nobody has created the table, the error says how to do that. */
function explained<Result>(call: () => Awaitable<Result>): Awaitable<Result> {
  try {
    const result = call();
    return isPromise(result) ? result.then(undefined, rethrow) : result;
  } catch (error) {
    return rethrow(error);
  }
}

function rethrow(error: unknown): never {
  const { message } = error as Error;
  if (!hasCode(error, ["code", "errno"], NO_TABLE) && !/^no such table/.test(message)) throw error;
  throw new Error(
    `${message}. Await the store's setup() when the app starts, or run the statements in its ddl`,
    { cause: error },
  );
}

/** The parts of a record before its text. Some servers pad columns with spaces. */
const HEADER = /^(\S+) +(\S+) +(\S+)(?: |$)/;

/** The record in a row that has it as one text. */
function parseRecord(row: unknown, id: string, { parseNumber = Number }: Dialect): StoredRecord {
  const record = firstText(row);
  const header = record === undefined ? null : HEADER.exec(record);
  if (header === null) {
    throw new TypeError(
      "Cannot read the record: the client returned a row that is not one text. " +
        "Remove the client's options that convert results",
    );
  }
  const [start, foundId, version, accessed] = header as unknown as [string, string, string, string];
  const lastAccess = parseNumber(accessed);
  if (foundId !== id || Number.isNaN(lastAccess)) {
    throw new TypeError(
      "Cannot read the record: the client returned the result of another statement. " +
        "Check how it is pooled",
    );
  }
  // A text never ends with a space, but some column types add spaces.
  const text = fromStorableText(record!.slice(start.length).trimEnd());
  return { text, version, lastAccess };
}

const decoder = new TextDecoder();

/**
 * The first value of a row, as a text; `undefined` if it is not one. Clients return rows as objects
 * or lists, some as an object for each table, and texts as strings or bytes.
 */
export function firstText(row: unknown): string | undefined {
  const value = firstValue(row);
  if (value instanceof Uint8Array) return decoder.decode(value);
  return typeof value === "string" ? value : undefined;
}

/** The first value of a row. */
export function firstValue(row: unknown): unknown {
  let value = row;
  while (isObject(value) && !(value instanceof Uint8Array)) value = Object.values(value)[0];
  return value;
}

/**
 * A new version: random hex digits. The first one is a letter, because a client may be configured to
 * convert texts that look like numbers.
 */
function newVersion(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(VERSION_BYTES));
  bytes[0]! |= 0xa0;
  return toHex(bytes);
}
