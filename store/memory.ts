/**
 * {@linkcode MemoryStore}: sessions in this process.
 *
 * @module
 */
import { checkOptions } from "../base/check_options.ts";
import { ID_DIGITS, isId } from "../base/id.ts";
import { isSubjectIndex } from "../base/record_text.ts";
import { type Expiring, ExpiryQueue } from "./_memory/expiry_queue.ts";
import { plainGet, plainSet } from "./_plain_methods.ts";
import { ShardedMap } from "./_memory/sharded_map.ts";
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
   * How many records are kept at most; the least recently used goes first. The list of a user's
   * sessions goes after the sessions.
   *
   * @default {1_000_000}
   */
  maxSessions?: number;
  /**
   * The clock, in Unix milliseconds; for tests.
   *
   * @default {Date.now, and for expiry performance.now: changes of the clock do not move it}
   */
  now?: () => number;
}

const DEFAULT_MAX_SESSIONS = 1_000_000;
/** Expired records that one call removes at most, so that none has to remove them all. */
const MAX_SWEPT = 16;
/** Lists that one call passes over at most, where there is no room. */
const MAX_SPARED = 16;

/**
 * performance.now, asked once a millisecond: it costs Deno 0.2 µs, a twentieth of a read, and Date.now
 * a quarter of that. A clock that is set only makes it be asked again.
 */
function steadyClock(): () => number {
  let wall = NaN;
  let steady = 0;
  return () => {
    const now = Date.now();
    if (now !== wall) {
      wall = now;
      // Whole numbers take no room of their own.
      steady = Math.floor(performance.now());
    }
    return steady;
  };
}

/** A session, its neighbours in the order of use, and its place among those that expire. */
class MemoryRecord implements StoredRecord, Expiring<MemoryRecord> {
  readonly id: string;
  text: string;
  version: string;
  lastAccess: number;
  /** When it is gone, in Unix milliseconds. */
  expiresAt: number;
  older: MemoryRecord | undefined = undefined;
  newer: MemoryRecord | undefined = undefined;
  bucket = 0;
  previous: MemoryRecord | undefined = undefined;
  next: MemoryRecord | undefined = undefined;

  constructor(id: string, text: string, version: string, lastAccess: number, expiresAt: number) {
    this.id = id;
    this.text = text;
    this.version = version;
    this.lastAccess = lastAccess;
    this.expiresAt = expiresAt;
  }
}

