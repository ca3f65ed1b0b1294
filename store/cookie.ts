/**
 * {@linkcode CookieStore}: keeps each session, encrypted, in a cookie of its client.
 *
 * @module
 */
import { after, isPromise } from "../base/awaitable.ts";
import {
  checkOptions,
  checkSeconds,
  checkSecrets,
  hasMethods,
  optionError,
} from "../base/check_options.ts";
import { isId, keyOf } from "../base/id.ts";
import { MAX_COOKIE_AGE, MAX_COOKIE_BYTES } from "../base/limits.ts";
import { findJson } from "../base/record_header.ts";
import { decodeSession, toPlainData } from "../base/record_text.ts";
import { REVOCATION_METHODS } from "../base/store_methods.ts";
import { isSubject } from "../base/subject.ts";
import { SessionError } from "../errors.ts";
import { type CookieFormat, type CookieSession, largestKey } from "./_cookie/format.ts";
import { FIRST, Generations } from "./_cookie/generations.ts";
import { CACHED_SESSIONS, HourlyFormat } from "./_cookie/hourly_format.ts";
import { PagiFormat } from "./_cookie/pagi_format.ts";
import { MAX_AGE_TO_SEAL } from "./_cookie/revocation_records.ts";
import { isValid, type Revocation, Revocations } from "./_cookie/revocations.ts";
import { neverAborted } from "./_plain_methods.ts";
import type {
  Awaitable,
  EndAllOptions,
  EndOptions,
  OpenedRecord,
  OpenOptions,
  SealingStore,
  SealOptions,
  SessionHash,
  StoreCallOptions,
  StoreEvent,
  VersionedStore,
  WriteOptions,
} from "./store.ts";

/** Options of {@linkcode CookieStore}. */
export interface CookieStoreOptions {
  /**
   * Sets the secrets that the encryption keys are derived from, each of at least 32 bytes in UTF-8.
   * The first secret encrypts; all of them can decrypt.
   *
   * To rotate, first deploy `[old, new]` to all processes, then `[new, old]`, and `new` alone after
   * `expire` has passed. If you put the new secret in front while other processes do not have it yet,
   * these reject the cookies that it encrypts, and their users are signed out.
   * Remove the old one when the sessions encrypted with it have expired.
   */
  secret: string | readonly string[];
  /**
   * Separates the values of different applications that share a secret: a value of another purpose
   * is rejected. Cannot be combined with `format: "pagi"`, which has no place for it.
   *
   * The middleware also binds each value to the name of the cookie or header that carries it, or to
   * the `name` of your State. A value sent under another name is rejected.
   *
   * @default {"session"}
   */
  purpose?: string;
  /**
   * Selects the cookie format. Set it to `"pagi"` to share cookies with PAGI's Store::Cookie.
   *
   * @default {undefined, the format of this package}
   */
  format?: "pagi";
  /**
   * Records ended sessions and replaced IDs in this store, so that a copy of a cookie does not
   * outlive its session. All servers must share the store and have the same `expire`: a server keeps a
   * record for as long as values of its own can be valid. It also knows the lifetimes that a session
   * had (`session.lifetime`). Cannot be combined with
   * `format: "pagi"`, because the Perl side would not consult it.
   *
   * @default {undefined, a copy of a cookie works until it expires}
   */
  revocations?: VersionedStore;
  /**
   * Caches answers of `revocations` for this many seconds. After a logout, the other servers may
   * accept a copy of the cookie for that long. No server extends a session by an answer that is older
   * than a minute.
   *
   * @default {0, every request asks the store}
   */
  revocationCache?: number;
  /**
   * Replaces the clock in tests. Returns Unix milliseconds.
   *
   * @default {Date.now}
   */
  now?: () => number;
}

const OWNER = "CookieStore";
const KNOWN = ["secret", "purpose", "format", "revocations", "revocationCache", "now"];
const DEFAULT_PURPOSE = "session";
const MIN_SECRET_BYTES = 32;
/**
 * Reserved for the cookie's name: an ID must not be revoked for a value that is too large to send.
 */
