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
  /** Makes the cookie of what the app assigns to `cookie`. */
  toCookie(given: unknown): SessionCookie;
}

/** Not a private field: the methods also work through a Proxy, and on an object made of the session. */
const OPERATIONS = Symbol("operations");
const COOKIE = Symbol("cookie");

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
  /** The request. */
  declare readonly req: unknown;
  declare readonly [OPERATIONS]: SessionOperations;
  declare [COOKIE]: SessionCookie;

  constructor(req: unknown, operations: SessionOperations) {
    Object.defineProperties(this, {
      req: { value: req },
      [OPERATIONS]: { value: operations },
      [COOKIE]: { writable: true },
    });
  }

  /** Gives the session its cookie, which is listed with the data. */
  static addCookie(session: CompatSession, cookie: SessionCookie): void {
    session[COOKIE] = cookie;
    const accessor = Object.getOwnPropertyDescriptor(CompatSession.prototype, "cookie")!;
    Object.defineProperty(session, "cookie", { ...accessor, enumerable: true });
  }

  /** The session's cookie. It stays when the app deletes all properties. */
  get cookie(): SessionCookie {
    return this[COOKIE];
  }

  /** @throws {TypeError} If it is not an object with attributes of a cookie. */
  set cookie(given: SessionCookie) {
    this[COOKIE] = this[OPERATIONS].toCookie(given);
  }

  /** The session's ID. */
  get id(): string {
    return this[OPERATIONS].id as string;
  }

  /** Saves the session now. */
  save(callback?: SessionCallback): this {
    this[OPERATIONS].store(callback);
    return this;
  }

  /** Ends this session's ID, and replaces the data by those of a new, empty session. */
  regenerate(callback?: SessionCallback): this {
    this[OPERATIONS].regenerate(callback);
    return this;
  }

  /** Ends the session. */
  destroy(callback?: SessionCallback): this {
    this[OPERATIONS].destroy(callback);
    return this;
  }

  /** Replaces `req.session` by the session as it is stored. */
  reload(callback?: SessionCallback): this {
    this[OPERATIONS].reload(callback);
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
