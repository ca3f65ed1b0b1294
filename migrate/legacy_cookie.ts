/**
 * The cookies of other session libraries: {@linkcode LegacyCookie}, and {@linkcode ConnectCookie} for
 * the signed ones of express-session. They are read and cleared, never set.
 *
 * @module
 */
import type { Awaitable } from "../base/awaitable.ts";
import { checkOptions } from "../base/check_options.ts";
import type { HeaderPair, Scope } from "../pagi.ts";
import { MAX_CANDIDATES } from "../base/limits.ts";
import { Signatures } from "./connect_signature.ts";
import { cookieValue } from "../state/_cookie_header.ts";
import { headerValue } from "../state/_headers.ts";
import { CookieTemplate } from "../state/_set_cookie.ts";
import type { CookieOptions } from "../state/state.ts";

/** Options of {@linkcode LegacyCookie}. */
export interface LegacyCookieOptions {
  /** The cookie's name. */
  cookieName: string;
  /** The attributes that it was set with, so that clearing it removes it; merged over the defaults. */
  cookieOptions?: CookieOptions;
  /**
   * What stands for the session in the cookie's percent-decoded value. A value for which it gives
   * undefined, or throws, is nobody's.
   *
   * @default {the value itself}
   */
  decode?: (value: string) => Awaitable<string | undefined>;
}

const NONE: readonly string[] = [];

/**
 * The cookie of the session library that was there before, for a `MigratingState`.
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
  /** `Cookie`. */
  readonly vary: readonly string[] = ["Cookie"];
  /** The cookie's name. */
  readonly name: string;
  readonly #cookie: CookieTemplate;
  readonly #decode: LegacyCookieOptions["decode"];

  /**
   * Checks the options.
   *
   * @throws {TypeError} When an option is unknown or of the wrong kind, or the cookie could not exist.
   */
  constructor(options: LegacyCookieOptions) {
    checkOptions("LegacyCookie", options, ["cookieName", "cookieOptions", "decode"]);
    const { cookieName, cookieOptions = {}, decode } = options;
    if (decode !== undefined && typeof decode !== "function") {
      throw new TypeError("Cannot make LegacyCookie: decode must be a function");
    }
    this.#cookie = new CookieTemplate(cookieName, cookieOptions);
    this.name = cookieName;
    this.#decode = decode;
  }

  /** What stands for the session in the client's cookie; of up to four cookies of the name, each. */
  extract(scope: Scope): Awaitable<readonly string[]> {
    const header = headerValue(scope, "cookie", ";");
    const found = header === undefined ? undefined : cookieValue(header, this.name);
    if (found === undefined) return NONE;
    const values = typeof found === "string" ? [found] : [...new Set(found)];
    return values.length > MAX_CANDIDATES ? NONE : this.#decodeAll(values);
  }

  /** Adds the Set-Cookie that removes the cookie. */
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
      // What a client sends never throws.
      return undefined;
    }
  }
}

/** Options of {@linkcode ConnectCookie}. */
export interface ConnectCookieOptions {
  /**
   * The cookie's name, express-session's `name`.
   *
   * @default {"connect.sid"}
   */
  cookieName?: string;
  /** The attributes that it was set with, express-session's `cookie`; merged over the defaults. */
  cookieOptions?: CookieOptions;
  /** What the cookie is signed with, express-session's `secret`; of several, any will do. */
  secret: string | readonly string[];
}

/**
 * The signed cookie of express-session and what else is made for Connect: `s:`, the session's id, a dot and
 * its HMAC-SHA-256. One that is not signed, or not by any of the secrets, is nobody's.
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
   * Checks the options.
   *
   * @throws {TypeError} When an option is unknown or of the wrong kind, or the cookie could not exist.
   */
  constructor(options: ConnectCookieOptions) {
    checkOptions("ConnectCookie", options, ["cookieName", "cookieOptions", "secret"]);
    const { cookieName = "connect.sid", cookieOptions, secret } = options;
    const signatures = new Signatures(secret);
    super({ cookieName, cookieOptions, decode: (value) => signatures.open(value) });
  }
}
