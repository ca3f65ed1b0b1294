/**
 * {@linkcode MemoryStore}: keeps sessions in the memory of this process.
 *
 * @module
 */
import { checkOptions, optionError } from "../base/check_options.ts";
import { ID_DIGITS, isId, keyOf, verifierOf } from "../base/id.ts";
import { isSubjectIndex } from "../base/record_text.ts";
import { ShardedMap } from "./_memory/sharded_map.ts";
import { MemoryRecord, UseOrder } from "./_memory/use_order.ts";
import { plainDelete, plainGet, plainSet } from "./_plain_methods.ts";
import type {
  DeleteOptions,
  ReplaceOptions,
  SessionHash,
  StoredRecord,
  TouchOptions,
  VersionedStore,
  WriteOptions,
} from "./store.ts";

/** Options of {@linkcode MemoryStore}. */
export interface MemoryStoreOptions {
  /**
   * Limits how many sessions are kept. If there are more, the least recently used session is
   * dropped. The indexes of users' sessions (`sessions.list`) count apart: as many are kept, and a
   * new index drops only the least recently used index.
   *
   * @default {1_000_000}
   */
  maxSessions?: number;
  /**
   * Replaces the clock in tests. Returns Unix milliseconds.
   *
   * @default {Date.now, and performance.now for expiry, which changes of the system time do not
   * affect}
   */
  now?: () => number;
}

const DEFAULT_MAX_SESSIONS = 1_000_000;
const NOT_A_HEX_DIGIT = /[^0-9a-f]/;
/** How many expired records one call removes at most at the old end, so that no call takes long. */
const MAX_SWEPT = 16;
/**
 * How many sessions one call checks in between, where sessions with other lifetimes may have
 * expired.
 */
const CHECKED_SESSIONS = 2;
/** How many indexes of subjects one call checks. There is at most one for each sign-in. */
const CHECKED_INDEXES = 1;

/**
 * `performance.now`, called at most once per millisecond, because it is much slower than
 * `Date.now`. If the system time is changed, it is only called again.
 */
function steadyClock(): () => number {
  let wall = NaN;
  let steady = 0;
  return () => {
    const now = Date.now();
    if (now !== wall) {
      wall = now;
      // V8 stores whole numbers without allocating memory for them.
      steady = Math.floor(performance.now());
    }
    return steady;
  };
}

/**
 * Keeps sessions as JSON in the memory of this process, for development and for single-process
 * servers. Processes do not share the sessions, and a restart loses them. The store removes expired
 * sessions without a timer, a few with each call.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { MemoryStore } from "@pagi/session/store/memory";
 *
 * const store = new MemoryStore({ maxSessions: 10_000 });
 * await store.set("a", { user: "ada" });
 * assertEquals((await store.get("a"))?.user, "ada");
 * ```
 */
export class MemoryStore implements VersionedStore {
  // Text, not objects: a caller's later change must not reach the stored copy.
  readonly #records = new ShardedMap<MemoryRecord>();
  readonly #maxSessions: number;
  /** The clock for expiry, in milliseconds from an arbitrary moment. */
  readonly #now: () => number;
  /** The clock for the times that `set` adds to data without any. */
  readonly #wallClock: () => number;
  /** The sessions, and the markers of those that have ended. */
  readonly #sessions = new UseOrder();
  /** The indexes of subjects' sessions, which must not take the sessions' room. */
  readonly #indexes = new UseOrder();
  #versions = 0;

  /**
   * Validates the options.
   *
   * @throws {TypeError} If an option is unknown or of the wrong type.
   * @throws {RangeError} If `maxSessions` is not a whole number above 0.
   */
  constructor(options: MemoryStoreOptions = {}) {
    checkOptions("MemoryStore", options, ["maxSessions", "now"]);
    const { maxSessions = DEFAULT_MAX_SESSIONS, now } = options;
    if (!Number.isInteger(maxSessions) || maxSessions < 1) {
      throw optionError("MemoryStore", "maxSessions must be a whole number above 0", RangeError);
    }
    if (now !== undefined && typeof now !== "function") {
      throw optionError("MemoryStore", "now must be a function");
    }
    this.#maxSessions = maxSessions;
    this.#now = now ?? steadyClock();
    this.#wallClock = now ?? Date.now;
  }

  /**
   * The number of records: the sessions and the indexes of users' sessions, including expired ones
   * that have not been removed yet.
   */
  get size(): number {
    return this.#records.size;
  }

  /** Returns whether `presented` has the form of a session ID: 64 lowercase hex digits. */
  accepts(presented: string): boolean {
    // Finding the record under the last half is faster than checking each digit of that half.
    const isStored = presented?.length === ID_DIGITS && this.#records.has(keyOf(presented));
    return isStored ? !NOT_A_HEX_DIGIT.test(verifierOf(presented)) : isId(presented);
  }

