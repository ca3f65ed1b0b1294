/**
 * {@linkcode LegacySessions}: reads through to the sessions of another library, and moves each one
 * over when its client comes.
 *
 * @module
 */
import {
  decodeTombstone,
  encodeEmptySession,
  encodeSession,
  encodeTombstone,
} from "../base/record_text.ts";
import { toHex } from "../base/hex.ts";
import { IdSource } from "../core/id_source.ts";
import { isId } from "../base/id.ts";
import { checkNumber, checkOptions, checkSecrets, hasMethods } from "../base/check_options.ts";
import { taken } from "../core/race_errors.ts";
import type { Backend } from "../core/backend/backend.ts";
import { CallGuard } from "../core/backend/call_guard.ts";
import { openBackend } from "../core/backend/open.ts";
import { SEALING_METHODS, VERSIONED_METHODS } from "../base/store_methods.ts";
import type { LegacySource } from "./sources.ts";
import type { SealingStore, SessionHash, VersionedStore } from "../store/store.ts";

export { type ConnectSessions, connectSource, type LegacySource, sealedSource } from "./sources.ts";

/** Options of {@linkcode LegacySessions}. */
export interface LegacySessionsOptions {
  /** What ids and claims are derived from; the middleware's own will do. Of several the first makes them. */
  secret: string | readonly string[];
  /** Where sessions are kept from now on: the middleware's own `store`. */
  store: VersionedStore | SealingStore;
  /** Where they were kept. */
  legacy: LegacySource;
  /**
   * Makes a session's data of the old one's; undefined when it is to be no session any more. The
   * session counts as made at `_created` and as last used at `_last_access`, where these are numbers.
   *
   * @default {as it is}
   */
  map?: (old: SessionHash) => SessionHash | undefined;
  /**
   * Seconds for which it is remembered where an old session has gone: as long as its cookie can be
   * presented. For so long, too, a moved session is kept that its client has not been told of.
   *
   * @default {400 days, for which browsers keep a cookie}
   */
  keep?: number;
  /**
   * Seconds that either store may take for one answer.
   *
   * @default {5}
   */
  storeTimeout?: number;
  /**
   * The clock, in Unix milliseconds; for tests.
   *
   * @default {Date.now}
   */
  now?: () => number;
}

const OWNER = "LegacySessions";
const KNOWN = ["secret", "store", "legacy", "map", "keep", "storeTimeout", "now"];
const DEFAULT_KEEP = 400 * 86_400;
const DEFAULT_STORE_TIMEOUT = 5;
const HMAC = { name: "HMAC", hash: "SHA-256" };
/** Bound into every key: what else is made of the same secret is something else. */
const LABEL = "@pagi/session legacy session ";
/** No request takes what has this time for a session that has just moved: there is none under it. */
const NEVER = 0;

