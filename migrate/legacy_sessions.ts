/**
 * {@linkcode LegacySessions}: moves the sessions of another library, each one when its client sends
 * a request.
 *
 * @module
 */
import { toUtf8 } from "../base/utf8.ts";
import { encodeEmptySession, encodeSession } from "../base/record_text.ts";
import { encodeHeader, findJson, newHeader } from "../base/record_header.ts";
import { fromHex, toHex } from "../base/hex.ts";
import { IdSource } from "../core/id_source.ts";
import { ID_DIGITS, isId } from "../base/id.ts";
import { MAX_COOKIE_AGE } from "../base/limits.ts";
import {
  checkOptions,
  checkSeconds,
  checkSecrets,
  hasMethods,
  optionError,
} from "../base/check_options.ts";
import { taken } from "../core/race_errors.ts";
import type { Backend } from "../core/backend/backend.ts";
import { CallGuard } from "../core/backend/call_guard.ts";
import { createOnce } from "../core/backend/create_once.ts";
import { openBackend } from "../core/backend/open.ts";
import { SEALING_METHODS, VERSIONED_METHODS } from "../base/store_methods.ts";
import type { LegacySource } from "./sources.ts";
import type { SealingStore, SessionHash, VersionedStore } from "../store/store.ts";

export { type ConnectSessions, connectSource, type LegacySource, sealedSource } from "./sources.ts";

/** Options of {@linkcode LegacySessions}. */
export interface LegacySessionsOptions {
  /**
   * Sets the secrets that IDs and the keys of forwarding records are derived from. You can use
   * those of the middleware. The first secret creates them; records of all secrets are found.
   */
  secret: string | readonly string[];
  /** Stores the sessions from now on. Pass the `store` of the middleware. */
  store: VersionedStore | SealingStore;
  /** Reads the old sessions, and deletes those that have been moved. */
  legacy: LegacySource;
  /**
   * Converts the data of an old session. Return `undefined` to drop the session. If the result has
   * numbers as `_created` and `_last_access`, they become the times of the session, in Unix
   * seconds.
   *
   * @default {the data is used unchanged}
   */
  map?: (old: SessionHash) => SessionHash | undefined;
  /**
   * Keeps forwarding records for this many seconds. Use the time for which clients can still send
   * the old cookie. A moved session is kept for the same time until its client sends the new
   * cookie.
   *
   * @default {400 days, as long as browsers keep a cookie}
   */
  keep?: number;
  /**
   * Limits how long one call of either store may take, in seconds.
   *
   * @default {5}
   */
  storeTimeout?: number;
  /**
   * Replaces the clock in tests. Returns Unix milliseconds.
   *
   * @default {Date.now}
   */
  now?: () => number;
}

const OWNER = "LegacySessions";
const KNOWN = ["secret", "store", "legacy", "map", "keep", "storeTimeout", "now"];
const DEFAULT_STORE_TIMEOUT = 5;
const HMAC = { name: "HMAC", hash: "SHA-256" };
/** Part of every key, so that nothing else derived from the same secret equals a key. */
const LABEL = "@pagi/session legacy session ";
/** Starts the text of a forwarding record. */
const FORWARDING_PREFIX = "moved:";
/** The last-access time of a forwarding record: no request uses it. */
const NEVER = 0;

