/**
 * What the SQL stores share: the five calls on one table, each of them one statement, so that the
 * database decides every race. The stores bring a driver, which runs statements.
 */
import { after, type Awaitable, isPromise } from "../../base/awaitable.ts";
import { toHex } from "../../base/hex.ts";
import { checkOptions } from "../../base/check_options.ts";
import {
  compile,
  type CompiledSql,
  type Placeholders,
  type SqlName,
  type SqlTexts,
  type SqlValue,
} from "./statements.ts";
import { fromStorableText, toStorableText } from "../../base/utf8.ts";
import type {
  DeleteOptions,
  ReplaceOptions,
  StoredRecord,
  TouchOptions,
  VersionedStore,
  WriteOptions,
} from "../store.ts";

/** Runs statements on a client. */
export interface SqlDriver {
  /** The first row that a statement finds. */
  first(statement: CompiledSql, values: SqlValue[]): Awaitable<SqlRow | undefined | null>;
  /** How many rows a statement wrote. */
  write(statement: CompiledSql, values: SqlValue[]): Awaitable<number>;
}

/** A row, by the names of its columns. */
export type SqlRow = Readonly<Record<string, unknown>>;

/** How a sweep is bounded. */
export interface SqlSweepOptions {
  limit?: number;
}

/** The default of the `table` option. */
export const DEFAULT_TABLE = "pagi_sessions";

/** What the column for ids takes: anything else has no record, and is not asked for. */
const KEY = /^[!-~]{1,64}$/;
export const ID_LENGTH = 64;
/** Of random bits in a version, and of its hex digits. */
const VERSION_BYTES = 12;
export const VERSION_LENGTH: number = 2 * VERSION_BYTES;
/** How many expired records one sweep removes. */
const SWEEP_LIMIT = 1000;
/** One create in so many sweeps, and how much: more than were created, so that it keeps up. */
const CREATES_PER_SWEEP = 100;
const CREATE_SWEEP_LIMIT = 250;

/** Checks the options that the SQL stores share; the clock. */
export function checkSqlOptions(
  owner: string,
  options: { now?: () => number },
  known: readonly string[],
): () => number {
  checkOptions(owner, options, ["table", "now", ...known]);
  const { now = Date.now } = options;
  if (typeof now !== "function") {
    throw new TypeError(`Cannot make ${owner}: now must be a function`);
  }
  return now;
}

/** The calls of a store, on one table. They answer at once where the driver does. */
export class SqlRecords implements VersionedStore {
  readonly #driver: SqlDriver;
  readonly #texts: SqlTexts;
  readonly #placeholders: Placeholders;
  readonly #now: () => number;
  readonly #statements: Record<Exclude<keyof SqlTexts, "sweep">, CompiledSql>;

  constructor(
    driver: SqlDriver,
    dialect: { texts: SqlTexts; placeholders: Placeholders; now: () => number },
  ) {
    const { texts, placeholders, now } = dialect;
    this.#driver = driver;
    this.#texts = texts;
    this.#placeholders = placeholders;
    this.#now = now;
    this.#statements = {
      read: compile(texts.read, placeholders, "read"),
      create: compile(texts.create, placeholders, "create"),
      replace: compile(texts.replace, placeholders, "replace"),
      touch: compile(texts.touch, placeholders, "touch"),
      delete: compile(texts.delete, placeholders, "delete"),
      deleteAt: compile(texts.deleteAt, placeholders, "deleteAt"),
    };
  }

  read(id: string): Awaitable<StoredRecord | undefined> {
    if (!KEY.test(id)) return undefined;
    const { read } = this.#statements;
    const row = this.#driver.first(read, this.#values(read, { id }));
    return after(row, (row) => row ? recordOf(row) : undefined);
  }

  create(id: string, text: string, options: WriteOptions): Awaitable<string | undefined> {
    if (!KEY.test(id)) {
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
    if (!KEY.test(id)) return undefined;
    const version = newVersion();
    const { version: oldVersion, lastAccess, ttl } = options;
    const values = { id, version, oldVersion, text: toStorableText(text), lastAccess, ttl };
    return after(this.#write("replace", values), (isDone) => isDone ? version : undefined);
  }

  touch(id: string, { version: oldVersion, lastAccess, ttl }: TouchOptions): Awaitable<boolean> {
    return KEY.test(id) && this.#write("touch", { id, oldVersion, lastAccess, ttl });
  }

  delete(id: string, { version }: Partial<DeleteOptions> = {}): Awaitable<boolean> {
    if (!KEY.test(id)) return false;
    if (version === undefined) return this.#write("delete", { id });
    return this.#write("deleteAt", { id, oldVersion: version });
  }

  /** Removes expired records; how many went. */
  sweep({ limit = SWEEP_LIMIT }: SqlSweepOptions = {}): Awaitable<number> {
    // It becomes part of the statement: not every server takes a number there as a value.
    if (!Number.isSafeInteger(limit) || limit < 1) {
      throw new RangeError("Cannot sweep: limit must be a whole number above 0");
    }
    const statement = compile(this.#texts.sweep(limit), this.#placeholders);
    return this.#driver.write(statement, this.#values(statement, {}));
  }

  /** Now, in Unix seconds. */
  now(): number {
    return this.#now() / 1000;
  }

  #write(name: "create" | "replace" | "touch" | "delete" | "deleteAt", values: Values) {
    const statement = this.#statements[name];
    const written = this.#driver.write(statement, this.#values(statement, values));
    return after(written, (rows) => rows > 0);
  }

  #values({ names }: CompiledSql, { ttl = 0, ...given }: Values): SqlValue[] {
    const ms = this.#now();
    // Rounded the same way as `now`, so that a record ends with its last millisecond.
    const expiresAt = Math.min((ms + ttl * 1000) / 1000, Number.MAX_SAFE_INTEGER);
    const values: Values = { ...given, now: ms / 1000, expiresAt };
    return names.map((name) => values[name]!);
  }

  /** Awaited by the create that it comes with, so that nothing is left running. */
  #sweepSometimes(): Awaitable<unknown> {
    if (Math.random() * CREATES_PER_SWEEP >= 1) return;
    // The record is written. What failed here is left to the next sweep.
    try {
      const swept = this.sweep({ limit: CREATE_SWEEP_LIMIT });
      return isPromise(swept) ? swept.catch(() => {}) : swept;
    } catch {
      return;
    }
  }
}

type Values = Partial<Record<SqlName, SqlValue>> & { ttl?: number };

function recordOf({ text, version, accessed }: SqlRow): StoredRecord {
  const lastAccess = Number(accessed);
  if (typeof text !== "string" || typeof version !== "string" || Number.isNaN(lastAccess)) {
    throw new TypeError("Cannot read the record: the client gave a row without the columns' names");
  }
  return { text: fromStorableText(text), version, lastAccess };
}

/** 96 random bits in hex. */
function newVersion(): string {
  return toHex(crypto.getRandomValues(new Uint8Array(VERSION_BYTES)));
}
