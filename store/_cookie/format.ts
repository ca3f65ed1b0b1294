/** What the formats of a cookie-backed session share. */
import type { Awaitable } from "../../base/awaitable.ts";
import { MAX_COOKIE_BYTES } from "../../base/limits.ts";
import { decodeSession, isReserved } from "../../base/record_text.ts";
import { toUtf8 } from "../../base/utf8.ts";
import { SessionError } from "../../errors.ts";
import type { SessionHash } from "../store.ts";

/** A message shows at most this much of a key. */
const MAX_KEY = 50;

/** A session that a cookie holds. */
export interface CookieSession {
  id: string;
  text: string;
  /** When the session was last used, in Unix seconds. */
  lastAccess: number;
  /** Seconds from `lastAccess` on for which the value is accepted. */
  lifetime: number;
  /** The generation of the session's subject (see `generations.ts`). */
  generation: string;
}

/** Encrypts sessions to values that a client can keep, and decrypts these values. */
export interface CookieFormat {
  /** Whether `value` looks like a value of this format. Decrypts nothing. */
  accepts(value: string): boolean;
  /** The session in `value`; `undefined` if the value was not encrypted here or has expired. */
  decrypt(value: string, maxAge: number, name?: string): Awaitable<CookieSession | undefined>;
  /**
   * The value for a session. Binds it to `name`, if the format can.
   *
   * @param maxSize The most characters that the value may have, if not as many as one cookie holds.
   */
  encrypt(session: CookieSession, name?: string, maxSize?: number): Promise<string>;
  /** The plain data in `value`, as PAGI's `get` returns it. */
  decryptPlain(value: string): Promise<SessionHash | undefined>;
  /** The value for plain data, as PAGI's `set` receives it. */
  encryptPlain(id: string, data: SessionHash, generation: string): Promise<string>;
}

/** Options of a format. */
export interface CookieFormatOptions {
  /** The first secret encrypts. All of them can decrypt. */
  secrets: readonly string[];
  /** The most characters that a value may have. */
  maxSize: number;
  /** The clock, in Unix milliseconds. */
  now: () => number;
}

/**
 * Refuses a value that does not fit, before any work is done for it.
 *
 * @param text The session's text.
 * @throws {SessionError} `ERR_SESSION_TOO_LARGE`
 */
export function checkSize(size: number, maxSize: number, text: string): void {
  if (size <= maxSize) return;
  const chunks = maxSize < MAX_COOKIE_BYTES
    ? ", or spread it over several cookies with the option chunks of CookieState"
    : "";
  throw new SessionError(
    "ERR_SESSION_TOO_LARGE",
    `Cannot seal the session: its value would take ${
      size - maxSize
    } bytes more than the ${maxSize} ` +
      `that its cookies hold${largestKey(text)}. Keep such data in a store on the server${chunks}`,
  );
}

/** Names the key that takes most of a session's text, for a message. */
export function largestKey(text: string): string {
  let largest: string | undefined;
  let most = 0;
  for (const [key, value] of Object.entries(decodeSession(text.slice(text.indexOf("{"))) ?? {})) {
    const size = toUtf8(JSON.stringify(value)).length;
    if (isReserved(key) || size <= most) continue;
    [largest, most] = [key, size];
  }
  if (largest === undefined) return "";
  return `; its largest key is ${JSON.stringify(largest.slice(0, MAX_KEY))} with ${most} bytes`;
}
