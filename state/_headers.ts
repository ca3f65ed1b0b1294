import type { Scope } from "../pagi.ts";

// RFC 9110 section 5.6.2: what header and cookie names are made of.
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** Whether `value` is a token of RFC 9110: a legal header or cookie name. */
export function isToken(value: unknown): value is string {
  return typeof value === "string" && TOKEN.test(value);
}

/** The value of the first request header called `name` (in lower case). */
export function headerValue(scope: Scope, name: string): string | undefined {
  if (scope.request !== undefined) return scope.request.headers.get(name) ?? undefined;
  return scope.headers?.find(([key]) => isNamed(key, name))?.[1];
}

/** The Cookie header; several are one list (RFC 9113, section 8.2.3). */
export function cookieHeader(scope: Scope): string | undefined {
  if (scope.request !== undefined) return scope.request.headers.get("cookie") ?? undefined;
  let cookies: string | undefined;
  for (const [key, value] of scope.headers ?? []) {
    if (isNamed(key, "cookie")) cookies = cookies === undefined ? value : `${cookies};${value}`;
  }
  return cookies;
}

function isNamed(key: string, name: string): boolean {
  return key.length === name.length && key.toLowerCase() === name;
}
