/** What the formats of a sealed session share. */
import type { Awaitable } from "../../base/awaitable.ts";
import { SessionError } from "../../errors.ts";
import type { SessionHash } from "../store.ts";

/** A session as it is sealed. */
export interface SealedSession {
  id: string;
  text: string;
  /** When it was last used, in Unix seconds. */
  lastAccess: number;
  /** Seconds from `lastAccess` for which the value opens. */
  lifetime: number;
}

/** Turns sessions into values that a client can keep, and back. */
export interface SealFormat {
  /** Whether `value` has the form of one of its values; no crypto is done for it. */
  accepts(value: string): boolean;
  /** The session in `value`; undefined for all that was not sealed here, or has expired. */
  open(value: string, maxAge: number, name?: string): Awaitable<SealedSession | undefined>;
  /** The value that holds the session, for `name` alone where the format can bind one. */
  seal(session: SealedSession, name?: string): Promise<string>;
  /** PAGI's hash in `value`. */
  openHash(value: string): Promise<SessionHash | undefined>;
  /** The value that holds PAGI's hash. */
  sealHash(id: string, hash: SessionHash): Promise<string>;
}

/** What a format is made with. */
export interface SealFormatOptions {
  /** The first seals, all open. */
  secrets: readonly string[];
  /** The most characters that a value may have. */
  maxSize: number;
  /** The clock, in Unix milliseconds. */
  now: () => number;
}

/** The longest that anything sealed is taken for, in seconds: as long as browsers keep a cookie. */
export const MAX_LIFETIME = 400 * 86_400;

/** Browsers refuse a cookie whose name and value take more bytes (RFC 6265bis, section 5.6). */
export const MAX_COOKIE_BYTES = 4096;

/**
 * Refuses a value that is too large, before anything is done for it.
 *
 * @throws {SessionError} `ERR_SESSION_TOO_LARGE`
 */
export function checkSize(size: number, maxSize: number): void {
  if (size <= maxSize) return;
  throw new SessionError(
    "ERR_SESSION_TOO_LARGE",
    `Cannot seal the session: its value would take ${size} bytes, and only ${maxSize} of the ` +
      `${MAX_COOKIE_BYTES} that browsers keep can be the value`,
  );
}
