/**
 * {@linkcode CookieState}: the session's id in a cookie, for browsers.
 *
 * @module
 */
import { checkNumber, checkOptions } from "../base/check_options.ts";
import type { HeaderPair, Scope } from "../pagi.ts";
import { cookieValue } from "./_cookie_header.ts";
import { headerValue } from "./_headers.ts";
import { type CookieOptions, CookieTemplate } from "./_set_cookie.ts";
import { type InjectOptions, State } from "./state.ts";

export type { CookieOptions };

/** The cookie's name where none is given, PAGI's. */
const DEFAULT_NAME = "pagi_session";
/** How long the cookie is kept where neither the State nor the middleware says so, in seconds. */
const DEFAULT_EXPIRE = 3600;

/** Options of {@linkcode CookieState}. */
export interface CookieStateOptions {
  /**
   * The cookie's name, a token of RFC 9110.
   *
   * @default {"pagi_session"}
   */
  cookieName?: string;
  /** The cookie's attributes, merged over the defaults. */
  cookieOptions?: CookieOptions;
  /**
   * Seconds that the browser keeps the cookie.
   *
   * @default {the middleware's `expire`}
   */
  expire?: number;
}

/**
 * Carries the session's id in a cookie: PAGI's `State::Cookie`. Names and attributes follow the
 * strict grammar of RFC 6265bis, section 4.1; what cannot be sent throws here.
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
  /** The header that carries the id: `Cookie`. */
  override readonly vary: readonly string[] = ["Cookie"];
  /** The cookie's name. */
  override readonly name: string;
  readonly #cookie: CookieTemplate;
  readonly #expire: number | undefined;

  /**
   * Checks the options.
   *
   * @throws {TypeError} When the name or an attribute could not be sent, or a prefix's or
   * attribute's conditions are not met.
   * @throws {RangeError} When `expire` or `maxAge` is not a duration.
   */
  constructor(options: CookieStateOptions = {}) {
    super();
    checkOptions("CookieState", options, ["cookieName", "cookieOptions", "expire"]);
    const { cookieName = DEFAULT_NAME, cookieOptions = {}, expire } = options;
    if (expire !== undefined) checkNumber("CookieState", "expire", expire, "seconds");
    this.#cookie = new CookieTemplate(cookieName, cookieOptions);
    this.name = cookieName;
    this.#expire = expire;
  }

  /** Finds the cookie's value; several, in the order sent, when the client has several of the name. */
  override extract(scope: Scope): string | readonly string[] | undefined {
    // One header or several, it is one list (RFC 9113, section 8.2.3).
    const header = headerValue(scope, "cookie", ";");
    if (header === undefined) return undefined;
    return cookieValue(header, this.name);
  }

  /**
   * Adds the Set-Cookie that hands `id` to the client.
   *
   * @throws {TypeError} When `id` has characters that a cookie cannot carry.
   * @throws {SessionError} `ERR_SESSION_TOO_LARGE` when name and value take more than 4096 bytes.
   */
  override inject(headers: HeaderPair[], id: string, options: InjectOptions = {}): void {
    const expire = this.#expire ?? options.expire ?? DEFAULT_EXPIRE;
    headers.push(["set-cookie", this.#cookie.set(id, expire)]);
  }

  /** Adds the Set-Cookie that removes the cookie. */
  override clear(headers: HeaderPair[]): void {
    headers.push(["set-cookie", this.#cookie.clear()]);
  }
}
