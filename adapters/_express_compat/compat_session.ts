/** `req.session` as express-session documents it: plain properties, and methods with callbacks. */
import type { SessionCookie } from "./session_cookie.ts";

/** Is called when an operation is done, with an error if it has failed. */
export type SessionCallback = (error?: unknown) => void;

/** The operations of a `CompatSession`, which its request carries out. */
export interface SessionOperations {
  /** The session's ID. */
  readonly id: string | undefined;
  store(callback?: SessionCallback): void;
  regenerate(callback?: SessionCallback): void;
  destroy(callback?: SessionCallback): void;
  reload(callback?: SessionCallback): void;
}

/** What `CompatSession` has beside the app's data. */
export interface CompatMethods {
  /** The session's ID. */
  readonly id: string;
  /** The request. */
  readonly req: unknown;
  /** The session's cookie. */
  cookie: SessionCookie;
  /**
   * Saves the session now. The session can still be written to after that. Errors go to the
   * callback. The response fails with the same error, unless the app responds to it with `next(error)`.
   */
  save(callback?: SessionCallback): this;
  /** Ends this session's ID, and replaces the data by those of a new, empty session. */
  regenerate(callback?: SessionCallback): this;
  /** Ends the session. `req.session` is `undefined` from then on. */
  destroy(callback?: SessionCallback): this;
  /** Replaces `req.session` by the session as it is stored, without the changes since. */
  reload(callback?: SessionCallback): this;
  /** Makes the cookie's lifetime start again. */
  touch(): this;
  /** Makes the cookie's lifetime start again. */
  resetMaxAge(): this;
}

/**
 * A session for code that was written for express-session. The app's data are its own properties,
 * beside `cookie`. Changes are saved with the response, nested ones too.
 */
export class CompatSession implements CompatMethods {
  [key: string]: unknown;
  /** The session's cookie. */
  declare cookie: SessionCookie;
  /** The request. */
  declare readonly req: unknown;
  readonly #operations: SessionOperations;

  constructor(req: unknown, operations: SessionOperations) {
    this.#operations = operations;
    Object.defineProperty(this, "req", { value: req });
  }

  /** The session's ID. */
  get id(): string {
    return this.#operations.id as string;
  }

  /** Saves the session now. */
  save(callback?: SessionCallback): this {
    this.#operations.store(callback);
    return this;
  }

  /** Ends this session's ID, and replaces the data by those of a new, empty session. */
  regenerate(callback?: SessionCallback): this {
    this.#operations.regenerate(callback);
    return this;
  }

  /** Ends the session. */
  destroy(callback?: SessionCallback): this {
    this.#operations.destroy(callback);
    return this;
  }

  /** Replaces `req.session` by the session as it is stored. */
  reload(callback?: SessionCallback): this {
    this.#operations.reload(callback);
    return this;
  }

  /** Makes the cookie's lifetime start again. */
  touch(): this {
    return this.resetMaxAge();
  }

  /** Makes the cookie's lifetime start again. */
  resetMaxAge(): this {
    this.cookie.maxAge = this.cookie.originalMaxAge;
    return this;
  }
}
