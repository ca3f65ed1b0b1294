/**
 * {@linkcode CookieState}: the session ID in a cookie, for browsers.
 *
 * @module
 */
import { checkOptions, checkSeconds, optionError } from "../base/check_options.ts";
import { DEFAULT_EXPIRE, MAX_COOKIE_BYTES } from "../base/limits.ts";
import type { HeaderPair, Scope } from "../pagi.ts";
import { assemble, capacityOf, chunkName, MAX_CHUNKS, split } from "./_chunks.ts";
import { cookieValue } from "./_cookie_header.ts";
import { headerValue } from "./_headers.ts";
import { CookieTemplate } from "./_set_cookie.ts";
import { type CookieOptions, type InjectOptions, State } from "./state.ts";

export type { CookieOptions };

const KNOWN = ["cookieName", "cookieOptions", "expire", "chunks", "maxBytes"];
/** The default name of the cookie: PAGI's. */
const DEFAULT_NAME = "pagi_session";

/** Options of {@linkcode CookieState}. */
export interface CookieStateOptions {
  /**
   * Names the cookie. The name must be a token of RFC 9110.
   *
   * @default {"pagi_session"}
   */
  cookieName?: string;
  /** Sets the cookie's attributes. They are merged over the defaults. */
  cookieOptions?: CookieOptions;
  /**
   * Sets how long the browser keeps the cookie, in seconds.
   *
   * @default {the middleware's `expire`}
   */
  expire?: number;
  /**
   * Spreads a value that is too long for one cookie over up to so many cookies, 2 to 9. Use it with
   * a `CookieStore` whose sessions exceed one cookie. Servers and proxies limit the size of
   * headers: see `docs/how-to/large-cookies.md`.
   *
   * @default {undefined, one cookie}
   */
  chunks?: number;
  /**
   * Limits the names and values of all chunks together, in bytes. Raise it only if every server and
   * proxy accepts such headers. Needs `chunks`.
   *
   * @default {7500}
   */
  maxBytes?: number;
}

/** A header line of 8 KiB passes the defaults of common servers, with room for other cookies. */
const DEFAULT_MAX_BYTES = 7500;

/**
 * Carries the session ID in a cookie: PAGI's `State::Cookie`. The name and the attributes must
 * follow the strict grammar of RFC 6265bis, section 4.1. Invalid ones throw in the constructor.
 *
 * @example A cookie that only this host can set
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { CookieState } from "@pagi/session/state/cookie";
 * import type { HeaderPair } from "@pagi/session/pagi";
 *
 * const state = new CookieState({ cookieName: "__Host-sid", cookieOptions: { secure: true } });
 * const headers: HeaderPair[] = [];
 * state.inject(headers, "abc", { expire: 900 });
 * assertEquals(headers, [[
 *   "set-cookie",
 *   "__Host-sid=abc; Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age=900",
 * ]]);
 * assertEquals(state.extract({ type: "http", headers: [["cookie", "a=1; __Host-sid=abc"]] }), "abc");
 * ```
 */
export class CookieState extends State {
  /** The request header that carries the ID: `Cookie`. */
  override readonly vary: readonly string[] = ["Cookie"];
  /** The cookie's name. */
  override readonly name: string;
  /** How long the browser keeps the cookie, if the options set it. */
  override readonly maxAge?: number | false;
  /** How many characters of a value the cookie, or all chunks, can hold. */
  override readonly maxValueBytes: number;
  /** The cookies of all chunks. */
  readonly #cookies: readonly CookieTemplate[];
  readonly #expire: number | undefined;

