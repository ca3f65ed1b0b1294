/**
 * The common part of the SQL stores: the five methods of a versioned store on one table. Each
 * method runs one statement, so the database decides every race. The stores supply a driver for
 * their client.
 */
import { after, type Awaitable, isPromise } from "../../base/awaitable.ts";
import { toHex } from "../../base/hex.ts";
import { checkOptions, optionError } from "../../base/check_options.ts";
import {
  compile,
  type CompiledSql,
  type Dialect,
  type SqlName,
  type SqlTexts,
  type SqlValue,
} from "./statements.ts";
import { hasCode } from "./retry.ts";
import { fromStorableText, toStorableText } from "../../base/utf8.ts";
import type {
  DeleteOptions,
  ReplaceOptions,
  StoredRecord,
  TouchOptions,
  VersionedStore,
  WriteOptions,
} from "../store.ts";

/** Runs statements on a client. Returns promises only if the client does. */
export interface SqlDriver {
  /** The first row of a result. */
  first(statement: CompiledSql, values: SqlValue[]): Awaitable<SqlRow | undefined | null>;
  /** The number of rows that a statement wrote. */
  write(statement: CompiledSql, values: SqlValue[]): Awaitable<number>;
}

/** A row: values by column name. */
export type SqlRow = Readonly<Record<string, unknown>>;

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
/**
 * On average one of this many creates sweeps. It removes more records than were created, so
 * sweeping keeps up.
 */
const CREATES_PER_SWEEP = 100;
const CREATE_SWEEP_LIMIT = 250;

/** Checks the options that the SQL stores share. Returns the clock that replaces the database's. */
export function checkSqlOptions(
  owner: string,
  options: { now?: () => number },
  known: readonly string[],
): (() => number) | undefined {
  checkOptions(owner, options, ["table", "now", ...known]);
  const { now } = options;
  if (now !== undefined && typeof now !== "function") {
    throw optionError(owner, "now must be a function");
  }
  return now;
}

/** The records in one table. Its methods return promises only if the driver does. */
export class SqlRecords implements VersionedStore {
  readonly #driver: SqlDriver;
  readonly #texts: SqlTexts;
  readonly #dialect: Dialect;
  readonly #now: () => number;
  readonly #statements: Record<Exclude<keyof SqlTexts, "sweep">, CompiledSql>;

  /** @param now Replaces the clock of the dialect. */
  constructor(driver: SqlDriver, texts: SqlTexts, dialect: Dialect, now?: () => number) {
    this.#driver = driver;
    this.#texts = texts;
    this.#dialect = now === undefined ? dialect : { ...dialect, clock: undefined };
    this.#now = now ?? Date.now;
    const compiled = (name: Exclude<keyof SqlTexts, "sweep">) =>
      compile(texts[name], this.#dialect, name);
    this.#statements = {
      read: compiled("read"),
      create: compiled("create"),
      replace: compiled("replace"),
      touch: compiled("touch"),
      delete: compiled("delete"),
      deleteAt: compiled("deleteAt"),
    };
  }

  read(id: string): Awaitable<StoredRecord | undefined> {
    if (!ID.test(id)) return undefined;
    const { read } = this.#statements;
    const toResult = (row: SqlRow | undefined | null) => row ? toRecord(row) : undefined;
    try {
      const row = this.#driver.first(read, this.#values(read, { id }));
      return isPromise(row) ? row.then(toResult, rethrow) : toResult(row);
    } catch (error) {
      return rethrow(error);
    }
  }

