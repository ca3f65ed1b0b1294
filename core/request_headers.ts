/** The headers of a request, for the rules. */
import type { HeaderPair, Scope } from "../pagi.ts";

/** The headers by their lower-case names. A repeated header has its last value. */
export function headersOf(scope: Scope): Map<string, string> {
  const headers = new Map<string, string>();
  for (const [name, value] of (scope.headers ?? []) as HeaderPair[]) {
    headers.set(String(name).toLowerCase(), String(value));
  }
  return headers;
}
