/**
 * No stand-in for `@std/http/cookie`: a reader written here would not be independent of our writer.
 * The test that wants it is skipped where it finds `undefined`.
 *
 * @module
 */

export const getSetCookies: ((headers: Headers) => Record<string, unknown>[]) | undefined =
  undefined;
