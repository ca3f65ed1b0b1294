/**
 * {@linkcode CookieStore}: sessions in the client's own cookie, sealed.
 *
 * @module
 */
import { after } from "../base/awaitable.ts";
import { isId } from "../base/id.ts";
import { checkNumber, checkOptions, checkSecrets, hasMethods } from "../base/check_options.ts";
import { SessionError } from "../errors.ts";
import { type Revocation, Revocations } from "./_cookie/revocations.ts";
import {
  MAX_COOKIE_BYTES,
  MAX_LIFETIME,
  type SealedSession,
  type SealFormat,
} from "./_cookie/format.ts";
import { HourlySeal, REMEMBERED } from "./_cookie/hourly_format.ts";
import { PagiSeal } from "./_cookie/pagi_format.ts";
import type {
  Awaitable,
  EndOptions,
  OpenedRecord,
  OpenOptions,
  SealingStore,
  SealOptions,
  SessionHash,
  StoreCallOptions,
  VersionedStore,
} from "./store.ts";

/** Options of {@linkcode CookieStore}. */
export interface CookieStoreOptions {
  /**
   * What the keys are derived from, at least 32 bytes in UTF-8 each. The first seals, all open: to
   * change it, put the new one in front and take the old one out when its sessions have expired.
   */
  secret: string | readonly string[];
  /**
   * What the values are for. Those of another purpose do not open, though the secret is the same; nor
   * do those of another cookie, header or other `name` of a State, which the middleware sees to. Not
   * with `format: "pagi"`, which can bind neither.
   *
   * @default {"session"}
   */
  purpose?: string;
  /**
   * `"pagi"` for the format of PAGI's Store::Cookie.
   *
   * @default {undefined, this package's own}
   */
  format?: "pagi";
  /**
   * Where logouts are noted, so that no copy of a cookie outlives one; shared by all servers. Not
   * with `format: "pagi"`: the other side would not ask.
   *
   * @default {undefined, a copy works until it expires}
   */
  revocations?: VersionedStore;
  /**
   * Seconds for which an answer of `revocations` is used again: for so long another server may take
   * a copy after a logout.
   *
   * @default {0, each request asks}
   */
  revocationCache?: number;
  /**
   * The clock, in Unix milliseconds; for tests.
   *
   * @default {Date.now}
   */
  now?: () => number;
}

const OWNER = "CookieStore";
const KNOWN = ["secret", "purpose", "format", "revocations", "revocationCache", "now"];
const DEFAULT_PURPOSE = "session";
const MIN_SECRET_BYTES = 32;
/** Room for the cookie's name: a rotation must not be noted, and then be too large to send. */
const NAME_BYTES = 64;

/**
 * Keeps each session in its client's cookie, under AES-256-GCM: no server stores it, any number of servers
 * with the same secret share the sessions, and a client can neither read nor change one.
 * A session and its name have to fit into 4096 bytes, some 2900 bytes of JSON.
 *
 * **What it cannot promise.** The cookie that a client holds is all there is, and it can be copied.
 *
 * | | alone | with `revocations` |
 * | --- | --- | --- |
 * | a copy of the cookie after `destroy()` | works until it expires | is dead, `revocationCache` seconds later at most |
 * | an id after `regenerate()` or a new subject | lives on until it expires | is dead, as after `destroy()`; of two requests at once one gets the new id, the other is refused |
 * | a request in flight when its session ends | brings it back | is refused if it writes, and sends nothing if not |
 * | an older cookie of a living id | brings its older data back | the same |
 * | two requests at once that write | the browser keeps the answer that came last; what the other wrote is lost | the same |
 * | an answer that arrives after a later login | puts the old session in its place | puts a dead cookie in its place |
 * | `sessions.destroy()` of an id or a Session | fails, `ERR_SESSION_STORE` | ends the session, wherever it has moved |
 * | `sessions.destroy()` of a cookie's value | does nothing | the same as for its id, under the State's own name |
 * | `sessions.update()` | changes nothing: only a response can bring a new cookie | the same |
 * | a cookie's value under another name | is nobody's, but with `format: "pagi"` | the same |
 *
 * So keep nothing in it that must not come back: no balance, no one-time token. The middleware says
 * so by the event `store-without-guarantees`. Use is noted by a new cookie: leave `rolling` on.
 *
 * With `revocations` a read asks that store once and a write twice; a logout or a new id writes one
 * record, kept for as long as a copy could live. When that store fails, so does the request. One that
 * drops records early, such as a MemoryStore that is full or restarted, undoes logouts. Each id has
 * one record at most, written once: a session's ids are one chain, and only the last can be alive.
 *
 * At least the last 500 values that were decrypted or sealed stay in memory with their sessions: one that
 * comes again is looked at (time, name, `revocations`) and not decrypted. Not with `format: "pagi"`.
 *
 * `format: "pagi"` shares cookies with PAGI's `Store::Cookie`. That format has no purpose, no name, no
 * expiry of its own and one key for a secret's whole life, so change the secret within 2^32 sessions sealed.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { SessionMiddleware } from "@pagi/session";
 * import { CookieStore } from "@pagi/session/store/cookie";
 *
 * const secret = "at least 32 bytes that nobody else knows";
 * const sessions = new SessionMiddleware({ secret, store: new CookieStore({ secret }) });
 * const handler = sessions.handler((_request, session) => {
 *   const visits = Number(session.get("visits", 0)) + 1;
 *   session.set("visits", visits);
 *   return new Response(`Visit ${visits}`);
 * });
 *
 * const first = await handler(new Request("http://localhost/"));
 * const cookie = first.headers.get("set-cookie")!.split(";")[0]!;
 * const second = await handler(new Request("http://localhost/", { headers: { cookie } }));
 * assertEquals(await second.text(), "Visit 2");
 * ```
 */
