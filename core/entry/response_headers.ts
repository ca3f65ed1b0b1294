/** Adds headers to responses without giving one client's headers to another client. */
import type { HeaderPair } from "../../pagi.ts";
import type { SessionEvent } from "../event.ts";
import type { ResolvedOptions } from "../options.ts";
import { type CacheHeaders, isForCaches, protectFromCaches } from "../shared_caches.ts";
import { mayNest, rootOf } from "./nesting.ts";

/** The request that a response was last returned for. (A WeakMap would be slower.) */
const REQUEST = Symbol("request");
/** Whether headers for the client of that request were added to the response in place. */
const IS_CHANGED = Symbol("isChanged");
/** The headers for the client that a response got, if several middlewares may add some. */
const ADDED = Symbol("added");

interface MarkedResponse extends Response {
  [REQUEST]?: Request;
  [IS_CHANGED]?: boolean;
  [ADDED]?: readonly HeaderPair[];
}

/** The headers that the handlers which returned this response have added to it. */
export function addedTo(response: MarkedResponse): readonly HeaderPair[] {
  return response[ADDED] ?? [];
}

/**
 * Adds the headers of sessions that were saved, and whose response is not sent, to those of an error
 * response, unless that has them.
 */
export function addSaved(
  headers: HeaderPair[],
  saved: readonly HeaderPair[],
  own: CacheHeaders,
  options: ResolvedOptions,
): void {
  const isThere = ([name, value]: HeaderPair) =>
    own.get(name)?.includes(value) ||
    headers.some((other) => other[0] === name && other[1] === value);
  const before = headers.length;
  const isProtected = headers.some(([name]) => isForCaches(name));
  for (const pair of saved) if (!isForCaches(pair[0]) && !isThere(pair)) headers.push(pair);
  if (headers.length > before && !isProtected) protectFromCaches(headers, own, options);
}

/**
 * `response` with these headers. An app may return a response without a body again and again, so
 * that one is copied. A response with a body can be sent only once, so it is changed in place.
 * Several middlewares may add headers to the response to one request.
 *
 * @throws {TypeError} If a response that cannot be copied is returned again.
 */
export function addHeaders(
  response: MarkedResponse,
  request: Request,
  headers: readonly HeaderPair[],
  vary: readonly string[],
  emit: (event: SessionEvent) => void,
): Response {
  const root = rootOf(request);
  const before = response[REQUEST];
  const isReturnedAgain = before !== undefined && before !== root;
  if (isReturnedAgain && response[IS_CHANGED]) throw returnedTwice();
  response[REQUEST] = root;
  // Read once, because a Response's headers are a slow getter.
  const own = response.headers;
  const missing = vary.length === 0 ? vary : missingVary(own.get("vary"), vary);
  if (headers.length === 0 && missing.length === 0) return response;
  const { status } = response;
  // The first belongs to an upgraded connection, and a copy would not belong to it. The second is
  // `Response.error()` or an opaque response, which cannot be copied.
  if (status === 101 || status === 0) {
    if (!canAppend(own, headers, missing)) reportDropped({ emit }, headers, nameOf(response));
    return response;
  }
  // Vary alone says nothing about a client, so it may stay on a response that others get.
  if (headers.length === 0 && canAppend(own, headers, missing)) return response;
  // Looking for a body makes servers on Node replace their lightweight Response by a real one with
  // headers of its own. Until then `headers` is the app's object, which other responses may share.
  if (response.bodyUsed || namesItsBody(status, own) || hasBody(response)) {
    if (isReturnedAgain) throw returnedTwice();
    if (canAppend(response.headers, headers, missing)) {
      response[IS_CHANGED] = true;
      return noteAdded(response, response, headers);
    }
  }
  const copy = copyOf(response);
  append(copy.headers, headers, missing);
  return noteAdded(copy, response, headers);
}

/** Notes the headers on the response that has them. */
function noteAdded(
  changed: MarkedResponse,
  response: MarkedResponse,
  headers: readonly HeaderPair[],
): Response {
  if (mayNest()) changed[ADDED] = [...addedTo(response), ...headers];
  return changed;
}

function copyOf(response: Response): Response {
  try {
    const { body, status, statusText, headers } = response;
    // The constructor would make text of the stream of another library.
    if (body && typeof body.getReader !== "function") throw new TypeError("Unknown kind of body");
    const copy = new Response(body, { status, statusText, headers });
    // The Response of @hono/node-server keeps the given object itself, which belongs to the app.
    if (copy.headers !== headers) return copy;
    return new Response(body, { status, statusText, headers: [...headers] });
  } catch (cause) {
    cancelBody(response);
    throw new TypeError(
      "Cannot add the session's headers to the Response, because it cannot be copied: return a new " +
        "one with the body, the status and the headers",
      { cause },
    );
  }
}

function returnedTwice(): TypeError {
  return new TypeError(
    "Cannot send the same Response to a second client: make a new one for each request",
  );
}

/** Whether a successful response names the type of its body. Then it has one. */
function namesItsBody(status: number, own: Headers): boolean {
  return status >= 200 && status < 300 && own.has("content-type");
}

/**
 * Whether the response has a body. Looks at a clone: Deno turns a body that was looked at into a
 * stream, and Bun forgets its type.
 */
function hasBody(response: Response): boolean {
  // If one of two copies of a Node stream is not read, the other one stops as well.
  if (!(response instanceof Response)) return Boolean((response as Response).body);
  let copy: Response;
  try {
    copy = response.clone();
  } catch {
    // Somebody is reading it.
    return true;
  }
  cancelBody(copy);
  return Boolean(copy.body);
}

/**
 * Reports headers for the client that no response can carry.
 *
 * @param what Names the response.
 * @param notStored Names changes that were not stored for that reason.
 */
export function reportDropped(
  { emit }: Pick<ResolvedOptions, "emit">,
  headers: readonly HeaderPair[],
  what: string,
  notStored?: string,
): void {
  if (headers.length === 0 && notStored === undefined) return;
  const message = notStored === undefined
    ? `The session's headers could not be put on ${what}`
    : `${notStored}: its ID could not be put on ${what}. Write to the session in an earlier request`;
  emit({ type: "headers-dropped", message });
}

/**
 * Names a response that can carry no headers of the session; `undefined` if it can. Deno's response
 * to an upgrade is immutable, and so is `Response.error()`.
 */
export function headlessName(response: Response): string | undefined {
  const { status, headers } = response;
  if (status !== 101 && status !== 0) return undefined;
  try {
    // By the standard, immutable headers refuse this even if there is no such header.
    headers.delete("x-pagi-session-none");
    return undefined;
  } catch {
    return nameOf(response);
  }
}

function nameOf({ status }: Response): string {
  return `a response with status ${status}`;
}

/** Cancels the body of a response that is not sent. Otherwise its source would wait forever. */
export function cancelBody(response: Response): void {
  try {
    response.body?.cancel().catch(() => {});
  } catch {
    // It is the stream of another library, or the object is not a complete Response.
  }
}

/** Adds the headers if possible. Those of a redirect or of a fetched response are immutable. */
function canAppend(own: Headers, headers: readonly HeaderPair[], vary: readonly string[]): boolean {
  try {
    append(own, headers, vary);
    return true;
  } catch {
    return false;
  }
}

function append(own: Headers, headers: readonly HeaderPair[], vary: readonly string[]): void {
  for (const [name, value] of headers) {
    if (isForCaches(name)) own.set(name, value);
    else own.append(name, value);
  }
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
