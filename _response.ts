/** Putting headers on responses without handing one client's to another. */
import type { SessionEvent } from "./_settings.ts";
import type { HeaderPair } from "./pagi.ts";

/** Responses with a body that headers were put on: they can be sent once. */
const changed = new WeakSet<Response>();

/**
 * `response` with these headers. A response without a body may be one that the app sends again and
 * again, so it is copied; one with a body can be sent only once, and is changed in place.
 */
export function addHeaders(
  response: Response,
  headers: readonly HeaderPair[],
  vary: readonly string[],
  emit: (event: SessionEvent) => void,
): Response {
  const missing = missingVary(response.headers.get("vary"), vary);
  if (headers.length === 0 && missing.length === 0) return response;
  const all: HeaderPair[] = [...headers, ...missing.map((name): HeaderPair => ["vary", name])];
  if (response.status === 101) {
    // It belongs to an upgraded connection: a copy would not.
    if (!append(response.headers, all)) {
      emit({
        type: "headers-dropped",
        message: "The session's headers could not be put on a 101 response",
      });
    }
    return response;
  }
  if (response.body !== null) {
    if (changed.has(response)) {
      throw new TypeError(
        "Cannot send the same Response twice: it has a body; make a new one for each request",
      );
    }
    if (append(response.headers, all)) {
      changed.add(response);
      return response;
    }
  }
  const copy = new Response(response.body, {
    status: response.status,
    statusText: response.statusText,
    headers: response.headers,
  });
  for (const [name, value] of all) copy.headers.append(name, value);
  return copy;
}

/** Whether the headers could be added: those of a redirect or of a fetched response cannot. */
function append(target: Headers, headers: readonly HeaderPair[]): boolean {
  try {
    for (const [name, value] of headers) target.append(name, value);
    return true;
  } catch {
    return false;
  }
}

/** Those of `names` that a Vary header does not name yet. */
export function missingVary(vary: string | null | undefined, names: readonly string[]): string[] {
  if (names.length === 0) return [];
  const named = (vary ?? "").toLowerCase().split(",").map((name) => name.trim());
  return named.includes("*") ? [] : names.filter((name) => !named.includes(name.toLowerCase()));
}
