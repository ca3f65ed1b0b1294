/** The part of a browser that the races need: it keeps the session cookie. */
import type { HeaderPair } from "../../pagi.ts";
import { parseSetCookie } from "../set_cookie.ts";

/** The name of the session cookie, the default of `CookieState`. */
const NAME = "pagi_session";

/** A change of the cookie by a response, which sets a value or removes the cookie. */
export type CookieChange = { set: string } | "clear";

/** Keeps the cookie of one browser. */
export class CookieJar {
  /** The value of the cookie; undefined without a cookie. */
  value: string | undefined;

  /** Applies the changes of a response. */
  take(changes: readonly CookieChange[]): void {
    for (const change of changes) this.value = change === "clear" ? undefined : change.set;
  }
}

/**
 * The cookie changes in the headers of a response. More than one is a mistake of the middleware.
 */
export function cookieChanges(headers: readonly HeaderPair[]): CookieChange[] {
  const changes: CookieChange[] = [];
  for (const [name, value] of headers) {
    if (name.toLowerCase() !== "set-cookie") continue;
    const cookie = parseSetCookie(value);
    if (cookie?.name !== NAME) continue;
    changes.push(cookie.attributes.get("max-age") === "0" ? "clear" : { set: cookie.value });
  }
  return changes;
}

/** The headers of a request that sends `value` as its session cookie. */
export function requestHeaders(value: string | undefined, isNavigation = false): HeaderPair[] {
  const headers: HeaderPair[] = [["sec-fetch-dest", isNavigation ? "document" : "empty"]];
  if (value !== undefined) headers.push(["cookie", `theme=dark; ${NAME}=${value}`]);
  return headers;
}