const NAME_BYTES = 64;
/** The part of a cookie from which on a session is reported. */
const NEARLY_FULL = 0.8;

/** A session's subject, and the generation that the session has. */
interface SubjectState {
  /** The key of the subject's record. */
  key: string;
  generation: string;
}

/** The content of an opened value's version. */
interface OpenedVersion {
  /** Seconds; not finite if no value was opened. */
  lifetime: number;
  subject: SubjectState | undefined;
}

/** Seconds by which the lifetimes of a session's values differ, although nobody has set another. */
const LIFETIME_SLACK = 120;

/** Stands for the record of an ID that `revocations` cannot contain. */
const REVOKED: Revocation = {
  text: "",
  isEnded: true,
  verifier: "",
  lifetime: 0,
  lastAccess: 0,
  version: "",
};

/**
 * Keeps each session in a cookie of its client, encrypted with AES-256-GCM. The server stores
 * nothing, and any number of servers with the same secret can share the sessions. A client can
 * neither read nor change a session. A session and the cookie's name must fit into 4096 bytes; that
 * leaves about 2900 bytes of JSON. `new CookieState({ chunks: 4 })` spreads a larger one over several
 * cookies.
 *
 * **Limitations.** The session exists only in the client's cookie, and a cookie can be copied.
 *
 * | situation | without `revocations` | with `revocations` |
 * | --- | --- | --- |
 * | a copy of the cookie after `destroy()` | works until it expires | is rejected, after `revocationCache` seconds at most |
 * | the old ID after `regenerate()` or a new subject | works until it expires | is rejected, as after `destroy()`; if two requests change the ID at the same time, one succeeds and the other fails |
 * | a request that is running when its session ends | brings the session back | fails if it writes; otherwise it sends no cookie |
 * | an older cookie of a valid ID | brings older data back | brings older data back |
 * | two requests that write at the same time | the browser keeps the cookie that arrives last; the other change is lost | the browser keeps the cookie that arrives last; the other change is lost |
 * | `rotate()` | as `regenerate()` | as `regenerate()`: the old ID is invalid immediately |
 * | a response that arrives after a later login | replaces the new session with the old one | replaces the new cookie with a rejected one |
 * | `sessions.destroy()` of an ID or a Session | fails with `ERR_SESSION_STORE` | ends the session, whatever its current ID is; resolves to true also if no session ever had the ID |
 * | `sessions.destroy()` of a cookie's value | does nothing | ends the session, if the value belongs to the State's own name |
 * | `sessions.destroyAll()` | is a `TypeError` | ends all sessions of the subject, after `revocationCache` seconds at most, and resolves to `undefined` |
 * | `sessions.list()`, `destroyListed()` | are a `TypeError`: only the clients have the sessions | are a `TypeError` |
 * | `sessions.update()` | fails with `ERR_SESSION_INTERRUPTED`, because only a response can set a cookie | fails with `ERR_SESSION_INTERRUPTED` |
 * | `session.pull()` in two requests at the same time | both succeed | both succeed |
 * | `session.flash()` and `session.lifetime` | are in the cookie; the browser keeps the one that arrives last | are in the cookie; the browser keeps the one that arrives last |
 * | a cookie's value under another name | is rejected, except with `format: "pagi"` | is rejected |
 *
 * Do not keep data in it whose older state must never come back, such as a balance or a one-time
 * token. The middleware reports this with the event `store-without-guarantees`. The last-access
 * time is updated by a new cookie, so leave `rolling` on.
 *
 * With `revocations`, a request makes these calls of that store. Reads of one request are made at the
 * same time, except that those of a write follow those of its beginning.
 *
 * | request | calls without a subject | calls with a subject |
 * | --- | --- | --- |
 * | read | `read` | 2 `read` |
 * | write | 2 `read` | 4 `read` |
 * | sign-in of a new session | none | `read` |
 * | new ID | 2 `read` and a write | 5 `read` and a write |
 * | logout | 2 `read` and a write | 3 `read` and a write |
 * | `sessions.destroyAll()` | | `read` and a write |
 *
 * The first write with another `session.lifetime` takes one more write. A record is kept for as long
 * as a copy of the cookie could be valid: 400 days after `sessions.destroyAll()` and
 * `sessions.destroy()`, which cannot know the lifetimes. If that store fails, so does the request. A store that drops records early undoes logouts, for example a MemoryStore that is
 * full or restarted. A session has at most one record. It names the only valid ID, or says that the
 * session has ended, which is final. A user has one record after `sessions.destroyAll()`.
 *
 * At least the last 500 values that were decrypted or encrypted stay in memory with their sessions.
 * If such a value comes again, its age, name and revocation are checked, but it is not decrypted.
 * This does not apply to `format: "pagi"`.
 *
 * `format: "pagi"` shares cookies with PAGI's `Store::Cookie`. That format has no purpose, no name
 * and no expiry, and each secret has only one key. Change the secret before it has encrypted 2^32
 * sessions.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { SessionMiddleware } from "@pagi/session";
 * import { CookieStore } from "@pagi/session/store/cookie";
 * import { visitor } from "@pagi/session/testing";
 *
 * const secret = "at least 32 bytes that nobody else knows";
 * const sessions = new SessionMiddleware({ secret, store: new CookieStore({ secret }) });
 * const handler = sessions.handler((_request, session) => {
 *   const visits = Number(session.get("visits", 0)) + 1;
 *   session.set("visits", visits);
 *   return new Response(`Visit ${visits}`);
 * });
 *
 * const ada = await visitor(sessions);
 * await ada.fetch(handler);
 * const second = await ada.fetch(handler);
 * assertEquals(await second.text(), "Visit 2");
 * ```
 */
