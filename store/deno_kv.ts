/**
 * {@linkcode DenoKvStore}: keeps sessions in Deno KV.
 *
 * @module
 */
import { checkOptions, hasMethods, optionError } from "../base/check_options.ts";
import { MAX_CLOCK_SKEW } from "../base/limits.ts";
import { retryWhileLocked } from "./_deno_kv/lock.ts";
import {
  decodeRecord,
  decodeVersion,
  type DenoKv,
  type DenoKvAtomic,
  type DenoKvEntry,
  type DenoKvKeyPart,
  encodeRecord,
  encodeVersion,
  isKeyPart,
  type KvRecord,
  toExpireIn,
} from "./_deno_kv/record.ts";
import { neverAborted, plainDelete, plainGet, plainSet } from "./_plain_methods.ts";
import type {
  DeleteOptions,
  ReplaceOptions,
  SessionHash,
  StoreCallOptions,
  StoredRecord,
  TouchOptions,
  VersionedStore,
  WriteOptions,
} from "./store.ts";

export type { DenoKv, DenoKvAtomic, DenoKvEntry, DenoKvKeyPart };

/** Options of {@linkcode DenoKvStore}. */
export interface DenoKvStoreOptions {
  /**
   * Starts the key of each record, before the `id` of the call.
   *
   * @default {["pagi", "session"]}
   */
  prefix?: readonly DenoKvKeyPart[];
  /**
   * Replaces the clock in tests. Returns Unix milliseconds.
   *
   * @default {Date.now}
   */
  now?: () => number;
}

const DEFAULT_PREFIX = ["pagi", "session"];
/** Without it, Deno Deploy may read from a replica, which lags behind. */
const STRONG = { consistency: "strong" } as const;

/**
 * Keeps sessions in Deno KV, one key each. The versions contain KV's versionstamps. A read takes one
 * round trip, and so does a write or a touch. An expired session is treated as absent immediately;
 * KV removes its value later.
 *
 * Deno KV tells no time, so each record carries its expiry, and the process that reads it compares it
 * with its own clock. A process whose clock is ahead therefore finds a record expired that much too
 * early: `read` then returns nothing, and `create` overwrites it. A touch never shortens the expiry,
 * whatever clock it was written by. Keep the clocks of all processes synchronized.
 *
 * A value in KV can have 64 KiB, so a session with longer JSON cannot be saved. Processes of one
 * machine can share a file; one of them writes at a time. You open the database and close it.
 * `Deno.openKv` needs the flag `--unstable-kv`.
 *
 * @example
 * ```ts ignore
 * import { SessionMiddleware } from "@pagi/session";
 * import { DenoKvStore } from "@pagi/session/store/deno-kv";
 *
 * const sessions = new SessionMiddleware({
 *   secret: Deno.env.get("SESSION_SECRET")!,
 *   store: new DenoKvStore(await Deno.openKv()),
 * });
 * ```
 *
 * @example Arguments
 * ```ts
 * import { assertThrows } from "@std/assert";
 * import { DenoKvStore } from "@pagi/session/store/deno-kv";
 *
 * assertThrows(() => new DenoKvStore("sessions.db" as never), TypeError, "Deno.openKv()");
 * ```
 */
export class DenoKvStore implements VersionedStore {
  readonly #kv: DenoKv;
  readonly #prefix: readonly DenoKvKeyPart[];
  readonly #now: () => number;

  /**
   * Validates the arguments. Does not access KV yet.
   *
   * @throws {TypeError} If `kv` is not a Deno KV, or an option is unknown or of the wrong type.
   */
  constructor(kv: DenoKv, options: DenoKvStoreOptions = {}) {
    checkOptions("DenoKvStore", options, ["prefix", "now"]);
    const { prefix = DEFAULT_PREFIX, now = Date.now } = options;
    if (!hasMethods(kv, ["get", "atomic"])) {
      throw optionError("DenoKvStore", "kv must be what Deno.openKv() resolves to");
    }
    if (!Array.isArray(prefix) || !prefix.every(isKeyPart)) {
      throw optionError("DenoKvStore", "prefix must be a list of key parts");
    }
    if (typeof now !== "function") {
      throw optionError("DenoKvStore", "now must be a function");
    }
    this.#kv = kv;
    this.#prefix = [...prefix];
    this.#now = now;
  }