/**
 * Keeps sessions as JSON in this process: for development and single-process servers. They are not
 * shared between processes, and a restart loses them. Expired sessions go without a timer, a few
 * with each call.
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
  readonly #expiry = new ExpiryQueue<MemoryRecord>();
  readonly #maxSessions: number;
  /** For how long records live, in milliseconds from some moment on. */
  readonly #now: () => number;
  /** For PAGI's `set`, which may be handed data without a time. */
  readonly #wallClock: () => number;
  #oldest: MemoryRecord | undefined;
  #newest: MemoryRecord | undefined;
  #versions = 0;

  /**
   * Checks the options.
   *
   * @throws {TypeError} When an option is unknown or of the wrong kind.
   * @throws {RangeError} When `maxSessions` is not a whole number above 0.
   */
  constructor(options: MemoryStoreOptions = {}) {
    checkOptions("MemoryStore", options, ["maxSessions", "now"]);
    const { maxSessions = DEFAULT_MAX_SESSIONS, now } = options;
    if (!Number.isInteger(maxSessions) || maxSessions < 1) {
      throw new RangeError("Cannot make MemoryStore: maxSessions must be a whole number above 0");
    }
    if (now !== undefined && typeof now !== "function") {
      throw new TypeError("Cannot make MemoryStore: now must be a function");
    }
    this.#maxSessions = maxSessions;
    this.#now = now ?? steadyClock();
    this.#wallClock = now ?? Date.now;
  }

  /** How many records are kept, those included that have expired and not gone yet. */
  get size(): number {
    return this.#records.size;
  }

  /**
   * Whether `presented` has the form of an id: 64 lowercase hex digits. What is there has it, and to
   * find it is quicker than to look at each digit, by a twelfth of what a read costs.
   */
  accepts(presented: string): boolean {
    return (presented?.length === ID_DIGITS && this.#records.has(presented)) || isId(presented);
  }

  /** The record, or undefined when there is none. */
  read(id: string): StoredRecord | undefined {
    const record = this.#live(id, this.#now());
    if (record === undefined) return undefined;
    this.#use(record);
    return { text: record.text, version: record.version, lastAccess: record.lastAccess };
  }

  /** Writes a record where there is none. */
  create(id: string, text: string, { lastAccess, ttl }: WriteOptions): string | undefined {
    const now = this.#now();
    if (this.#live(id, now) !== undefined) return undefined;
    const version = this.#nextVersion();
    const record = new MemoryRecord(id, text, version, lastAccess, now + ttl * 1000);
    this.#records.add(id, record);
    this.#append(record);
    this.#expiry.add(record);
    while (this.#records.size > this.#maxSessions) this.#evict();
    return version;
  }

  /** Writes over the record if it has the version; never inserts. */
  replace(
    id: string,
    text: string,
    { version, lastAccess, ttl }: ReplaceOptions,
  ): string | undefined {
    const now = this.#now();
    const record = this.#live(id, now);
    if (record?.version !== version) return undefined;
    record.text = text;
    record.version = this.#nextVersion();
    this.#prolong(record, lastAccess, now + ttl * 1000);
    return record.version;
  }

  /** Notes the record's use if it has the version. */
  touch(id: string, { version, lastAccess, ttl }: TouchOptions): boolean {
    const now = this.#now();
    const record = this.#live(id, now);
    if (record?.version !== version) return false;
    this.#prolong(record, lastAccess, now + ttl * 1000);
    return true;
  }

  /** Removes the record, if it has the version where one is given. */
  delete(id: string, { version }: Partial<DeleteOptions> = {}): boolean {
    const record = this.#live(id, this.#now());
    if (record === undefined || (version !== undefined && record.version !== version)) return false;
    this.#remove(record);
    return true;
  }

  /** PAGI's `get`: the session's data with its reserved keys. */
  get(id: string): Promise<SessionHash | undefined> {
    return plainGet(this, id);
  }

  /** PAGI's `set`: writes the data whatever was there, and resolves to the id. */
  set(id: string, data: SessionHash): Promise<string> {
    return plainSet(this, id, data, Math.floor(this.#wallClock() / 1000));
  }

  /** Forgets every session. */
  clear(): void {
    this.#records.clear();
    this.#expiry.clear();
    this.#oldest = this.#newest = undefined;
  }

  #nextVersion(): string {
    return String(++this.#versions);
  }

  #live(id: string, now: number): MemoryRecord | undefined {
    this.#sweep(now);
    const record = this.#records.get(id);
    if (record === undefined || record.expiresAt >= now) return record;
    this.#remove(record);
    return undefined;
  }

  #prolong(record: MemoryRecord, lastAccess: number, expiresAt: number): void {
    // Later is noticed when the old time comes up.
    const isEarlier = expiresAt < record.expiresAt;
    record.lastAccess = lastAccess;
    record.expiresAt = expiresAt;
    if (isEarlier) this.#expiry.move(record);
    this.#use(record);
  }

  #sweep(now: number): void {
    for (let swept = 0; swept < MAX_SWEPT; swept++) {
      const record = this.#expiry.findDue(now);
      if (record === undefined) return;
      if (record.expiresAt >= now) this.#expiry.move(record);
      else this.#remove(record);
    }
  }

  /** To do the same by taking out of a Map and putting in again is 0.05 µs more. */
  #use(record: MemoryRecord): void {
    if (record === this.#newest) return;
    this.#unlink(record);
    this.#append(record);
  }

  /** Makes room: the least recently used goes, but a subject's list not before its sessions. */
  #evict(): void {
    for (let spared = 0; spared < MAX_SPARED && isSubjectIndex(this.#oldest!.text); spared++) {
      this.#use(this.#oldest!);
    }
    this.#remove(this.#oldest!);
  }

  #remove(record: MemoryRecord): void {
    this.#records.delete(record.id);
    this.#expiry.remove(record);
    this.#unlink(record);
  }

  #append(record: MemoryRecord): void {
    record.older = this.#newest;
    record.newer = undefined;
    if (this.#newest === undefined) this.#oldest = record;
    else this.#newest.newer = record;
    this.#newest = record;
  }

  #unlink({ older, newer }: MemoryRecord): void {
    if (older === undefined) this.#oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
  }
}
