/**
 * {@linkcode DenoKvStore}: sessions in Deno KV.
 *
 * @module
 */
import { checkOptions, hasMethods } from "../base/check_options.ts";
import { whenUnlocked } from "./_deno_kv/lock.ts";
import {
  decodeRecord,
  type DenoKv,
  type DenoKvAtomic,
  type DenoKvEntry,
  type DenoKvKeyPart,
  encodeRecord,
  isKeyPart,
  isVersionstamp,
  lifetimeOf,
} from "./_deno_kv/record.ts";
import { plainGet, plainSet } from "./_plain_methods.ts";
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
   * What stands in front of the session's id in its key.
   *
   * @default {["pagi", "session"]}
   */
  prefix?: readonly DenoKvKeyPart[];
  /**
   * The clock, in Unix milliseconds; for tests.
   *
   * @default {Date.now}
   */
  now?: () => number;
}

const DEFAULT_PREFIX = ["pagi", "session"];
/** On Deno Deploy a replica may answer otherwise, and it lags. */
const STRONG = { consistency: "strong" } as const;

/**
 * Keeps sessions in Deno KV, one key each; the versions are KV's own versionstamps. One round trip
 * to read, one to write or touch. What has expired is absent at once, and KV removes it in its own
 * time.
 *
 * KV takes values of 64 KiB: a session whose JSON is longer cannot be saved. Processes of one
 * machine can share a file; one of them writes at a time. The store opens nothing and closes
 * nothing; Deno needs `--unstable-kv` for `Deno.openKv`.
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
 * @example What it takes
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
   * Checks what it is given; asks KV nothing yet.
   *
   * @throws {TypeError} When `kv` is no Deno KV, or an option is unknown or of the wrong kind.
   */
  constructor(kv: DenoKv, options: DenoKvStoreOptions = {}) {
    checkOptions("DenoKvStore", options, ["prefix", "now"]);
    const { prefix = DEFAULT_PREFIX, now = Date.now } = options;
    if (!hasMethods(kv, ["get", "atomic"])) {
      throw new TypeError("Cannot make DenoKvStore: kv must be what Deno.openKv() resolves to");
    }
    if (!Array.isArray(prefix) || !prefix.every(isKeyPart)) {
      throw new TypeError("Cannot make DenoKvStore: prefix must be a list of key parts");
    }
    if (typeof now !== "function") {
      throw new TypeError("Cannot make DenoKvStore: now must be a function");
    }
    this.#kv = kv;
    this.#prefix = [...prefix];
    this.#now = now;
  }

  /**
   * The record, or undefined when there is none.
   *
   * @throws {Error} KV's own, when it fails.
   */
  async read(id: string, _options: StoreCallOptions): Promise<StoredRecord | undefined> {
    const entry = await this.#kv.get(this.#keyOf(id), STRONG);
    const record = decodeRecord(entry.value);
    if (record === undefined || record.expiresAt < this.#now()) return undefined;
    return { text: record.text, version: entry.versionstamp!, lastAccess: record.lastAccess };
  }

  /**
   * Writes a record where there is none.
   *
   * @throws {SessionError} `ERR_SESSION_TOO_LARGE` when it is longer than KV takes.
   * @throws {Error} KV's own, when it fails.
   */
  async create(id: string, text: string, options: WriteOptions): Promise<string | undefined> {
    let versionstamp: string | null = null;
    while (true) {
      const version = await this.#write(id, text, versionstamp, options);
      if (version !== undefined) return version;
      const entry = await this.#kv.get(this.#keyOf(id), STRONG);
      const record = decodeRecord(entry.value);
      if (record !== undefined && record.expiresAt >= this.#now()) return undefined;
      // It has expired, and KV has not removed it yet; or it has just now.
      versionstamp = entry.versionstamp;
    }
  }

  /**
   * Writes over the record if it has the version; never inserts.
   *
   * @throws {SessionError} `ERR_SESSION_TOO_LARGE` when it is longer than KV takes.
   * @throws {Error} KV's own, when it fails.
   */
  async replace(id: string, text: string, options: ReplaceOptions): Promise<string | undefined> {
    if (!isVersionstamp(options.version)) return undefined;
    return await this.#write(id, text, options.version, options);
  }

  /**
   * Notes the record's use if it has the version, which is another one then.
   *
   * @throws {SessionError} `ERR_SESSION_TOO_LARGE` when it is longer than KV takes.
   * @throws {Error} KV's own, when it fails.
   */
  async touch(id: string, options: TouchOptions): Promise<boolean> {
    return await this.replace(id, options.text, options) !== undefined;
  }

  /**
   * Removes the record, if it has the version where one is given.
   *
   * @throws {Error} KV's own, when it fails.
   */
  async delete(id: string, options: Partial<DeleteOptions> = {}): Promise<boolean> {
    const key = this.#keyOf(id);
    const { version } = options;
    if (version !== undefined) {
      return isVersionstamp(version) && await this.#remove(key, version, options);
    }
    while (true) {
      const { versionstamp } = await this.#kv.get(key, STRONG);
      if (versionstamp === null) return false;
      if (await this.#remove(key, versionstamp, options)) return true;
    }
  }

  /** PAGI's `get`: the session's data with its reserved keys. */
  get(id: string): Promise<SessionHash | undefined> {
    return plainGet(this, id);
  }

  /** PAGI's `set`: writes the data whatever was there, and resolves to the id. */
  set(id: string, data: SessionHash): Promise<string> {
    return plainSet(this, id, data, Math.floor(this.#now() / 1000));
  }

  async #write(
    id: string,
    text: string,
    versionstamp: string | null,
    options: WriteOptions,
  ): Promise<string | undefined> {
    const { lastAccess, ttl } = options;
    const key = this.#keyOf(id);
    const expireIn = lifetimeOf(ttl);
    const value = encodeRecord({ text, lastAccess, expiresAt: this.#now() + expireIn });
    const write = () =>
      this.#kv.atomic().check({ key, versionstamp }).set(key, value, { expireIn }).commit();
    const done = await whenUnlocked(write, options);
    return done.ok ? done.versionstamp : undefined;
  }

  async #remove(
    key: DenoKvKeyPart[],
    versionstamp: string,
    options: Partial<DeleteOptions>,
  ): Promise<boolean> {
    const remove = () => this.#kv.atomic().check({ key, versionstamp }).delete(key).commit();
    return (await whenUnlocked(remove, options)).ok;
  }

  #keyOf(id: string): DenoKvKeyPart[] {
    return [...this.#prefix, id];
  }
}
