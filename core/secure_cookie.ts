/**
 * Reports a cookie that its browser drops: a cookie with `Secure` over plain HTTP. The user would be
 * signed out with each response, and nothing would say why.
 */
import type { HeaderPair, Scope } from "../pagi.ts";
import type { SessionEvent } from "./options.ts";
import { headersOf } from "./request_headers.ts";

/** Headers in which proxies say that their client uses HTTPS, and what they say. */
const FORWARDED: Readonly<Record<string, RegExp>> = {
  "x-forwarded-proto": /^https\b/i,
  "x-forwarded-scheme": /^https\b/i,
  "x-forwarded-ssl": /^on$/i,
  "cloudfront-forwarded-proto": /^https$/i,
  "cf-visitor": /"https"/i,
  forwarded: /proto="?https\b/i,
};
/** Hosts from which browsers accept `Secure` over HTTP, because nobody can listen. */
const LOOPBACK = /^(.+\.)?localhost\.?(:|$)|^127(\.\d+){3}(:|$)|^\[::1\](:|$)/i;

/** Watches the cookies of one middleware. Reports once. */
export class SecureCookieWatch {
  readonly #emit: (event: SessionEvent) => void;
  #isDone = false;

  constructor(emit: (event: SessionEvent) => void) {
    this.#emit = emit;
  }

  /** Checks the headers of a response from `start` on. */
  check(headers: readonly HeaderPair[], start: number, scope: Scope): void {
    if (this.#isDone || scope.scheme !== "http") return;
    if (!headers.slice(start).some(isSecureCookie)) return;
    if (isTrustworthy(scope)) return;
    this.#isDone = true;
    this.#emit({
      type: "cookie-dropped",
      message: "A cookie with Secure was sent over plain HTTP. Browsers drop it, so that each " +
        "request starts a new session. Use HTTPS, or leave out `secure` during development. If a " +
        "proxy provides HTTPS, make it send X-Forwarded-Proto: https",
    });
  }
}

function isSecureCookie([name, value]: HeaderPair): boolean {
  return name.toLowerCase() === "set-cookie" && /;\s*secure\s*(;|$)/i.test(value);
}

/** The host in a fetch request's URL. Not every runtime has a header for it. */
function hostOf(request: unknown): string | undefined {
  return request instanceof Request ? new URL(request.url).host : undefined;
}

/** Whether the browser accepts the cookie, or the request does not say enough. */
function isTrustworthy(scope: Scope): boolean {
  const headers = headersOf(scope);
  const host = headers.get("host") ?? headers.get(":authority") ?? hostOf(scope.request);
  return host === undefined || LOOPBACK.test(host) ||
    // Browsers send these to trustworthy origins only.
    headers.has("sec-fetch-site") || headers.has("sec-fetch-mode") ||
    Object.entries(FORWARDED).some(([name, isHttps]) => isHttps.test(headers.get(name) ?? ""));
}