  /**
   * Resolves to the record; `undefined` if it does not exist.
   *
   * @throws {Error} If Deno KV fails, with its error.
   */
  async read(id: string, _options: StoreCallOptions): Promise<StoredRecord | undefined> {
    const entry = await this.#kv.get(this.#keyOf(id), STRONG);
    const record = decodeRecord(entry.value);
    if (record === undefined || record.expiresAt < this.#now()) return undefined;
    const { text, lastAccess, expiresAt } = record;
    const version = encodeVersion({ versionstamp: entry.versionstamp!, lastAccess, expiresAt });
    return { text, version, lastAccess };
  }

  /**
   * Creates a record. Resolves to its version; `undefined` if a record exists.
   *
   * @throws {SessionError} `ERR_SESSION_TOO_LARGE` if the record is too long for KV.
   * @throws {Error} If Deno KV fails, with its error.
   */
  async create(id: string, text: string, options: WriteOptions): Promise<string | undefined> {
    let versionstamp: string | null = null;
    while (true) {
      const version = await this.#write(id, this.#recordOf(text, options), versionstamp, options);
      if (version !== undefined) return version;
      const entry = await this.#kv.get(this.#keyOf(id), STRONG);
      const record = decodeRecord(entry.value);
      if (record !== undefined && record.expiresAt >= this.#now()) return undefined;
      // The record has expired, but KV may not have removed it yet.
      versionstamp = entry.versionstamp;
    }
  }

  /**
   * Replaces the record if it has the given version. Resolves to the new version; `undefined` if
   * the record does not exist or has another version.
   *
   * @throws {SessionError} `ERR_SESSION_TOO_LARGE` if the record is too long for KV.
   * @throws {Error} If Deno KV fails, with its error.
   */
  async replace(id: string, text: string, options: ReplaceOptions): Promise<string | undefined> {
    const version = decodeVersion(options.version);
    if (version === undefined) return undefined;
    return await this.#write(id, this.#recordOf(text, options), version.versionstamp, options);
  }

  /**
   * Updates the last-access time and the expiry of the record if it has the given version. Of both
   * times and of both expiries, the later one counts. The record gets a new version.
   *
   * @throws {SessionError} `ERR_SESSION_TOO_LARGE` if the record is too long for KV.
   * @throws {Error} If Deno KV fails, with its error.
   */
  async touch(id: string, options: TouchOptions): Promise<boolean> {
    const version = decodeVersion(options.version);
    if (version === undefined) return false;
    const { text, lastAccess, expiresAt } = this.#recordOf(options.text, options);
    const touched = {
      text,
      lastAccess: Math.max(version.lastAccess, lastAccess),
      expiresAt: Math.max(version.expiresAt, expiresAt),
    };
    return await this.#write(id, touched, version.versionstamp, options) !== undefined;
  }

  /**
   * Deletes the record. If a version is given, only a record of that version is deleted. Without
   * options, this implements PAGI's `delete`: `id` may also be any ID that the session had.
   *
   * @throws {Error} If Deno KV fails, with its error.
   */
  async delete(id: string, options?: Partial<DeleteOptions>): Promise<boolean> {
    if (options === undefined) {
      return await plainDelete(id, (key) => this.delete(key, neverAborted()));
    }
    const key = this.#keyOf(id);
    if (options.version !== undefined) {
      const version = decodeVersion(options.version);
      return version !== undefined && await this.#remove(key, version.versionstamp, options);
    }
    while (true) {
      const { versionstamp } = await this.#kv.get(key, STRONG);
      if (versionstamp === null) return false;
      if (await this.#remove(key, versionstamp, options)) return true;
    }
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
    return plainSet(this, id, data, Math.floor(this.#now() / 1000));
  }

  /** The record with the times that `options` gives it. */
  #recordOf(text: string, { lastAccess, ttl }: WriteOptions): KvRecord {
    const now = this.#now();
    // If this server's clock is far behind, the last access, which never moves back, is the better
    // time: otherwise the other servers would find the record expired.
    const isBehind = lastAccess * 1000 - now > MAX_CLOCK_SKEW * 1000;
    const from = isBehind ? lastAccess * 1000 : now;
    return { text, lastAccess, expiresAt: from + toExpireIn(ttl * 1000) };
  }

  /** Writes a record over the one with `versionstamp`, or none. Resolves to the new version. */
  async #write(
    id: string,
    record: KvRecord,
    versionstamp: string | null,
    options: StoreCallOptions,
  ): Promise<string | undefined> {
    const key = this.#keyOf(id);
    const value = encodeRecord(record);
    const expireIn = toExpireIn(record.expiresAt - this.#now());
    const write = () =>
      this.#kv.atomic().check({ key, versionstamp }).set(key, value, { expireIn }).commit();
    const result = await retryWhileLocked(write, options);
    if (!result.ok) return undefined;
    const { lastAccess, expiresAt } = record;
    return encodeVersion({ versionstamp: result.versionstamp, lastAccess, expiresAt });
  }

  async #remove(
    key: DenoKvKeyPart[],
    versionstamp: string,
    options: Partial<DeleteOptions>,
  ): Promise<boolean> {
    const remove = () => this.#kv.atomic().check({ key, versionstamp }).delete(key).commit();
    return (await retryWhileLocked(remove, options)).ok;
  }

  #keyOf(id: string): DenoKvKeyPart[] {
    return [...this.#prefix, id];
  }
}
