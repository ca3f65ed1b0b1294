/** Putting headers on responses without handing one client's to another. */
import type { SessionEvent } from "../options.ts";
import type { HeaderPair } from "../../pagi.ts";

/**
 * Set on responses that were handed on: whether a client's headers were put on them in place. A
 * WeakMap would do, and cost 0.3 µs a response, a sixth of a read.
 */
const HANDED_ON = Symbol("handed on");

/**
 * `response` with these headers. An app may send a response without a body again and again, so that
 * one is copied; one with a body can be sent only once, and is changed in place.
 *
 * @throws {TypeError} When a response comes again that cannot be copied.
 */
export function addHeaders(
  response: Response & { [HANDED_ON]?: boolean },
  headers: readonly HeaderPair[],
  vary: readonly string[],
  emit: (event: SessionEvent) => void,
): Response {
  const carriesHeaders = response[HANDED_ON];
  if (carriesHeaders) throw sentTwice();
  response[HANDED_ON] = false;
  // Once: each look at a Response's own costs Deno 0.05 µs.
  const own = response.headers;
  const missing = vary.length === 0 ? vary : missingVary(own.get("vary"), vary);
  if (headers.length === 0 && missing.length === 0) return response;
  const { status } = response;
  if (status === 101) {
    // It belongs to an upgraded connection: a copy would not.
    if (!canAppend(own, headers, missing)) {
      emit({
        type: "headers-dropped",
        message: "The session's headers could not be put on a 101 response",
      });
    }
    return response;
  }
  // Vary alone is nobody's: it may stay on a response that others get.
  if (headers.length === 0 && canAppend(own, headers, missing)) return response;
  // Asked for first: it has the Responses that servers on Node make late made, with headers of their
  // own. Until then they have the very object that the app gave them, and gives to others.
  if (response.bodyUsed || namesItsBody(status, own) || hasBody(response)) {
    if (carriesHeaders !== undefined) throw sentTwice();
    if (canAppend(response.headers, headers, missing)) {
      response[HANDED_ON] = true;
      return response;
    }
  }
  const { body, statusText, headers: app } = response;
  let copy = new Response(body, { status, statusText, headers: app });
  // The Response that @hono/node-server puts in the place of Node's keeps the very object: the app's.
  if (copy.headers === app) copy = new Response(body, { status, statusText, headers: [...app] });
  append(copy.headers, headers, missing);
  return copy;
}

function sentTwice(): TypeError {
  return new TypeError(
    "Cannot send the same Response to a second client: make a new one for each request",
  );
}

/** A success that names the type of its body is taken at its word. */
function namesItsBody(status: number, own: Headers): boolean {
  return status >= 200 && status < 300 && own.has("content-type");
}

/**
 * Whether the response has a body. A clone is looked at: Deno makes a stream of a body that was
 * looked at (3.5 µs and more), and Bun forgets its type.
 */
function hasBody(response: Response): boolean {
  const { body } = response.clone();
  body?.cancel().catch(() => {});
  return body !== null;
}

/** Adds the headers if it can: those of a redirect or of a fetched response cannot be changed. */
function canAppend(own: Headers, headers: readonly HeaderPair[], vary: readonly string[]): boolean {
  try {
    append(own, headers, vary);
    return true;
  } catch {
    return false;
  }
}

function append(own: Headers, headers: readonly HeaderPair[], vary: readonly string[]): void {
  for (const [name, value] of headers) own.append(name, value);
  for (const name of vary) own.append("vary", name);
}

/** Those of `names` that a Vary header does not name yet. */
export function missingVary(
  vary: string | null | undefined,
  names: readonly string[],
): readonly string[] {
  if (vary === null || vary === undefined) return names;
  const named = vary.toLowerCase().split(",").map((name) => name.trim());
  return named.includes("*") ? [] : names.filter((name) => !named.includes(name.toLowerCase()));
}
