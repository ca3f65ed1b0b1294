/**
 * Writes Set-Cookie in the strict grammar of RFC 6265bis, section 4.1.1. The constructor checks the
 * name and every attribute once, so that no option can inject anything into the header.
 */
import { checkOptions, checkSeconds, optionError } from "../base/check_options.ts";
import { MAX_COOKIE_AGE, MAX_COOKIE_BYTES } from "../base/limits.ts";
import { SessionError } from "../errors.ts";
import { isToken } from "./_headers.ts";
import type { CookieOptions } from "./state.ts";

/** Browsers ignore an attribute whose value takes more bytes (RFC 6265bis, section 5.6). */
const MAX_ATTRIBUTE_BYTES = 1024;

// A path as it appears in URLs: browsers compare it with the request's percent-encoded path,
// without decoding either.
const PATH = /^\/[!$-:=@-[\]_a-z~]*$/;
const DOMAIN = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i;
// The characters that RFC 6265bis allows in a value (cookie-octet).
const COOKIE_VALUE = /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*$/;

const DEFAULTS: CookieOptions = { httpOnly: true, path: "/", sameSite: "Lax" };

type Rule = readonly [isAllowed: (value: unknown) => boolean, expected: string];

const flag: Rule = [(value) => value === true, "true"];
const oneOf = (...values: string[]): Rule => [
  (value) => values.includes(value as string),
  values.map((value) => `"${value}"`).join(", "),
];
const matches = (value: unknown, pattern: RegExp): value is string =>
  typeof value === "string" && value.length <= MAX_ATTRIBUTE_BYTES && pattern.test(value);

/** The values that each attribute accepts, besides `false`. */
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

/** Checks that a URL accepts the host: "a.1" looks like a name, but URLs parse it as an address. */
function isHost(domain: string): boolean {
  try {
    return new URL(`https://${domain}`).hostname === domain.toLowerCase();
  } catch {
    return false;
  }
}

/** A cookie with a checked name and checked attributes, still without a value. */
export class CookieTemplate {
  readonly name: string;
  readonly #attributes: string;
  readonly #maxAge: number | false | undefined;

  constructor(name: string, options: CookieOptions) {
    if (!isToken(name)) {
      throw optionError("the cookie", "cookieName must be a token (RFC 9110, 5.6.2)");
    }
    checkOptions("the cookie", options, Object.keys(RULES));
    // `undefined` means the default. Spread as it is, it would remove HttpOnly.
    const given = Object.entries(options).filter(([, value]) => value !== undefined);
    const checked: CookieOptions = { ...DEFAULTS, ...Object.fromEntries(given) };
    checkAttributes(checked);
    checkPrefix(name, checked);
    this.name = name;
    this.#attributes = attributesOf(checked);
    this.#maxAge = checked.maxAge;
  }

  /**
   * Returns the Set-Cookie value that stores `value` in the browser for `expire` seconds.
   *
   * @param isPersistent Whether there is a Max-Age, if the options do not decide.
   */
  set(value: string, expire: number, isPersistent?: boolean): string {
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
    const own = isPersistent === undefined ? this.#maxAge : isPersistent && undefined;
    const maxAge = own ?? Math.min(Math.ceil(expire), MAX_COOKIE_AGE);
    const age = maxAge === false ? "" : `; Max-Age=${maxAge}`;
    return `${this.name}=${value}${this.#attributes}${age}`;
  }

  /**
   * Returns the Set-Cookie value that removes the cookie. It repeats every attribute, because
   * browsers ignore a removal that does not match the stored cookie.
   */
  clear(): string {
    return `${this.name}=${this.#attributes}; Max-Age=0`;
  }
}

function checkAttributes(options: CookieOptions): void {
  for (const [name, [isAllowed, expected]] of Object.entries(RULES)) {
    const value = options[name as keyof CookieOptions];
    if (value === undefined || value === false || isAllowed(value)) continue;
    throw optionError("the cookie", `${name} must be ${expected} or false`);
  }
  const { maxAge } = options;
  if (typeof maxAge === "number" && !(Number.isSafeInteger(maxAge) && maxAge > 0)) {
    throw optionError("the cookie", "maxAge must be whole seconds above 0, or false", RangeError);
  }
  if (typeof maxAge === "number") checkSeconds("the cookie", "maxAge", maxAge);
  if (options.sameSite === "None" && !options.secure) {
    throw optionError("the cookie", 'sameSite "None" needs secure: true');
  }
  if (options.partitioned && !options.secure) {
    throw optionError("the cookie", "partitioned needs secure: true");
  }
}

/** Checks the conditions of RFC 6265bis, section 4.1.3. Browsers ignore the case of a prefix. */
function checkPrefix(name: string, options: CookieOptions): void {
  const lower = name.toLowerCase();
  const host = lower.startsWith("__host-");
  const http = lower.startsWith("__http-") || lower.startsWith("__host-http-");
  if ((host || http || lower.startsWith("__secure-")) && !options.secure) {
    throw optionError("the cookie", "its name's prefix needs secure: true");
  }
  if (http && !options.httpOnly) {
    throw optionError("the cookie", "its name's prefix needs httpOnly: true");
  }
  if (host && ((options.path || "/") !== "/" || options.domain)) {
    throw optionError("the cookie", 'the prefix __Host- needs path "/" and no domain');
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
