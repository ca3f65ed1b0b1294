/** What a browser does with the session's cookie, as far as the races are concerned. */
import type { HeaderPair } from "../../pagi.ts";

/** The cookie's name, the middleware's own default. */
const NAME = "pagi_session";

/** What a response told the browser about the cookie. */
export type CookieChange = { set: string } | "clear";

/** Holds the cookie. Responses reach it in the order in which they left the server. */
export class CookieJar {
  /** The cookie's value, if the browser has one. */
  value: string | undefined;

  /** Does what a response's headers say, and tells what that was; more than one is a mistake. */
  take(headers: readonly HeaderPair[]): CookieChange[] {
    const changes: CookieChange[] = [];
    for (const [name, value] of headers) {
      if (name.toLowerCase() !== "set-cookie" || !value.startsWith(`${NAME}=`)) continue;
      const [pair, ...attributes] = value.split("; ");
      const isClear = attributes.some((attribute) => attribute.toLowerCase() === "max-age=0");
      this.value = isClear ? undefined : pair!.slice(NAME.length + 1);
      changes.push(this.value === undefined ? "clear" : { set: this.value });
    }
    return changes;
  }
}

/** The headers of a request that presents `value`. */
export function requestHeaders(value: string | undefined): HeaderPair[] {
  return value === undefined ? [] : [["cookie", `theme=dark; ${NAME}=${value}`]];
}
