/** `req.session.cookie`, as express-session documents it, and the Set-Cookie that it becomes. */
import { isObject, kindOf, MAX_SECONDS } from "../../base/check_options.ts";
import type { SessionLifetime } from "../../base/lifetime.ts";
import { MAX_COOKIE_AGE } from "../../base/limits.ts";
import type { HeaderPair } from "../../pagi.ts";
import { CookieState } from "../../state/cookie.ts";
import type { CookieOptions } from "../../state/state.ts";

/** Attributes of a cookie, by the names that express-session gives them. */
export interface CookieOverrides {
  /** The lifetime in milliseconds; `null` until the browser is closed. */
  originalMaxAge?: unknown;
  /** The path below which browsers send the cookie. */
  path?: unknown;
  /** The domain whose hosts receive the cookie. */
  domain?: unknown;
  /** Whether scripts in the page cannot read the cookie. */
  httpOnly?: unknown;
  /** Whether the cookie is for HTTPS only. */
  secure?: unknown;
  /** Which requests from other sites carry the cookie. */
  sameSite?: unknown;
  /** Whether there is a separate cookie under each top-level site. */
  partitioned?: unknown;
  /** Which cookies Chromium deletes last. */
  priority?: unknown;
}

const ATTRIBUTES = [
  "originalMaxAge",
  "path",
  "domain",
  "httpOnly",
  "secure",
  "sameSite",
  "partitioned",
  "priority",
] as const satisfies readonly (keyof CookieOverrides)[];

const SAME_SITE = { strict: "Strict", lax: "Lax", none: "None" } as const;
const PRIORITY = { low: "Low", medium: "Medium", high: "High" } as const;

/** The cookie of one session. Its attributes count for the response of this request and later ones. */
export class SessionCookie {
  /** The path below which browsers send the cookie. */
  path?: string | false = "/";
  /** The domain whose hosts receive the cookie; `undefined` for the host that set it. */
  domain?: string | false;
  /** Whether scripts in the page cannot read the cookie. */
  httpOnly?: boolean = true;
  /** Whether the cookie is for HTTPS only. */
  secure?: boolean;
  /** Which requests from other sites carry the cookie. `true` means `strict`. */
  sameSite?: boolean | string;
  /** Whether there is a separate cookie under each top-level site. */
  partitioned?: boolean;
  /** Which cookies Chromium deletes last: `low`, `medium` or `high`. */
  priority?: string | false;
  /** The lifetime that was set last, in milliseconds; `null` until the browser is closed. */
  originalMaxAge: number | null = null;
  /** When the cookie ends. It is a property, so that a copy of the cookie has it. */
  _expires: Date | null = null;

  /** When the cookie ends; `null` when the browser is closed, which `false` means on assignment. */
  get expires(): Date | null {
    return this._expires;
  }

  set expires(date: Date | string | number | null | undefined | false) {
    // JSON makes a string of a Date.
    this._expires = date instanceof Date ? date : date ? new Date(date) : null;
    this.originalMaxAge = this.maxAge;
  }

  /** How long the cookie still lives, in milliseconds; `null` until the browser is closed. */
  get maxAge(): number | null {
    return this._expires === null ? null : this._expires.getTime() - Date.now();
  }

  /** @throws {TypeError} If it is neither a number nor a Date. */
  set maxAge(ms: number | Date | null | undefined | false) {
    if (ms && typeof ms !== "number" && !(ms instanceof Date)) {
      throw new TypeError("Cannot set cookie.maxAge: it must be a number of milliseconds, or null");
    }
    this.expires = typeof ms === "number" ? new Date(Date.now() + ms) : ms || null;
    if (typeof ms === "number") this.originalMaxAge = ms;
  }

  /** The attributes as a plain object. */
  get data(): CookieOverrides & { expires: Date | null } {
    return { expires: this.expires, ...pick(this) };
  }

  /** Returns the attributes, so that JSON shows them. */
  toJSON(): CookieOverrides & { expires: Date | null } {
    return this.data;
  }

  /** Returns the value of a Set-Cookie header with these attributes. */
  serialize(name: string, value: string): string {
    return setCookie(this, name, encodeURIComponent(value));
  }
}

/** The cookie with which a middleware sends its sessions. */
export interface CookieDefaults {
  /** The cookie's name; `undefined` if the session travels in something else. */
  readonly name: string | undefined;
  readonly attributes: CookieOverrides;
}

/**
 * Learns the attributes of a middleware's cookie from the headers that would send one.
 *
 * @param headersFor Returns the headers that send an ID.
 */
export function learnDefaults(headersFor: (id: string) => readonly HeaderPair[]): CookieDefaults {
  const line = setCookieOf(headersFor("id"));
  if (line === undefined) return { name: undefined, attributes: {} };
  const [pair, ...rest] = line.split(";");
  const given = new Map(rest.map((one): [string, string] => {
    const [name, value = ""] = one.trim().split("=");
    return [name!.toLowerCase(), value];
  }));
  const maxAge = given.get("max-age");
  return {
    name: pair!.slice(0, pair!.indexOf("=")),
    attributes: {
      originalMaxAge: maxAge === undefined ? null : Number(maxAge) * 1000,
      path: given.get("path"),
      domain: given.get("domain"),
      httpOnly: given.has("httponly"),
      secure: given.has("secure"),
      sameSite: given.get("samesite")?.toLowerCase(),
      partitioned: given.has("partitioned"),
      priority: given.get("priority")?.toLowerCase(),
    },
  };
}