/**
 * The sessions of another library, for a `MigratingState`. When a client sends an old cookie, its
 * session is moved in three steps:
 *
 * 1. The session is written to `store` under a new ID.
 * 2. A forwarding record is created under a key derived from the old cookie. It names the new ID.
 *    If it already exists, another request has moved the session, and this request uses that ID.
 * 3. The old record is deleted.
 *
 * The forwarding record outlives the session. So an old cookie that is sent after a logout finds no
 * session, even if the old library has no records to delete.
 *
 * A `CookieStore` stores nothing, so it has no forwarding records. Then an old cookie is accepted
 * until it expires, or with `revocations`, until its session has ended.
 *
 * A session without data is not moved: its client gets a new session. Moving a session counts as
 * using it. From then on the idle and absolute timeouts of the middleware apply.
 *
 * @example Sessions of a store made for express-session
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { MemoryStore } from "@pagi/session";
 * import { connectSource, LegacySessions } from "@pagi/session/migrate";
 *
 * const old = new Map<string, object>([["abc", { user: "ada", cookie: { expires: null } }]]);
 * const store = new MemoryStore();
 * const sessions = new LegacySessions({
 *   secret: "replace this with: openssl rand -hex 32",
 *   store,
 *   legacy: connectSource({
 *     get: (sid, callback) => callback(null, old.get(sid)),
 *     destroy: (sid, callback) => callback(old.delete(sid) ? null : undefined),
 *   }),
 * });
 *
 * const id = await sessions.adopt("abc");
 * assertEquals((await store.get(id!))?.user, "ada");
 * assertEquals(old.size, 0);
 * assertEquals(await sessions.adopt("abc"), id);
 * ```
 */
export class LegacySessions {
  readonly #secrets: readonly string[];
  readonly #backend: Backend;
  readonly #guard: CallGuard;
  readonly #legacy: LegacySource;
  readonly #map: (old: SessionHash) => SessionHash | undefined;
  readonly #keep: number;
  readonly #now: () => number;
  readonly #ids: IdSource;
  #keys: Promise<CryptoKey[]> | undefined;

  /**
   * Validates the options. Does not access either store yet.
   *
   * @throws {TypeError} If an option is missing, unknown or of the wrong type.
   * @throws {RangeError} If a duration is not a number, or is negative.
   */
  constructor(options: LegacySessionsOptions) {
    const secrets = checkLegacyOptions(options);
    const { store, legacy, map = (old) => old, keep = MAX_COOKIE_AGE } = options;
    const { storeTimeout = DEFAULT_STORE_TIMEOUT, now = Date.now } = options;
    this.#secrets = secrets;
    this.#backend = openBackend(store, storeTimeout, keep);
    this.#guard = new CallGuard(storeTimeout);
    this.#legacy = legacy;
    this.#map = map;
    this.#keep = keep;
    this.#now = now;
    this.#ids = new IdSource({ secret: secrets[0]!, generateId: undefined }, isId);
  }

