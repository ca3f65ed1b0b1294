/**
 * {@linkcode SessionError}: what can go wrong with a session at run time, told apart by `code`.
 *
 * @module
 */
import type { HeaderPair } from "./pagi.ts";

/**
 * What went wrong, as a string that stays the same from release to release.
 *
 * | code | meaning | answer by `handler` |
 * | --- | --- | --- |
 * | `ERR_SESSION_INTERRUPTED` | the session was destroyed, rotated or given to another user while this request was writing to it | 409 |
 * | `ERR_SESSION_CONFLICT` | so many requests wrote at once that this one did not get its turn | 503 |
 * | `ERR_SESSION_STORE` | the store failed, or did not answer within `storeTimeout` | 503 |
 * | `ERR_SESSION_AMBIGUOUS` | a write, while the client presents more than one live session | 400 |
 * | `ERR_SESSION_COMMITTED` | a write after the response was started | thrown on |
 * | `ERR_SESSION_READ_ONLY` | a write to a session that was loaded for reading | thrown on |
 * | `ERR_SESSION_KEY` | `get(key)` of a key that the session does not have | thrown on |
 * | `ERR_SESSION_DATA` | the session holds what its codec does not keep; the message has its path | thrown on |
 * | `ERR_SESSION_TOO_LARGE` | the session has more bytes than `maxBytes`, or than its cookie or store takes | thrown on |
 */
export type SessionErrorCode =
  | "ERR_SESSION_INTERRUPTED"
  | "ERR_SESSION_CONFLICT"
  | "ERR_SESSION_STORE"
  | "ERR_SESSION_AMBIGUOUS"
  | "ERR_SESSION_COMMITTED"
  | "ERR_SESSION_READ_ONLY"
  | "ERR_SESSION_KEY"
  | "ERR_SESSION_DATA"
  | "ERR_SESSION_TOO_LARGE";

/** The status of a response that is made of an error. */
const STATUS: Readonly<Record<SessionErrorCode, number>> = {
  ERR_SESSION_INTERRUPTED: 409,
  ERR_SESSION_CONFLICT: 503,
  ERR_SESSION_STORE: 503,
  ERR_SESSION_AMBIGUOUS: 400,
  ERR_SESSION_COMMITTED: 500,
  ERR_SESSION_READ_ONLY: 500,
  ERR_SESSION_KEY: 500,
  ERR_SESSION_DATA: 500,
  ERR_SESSION_TOO_LARGE: 500,
};

/** What a {@linkcode SessionError} is made of. */
export interface SessionErrorOptions {
  /** The error underneath, usually the store's own; without what that quotes of the session. */
  cause?: unknown;
  /**
   * Headers that a response made from the error should carry.
   *
   * @default {[]}
   */
  headers?: HeaderPair[];
}

/**
 * A session could not be read, written or ended. The message never holds an id, a secret or
 * session data, so it can be logged as it is.
 *
 * @example Telling an interrupted session from a failing store
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { SessionError } from "@pagi/session/errors";
 *
 * function text(error: unknown): string {
 *   if (!(error instanceof SessionError)) return "Something broke";
 *   return error.code === "ERR_SESSION_INTERRUPTED" ? "Please sign in again" : "Please try again";
 * }
 *
 * const error = new SessionError("ERR_SESSION_STORE", "Cannot read the session");
 * assertEquals([error.status, text(error)], [503, "Please try again"]);
 * ```
 */
export class SessionError extends Error {
  /** Always `"SessionError"`. */
  override readonly name = "SessionError";
  /** What went wrong. */
  readonly code: SessionErrorCode;
  /**
   * The status of a response that is made of this error: 400, 409, 500 or 503. Express, Koa, Fastify
   * and others look for it here.
   */
  readonly status: number;
  /** Headers that a response made from this error should carry: the cleared cookie of a logout that failed. */
  readonly headers: readonly HeaderPair[];

  /** Makes an error of the given code. */
  constructor(code: SessionErrorCode, message: string, options: SessionErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.status = STATUS[code];
    this.headers = options.headers ?? [];
  }
}
