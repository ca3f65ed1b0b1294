import type { Scope } from "../pagi.ts";

// RFC 9110 section 5.6.2: what header and cookie names are made of.
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** Whether `value` is a token of RFC 9110: a legal header or cookie name. */
export function isToken(value: unknown): value is string {
  return typeof value === "string" && TOKEN.test(value);
}

/** What a header may hold that is made from an id: visible ASCII (RFC 9110, section 5.5). */
const VISIBLE = /^[\x21-\x7e]+$/;

/** Whether `value` can be a header's value as it stands. */
export function isVisible(value: string): boolean {
  return VISIBLE.test(value);
}

/** The value of the request header called `name` (in lower case); of several, joined as one list. */
export function headerValue(scope: Scope, name: string, separator = ", "): string | undefined {
  // What others put into a scope under this name may be anything.
  if (scope.request instanceof Request) return scope.request.headers.get(name) ?? undefined;
  let joined: string | undefined;
  for (const [key, value] of scope.headers ?? []) {
    if (key.length !== name.length || key.toLowerCase() !== name) continue;
    joined = joined === undefined ? value : joined + separator + value;
  }
  return joined;
}
