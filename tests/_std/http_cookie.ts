/**
 * Takes the place of `@std/http/cookie` where JSR cannot be reached, and has no functions: a reader
 * written here would not be independent of the writer that it checks. The tests that need the real
 * functions are ignored if they are `undefined`.
 *
 * @module
 */

/** The parts of a cookie that the tests read. */
export interface Cookie {
  name: string;
  value: string;
  maxAge?: number;
  domain?: string;
  path?: string;
  secure?: boolean;
  httpOnly?: boolean;
  partitioned?: boolean;
  sameSite?: "Strict" | "Lax" | "None";
  unparsed?: string[];
}

export const getSetCookies: ((headers: Headers) => Cookie[]) | undefined = undefined;
export const getCookies: ((headers: Headers) => Partial<Record<string, string>>) | undefined =
  undefined;
