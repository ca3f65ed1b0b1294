/** Records and loaded sessions, for the tests of the rules about headers. */
import { CookieState, MemoryStore, type SessionOptions } from "@pagi/session";
import { encodeHeader, newHeader, type RecordHeader } from "../../../base/record_header.ts";
import type { SessionRecord } from "../../../core/backend/backend.ts";
import { decodeRecord, type LoadedSession } from "../../../core/lookup.ts";
import { type ResolvedOptions, resolveOptions } from "../../../core/options.ts";

/** The time of every request, in Unix seconds. */
export const NOW = 1_700_000_000;
/** Seconds by which the clocks of two servers may differ. */
export const SKEW = 120;
/** Verifiers. */
export const [A, B, C, D] = ["a", "b", "c", "d"].map((digit) => digit.repeat(32)) as [
  string,
  string,
  string,
  string,
];
/** The key of every session. */
export const KEY = "0".repeat(32);

/** Resolves options as the middleware does. */
export function optionsWith(options: Partial<SessionOptions> = {}): ResolvedOptions {
  return resolveOptions({
    secret: "the secret of the tests: 32 bytes or more",
    now: () => NOW * 1000,
    ...options,
  }, {
    state: () => new CookieState(),
    store: () => new MemoryStore(),
  });
}

/** Returns a verifier that `rotate` has replaced. */
export function rotated(verifier: string, at: number) {
  return { verifier, isRotated: true, at };
}

/** Returns a verifier that a regeneration has replaced. */
export function regenerated(verifier: string, at: number) {
  return { verifier, isRotated: false, at };
}

/** Returns the record of a session whose current verifier is `A` and that was used just now. */
export function recordWith(
  header: Partial<RecordHeader> = {},
  { json = `{"_created":${NOW}}`, ...rest }: Partial<SessionRecord> & { json?: string } = {},
): SessionRecord {
  const text = encodeHeader({ ...newHeader(A), ...header }) + json;
  return { key: KEY, text, version: "1", lastAccess: NOW, ...rest };
}

/** Returns the session in such a record. */
export function loadedWith(header: Partial<RecordHeader> = {}, subject?: string): LoadedSession {
  const json = JSON.stringify({ _created: NOW, _subject: subject });
  return decodeRecord(recordWith(header, { json }), optionsWith())!;
}
