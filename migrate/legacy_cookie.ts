/**
 * The cookies of other session libraries: {@linkcode LegacyCookie}, and {@linkcode ConnectCookie}
 * for the signed cookies of express-session. They are read and cleared, never set.
 *
 * @module
 */
import type { Awaitable } from "../base/awaitable.ts";
import { checkOptions, optionError } from "../base/check_options.ts";
import type { HeaderPair, Scope } from "../pagi.ts";
import { MAX_CANDIDATES } from "../base/limits.ts";
import { Signatures } from "./connect_signature.ts";
import { cookieValue } from "../state/_cookie_header.ts";
import { headerValue } from "../state/_headers.ts";
import { CookieTemplate } from "../state/_set_cookie.ts";
import type { CookieOptions } from "../state/state.ts";

/** Options of {@linkcode LegacyCookie}. */
export interface LegacyCookieOptions {
  /** Names the cookie. */
  cookieName: string;
  /**
   * Sets the attributes that the cookie was set with, merged over the defaults. Browsers clear a
   * cookie only if the attributes match.
   */
  cookieOptions?: CookieOptions;
  /**
   * Converts the percent-decoded value of the cookie to the value that identifies the session. A
   * cookie for which it returns `undefined` or throws is ignored.
   *
   * @default {the value itself}
   */
  decode?: (value: string) => Awaitable<string | undefined>;
}

const NONE: readonly string[] = [];

/**
 * The cookie of your previous session library, for a `MigratingState`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { LegacyCookie } from "@pagi/session/migrate";
 *
 * const cookie = new LegacyCookie({ cookieName: "session" });
 * const scope = { type: "http", headers: [["cookie", "a=1; session=1b%2F2"]] as [string, string][] };
 * assertEquals(await cookie.extract(scope), ["1b/2"]);
 * ```
 */
export class LegacyCookie {
  /** The header that the State reads: `Cookie`. */
  readonly vary: readonly string[] = ["Cookie"];
  /** The cookie's name. */
  readonly name: string;
  readonly #cookie: CookieTemplate;
  readonly #decode: LegacyCookieOptions["decode"];

  /**
   * Validates the options.
   *
   * @throws {TypeError} If an option is unknown or of the wrong type, or browsers would reject the
   * cookie.
   */
  constructor(options: LegacyCookieOptions) {
    checkOptions("LegacyCookie", options, ["cookieName", "cookieOptions", "decode"]);
    const { cookieName, cookieOptions = {}, decode } = options;
    if (decode !== undefined && typeof decode !== "function") {
      throw optionError("LegacyCookie", "decode must be a function");
    }
    this.#cookie = new CookieTemplate(cookieName, cookieOptions);
    this.name = cookieName;
    this.#decode = decode;
  }

  /** Returns the values that identify sessions, from up to four cookies of the name. */
  extract(scope: Scope): Awaitable<readonly string[]> {
    const header = headerValue(scope, "cookie", ";");
    const found = header === undefined ? undefined : cookieValue(header, this.name);
    if (found === undefined) return NONE;
    const values = typeof found === "string" ? [found] : [...new Set(found)];
    return values.length > MAX_CANDIDATES ? NONE : this.#decodeAll(values);
  }

  /** Adds a `Set-Cookie` header that removes the cookie. */
  clear(headers: HeaderPair[]): void {
    headers.push(["set-cookie", this.#cookie.clear()]);
  }

  async #decodeAll(values: readonly string[]): Promise<string[]> {
    const decoded = new Set<string>();
    for (const value of values) {
      const one = await this.#decodeOne(value);
      if (typeof one === "string" && one !== "") decoded.add(one);
    }
    return [...decoded];
  }

  async #decodeOne(value: string): Promise<string | undefined> {
    try {
      const text = decodeURIComponent(value);
      return this.#decode === undefined ? text : await this.#decode(text);
    } catch {
      // Client input never throws.
      return undefined;
    }
  }
}

/** Options of {@linkcode ConnectCookie}. */
export interface ConnectCookieOptions {
  /**
   * Names the cookie, as `name` of express-session does.
   *
   * @default {"connect.sid"}
   */
  cookieName?: string;
  /**
   * Sets the attributes that the cookie was set with, express-session's `cookie`, merged over the
   * defaults.
   */
  cookieOptions?: CookieOptions;
  /**
   * Sets the secrets of express-session's `secret`. A cookie signed with any of them is accepted.
   */
  secret: string | readonly string[];
}

/**
 * The signed cookie of express-session and of other middleware for Connect: `s:`, the session ID, a
 * dot and the HMAC-SHA-256 of the ID. A cookie that is not signed with one of the secrets is
 * ignored.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { ConnectCookie } from "@pagi/session/migrate";
 *
 * const cookie = new ConnectCookie({ secret: ["new one", "keyboard cat"] });
 * const signed = "s%3Aabc.BpxCrWRpvZMh%2Fwk%2Fdjl34N%2Bm%2BVQEU7K%2F5WenLwJCgFU";
 * const scope = (value: string) => ({
 *   type: "http",
 *   headers: [["cookie", `connect.sid=${value}`]] as [string, string][],
 * });
 * assertEquals(await cookie.extract(scope(signed)), ["abc"]);
 * assertEquals(await cookie.extract(scope("abc")), []);
 * ```
 */
export class ConnectCookie extends LegacyCookie {
  /**
   * Validates the options.
   *
   * @throws {TypeError} If an option is unknown or of the wrong type, or browsers would reject the
   * cookie.
   */
  constructor(options: ConnectCookieOptions) {
    checkOptions("ConnectCookie", options, ["cookieName", "cookieOptions", "secret"]);
    const { cookieName = "connect.sid", cookieOptions, secret } = options;
    const signatures = new Signatures(secret);
    super({ cookieName, cookieOptions, decode: (value) => signatures.verify(value) });
  }
}
