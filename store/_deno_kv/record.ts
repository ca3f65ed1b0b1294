/** The part of Deno KV that the store uses, and the format of its records. */
import { SessionError } from "../../errors.ts";

/** One part of a key: `Deno.KvKeyPart`. */
export type DenoKvKeyPart = Uint8Array | string | number | bigint | boolean;

/** The entry under a key. */
export interface DenoKvEntry {
  /** The value; `null` if there is none. */
  readonly value: unknown;
  /** Identifies this state of the key; `null` if it has no value. */
  readonly versionstamp: string | null;
}

/**
 * The part of `Deno.AtomicOperation` that the store uses: a check, and a write that depends on it.
 */
export interface DenoKvAtomic {
  /** Requires that the key has this versionstamp. */
  check(check: { key: DenoKvKeyPart[]; versionstamp: string | null }): DenoKvAtomic;
  /** Writes a value. */
  set(key: DenoKvKeyPart[], value: unknown, options: { expireIn: number }): DenoKvAtomic;
  /** Deletes a value. */
  delete(key: DenoKvKeyPart[]): DenoKvAtomic;
  /** Applies the writes, or none of them if the check fails. */
  commit(): Promise<{ ok: true; versionstamp: string } | { ok: false }>;
}

/** The part of `Deno.Kv` that the store uses. */
export interface DenoKv {
  /** Reads one key. */
  get(key: DenoKvKeyPart[], options: { consistency: "strong" }): Promise<DenoKvEntry>;
  /** Starts a compare-and-swap. */
  atomic(): DenoKvAtomic;
}

/** The times of a record. */
export interface KvTimes {
  lastAccess: number;
  /** When the record expires, in Unix milliseconds. */
  expiresAt: number;
}

/** The record of a session. */
export interface KvRecord extends KvTimes {
  text: string;
}

/**
 * A version: KV's versionstamp, and the times of the record at it. With them, a touch can keep the
 * later times without a read.
 */
export interface KvVersion extends KvTimes {
  versionstamp: string;
}

/** The longest value that Deno KV accepts, in bytes. */
const MAX_BYTES = 65_536;
/** KV throws if the lifetime goes beyond the range of its clock. */
const MAX_LIFETIME_MS = 100 * 365 * 86_400_000;
const TERMINATOR = "\n";

const encoder = new TextEncoder();
// A byte order mark at the start belongs to the text.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * The value for a record: `lastAccess expiresAt`, a newline, and the text. It consists of bytes
 * rather than an object, so that its size is known before it is written.
 *
 * @throws {SessionError} `ERR_SESSION_TOO_LARGE` if it is too long for KV.
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

/** The record in a value; `undefined` if there is no value. */
export function decodeRecord(value: unknown): KvRecord | undefined {
  if (value === null || value === undefined) return undefined;
  // A value of another program counts as a record without text. The middleware reports it as
  // corrupt.
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

/** A lifetime in milliseconds as KV's `expireIn`: whole milliseconds above 0. */
export function toExpireIn(ms: number): number {
  return Math.min(Math.max(1, Math.ceil(ms)), MAX_LIFETIME_MS);
}

export function encodeVersion({ versionstamp, lastAccess, expiresAt }: KvVersion): string {
  return `${versionstamp} ${lastAccess} ${expiresAt}`;
}

/**
 * The parts of `version`; `undefined` if it does not have the form of a version. For anything but a
 * versionstamp KV throws.
 */
export function decodeVersion(version: string): KvVersion | undefined {
  const parts = /^([0-9a-f]{20}) (\S+) (\S+)$/.exec(version);
  if (parts === null) return undefined;
  const [, versionstamp, lastAccess, expiresAt] = parts;
  return {
    versionstamp: versionstamp!,
    lastAccess: Number(lastAccess),
    expiresAt: Number(expiresAt),
  };
}

/** Whether `part` can be part of a key. */
export function isKeyPart(part: unknown): boolean {
  return part instanceof Uint8Array ||
    ["string", "number", "bigint", "boolean"].includes(typeof part);
}