/** The value of the Set-Cookie header that sends an ID. */
export function setCookieOf(headers: readonly HeaderPair[]): string | undefined {
  // A cookie without a value removes the one of another library.
  return headers.filter(([name]) => isSetCookie(name)).map(([, value]) => value)
    .findLast((value) => !value.split(";", 1)[0]!.endsWith("="));
}

/** The cookie of a session that has changed these attributes. */
export function cookieOf({ attributes }: CookieDefaults, overrides: unknown): SessionCookie {
  const cookie = new SessionCookie();
  const { originalMaxAge, ...others } = { ...attributes, ...pick(overrides) };
  Object.assign(cookie, others);
  cookie.maxAge = originalMaxAge as number | null;
  return cookie;
}

/**
 * The cookie that the app assigns: a `SessionCookie`, or an object with some of its attributes, such as
 * a copy of one.
 *
 * @throws {TypeError} If it is something else.
 */
export function toCookie(defaults: CookieDefaults, given: unknown): SessionCookie {
  if (given instanceof SessionCookie) return given;
  if (!isObject(given)) {
    throw new TypeError(
      `Cannot assign session.cookie: expected an object of attributes, got ${kindOf(given)}`,
    );
  }
  const cookie = cookieOf(defaults, given);
  const { maxAge, expires = given._expires, originalMaxAge } = given;
  if (maxAge !== undefined) cookie.maxAge = maxAge as number;
  else if (expires !== undefined) {
    cookie.expires = expires as Date;
    // `expires` alone tells only the rest of the lifetime.
    if (typeof originalMaxAge === "number") cookie.originalMaxAge = originalMaxAge;
  }
  return cookie;
}

/**
 * The attributes in which the cookie differs from the default, apart from its lifetime; `undefined` if
 * in none.
 */
export function overridesOf(
  cookie: SessionCookie,
  { attributes }: CookieDefaults,
): CookieOverrides | undefined {
  const { originalMaxAge: _, ...others } = pick(cookie);
  const changed = Object.entries(others).filter(([name, value]) =>
    normalized(value) !== normalized(attributes[name as keyof CookieOverrides])
  );
  return changed.length === 0 ? undefined : Object.fromEntries(changed);
}

/** The lifetime of a session whose cookie lives for these milliseconds. */
export function lifetimeOf(
  maxAge: number | null,
  { absolute }: SessionLifetime = {},
): SessionLifetime {
  if (maxAge === null) return { absolute, persistent: false };
  const seconds = Math.ceil(maxAge / 1000);
  return { absolute, idle: Math.min(Math.max(seconds, 1), MAX_SECONDS), persistent: true };
}

/** Whether a header sets a cookie. */
export function isSetCookie(name: string): boolean {
  return name.toLowerCase() === "set-cookie";
}

/**
 * The value of a Set-Cookie header with the attributes of `cookie`.
 *
 * @throws {TypeError} If browsers would refuse the cookie.
 */
export function setCookie(cookie: SessionCookie, name: string, value: string): string {
  const headers: HeaderPair[] = [];
  stateOf(name, cookie).inject(headers, value);
  const { expires } = cookie;
  if (expires === null) return headers[0]![1];
  const time = new Date(expires).getTime();
  if (Number.isNaN(time)) {
    throw new TypeError("Cannot set the cookie: its expires is not a valid Date");
  }
  const seconds = Math.min(Math.ceil((time - Date.now()) / 1000), MAX_COOKIE_AGE);
  const maxAge = Math.max(seconds, 0);
  const until = seconds < MAX_COOKIE_AGE ? new Date(time) : new Date(Date.now() + seconds * 1000);
  return `${headers[0]![1]}; Max-Age=${maxAge}; Expires=${until.toUTCString()}`;
}

/** The value of a Set-Cookie header that removes a cookie with the attributes of `cookie`. */
export function clearCookie(cookie: SessionCookie, name: string): string {
  const headers: HeaderPair[] = [];
  stateOf(name, cookie).clear(headers);
  return headers[0]![1];
}

/** The last State that was made: most sessions have the same attributes. */
let last: { key: string; state: CookieState } | undefined;

function stateOf(cookieName: string, cookie: SessionCookie): CookieState {
  const cookieOptions = toCookieOptions(cookie);
  const key = JSON.stringify([cookieName, cookieOptions]);
  if (last?.key !== key) last = { key, state: new CookieState({ cookieName, cookieOptions }) };
  return last.state;
}

function toCookieOptions(cookie: SessionCookie): CookieOptions {
  const { path, domain, httpOnly, secure, sameSite, partitioned, priority } = cookie;
  const site = sameSite === true ? "strict" : lowerCase(sameSite);
  const rank = lowerCase(priority);
  return {
    path: path || false,
    domain: domain ? domain.replace(/^\./, "") : false,
    httpOnly: Boolean(httpOnly),
    secure: Boolean(secure),
    sameSite: site ? SAME_SITE[site as keyof typeof SAME_SITE] ?? site as "Lax" : false,
    partitioned: Boolean(partitioned),
    priority: rank ? PRIORITY[rank as keyof typeof PRIORITY] ?? rank as "Low" : false,
    maxAge: false,
  };
}

function lowerCase(value: unknown): string | undefined {
  return typeof value === "string" ? value.toLowerCase() : undefined;
}

/** `undefined`, `null` and `false` all leave an attribute out. */
function normalized(value: unknown): unknown {
  return value || value === 0 ? lowerCase(value) ?? value : false;
}

/** The attributes in `source`, which may be what an app has stored under the key `cookie`. */
function pick(source: unknown): CookieOverrides {
  const found: CookieOverrides = {};
  if (!isObject(source)) return found;
  for (const name of ATTRIBUTES) {
    if (name in source) found[name] = (source as CookieOverrides)[name];
  }
  return found;
}
