/** What is used of Deno KV, and a session's record as it is kept there. */
import { SessionError } from "../../errors.ts";

/** One part of a key, `Deno.KvKeyPart`. */
export type DenoKvKeyPart = Uint8Array | string | number | bigint | boolean;

/** What stands under a key. */
export interface DenoKvEntry {
  /** The value; null when there is none. */
  readonly value: unknown;
  /** Names this state of the key; null when there is none. */
  readonly versionstamp: string | null;
}

/** What is used of `Deno.AtomicOperation`: a compare and what depends on it. */
export interface DenoKvAtomic {
  /** Demands that the key has this versionstamp. */
  check(check: { key: DenoKvKeyPart[]; versionstamp: string | null }): DenoKvAtomic;
  /** Writes. */
  set(key: DenoKvKeyPart[], value: unknown, options: { expireIn: number }): DenoKvAtomic;
  /** Removes. */
  delete(key: DenoKvKeyPart[]): DenoKvAtomic;
  /** Does it all, or nothing where the check does not hold. */
  commit(): Promise<{ ok: true; versionstamp: string } | { ok: false }>;
}

/** What is used of `Deno.Kv`. */
export interface DenoKv {
  /** Reads one key. */
  get(key: DenoKvKeyPart[], options: { consistency: "strong" }): Promise<DenoKvEntry>;
  /** Begins a compare-and-swap. */
  atomic(): DenoKvAtomic;
}

/** A session's record. */
export interface KvRecord {
  text: string;
  lastAccess: number;
  /** When it is gone, in Unix milliseconds. */
  expiresAt: number;
}

/** The longest value that Deno KV takes, in bytes. */
const MAX_BYTES = 65_536;
/** Longer than KV's clock can tell would be an error. */
const MAX_LIFETIME_MS = 100 * 365 * 86_400_000;
const TERMINATOR = "\n";

const encoder = new TextEncoder();
// A mark in front is a letter of the text like any other.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * The value for a record: `lastAccess expiresAt`, a newline, and the text. Bytes and not an object,
 * so that its size is known before it is written.
 *
 * @throws {SessionError} `ERR_SESSION_TOO_LARGE` when it is longer than KV takes.
 */
export function encodeRecord({ text, lastAccess, expiresAt }: KvRecord): Uint8Array {
  const value = encoder.encode(`${lastAccess} ${expiresAt}${TERMINATOR}${text}`);
  if (value.length <= MAX_BYTES) return value;
  throw new SessionError(
    "ERR_SESSION_TOO_LARGE",
    `Cannot save the session: it takes ${value.length} bytes, and a value of Deno KV ` +
      `at most ${MAX_BYTES}`,
  );
}

/** The record in a value; undefined where there is none. */
export function decodeRecord(value: unknown): KvRecord | undefined {
  if (value === null || value === undefined) return undefined;
  // What is not ours has no text; lifecycle says what becomes of it.
  if (!(value instanceof Uint8Array)) return { text: "", lastAccess: 0, expiresAt: Infinity };
  const record = decoder.decode(value);
  const end = record.indexOf(TERMINATOR);
  const [lastAccess, expiresAt] = record.slice(0, end).split(" ");
  return {
    text: record.slice(end + TERMINATOR.length),
    lastAccess: Number(lastAccess),
    expiresAt: Number(expiresAt),
  };
}

/** Whole milliseconds above 0, as KV wants them. */
export function lifetimeOf(ttl: number): number {
  return Math.min(Math.max(1, Math.ceil(ttl * 1000)), MAX_LIFETIME_MS);
}

/** Another string is no version of any record, and KV throws at it. */
export function isVersionstamp(version: string): boolean {
  return /^[0-9a-f]{20}$/.test(version);
}

/** Whether `part` can be in a key. */
export function isKeyPart(part: unknown): boolean {
  return part instanceof Uint8Array ||
    ["string", "number", "bigint", "boolean"].includes(typeof part);
}