  /**
   * Validates the options.
   *
   * @throws {TypeError} If the name or an attribute is invalid, or if an attribute is missing that
   * a name prefix or another attribute needs.
   * @throws {RangeError} If `expire` or `maxAge` is not a valid number of seconds, or `chunks` or
   * `maxBytes` is out of range.
   */
  constructor(options: CookieStateOptions = {}) {
    super();
    checkOptions("CookieState", options, KNOWN);
    const { cookieName = DEFAULT_NAME, cookieOptions = {}, expire, chunks = 1 } = options;
    if (expire !== undefined) checkSeconds("CookieState", "expire", expire);
    checkChunks(options);
    this.#cookies = Array.from(
      { length: chunks },
      (_, at) => new CookieTemplate(chunkName(cookieName, at), cookieOptions),
    );
    const { maxBytes = DEFAULT_MAX_BYTES } = options;
    this.maxValueBytes = capacityOf(cookieName, chunks, maxBytes);
    this.name = cookieName;
    this.#expire = expire;
    this.maxAge = cookieOptions.maxAge ?? expire;
  }

  /**
   * Finds the cookie's value. If the client sent several cookies of the name, finds all in order.
   */
  override extract(scope: Scope): string | readonly string[] | undefined {
    // HTTP/2 clients may split the Cookie header in several (RFC 9113, section 8.2.3).
    const header = headerValue(scope, "cookie", ";");
    if (header === undefined) return undefined;
    const value = cookieValue(header, this.name);
    if (value === undefined || this.#cookies.length === 1) return value;
    const chunksAt = (at: number) => [cookieValue(header, chunkName(this.name, at)) ?? []].flat();
    const found = assemble([value].flat(), chunksAt);
    return found.length === 1 ? found[0] : found;
  }

  /**
   * Adds the Set-Cookie that sends `id` to the client.
   *
   * @throws {TypeError} If `id` has characters that are not allowed in a cookie.
   * @throws {SessionError} `ERR_SESSION_TOO_LARGE` if name and value take more than 4096 bytes, or
   * more than all chunks hold.
   */
  override inject(headers: HeaderPair[], id: string, options: InjectOptions = {}): void {
    const { expire = DEFAULT_EXPIRE, persistent } = options;
    const seconds = persistent ? expire : this.#expire ?? expire;
    // A value that is too long is refused as one cookie.
    const values = id.length > this.maxValueBytes ? [id] : split(this.name, id);
    for (const [at, value] of values.entries()) {
      headers.push(["set-cookie", this.#cookies[at]!.set(value, seconds, persistent)]);
    }
    this.#clearFrom(values.length, headers, options.scope);
  }

  /** Adds the Set-Cookie that removes the cookie. */
  override clear(headers: HeaderPair[]): void {
    for (const cookie of this.#cookies) headers.push(["set-cookie", cookie.clear()]);
  }

  /** Removes the chunks of an earlier, longer value that the client has sent. */
  #clearFrom(count: number, headers: HeaderPair[], scope: Scope | undefined): void {
    const sent = scope && (headerValue(scope, "cookie", ";") ?? "");
    for (const cookie of this.#cookies.slice(count)) {
      if (sent !== undefined && cookieValue(sent, cookie.name) === undefined) continue;
      headers.push(["set-cookie", cookie.clear()]);
    }
  }
}

function checkChunks({ chunks, maxBytes }: CookieStateOptions): void {
  const isInRange = (value: number, least: number, most: number) =>
    Number.isInteger(value) && value >= least && value <= most;
  if (chunks !== undefined && !isInRange(chunks, 2, MAX_CHUNKS)) {
    throw optionError("CookieState", `chunks must be 2 to ${MAX_CHUNKS}`, RangeError);
  }
  if (maxBytes === undefined) return;
  if (chunks === undefined) throw optionError("CookieState", "maxBytes needs chunks");
  const most = chunks * MAX_COOKIE_BYTES;
  if (!isInRange(maxBytes, MAX_COOKIE_BYTES, most)) {
    throw optionError(
      "CookieState",
      `maxBytes must be ${MAX_COOKIE_BYTES} to ${most}, the bytes of ${chunks} cookies`,
      RangeError,
    );
  }
}