export class CookieStore implements SealingStore {
  /** True if the store performs no I/O, which is the case without `revocations`. */
  readonly isLocal: boolean;
  readonly #format: CookieFormat;
  readonly #revocations: Revocations | undefined;
  readonly #generations: Generations | undefined;
  readonly #now: () => number;
  readonly #maxSize: number;
  #report: ((event: StoreEvent) => void) | undefined;

  /**
   * Validates the options. Derives no key yet.
   *
   * @throws {TypeError} If an option is missing, unknown or of the wrong type, or cannot be
   * combined with another one.
   * @throws {RangeError} If a secret has less than 32 bytes, or `revocationCache` is not a number
   * of seconds.
   */
  constructor(options: CookieStoreOptions) {
    checkOptions(OWNER, options, KNOWN);
    check(options);
    const { purpose = DEFAULT_PURPOSE, revocations, revocationCache = 0 } = options;
    const now = options.now ?? Date.now;
    const secrets = checkSecrets(OWNER, options.secret, MIN_SECRET_BYTES);
    const nameBytes = revocations === undefined ? 1 : NAME_BYTES;
    this.#maxSize = MAX_COOKIE_BYTES - nameBytes;
    const common = { secrets, maxSize: this.#maxSize, now };
    this.#format = options.format === "pagi"
      ? new PagiFormat(common)
      : new HourlyFormat({ ...common, purpose, cacheSize: CACHED_SESSIONS });
    if (revocations !== undefined) {
      this.#revocations = new Revocations(revocations, revocationCache, now);
      this.#generations = new Generations(revocations, revocationCache, now);
    }
    this.#now = now;
    this.isLocal = revocations === undefined;
  }

  /** Returns whether `presented` looks like an encrypted session. Decrypts nothing. */
  accepts(presented: string): boolean {
    return typeof presented === "string" && this.#format.accepts(presented);
  }

  /**
   * Decrypts the session in a cookie's value. Returns `undefined`, and never throws, if the value
   * is invalid: another key or purpose, a changed character, an expired or ended session.
   *
   * @throws {Error} If `revocations` fails, with its error.
   */
  open(presented: string, options: OpenOptions): Awaitable<OpenedRecord | undefined> {
    const { maxAge = Infinity, name } = options;
    const opened = this.#format.decrypt(presented, maxAge, name);
    return after(opened, (session) => session && this.#unlessRevoked(session, options));
  }

  /**
   * Encrypts a session to a cookie's value. Resolves to `undefined` if the session has ended or has
   * a new ID.
   *
   * @throws {SessionError} `ERR_SESSION_TOO_LARGE` if the session does not fit into a cookie.
   * @throws {TypeError} If a value cannot contain the ID.
   * @throws {Error} If `revocations` fails, with its error.
   */
  async seal(id: string, text: string, options: SealOptions): Promise<string | undefined> {
    this.#checkId(id);
    const { lastAccess, ttl, signal, version, name, maxBytes } = options;
    // `ttl` counts from now, the lifetime of a value from the last access.
    const lifetime = Math.max(0, this.#now() / 1000 - lastAccess) + Math.min(ttl, MAX_COOKIE_AGE);
    let generation: string = FIRST;
    if (this.#revocations !== undefined) {
      const opened = version === undefined ? undefined : decodeVersion(version);
      const [found, next] = await Promise.all([
        opened && this.#findRevocation(id, options, MAX_AGE_TO_SEAL),
        this.#nextGeneration(id, subjectOf(text), opened, options),
      ]);
      if (!isValid(id, found) || next === undefined) return undefined;
      generation = next;
      const isNoted = opened === undefined ||
        Math.abs(lifetime - opened.lifetime) <= LIFETIME_SLACK ||
        await this.#revocations.noteLifetime(id, found, this.#writeOptions(options));
      if (!isNoted) return undefined;
      // The lookups may have taken so long that the caller has given up.
      signal.throwIfAborted();
    }
    const session = { id, text, lastAccess, lifetime, generation };
    const value = await this.#format.encrypt(session, name, maxBytes);
    this.#reportSize(value.length, maxBytes ?? this.#maxSize, text);
    return value;
  }

  /**
   * Makes `newId` the only valid ID of the session. From now on values of the old ID open as
   * replaced. Resolves to whether the old ID was valid. Without `revocations` it does nothing and
   * resolves to `undefined`.
   *
   * @throws {Error} If `revocations` fails, with its error.
   */
  async replaceId(id: string, newId: string, options: EndOptions): Promise<boolean | undefined> {
    if (this.#revocations === undefined) return undefined;
    this.#checkId(id);
    this.#checkId(newId);
    const { subject } = decodeVersion(options.version);
    const [known, isActive] = await Promise.all([
      this.#findRevocation(id, options),
      subject === undefined ||
      // Not from the cache, which may be from before the end.
      this.#isOfGeneration(id, subject, options, 0),
    ]);
    if (!isActive) return false;
    return await this.#revocations.replaceId(id, newId, known, this.#writeOptions(options));
  }

  /**
   * Ends the session of an ID for good, under whatever ID it has. None of its values opens from now
   * on. Resolves to whether it had not ended before. Without `revocations` it does nothing and
   * resolves to `undefined`.
   *
   * @throws {Error} If `revocations` fails, with its error.
   */
  async end(id: string, options: EndOptions): Promise<boolean | undefined> {
    if (this.#revocations === undefined) return undefined;
    this.#checkId(id);
    return await this.#revocations.end(id, this.#writeOptions(options));
  }

  /**
   * Ends all sessions of a subject for good, except one. None of their values opens from now on.
   * Resolves to true. Without `revocations` it does nothing and resolves to `undefined`.
   *
   * @throws {Error} If `revocations` fails, with its error.
   */
  async endAll(subject: string, options: EndAllOptions): Promise<boolean | undefined> {
    if (this.#generations === undefined) return undefined;
    const { except } = options;
    if (except !== undefined) this.#checkId(except);
    const kept = except && keyOf(except);
    await this.#generations.endAll(subject, kept, this.#writeOptions(options));
    return true;
  }

  /**
   * Implements PAGI's `get`: resolves to the data, with its reserved keys, of a session that was
   * encrypted without a name.
   */
  async get(presented: string): Promise<SessionHash | undefined> {
    if (this.#revocations === undefined) return await this.#format.decryptPlain(presented);
    const session = await this.#format.decrypt(presented, Infinity);
    const opened = session && await this.#unlessRevoked(session, neverAborted());
    return opened === undefined || opened.replacedAt !== undefined
      ? undefined
      : toPlainData(opened);
  }

  /**
   * Implements PAGI's `set`: encrypts the data, without a name, for 400 days. Resolves to the
   * value.
   *
   * @throws {SessionError} `ERR_SESSION_TOO_LARGE` if the data does not fit into a cookie,
   * `ERR_SESSION_INTERRUPTED` if the session has ended.
   */
  async set(id: string, data: SessionHash): Promise<string> {
    this.#checkId(id);
    if (!isValid(id, await this.#findRevocation(id, neverAborted()))) {
      throw new SessionError("ERR_SESSION_INTERRUPTED", "Cannot save the session: it has ended");
    }
    const subject = isSubject(data._subject) ? data._subject : undefined;
    const generation = await this.#nextGeneration(id, subject, undefined, neverAborted());
    return await this.#format.encryptPlain(id, data, generation!);
  }

  /**
   * Implements PAGI's `delete`: ends the session of an ID, or of a value without a name. Does
   * nothing without `revocations`.
   */
  async delete(idOrPresented: string): Promise<void> {
    if (this.#revocations === undefined) return;
    const id = isId(idOrPresented)
      ? idOrPresented
      : (await this.#format.decryptPlain(idOrPresented))?._id;
    if (typeof id === "string") await this.end(id, neverAborted());
  }

  /** Has the event `cookie-nearly-full` reported, once. */
  reportTo(report: (event: StoreEvent) => void): void {
    this.#report = report;
  }

  #reportSize(size: number, maxSize: number, text: string): void {
    if (size <= NEARLY_FULL * maxSize || this.#report === undefined) return;
    this.#report({
      type: "cookie-nearly-full",
      message: `A session takes ${size} of the ${maxSize} bytes that its cookies hold${
        largestKey(text)
      }. A session that takes more is not saved. Keep large data in a store on the server`,
    });
    this.#report = undefined;
  }

  #unlessRevoked(
    session: CookieSession,
    options: OpenOptions,
  ): Awaitable<OpenedRecord | undefined> {
    const { id, text, lastAccess, lifetime, generation } = session;
    const toOpened = (found: Revocation | undefined, key?: string): OpenedRecord | undefined => {
      if (found?.isEnded) return undefined;
      const version = key === undefined ? String(lifetime) : `${lifetime} ${key} ${generation}`;
      const opened = { id, text, version, lastAccess };
      return isValid(id, found) ? opened : { ...opened, replacedAt: found!.lastAccess };
    };
    const subject = this.#generations && subjectOf(text);
    if (subject === undefined || !isId(id)) {
      return after(this.#findRevocation(id, options), (found) => toOpened(found));
    }
    return this.#unlessAllEnded(session, subject, options, toOpened);
  }

  /** Looks up the session and its subject at the same time. */
  async #unlessAllEnded(
    { id, generation }: CookieSession,
    subject: string,
    options: OpenOptions,
    toOpened: (found: Revocation | undefined, key: string) => OpenedRecord | undefined,
  ): Promise<OpenedRecord | undefined> {
    const hashed = this.#generations!.keyOf(subject);
    const key = isPromise(hashed) ? await hashed : hashed;
    const [found, isActive] = await Promise.all([
      this.#findRevocation(id, options),
      this.#isOfGeneration(id, { key, generation }, options),
    ]);
    return isActive ? toOpened(found, key) : undefined;
  }

  async #isOfGeneration(
    id: string,
    { key, generation }: SubjectState,
    options: StoreCallOptions,
    maxAge?: number,
  ): Promise<boolean> {
    return await this.#generations!.isValid(key, keyOf(id), generation, options, maxAge);
  }

  /**
   * The generation of the session's next value; `undefined` if the session has been ended with all
   * others of its subject.
   *
   * @param opened The content of the session's last version; `undefined` for the first value of an ID.
   */
  async #nextGeneration(
    id: string,
    subject: string | undefined,
    opened: OpenedVersion | undefined,
    options: StoreCallOptions,
  ): Promise<string | undefined> {
    const generations = this.#generations;
    if (generations === undefined || subject === undefined) return FIRST;
    const key = await generations.keyOf(subject);
    const known = opened?.subject;
    if (known?.key !== key) return await generations.next(key, keyOf(id), options);
    const isActive = await this.#isOfGeneration(id, known, options, MAX_AGE_TO_SEAL);
    return isActive ? known.generation : undefined;
  }

  /**
   * When a record may be removed: no value of the session is valid any more. Values from before
   * another lifetime was set may be valid for longer than those after.
   */
  #writeOptions({ version, ttl = 0, lastAccess, signal }: EndOptions): WriteOptions {
    // Newer values of the session may exist, and their lifetime starts later. So `ttl` counts from
    // now.
    return {
      ttl: Math.min(Math.max(ttl, decodeVersion(version).lifetime), MAX_COOKIE_AGE),
      lastAccess: lastAccess ?? Math.floor(this.#now() / 1000),
      signal,
    };
  }

  #findRevocation(
    id: unknown,
    options: StoreCallOptions,
    maxAge?: number,
  ): Awaitable<Revocation | undefined> {
    if (this.#revocations === undefined) return undefined;
    // The value was encrypted without `revocations`, under an ID that cannot be revoked.
    if (typeof id !== "string" || !isId(id)) return REVOKED;
    return this.#revocations.find(id, options, maxAge);
  }

  #checkId(id: string): void {
    if (this.#revocations === undefined || isId(id)) return;
    throw new TypeError("Cannot seal the session: with revocations its id must be 64 hex digits");
  }
}

/** The subject of the session in `text`. */
function subjectOf(text: string): string | undefined {
  const start = findJson(text);
  return start < 0 ? undefined : decodeSession(text.slice(start))?._subject as string | undefined;
}

/** The content of a version that `#unlessRevoked` has made. */
function decodeVersion(version = ""): OpenedVersion {
  const [lifetime, key, generation] = version.split(" ");
  return {
    lifetime: Number(lifetime) || Infinity,
    subject: key === undefined ? undefined : { key, generation: generation! },
  };
}

function check(options: CookieStoreOptions): void {
  const { purpose, format, revocations, revocationCache, now } = options;
  if (purpose !== undefined && typeof purpose !== "string") {
    throw optionError(OWNER, "purpose must be a string");
  }
  if (format !== undefined && format !== "pagi") throw optionError(OWNER, 'format must be "pagi"');
  if (revocations !== undefined && !hasMethods(revocations, REVOCATION_METHODS)) {
    throw optionError(OWNER, "revocations must be a VersionedStore");
  }
  if (revocationCache !== undefined) {
    checkSeconds(OWNER, "revocationCache", revocationCache);
    if (revocations === undefined) throw optionError(OWNER, "revocationCache needs revocations");
  }
  if (format === "pagi" && purpose !== undefined) {
    throw optionError(OWNER, 'format "pagi" cannot bind a purpose');
  }
  if (format === "pagi" && revocations !== undefined) {
    throw optionError(OWNER, 'with format "pagi" the other side would not ask revocations');
  }
  if (now !== undefined && typeof now !== "function") {
    throw optionError(OWNER, "now must be a function");
  }
}