export class CookieStore implements SealingStore {
  /** Whether it asks nobody: true without `revocations`. */
  readonly isLocal: boolean;
  readonly #format: SealFormat;
  readonly #revocations: Revocations | undefined;
  readonly #now: () => number;

  /**
   * Checks the options; derives no key yet.
   *
   * @throws {TypeError} When an option is missing, unknown, of the wrong kind, or of no use beside
   * another.
   * @throws {RangeError} When a secret has less than 32 bytes, or `revocationCache` is no duration.
   */
  constructor(options: CookieStoreOptions) {
    checkOptions(OWNER, options, KNOWN);
    check(options);
    const { purpose = DEFAULT_PURPOSE, revocations, revocationCache = 0 } = options;
    const now = options.now ?? Date.now;
    const secrets = checkSecrets(OWNER, options.secret, MIN_SECRET_BYTES);
    const nameBytes = revocations === undefined ? 1 : NAME_BYTES;
    const common = { secrets, maxSize: MAX_COOKIE_BYTES - nameBytes, now };
    this.#format = options.format === "pagi"
      ? new PagiSeal(common)
      : new HourlySeal({ ...common, purpose, remembered: REMEMBERED });
    this.#revocations = revocations && new Revocations(revocations, revocationCache, now);
    this.#now = now;
    this.isLocal = revocations === undefined;
  }

  /** Whether `presented` has the form of a sealed session; no crypto is done for it. */
  accepts(presented: string): boolean {
    return typeof presented === "string" && this.#format.accepts(presented);
  }

