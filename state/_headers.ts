import type { Scope } from "../pagi.ts";

// A token of RFC 9110, section 5.6.2: the form of header and cookie names.
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** Checks whether `value` is a valid header or cookie name. */
export function isToken(value: unknown): value is string {
  return typeof value === "string" && TOKEN.test(value);
}

// Visible ASCII (RFC 9110, section 5.5): the characters allowed in a header that holds an ID.
const VISIBLE = /^[\x21-\x7e]+$/;

/** Checks whether `value` can be sent as a header value unchanged. */
export function isVisible(value: string): boolean {
  return VISIBLE.test(value);
}

/**
 * Returns the value of the request header with this `name`, which must be in lower case. The values
 * of repeated headers are joined with `separator`.
 */
export function headerValue(scope: Scope, name: string, separator = ", "): string | undefined {
  // Not only this package writes to a scope: `request` may hold any value.
  if (scope.request instanceof Request) return scope.request.headers.get(name) ?? undefined;
  let joined: string | undefined;
  for (const [key, value] of scope.headers ?? []) {
    if (key.length !== name.length || key.toLowerCase() !== name) continue;
    joined = joined === undefined ? value : joined + separator + value;
  }
  return joined;
}
