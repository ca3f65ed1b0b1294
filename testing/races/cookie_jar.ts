/** The part of a browser that the races need: it keeps the session cookie. */
import type { HeaderPair } from "../../pagi.ts";

/** The name of the session cookie, the default of `CookieState`. */
const NAME = "pagi_session";

/** A change of the cookie by a response, which sets a value or removes the cookie. */
export type CookieChange = { set: string } | "clear";

/** Keeps the cookie of one browser. */
export class CookieJar {
  /** The value of the cookie; undefined without a cookie. */
  value: string | undefined;

  /**
   * Applies the headers of a response and returns what they changed. More than one change in a
   * response is a mistake of the middleware.
   */
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

/** The headers of a request that sends `value` as its session cookie. */
export function requestHeaders(value: string | undefined): HeaderPair[] {
  return value === undefined ? [] : [["cookie", `theme=dark; ${NAME}=${value}`]];
}