  /**
   * The session in a cookie's value. Undefined, and no error, for all else: another key, another
   * purpose, a changed letter, an expired session, one that has ended.
   *
   * @throws {Error} What `revocations` throws.
   */
  open(presented: string, options: OpenOptions): Awaitable<OpenedRecord | undefined> {
    const { maxAge = Infinity, name } = options;
    const opened = this.#format.open(presented, maxAge, name);
    return after(opened, (session) => session && this.#unlessEnded(session, options));
  }

  /**
   * The cookie's value for a session; undefined when the session has ended or has a new id.
   *
   * @throws {SessionError} `ERR_SESSION_TOO_LARGE` when it does not fit into a cookie.
   * @throws {TypeError} When no value can carry the id.
   * @throws {Error} What `revocations` throws.
   */
  async seal(id: string, text: string, options: SealOptions): Promise<string | undefined> {
    this.#checkId(id);
    const { lastAccess, ttl, signal, version, name } = options;
    if (version !== undefined) {
      if (await this.#findRevocation(id, options) !== undefined) return undefined;
      // The answer may have come too late for anybody to wait for more.
      signal.throwIfAborted();
    }
    // It is kept for so long from now, and its life counts from its last use.
    const lifetime = Math.max(0, this.#now() / 1000 - lastAccess) + Math.min(ttl, MAX_LIFETIME);
    return await this.#format.seal({ id, text, lastAccess, lifetime }, name);
  }

  /**
   * Gives up an id for good: its values open as `text` from now on, or not at all where it is empty.
   * Resolves to what stands, which is an earlier call's text if there was one; to undefined without
   * `revocations`, when nothing was done.
   *
   * @throws {Error} What `revocations` throws.
   */
  async end(id: string, text: string, options: EndOptions): Promise<string | undefined> {
    if (this.#revocations === undefined) return undefined;
    this.#checkId(id);
    // Other values of the id may have been made since this one, and live as long from then on.
    const ttl = Math.min(options.ttl ?? (Number(options.version) || Infinity), MAX_LIFETIME);
    const lastAccess = options.lastAccess ?? Math.floor(this.#now() / 1000);
    return await this.#revocations.end(id, text, { lastAccess, ttl, signal: options.signal });
  }

  /** PAGI's `get`: the data, with its reserved keys, of a session that was sealed without a name. */
  async get(presented: string): Promise<SessionHash | undefined> {
    const hash = await this.#format.openHash(presented);
    const isDead = await this.#findRevocation(hash?._id, patient()) !== undefined;
    return isDead ? undefined : hash;
  }

  /**
   * PAGI's `set`: resolves to the value, without a name, which holds the data for 400 days.
   *
   * @throws {SessionError} `ERR_SESSION_TOO_LARGE` when it does not fit into a cookie,
   * `ERR_SESSION_INTERRUPTED` when the session has ended.
   */
  async set(id: string, data: SessionHash): Promise<string> {
    this.#checkId(id);
    if (await this.#findRevocation(id, patient()) !== undefined) {
      throw new SessionError("ERR_SESSION_INTERRUPTED", "Cannot save the session: it has ended");
    }
    return await this.#format.sealHash(id, data);
  }

  /** PAGI's `delete`, of an id or a value without a name; nothing to do without `revocations`. */
  async delete(idOrPresented: string): Promise<void> {
    if (this.#revocations === undefined) return;
    const id = isId(idOrPresented)
      ? idOrPresented
      : (await this.#format.openHash(idOrPresented))?._id;
    if (typeof id === "string") await this.end(id, "", patient());
  }

  #unlessEnded(
    { id, text, lastAccess, lifetime }: SealedSession,
    options: OpenOptions,
  ): Awaitable<OpenedRecord | undefined> {
    const version = String(lifetime);
    return after(this.#findRevocation(id, options), (revocation) => {
      if (revocation === undefined) return { id, text, version, lastAccess };
      return revocation.text === "" ? undefined : { id, version, ...revocation };
    });
  }

  #findRevocation(id: unknown, options: StoreCallOptions): Awaitable<Revocation | undefined> {
    if (this.#revocations === undefined) return undefined;
    // Sealed before there were revocations, under an id that cannot be given up.
    return typeof id === "string" && isId(id) ? this.#revocations.find(id, options) : DEAD;
  }

  #checkId(id: string): void {
    if (this.#revocations === undefined || isId(id)) return;
    throw new TypeError("Cannot seal the session: with revocations its id must be 64 hex digits");
  }
}

const DEAD: Revocation = { text: "", lastAccess: 0 };

/** Nobody gives up here: it is for the caller to wait or not. */
const patient = () => ({ signal: new AbortController().signal });

function check(options: CookieStoreOptions): void {
  const { purpose, format, revocations, revocationCache, now } = options;
  if (purpose !== undefined && typeof purpose !== "string") {
    throw refused("purpose must be a string");
  }
  if (format !== undefined && format !== "pagi") throw refused('format must be "pagi"');
  if (revocations !== undefined && !hasMethods(revocations, ["read", "create"])) {
    throw refused("revocations must be a VersionedStore");
  }
  if (revocationCache !== undefined) {
    checkNumber(OWNER, "revocationCache", revocationCache, "seconds");
    if (revocations === undefined) throw refused("revocationCache needs revocations");
  }
  if (format === "pagi" && purpose !== undefined) {
    throw refused('format "pagi" cannot bind a purpose');
  }
  if (format === "pagi" && revocations !== undefined) {
    throw refused('with format "pagi" the other side would not ask revocations');
  }
  if (now !== undefined && typeof now !== "function") throw refused("now must be a function");
}

function refused(why: string): TypeError {
  return new TypeError(`Cannot make ${OWNER}: ${why}`);
}
