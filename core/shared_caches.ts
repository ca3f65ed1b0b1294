/**
 * Keeps session IDs out of shared caches (RFC 9111, RFC 9213). A shared cache that stored a response
 * with its Set-Cookie would give the ID to other clients.
 */
import type { HeaderPair } from "../pagi.ts";
import type { ResolvedOptions } from "./options.ts";

/** The headers of a response, of which those that caches obey are read. */
export interface CacheHeaders {
  /** The value of a header; if there are several, all of them as one value. */
  get(name: string): string | null | undefined;
  /** Visits all headers, with names in lower case. Without it, known names are looked up. */
  forEach?(visit: (value: string, name: string) => void): void;
}

/** The value with which no shared cache stores a response. */
const PRIVATE = "private, no-store";

/** Headers that only some shared caches obey, and that do not apply without an age. */
const SURROGATES = ["surrogate-control", "edge-control"];

/**
 * Headers that are looked up if the names of a response's headers are unknown. Any name that ends in
 * `-Cache-Control` is that of a header for some caches only, which ignore Cache-Control then (RFC
 * 9213, section 2.1).
 */
const KNOWN = [
  "cache-control",
  "expires",
  "cdn-cache-control",
  "akamai-cache-control",
  "cloudflare-cdn-cache-control",
  "netlify-cdn-cache-control",
  "vercel-cdn-cache-control",
  "x-litespeed-cache-control",
  ...SURROGATES,
];
const QUOTED = /"(?:[^"\\]|\\.)*"?/g;

/** Whether caches obey the header. Then a new value replaces the one of the app. */
export function isForCaches(name: string): boolean {
  return name.endsWith("cache-control") || SURROGATES.includes(name);
}

/** Whether a shared cache may store the response, as far as its headers say so themselves. */
export function isShareable(headers: CacheHeaders, options: ResolvedOptions): boolean {
  return sharingHeaders(headers, cachingHeaders(headers), options).length > 0;
}

/** Adds headers to `added`, with which no shared cache stores the response. */
export function protectFromCaches(
  added: HeaderPair[],
  headers: CacheHeaders,
  options: ResolvedOptions,
): void {
  const caching = cachingHeaders(headers);
  const sharing = sharingHeaders(headers, caching, options);
  if (sharing.length === 0) {
    if (!caching.has("cache-control")) added.push(["cache-control", "no-store"]);
    return;
  }
  for (const name of new Set(["cache-control", ...sharing])) added.push([name, PRIVATE]);
  options.emit({
    type: "public-response",
    message: "A response that shared caches may store carries a session id; its Cache-Control " +
      "was replaced by private, no-store",
  });
}

/** The headers that caches obey. One without a value says nothing, so it is left out. */
function cachingHeaders(headers: CacheHeaders): Map<string, string> {
  const found = new Map<string, string>();
  const visit = (value: string | null | undefined, name: string) => {
    if (value && (name === "expires" || isForCaches(name))) found.set(name, value);
  };
  // Deno visits them several times faster than it lists their names.
  if (typeof headers.forEach === "function") headers.forEach(visit);
  else for (const name of KNOWN) visit(headers.get(name), name);
  return found;
}

/** The names of the headers that let shared caches store the response. */
function sharingHeaders(
  headers: CacheHeaders,
  caching: Map<string, string>,
  { now }: ResolvedOptions,
): string[] {
  return [...caching].filter(([name, value]) =>
    name === "expires"
      ? !caching.has("cache-control") && Date.parse(value) > now()
      : allowsSharing(value, headers, SURROGATES.includes(name))
  ).map(([name]) => name === "expires" ? "cache-control" : name);
}

/**
 * Whether these directives let a shared cache store the response and use it for another client.
 *
 * @param isSurrogate Whether they are those of Surrogate-Control, which do not apply without an age.
 */
function allowsSharing(value: string, headers: CacheHeaders, isSurrogate = false): boolean {
  // An argument may contain anything. Directives that have field names as their argument concern
  // these headers only, and many caches ignore that.
  const directives = value.replace(QUOTED, '""').toLowerCase().split(",")
    .map((one) => one.trim());
  const has = (name: string) => directives.includes(name);
  const hasArgument = (name: string) => directives.some((one) => one.startsWith(`${name}=`));
  if (isSurrogate) {
    return !has("no-store") && (hasArgument("max-age") || hasArgument("cache-maxage"));
  }
  if (has("public") || hasArgument("s-maxage")) return true;
  // With must-understand, caches that know the status ignore no-store.
  if (has("private") || (has("no-store") && !has("must-understand"))) return false;
  // A cache that asks first may receive a 304: then it sends the response that it has, headers
  // included. Without a validator it cannot ask.
  return !has("no-cache") || Boolean(headers.get("etag") || headers.get("last-modified"));
}
