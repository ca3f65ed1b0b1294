import type { Scope } from "../pagi.ts";

// RFC 9110 section 5.6.2: what header and cookie names are made of.
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** Whether `value` is a token of RFC 9110: a legal header or cookie name. */
export function isToken(value: unknown): value is string {
  return typeof value === "string" && TOKEN.test(value);
}

/** Every value of the request header `name` (in lower case), in order. */
export function headerValues(scope: Scope, name: string): string[] {
  if (scope.request !== undefined) {
    const value = scope.request.headers.get(name);
    return value === null ? [] : [value];
  }
  const values: string[] = [];
  for (const [key, value] of scope.headers ?? []) {
    if (key.length === name.length && key.toLowerCase() === name) values.push(value);
  }
  return values;
}
