/** Keeps the cookies of one visitor as a browser does (RFC 6265bis, section 5). */
import { MAX_COOKIE_AGE, MAX_COOKIE_BYTES } from "../base/limits.ts";
import { parseSetCookie, type ResponseCookie } from "./set_cookie.ts";

const MAX_AGE_MS = MAX_COOKIE_AGE * 1000;

interface Cookie {
  readonly name: string;
  readonly value: string;
  readonly domain: string;
  /** Whether only the host that set the cookie gets it. */
  readonly isHostOnly: boolean;
  readonly path: string;
  readonly isSecure: boolean;
  readonly isPartitioned: boolean;
  readonly sameSite: "strict" | "lax" | "none";
  /** Unix milliseconds; `undefined` if it ends with the browser. */
  readonly expiresAt: number | undefined;
  /** Increases with each cookie that is new. */
  readonly order: number;
}

/** A request, as the rules for cookies see it. */
export interface CookieRequest {
  readonly url: URL;
  readonly method: string;
  /** Whether the page that makes the request is of the same site. */
  readonly isSameSite: boolean;
}

/** The cookies of one visitor, who navigates in the main window. */
export class CookieJar {
  readonly #now: () => number;
  readonly #cookies = new Map<string, Cookie>();
  #count = 0;

  /** @param now Returns Unix milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Takes the cookies of a response. Returns the names of those that a browser would refuse. */
  take(headers: Headers, url: URL): string[] {
    const refused: string[] = [];
    for (const header of headers.getSetCookie()) {
      const cookie = parseSetCookie(header);
      if (cookie !== undefined && !this.#keep(cookie, url)) refused.push(cookie.name);
    }
    return refused;
  }

  /** The value of the Cookie header of a request; `undefined` without cookies. */
  headerFor({ url, method, isSameSite }: CookieRequest): string | undefined {
    const isSafe = method === "GET" || method === "HEAD";
    const sent = this.#all().filter((one) => {
      const isHost = one.isHostOnly ? url.hostname === one.domain : isDomain(url.hostname, one);
      const isAllowed = isSameSite || one.sameSite === "none" ||
        (one.sameSite === "lax" && isSafe);
      return isHost && isAllowed && isBelow(url.pathname, one.path) &&
        (!one.isSecure || isTrustworthy(url));
    });
    return this.#write(sent);
  }

  /** The value of a Cookie header with all cookies of a host, whatever their path. */
  allFor(hostname: string): string | undefined {
    return this.#write(this.#all().filter((one) => isDomain(hostname, one)));
  }

  /** Drops the cookies that end with the browser. */
  endBrowser(): void {
    for (const [key, { expiresAt }] of this.#cookies) {
      if (expiresAt === undefined) this.#cookies.delete(key);
    }
  }

  /** Those that have not expired. */
  #all(): Cookie[] {
    const now = this.#now();
    return [...this.#cookies.values()].filter(({ expiresAt = Infinity }) => expiresAt > now);
  }

  #write(cookies: Cookie[]): string | undefined {
    if (cookies.length === 0) return undefined;
    return cookies
      .sort((a, b) => b.path.length - a.path.length || a.order - b.order)
      .map(({ name, value }) => name === "" ? value : `${name}=${value}`)
      .join("; ");
  }

  /** Returns whether a browser takes the cookie. */
  #keep({ name, value, attributes }: ResponseCookie, url: URL): boolean {
    const domain = attributes.get("domain")?.replace(/^\./, "").toLowerCase() || undefined;
    const isHostOnly = domain === undefined || domain === url.hostname && !domain.includes(".");
    // A browser refuses public suffixes, such as "com", too.
    if (!isHostOnly && (!domain!.includes(".") || !isDomain(url.hostname, { domain: domain! }))) {
      return false;
    }
    const given = attributes.get("path") ?? "";
    const path = given.startsWith("/") ? given : defaultPath(url.pathname);
    const isSecure = attributes.has("secure");
    const sameSite = sameSiteOf(attributes.get("samesite"));
    const isPartitioned = attributes.has("partitioned");
    const lower = name.toLowerCase();
    if (isSecure && !isTrustworthy(url)) return false;
    if (!isSecure && (sameSite === "none" || isPartitioned || lower.startsWith("__secure-"))) {
      return false;
    }
    const isOfHost = isSecure && attributes.get("domain") === undefined && given === "/";
    if (lower.startsWith("__host-") && !isOfHost) return false;
    if (new TextEncoder().encode(name + value).length > MAX_COOKIE_BYTES) return false;
    const key = JSON.stringify([name, domain ?? url.hostname, isHostOnly, path, isPartitioned]);
    const expiresAt = this.#expiry(attributes);
    if (expiresAt !== undefined && expiresAt <= this.#now()) {
      this.#cookies.delete(key);
      return true;
    }
    const order = this.#cookies.get(key)?.order ?? ++this.#count;
    this.#cookies.set(key, {
      name,
      value,
      domain: domain ?? url.hostname,
      isHostOnly,
      path,
      isSecure,
      isPartitioned,
      sameSite,
      expiresAt,
      order,
    });
    return true;
  }

  #expiry(attributes: ReadonlyMap<string, string>): number | undefined {
    const now = this.#now();
    const maxAge = attributes.get("max-age");
    if (maxAge !== undefined && /^-?[0-9]+$/.test(maxAge)) {
      return Math.min(now + Number(maxAge) * 1000, now + MAX_AGE_MS);
    }
    const expires = Date.parse(attributes.get("expires") ?? "");
    return Number.isNaN(expires) ? undefined : Math.min(expires, now + MAX_AGE_MS);
  }
}

/** Whether a browser treats the connection as secure, as it does for this computer. */
function isTrustworthy({ protocol, hostname }: URL): boolean {
  return protocol === "https:" || /^(.+\.)?localhost$|^127(\.[0-9]+){3}$|^\[::1\]$/.test(hostname);
}

/** Whether a host is the domain, or below it. */
function isDomain(hostname: string, { domain }: { domain: string }): boolean {
  return hostname === domain || (hostname.endsWith(`.${domain}`) && !/^[0-9.]+$/.test(hostname));
}

function isBelow(pathname: string, path: string): boolean {
  return pathname === path ||
    (pathname.startsWith(path) && (path.endsWith("/") || pathname.charAt(path.length) === "/"));
}

function defaultPath(pathname: string): string {
  return pathname.slice(0, pathname.lastIndexOf("/")) || "/";
}

function sameSiteOf(text: string | undefined): Cookie["sameSite"] {
  const lower = text?.toLowerCase();
  // Browsers treat a cookie without the attribute as Lax.
  return lower === "strict" || lower === "none" ? lower : "lax";
}