  /** Returns the record; `undefined` if it does not exist. */
  read(id: string): StoredRecord | undefined {
    const record = this.#find(id, this.#now());
    if (record === undefined) return undefined;
    this.#orderOf(record.text).markUsed(record);
    return { text: record.text, version: record.version, lastAccess: record.lastAccess };
  }

  /** Creates a record. Returns its version; `undefined` if a record exists. */
  create(id: string, text: string, { lastAccess, ttl }: WriteOptions): string | undefined {
    const now = this.#now();
    if (this.#find(id, now) !== undefined) return undefined;
    const version = this.#nextVersion();
    const record = new MemoryRecord(id, text, version, lastAccess, now + ttl * 1000);
    this.#records.add(id, record);
    this.#add(record);
    return version;
  }

  /**
   * Replaces the record if it has the given version. Returns the new version. Never creates one.
   */
  replace(
    id: string,
    text: string,
    { version, lastAccess, ttl }: ReplaceOptions,
  ): string | undefined {
    const now = this.#now();
    const record = this.#find(id, now);
    if (record?.version !== version) return undefined;
    const order = this.#orderOf(record.text);
    record.text = text;
    record.version = this.#nextVersion();
    record.lastAccess = lastAccess;
    record.expiresAt = now + ttl * 1000;
    if (order === this.#orderOf(text)) order.markUsed(record);
    else {
      order.remove(record);
      this.#add(record);
    }
    return record.version;
  }

  /**
   * Updates the last-access time and the expiry of the record if it has the given version. Of both
   * times and of both expiries, the later one counts. The record gets a new version.
   */
  touch(id: string, { version, lastAccess, ttl }: TouchOptions): boolean {
    const now = this.#now();
    const record = this.#find(id, now);
    if (record?.version !== version) return false;
    record.version = this.#nextVersion();
    record.lastAccess = Math.max(record.lastAccess, lastAccess);
    record.expiresAt = Math.max(record.expiresAt, now + ttl * 1000);
    this.#orderOf(record.text).markUsed(record);
    return true;
  }

  /**
   * Deletes the record. If a version is given, only a record of that version is deleted. Without
   * options, this implements PAGI's `delete`: `id` may also be any ID that the session had.
   */
  delete(id: string, options?: Partial<DeleteOptions>): boolean {
    if (options === undefined) return plainDelete(id, (key) => this.delete(key, {})) as boolean;
    const { version } = options;
    const record = this.#find(id, this.#now());
    if (record === undefined || (version !== undefined && record.version !== version)) return false;
    this.#remove(record);
    return true;
  }

  /**
   * Implements PAGI's `get`: resolves to the session's data with its reserved keys. Only the current
   * ID of a session finds it.
   */
  get(id: string): Promise<SessionHash | undefined> {
    return plainGet(this, id);
  }

  /**
   * Implements PAGI's `set`: writes the data, overwriting any record, and resolves to the ID, which
   * is the session's only valid ID from now on.
   */
  set(id: string, data: SessionHash): Promise<string> {
    return plainSet(this, id, data, Math.floor(this.#wallClock() / 1000));
  }

  /** Deletes all sessions. */
  clear(): void {
    this.#records.clear();
    this.#sessions.clear();
    this.#indexes.clear();
  }

  #nextVersion(): string {
    return String(++this.#versions);
  }

  #find(id: string, now: number): MemoryRecord | undefined {
    this.#sweep(this.#sessions, CHECKED_SESSIONS, now);
    this.#sweep(this.#indexes, CHECKED_INDEXES, now);
    const record = this.#records.get(id);
    return record === undefined || !this.#removeIfExpired(record, now) ? record : undefined;
  }

  /**
   * Removes a few expired records. If all of them live equally long, the first to expire are those
   * at the old end of the order of use. A walk through that order finds the others.
   */
  #sweep(order: UseOrder, checked: number, now: number): void {
    for (let swept = 0; swept < MAX_SWEPT && order.oldest !== undefined; swept++) {
      if (!this.#removeIfExpired(order.oldest, now)) break;
    }
    for (let left = checked; left > 0; left--) {
      const record = order.next();
      if (record === undefined) return;
      this.#removeIfExpired(record, now);
    }
  }

  #removeIfExpired(record: MemoryRecord, now: number): boolean {
    // NaN counts as expired.
    const isExpired = !(record.expiresAt >= now);
    if (isExpired) this.#remove(record);
    return isExpired;
  }

  /** Adds a record to its order of use. If that is too long, drops the one used least recently. */
  #add(record: MemoryRecord): void {
    const order = this.#orderOf(record.text);
    order.add(record);
    if (order.size > this.#maxSessions) this.#remove(order.oldest!);
  }

  #remove(record: MemoryRecord): void {
    this.#records.delete(record.id);
    this.#orderOf(record.text).remove(record);
  }

  #orderOf(text: string): UseOrder {
    return isSubjectIndex(text) ? this.#indexes : this.#sessions;
  }
}
