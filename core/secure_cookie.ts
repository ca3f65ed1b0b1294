/**
 * Reports a cookie that its browser drops: a cookie with `Secure` over plain HTTP. The user would be
 * signed out with each response, and nothing would say why.
 */
import type { HeaderPair, Scope } from "../pagi.ts";
import type { SessionEvent } from "./event.ts";
import { headersOf } from "./request_headers.ts";

/** Headers in which proxies say how their client is connected, and what they say of HTTPS. */
const FORWARDED = /forwarded|^cf-visitor$/;
const HTTPS = /\bhttps\b|^on$/i;
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
    if (this.#isDone) return;
    // The scheme last: some servers build a request's URL only when it is asked for.
    const isSecure = headers.some((header, at) => at >= start && isSecureCookie(header));
    if (!isSecure || scope.scheme !== "http" || isTrustworthy(scope)) return;
    this.#isDone = true;
    this.#emit({
      type: "cookie-dropped",
      message:
        "A cookie with Secure was sent over plain HTTP, and browsers drop it: each request " +
        "gets a new session. Use HTTPS. If a proxy does, let it send X-Forwarded-Proto: https. For " +
        "development without HTTPS, leave out secure",
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
    // Browsers send Sec-Fetch headers to trustworthy origins only.
    [...headers].some(([name, value]) =>
      name.startsWith("sec-fetch-") || (FORWARDED.test(name) && HTTPS.test(value))
    );
}
