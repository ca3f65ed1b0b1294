/**
 * Writing Set-Cookie by the strict grammar of RFC 6265bis, section 4.1.1: every attribute is
 * checked once, when the options are read, so that what is sent can hold nothing foreign.
 */
import { checkOptions } from "../base/check_options.ts";
import { SessionError } from "../errors.ts";
import { isToken } from "./_headers.ts";

/** The attributes of the session cookie. `false` removes one. */
export interface CookieOptions {
  /**
   * Keeps scripts from reading the cookie.
   *
   * @default {true}
   */
  httpOnly?: boolean;
  /**
   * The path below which the cookie is sent, as it stands in URLs. `false` means `/`.
   *
   * @default {"/"}
   */
  path?: string | false;
  /**
   * When the cookie goes along on requests from other sites.
   *
   * @default {"Lax"}
   */
  sameSite?: "Strict" | "Lax" | "None" | false;
  /**
   * Sends the cookie over HTTPS alone. Turn it on in production.
   *
   * @default {false}
   */
  secure?: boolean;
  /**
   * The domain whose subdomains get the cookie too.
   *
   * @default {false, this host alone}
   */
  domain?: string | false;
  /**
   * A cookie jar of its own under each top-level site (CHIPS); needs `secure`.
   *
   * @default {false}
   */
  partitioned?: boolean;
  /**
   * Which cookies Chromium drops last.
   *
   * @default {false}
   */
  priority?: "Low" | "Medium" | "High" | false;
  /**
   * Seconds that the browser keeps the cookie; `false` until it is closed.
   *
   * @default {expire}
   */
  maxAge?: number | false;
}

/** Browsers refuse a cookie whose name and value take more bytes (RFC 6265bis, section 5.6). */
const MAX_COOKIE_BYTES = 4096;
/** Browsers ignore an attribute whose value takes more bytes (RFC 6265bis, section 5.6). */
const MAX_ATTRIBUTE_BYTES = 1024;

/** Browsers keep no cookie for longer: 400 days, in seconds (RFC 6265bis, section 5.5). */
const MAX_AGE = 400 * 86_400;

// As a URL has it: browsers send a request's path with a space as "%20", and compare letter by letter.
const PATH = /^\/[!$-:=@-[\]_a-z~]*$/;
const DOMAIN = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i;
// RFC 6265bis's cookie-octet.
const COOKIE_VALUE = /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*$/;

const DEFAULTS: CookieOptions = { httpOnly: true, path: "/", sameSite: "Lax" };

type Rule = readonly [holds: (value: unknown) => boolean, expected: string];

const flag: Rule = [(value) => value === true, "true"];
const oneOf = (...values: string[]): Rule => [
  (value) => values.includes(value as string),
  values.map((value) => `"${value}"`).join(", "),
];
const matches = (value: unknown, pattern: RegExp): value is string =>
  typeof value === "string" && value.length <= MAX_ATTRIBUTE_BYTES && pattern.test(value);

/** What each attribute may be, `false` aside. */
const RULES: Record<keyof CookieOptions, Rule> = {
  httpOnly: flag,
  path: [
    (value) => matches(value, PATH),
    'a path that starts with "/", as it stands in URLs,',
  ],
  sameSite: oneOf("Strict", "Lax", "None"),
  secure: flag,
  domain: [
    (value) => matches(value, DOMAIN) && isHost(value),
    "a host name without a leading dot",
  ],
  partitioned: flag,
  priority: oneOf("Low", "Medium", "High"),
  maxAge: [(value) => typeof value === "number", "a number"],
};

/** Whether a URL can have this host: "a.1" is no address, and as a name it ends in a number. */
function isHost(domain: string): boolean {
  try {
    return new URL(`https://${domain}`).hostname === domain.toLowerCase();
  } catch {
    return false;
  }
}

/** A cookie whose name and attributes have been checked. */
export class CookieTemplate {
  readonly name: string;
  readonly #attributes: string;
  readonly #maxAge: number | false | undefined;