/**
 * The sessions of another library, for a `MigratingState`. One whose client comes is written to
 * `store` under a new id; then a claim, a record under a key derived from the old cookie, says which
 * id that is; then the old record is destroyed. The claim is written only where there is none, so of
 * requests that come at once one moves the session and the others follow. It outlives the session:
 * an old cookie that is presented after a logout leads to nothing, also where the old library has no
 * records to destroy.
 *
 * A `CookieStore` keeps nothing, so it has no claims: then an old cookie is good until it expires,
 * or, with `revocations` there, until its session has ended.
 *
 * A session without any data is not moved: its client starts anew, as it did there.
 *
 * A session that is moved has been used. Its idle and absolute timeouts are the middleware's from then on.
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
 *   secret: "change me",
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
   * Checks the options; asks neither store yet.
   *
   * @throws {TypeError} When an option is missing, unknown, or of the wrong kind.
   * @throws {RangeError} When a duration is not a number from 0 up.
   */
  constructor(options: LegacySessionsOptions) {
    const secrets = check(options);
    const { store, legacy, map = (old) => old, keep = DEFAULT_KEEP } = options;
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
   * Whether there is a record of ours under what a client presents.
   *
   * @param name What it is carried under: the State's `name`.
   */
  async holds(presented: string, name?: string): Promise<boolean> {
    if (!this.#backend.accepts(presented)) return false;
    const record = await this.#backend.read(presented, name);
    // A sealing store finds something under any id, without a time.
    return record !== undefined && Number.isFinite(record.lastAccess);
  }

  /**
   * What a client presents from now on whose old cookie stands for `value`; undefined when that is
   * no session. Moves the session if that is still to do. It has not moved before its old record
   * is gone: until then this fails, and the client keeps its cookie.
   *
   * @param name What it will be carried under: the State's `name`.
   * @throws {SessionError} `ERR_SESSION_STORE` when either store fails.
   */
  async adopt(value: string, name?: string): Promise<string | undefined> {
    const keys = await this.#keysOf(value);
    // Before the claim: a session that is gone from there has its claim here.
    const old = await this.#guard.call("read", () => this.#legacy.get(value), value);
    const known = this.#backend.isVersioned ? await this.#claimed(keys) : undefined;
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
    const created = numberOr(data._created, now);
    const text = encodeSession(data, created, undefined);
    // Many libraries give every visitor one: nothing is lost with it.
    if (text === encodeEmptySession(created)) return undefined;
    const lastAccess = Math.min(now, numberOr(data._last_access, now));
    const lifetime = { lastAccess, ttl: this.#keep };
    // Without claims it needs an id that is the same for every request.
    const key = keys[0]!;
    const id = this.#backend.isVersioned ? await this.#ids.next() : key;
    const written = await this.#backend.create(id, text, lifetime, name);
    if (written === undefined) throw taken();
    if (!this.#backend.isVersioned) return written.transport;
    // The commit: before it nobody has seen the id, and after it nobody makes another.
    const claim = encodeTombstone(key, id);
    const claimed = { lastAccess: NEVER, ttl: this.#keep };
    if (await this.#backend.create(key, claim, claimed) !== undefined) return id;
    await this.#backend.delete({ id, text, version: written.version, lastAccess });
    return await this.#claimed(keys);
  }

  /** The id under which the session is now whose claim has one of these keys. */
  async #claimed(keys: readonly string[]): Promise<string | undefined> {
    for (const key of keys) {
      const record = await this.#backend.read(key);
      const id = record && decodeTombstone(key, String(record.text));
      if (id !== undefined) return id;
    }
    return undefined;
  }

  /** One for each secret. Who has the old ids and no secret cannot tell them. */
  async #keysOf(value: string): Promise<string[]> {
    const { subtle } = crypto;
    const bytes = (text: string) => new TextEncoder().encode(text);
    this.#keys ??= Promise.all(
      this.#secrets.map((one) => subtle.importKey("raw", bytes(one), HMAC, false, ["sign"])),
    );
    return await Promise.all((await this.#keys).map(async (key) => {
      return toHex(new Uint8Array(await subtle.sign(HMAC, key, bytes(LABEL + value))));
    }));
  }
}

function numberOr(value: unknown, fallback: number): number {
  return Number.isFinite(value) ? value as number : fallback;
}

/** Checks the options; the secrets among them. */
function check(options: LegacySessionsOptions): readonly string[] {
  checkOptions(OWNER, options, KNOWN);
  const { secret, store, legacy } = options;
  const secrets = checkSecrets(OWNER, secret, 1);
  if (!hasMethods(store, VERSIONED_METHODS) && !hasMethods(store, SEALING_METHODS)) {
    throw new TypeError(
      `Cannot make ${OWNER}: store must be a VersionedStore or a CookieStore: others compare ` +
        "nothing, so two requests at once could make two sessions of one",
    );
  }
  if (!hasMethods(legacy, ["get"])) {
    throw new TypeError(`Cannot make ${OWNER}: legacy must have the method get`);
  }
  for (const name of ["map", "now"] as const) {
    if (options[name] !== undefined && typeof options[name] !== "function") {
      throw new TypeError(`Cannot make ${OWNER}: ${name} must be a function`);
    }
  }
  for (const name of ["keep", "storeTimeout"] as const) {
    if (options[name] !== undefined) checkNumber(OWNER, name, options[name], "seconds");
  }
  return secrets;
}
