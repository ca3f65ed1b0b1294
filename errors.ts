/**
 * {@linkcode SessionError}: the error that sessions throw at run time. Its `code` tells the causes
 * apart.
 *
 * @module
 */
import type { HeaderPair } from "./pagi.ts";

/**
 * The cause of a {@linkcode SessionError}. A code never changes between releases.
 *
 * | code | cause | response of `handler` |
 * | --- | --- | --- |
 * | `ERR_SESSION_INTERRUPTED` | Another request destroyed the session, regenerated its ID or gave it to another user while this request was writing to it. | 409 |
 * | `ERR_SESSION_CONFLICT` | Too many other requests wrote to the session at the same time, or one of them took a value that this request pulled. | 503 |
 * | `ERR_SESSION_STORE` | The store failed, or did not respond within `storeTimeout`. | 503 |
 * | `ERR_SESSION_AMBIGUOUS` | The handler wrote to the session, but the request carries several session IDs and none can be trusted. | 400 |
 * | `ERR_SESSION_CSRF` | `sessions.verifyCsrf()` refused a request that another site may have made. | 403 |
 * | `ERR_SESSION_COMMITTED` | The handler wrote to the session after the response had started. | rethrown |
 * | `ERR_SESSION_READ_ONLY` | The app wrote to a session that was loaded for reading. | rethrown |
 * | `ERR_SESSION_KEY` | `get(key)` was called for a key that the session does not have. | rethrown |
 * | `ERR_SESSION_DATA` | The session holds a value that its codec cannot store. The message names its path. | rethrown |
 * | `ERR_SESSION_TOO_LARGE` | The session is larger than `maxBytes`, or than its cookie or store allows. | rethrown |
 */
export type SessionErrorCode =
  | "ERR_SESSION_INTERRUPTED"
  | "ERR_SESSION_CONFLICT"
  | "ERR_SESSION_STORE"
  | "ERR_SESSION_AMBIGUOUS"
  | "ERR_SESSION_CSRF"
  | "ERR_SESSION_COMMITTED"
  | "ERR_SESSION_READ_ONLY"
  | "ERR_SESSION_KEY"
  | "ERR_SESSION_DATA"
  | "ERR_SESSION_TOO_LARGE";

/** The HTTP status for a response to an error. */
const STATUS: Readonly<Record<SessionErrorCode, number>> = {
  ERR_SESSION_INTERRUPTED: 409,
  ERR_SESSION_CONFLICT: 503,
  ERR_SESSION_STORE: 503,
  ERR_SESSION_AMBIGUOUS: 400,
  ERR_SESSION_CSRF: 403,
  ERR_SESSION_COMMITTED: 500,
  ERR_SESSION_READ_ONLY: 500,
  ERR_SESSION_KEY: 500,
  ERR_SESSION_DATA: 500,
  ERR_SESSION_TOO_LARGE: 500,
};

/** Options of {@linkcode SessionError}. */
export interface SessionErrorOptions {
  /**
   * The error that caused this one, usually the store's. If the store's error quotes the session ID
   * or session data, the middleware sets a redacted copy.
   */
  cause?: unknown;
  /**
   * Lists headers to send with a response to the error.
   *
   * @default {[]}
   */
  headers?: HeaderPair[];
}

/** Marks the errors of every copy of this package. */
const BRAND = Symbol.for("@pagi/session/error");

/**
 * Says that a session could not be read, written or ended. The message never contains an ID, a
 * secret or session data, so it is safe to log.
 *
 * @example Distinguish an interrupted session from a failing store
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
  /**
   * Whether `value` is a `SessionError`, also of another copy of this package. A bundler may make
   * several: Next.js has one for its proxy and one for its pages.
   */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return this === SessionError
      ? typeof value === "object" && value !== null && BRAND in value
      : Function.prototype[Symbol.hasInstance].call(this, value);
  }

  static {
    Object.defineProperty(this.prototype, BRAND, { value: true });
  }
  /** Always `"SessionError"`. */
  override readonly name = "SessionError";
  /** The cause of the error. */
  readonly code: SessionErrorCode;
  /**
   * The HTTP status for a response to this error: 400, 403, 409, 500 or 503. Express, Koa, Fastify and
   * other frameworks read this property.
   */
  readonly status: number;
  /**
   * Headers to send with a response to this error. After a failed logout, they remove the session
   * cookie.
   */
  readonly headers: readonly HeaderPair[];

  /** The same as `status`, under the name that other frameworks and `http-errors` use. */
  get statusCode(): number {
    return this.status;
  }

  /** Creates an error with the given code. */
  constructor(code: SessionErrorCode, message: string, options: SessionErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.status = STATUS[code];
    this.headers = options.headers ?? [];
  }
}