  create(id: string, text: string, options: WriteOptions): Awaitable<string | undefined> {
    if (!ID.test(id)) {
      throw new RangeError("Cannot create the record: its id must be 1 to 64 characters of ASCII");
    }
    const version = newVersion();
    const { lastAccess, ttl } = options;
    const done = this.#write("create", {
      id,
      version,
      text: toStorableText(text),
      lastAccess,
      ttl,
    });
    return after(done, (isDone) => {
      if (!isDone) return undefined;
      return after(this.#sweepSometimes(), () => version);
    });
  }

  replace(id: string, text: string, options: ReplaceOptions): Awaitable<string | undefined> {
    if (!ID.test(id)) return undefined;
    const version = newVersion();
    const { version: oldVersion, lastAccess, ttl } = options;
    const values = { id, version, oldVersion, text: toStorableText(text), lastAccess, ttl };
    return after(this.#write("replace", values), (isDone) => isDone ? version : undefined);
  }

  touch(id: string, { version: oldVersion, lastAccess, ttl }: TouchOptions): Awaitable<boolean> {
    if (!ID.test(id)) return false;
    // Some clients of MySQL count changed rows instead of matched ones. A new version is a change
    // even if the times stay as they are.
    return this.#write("touch", { id, version: newVersion(), oldVersion, lastAccess, ttl });
  }

  delete(id: string, { version }: Partial<DeleteOptions> = {}): Awaitable<boolean> {
    if (!ID.test(id)) return false;
    if (version === undefined) return this.#write("delete", { id });
    return this.#write("deleteAt", { id, oldVersion: version });
  }

  /** Removes expired records. Returns their number. */
  sweep({ limit = SWEEP_LIMIT }: SqlSweepOptions = {}): Awaitable<number> {
    // The limit becomes part of the statement, because not every server accepts a placeholder
    // there.
    if (!Number.isSafeInteger(limit) || limit < 1) {
      throw new RangeError("Cannot sweep: limit must be a whole number above 0");
    }
    const statement = compile(this.#texts.sweep(limit), this.#dialect);
    return this.#driver.write(statement, this.#values(statement, {}));
  }

  /** The current time of this process, in Unix seconds. */
  now(): number {
    return this.#now() / 1000;
  }

  #write(name: "create" | "replace" | "touch" | "delete" | "deleteAt", values: Values) {
    const statement = this.#statements[name];
    const isWritten = (rows: number) => rows > 0;
    try {
      const rows = this.#driver.write(statement, this.#values(statement, values));
      return isPromise(rows) ? rows.then(isWritten, rethrow) : isWritten(rows);
    } catch (error) {
      return rethrow(error);
    }
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

  /** The create waits for the sweep, so that nothing keeps running after it. */
  #sweepSometimes(): Awaitable<unknown> {
    if (Math.random() * CREATES_PER_SWEEP >= 1) return;
    // The record has been created, so a failed sweep must not fail the create. The next one
    // retries.
    try {
      const swept = this.sweep({ limit: CREATE_SWEEP_LIMIT });
      return isPromise(swept) ? swept.catch(() => {}) : swept;
    } catch {
      return;
    }
  }
}

/** PostgreSQL's undefined_table, and ER_NO_SUCH_TABLE of MySQL. SQLite has a message alone. */
const NO_TABLE = ["42P01", "ER_NO_SUCH_TABLE", 1146];

type Values = Partial<Record<SqlName, SqlValue>> & { ttl?: number };

/** Throws the database's error. If nobody has created the table, says how to. */
function rethrow(error: unknown): never {
  const { message } = error as Error;
  if (!hasCode(error, ["code", "errno"], NO_TABLE) && !/^no such table/.test(message)) throw error;
  throw new Error(
    `${message}. Await the store's setup() when the app starts, or run the statements in its ddl`,
    { cause: error },
  );
}

function toRecord({ text, version, accessed }: SqlRow): StoredRecord {
  const lastAccess = Number(accessed);
  if (typeof text !== "string" || typeof version !== "string" || Number.isNaN(lastAccess)) {
    throw new TypeError("Cannot read the record: the client gave a row without the columns' names");
  }
  return { text: fromStorableText(text), version, lastAccess };
}

/** A new version: 96 random bits as hex digits. */
function newVersion(): string {
  return toHex(crypto.getRandomValues(new Uint8Array(VERSION_BYTES)));
}