  constructor(name: string, options: CookieOptions) {
    if (!isToken(name)) {
      throw new TypeError("Cannot make the cookie: cookieName must be a token (RFC 9110, 5.6.2)");
    }
    checkOptions("the cookie", options, Object.keys(RULES));
    // Undefined means the default: a plain spread would let it remove HttpOnly.
    const given = Object.entries(options).filter(([, value]) => value !== undefined);
    const checked: CookieOptions = { ...DEFAULTS, ...Object.fromEntries(given) };
    checkAttributes(checked);
    checkPrefix(name, checked);
    this.name = name;
    this.#attributes = attributesOf(checked);
    this.#maxAge = checked.maxAge;
  }

  /** The Set-Cookie value that gives `value` to the client for `expire` seconds. */
  set(value: string, expire: number): string {
    if (!COOKIE_VALUE.test(value)) {
      throw new TypeError("Cannot set the cookie: the id has characters that no cookie can carry");
    }
    const size = this.name.length + value.length;
    if (size > MAX_COOKIE_BYTES) {
      throw new SessionError(
        "ERR_SESSION_TOO_LARGE",
        `Cannot set the cookie: name and value take ${size} bytes, browsers keep ${MAX_COOKIE_BYTES}`,
      );
    }
    const maxAge = this.#maxAge ?? Math.min(Math.ceil(expire), MAX_AGE);
    const age = maxAge === false ? "" : `; Max-Age=${maxAge}`;
    return `${this.name}=${value}${this.#attributes}${age}`;
  }

  /** The Set-Cookie value that removes the cookie: every attribute again, or browsers keep it. */
  clear(): string {
    return `${this.name}=${this.#attributes}; Max-Age=0`;
  }
}

function checkAttributes(options: CookieOptions): void {
  for (const [name, [holds, expected]] of Object.entries(RULES)) {
    const value = options[name as keyof CookieOptions];
    if (value === undefined || value === false || holds(value)) continue;
    throw new TypeError(`Cannot make the cookie: ${name} must be ${expected} or false`);
  }
  const { maxAge } = options;
  if (typeof maxAge === "number" && !(Number.isSafeInteger(maxAge) && maxAge > 0)) {
    throw new RangeError("Cannot make the cookie: maxAge must be whole seconds above 0, or false");
  }
  if (options.sameSite === "None" && !options.secure) {
    throw new TypeError('Cannot make the cookie: sameSite "None" needs secure: true');
  }
  if (options.partitioned && !options.secure) {
    throw new TypeError("Cannot make the cookie: partitioned needs secure: true");
  }
}

/** RFC 6265bis, section 4.1.3; browsers compare the prefixes without regard to case. */
function checkPrefix(name: string, options: CookieOptions): void {
  const lower = name.toLowerCase();
  const host = lower.startsWith("__host-");
  const http = lower.startsWith("__http-") || lower.startsWith("__host-http-");
  if ((host || http || lower.startsWith("__secure-")) && !options.secure) {
    throw new TypeError("Cannot make the cookie: its name's prefix needs secure: true");
  }
  if (http && !options.httpOnly) {
    throw new TypeError("Cannot make the cookie: its name's prefix needs httpOnly: true");
  }
  if (host && ((options.path || "/") !== "/" || options.domain)) {
    throw new TypeError('Cannot make the cookie: the prefix __Host- needs path "/" and no domain');
  }
}

function attributesOf(options: CookieOptions): string {
  let text = `; Path=${options.path || "/"}`;
  if (options.domain) text += `; Domain=${options.domain}`;
  if (options.httpOnly) text += "; HttpOnly";
  if (options.secure) text += "; Secure";
  if (options.sameSite) text += `; SameSite=${options.sameSite}`;
  if (options.partitioned) text += "; Partitioned";
  if (options.priority) text += `; Priority=${options.priority}`;
  return text;
}
