/**
 * {@linkcode CookieState}: the session ID in a cookie, for browsers.
 *
 * @module
 */
import { checkOptions, checkSeconds } from "../base/check_options.ts";
import { DEFAULT_EXPIRE } from "../base/limits.ts";
import type { HeaderPair, Scope } from "../pagi.ts";
import { cookieValue } from "./_cookie_header.ts";
import { headerValue } from "./_headers.ts";
import { CookieTemplate } from "./_set_cookie.ts";
import { type CookieOptions, type InjectOptions, State } from "./state.ts";

export type { CookieOptions };

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
}

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
  readonly #cookie: CookieTemplate;
  readonly #expire: number | undefined;

  /**
   * Validates the options.
   *
   * @throws {TypeError} If the name or an attribute is invalid, or if an attribute is missing that
   * a name prefix or another attribute needs.
   * @throws {RangeError} If `expire` or `maxAge` is not a valid number of seconds.
   */
  constructor(options: CookieStateOptions = {}) {
    super();
    checkOptions("CookieState", options, ["cookieName", "cookieOptions", "expire"]);
    const { cookieName = DEFAULT_NAME, cookieOptions = {}, expire } = options;
    if (expire !== undefined) checkSeconds("CookieState", "expire", expire);
    this.#cookie = new CookieTemplate(cookieName, cookieOptions);
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
    return cookieValue(header, this.name);
  }

  /**
   * Adds the Set-Cookie that sends `id` to the client.
   *
   * @throws {TypeError} If `id` has characters that are not allowed in a cookie.
   * @throws {SessionError} `ERR_SESSION_TOO_LARGE` if name and value take more than 4096 bytes.
   */
  override inject(headers: HeaderPair[], id: string, options: InjectOptions = {}): void {
    const { expire = DEFAULT_EXPIRE, persistent } = options;
    const seconds = persistent ? expire : this.#expire ?? expire;
    headers.push(["set-cookie", this.#cookie.set(id, seconds, persistent)]);
  }

  /** Adds the Set-Cookie that removes the cookie. */
  override clear(headers: HeaderPair[]): void {
    headers.push(["set-cookie", this.#cookie.clear()]);
  }
}