  /**
   * Returns whether the value that a client sends belongs to a session of this package.
   *
   * @param name The `name` of the State that carries the value.
   */
  async holds(presented: string, name?: string): Promise<boolean> {
    if (!this.#backend.accepts(presented)) return false;
    const record = await this.#backend.read(this.#backend.keyOf(presented), name);
    return record !== undefined && findJson(record.text) >= 0;
  }

  /**
   * Returns the new value for a client whose old cookie identifies `value`; `undefined` if no
   * session belongs to it. Moves the session first, unless that has been done. If the old record
   * cannot be deleted, the call fails, and the client keeps its old cookie.
   *
   * @param name The `name` of the State that will carry the new value.
   * @throws {SessionError} `ERR_SESSION_STORE` if either store fails.
   */
  async adopt(value: string, name?: string): Promise<string | undefined> {
    const keys = await this.#keysOf(value);
    // Read before the forwarding record: if a request has just moved the session, the record exists
    // by now.
    const old = await this.#guard.call("read", () => this.#legacy.get(value), value);
    const known = this.#backend.isVersioned ? await this.#findForwarded(keys) : undefined;
    const data = known === undefined && old ? this.#map(old as SessionHash) : undefined;
    const moved = known ?? (data && await this.#move(keys, data, name));
    if (moved !== undefined && old) {
      await this.#guard.call("delete", () => this.#legacy.destroy?.(value), value);
    }
    return moved;
  }

  async #move(
    keys: readonly string[],
    data: SessionHash,
    name: string | undefined,
  ): Promise<string | undefined> {
    const now = Math.floor(this.#now() / 1000);
    const createdAt = numberOr(data._created, now);
    const json = encodeSession(data, createdAt, undefined);
    // Many libraries create an empty session for every visitor. Nothing is lost with it.
    if (json === encodeEmptySession(createdAt)) return undefined;
    const lastAccess = Math.min(now, numberOr(data._last_access, now));
    const expiry = { lastAccess, ttl: this.#keep };
    // Without forwarding records, the ID must be the same for every request.
    const key = keys[0]!;
    const backend = this.#backend;
    const id = backend.isVersioned ? await this.#ids.next() : key;
    const text = encodeHeader(newHeader(backend.verifierOf(id) ?? "")) + json;
    const sessionKey = backend.keyOf(id);
    const written = await createOnce(backend, sessionKey, text, expiry, name);
    if (written === undefined) throw taken(false);
    if (!backend.isVersioned) return written.transport;
    // This commits the move: no client has seen the ID before, and no other request can move the
    // session afterwards.
    const forwarding = { lastAccess: NEVER, ttl: this.#keep };
    const created = await backend.create(key, encodeForwarding(key, id), forwarding);
    if (created !== undefined) return id;
    const forwarded = await this.#findForwarded(keys);
    // It is this call's own if the store received the call twice.
    if (forwarded !== id) await backend.delete(sessionKey);
    return forwarded;
  }

  /** The new ID in the forwarding record under one of these keys. */
  async #findForwarded(keys: readonly string[]): Promise<string | undefined> {
    for (const key of keys) {
      const record = await this.#backend.read(key);
      const id = record && decodeForwarding(key, String(record.text));
      if (id !== undefined) return id;
    }
    return undefined;
  }

  /**
   * The keys of forwarding records, one for each secret. They cannot be computed from old IDs
   * alone.
   */
  async #keysOf(value: string): Promise<string[]> {
    const { subtle } = crypto;
    this.#keys ??= Promise.all(
      this.#secrets.map((one) => subtle.importKey("raw", toUtf8(one), HMAC, false, ["sign"])),
    );
    return await Promise.all((await this.#keys).map(async (key) => {
      return toHex(new Uint8Array(await subtle.sign(HMAC, key, toUtf8(LABEL + value))));
    }));
  }
}

/**
 * The forwarding record under `key`. It contains the XOR of key and ID. With the old cookie, the
 * server can compute the new ID. A dump of a store that hides its keys does not reveal that ID.
 */
function encodeForwarding(key: string, id: string): string {
  return FORWARDING_PREFIX + xorHex(key, id);
}

/** The ID that the forwarding record under `key` names; `undefined` if `text` is not one. */
function decodeForwarding(key: string, text: string): string | undefined {
  if (!text.startsWith(FORWARDING_PREFIX)) return undefined;
  if (text.length !== FORWARDING_PREFIX.length + ID_DIGITS) return undefined;
  return xorHex(key, text.slice(FORWARDING_PREFIX.length));
}

function xorHex(a: string, b: string): string {
  const bytes = fromHex(a);
  const mask = fromHex(b);
  for (let at = 0; at < mask.length; at++) bytes[at]! ^= mask[at]!;
  return toHex(bytes);
}

function numberOr(value: unknown, fallback: number): number {
  return Number.isFinite(value) ? value as number : fallback;
}

/** Checks the options. Returns the secrets. */
function checkLegacyOptions(options: LegacySessionsOptions): readonly string[] {
  checkOptions(OWNER, options, KNOWN);
  const { secret, store, legacy } = options;
  const secrets = checkSecrets(OWNER, secret, 1);
  if (!hasMethods(store, VERSIONED_METHODS) && !hasMethods(store, SEALING_METHODS)) {
    throw optionError(
      OWNER,
      `store must be a VersionedStore or a CookieStore: others compare ` +
        "nothing, so two requests at once could make two sessions of one",
    );
  }
  if (!hasMethods(legacy, ["get"])) {
    throw optionError(OWNER, "legacy must have the method get");
  }
  for (const name of ["map", "now"] as const) {
    if (options[name] !== undefined && typeof options[name] !== "function") {
      throw optionError(OWNER, `${name} must be a function`);
    }
  }
  for (const name of ["keep", "storeTimeout"] as const) {
    if (options[name] !== undefined) checkSeconds(OWNER, name, options[name]);
  }
  return secrets;
}
