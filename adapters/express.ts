/**
 * {@linkcode expressSession}: sessions in Express apps, as `req.session`.
 *
 * @module
 */
import { checkMiddleware, checkOptions, optionError } from "../base/check_options.ts";
import type { ControlledSession } from "../core/entry/open.ts";
import type { NodeRequest, SessionMiddleware, VerifyCsrfOptions } from "../middleware.ts";
import { CompatRequest, type CompatRules } from "./_express_compat/compat_request.ts";
import type { CompatMethods, SessionCallback } from "./_express_compat/compat_session.ts";
import type { CookieOverrides, SessionCookie } from "./_express_compat/session_cookie.ts";
import type { NodeResponse } from "./_node/held_response.ts";
import { type Next, type NodeSession, nodeSession } from "./_node/middleware.ts";
import { abortSessions, findSession, noSession, placeOf } from "./_node/request_session.ts";

export type {
  CompatMethods,
  CookieOverrides,
  Next,
  NodeRequest,
  NodeResponse,
  NodeSession as ExpressSession,
  SessionCallback,
  SessionCookie,
  VerifyCsrfOptions,
};

/**
 * A session as express-session documents it. Its data are plain properties, of which none needs to
 * exist.
 */
export type CompatSession<Data extends object = Record<string, unknown>> =
  & CompatMethods
  & Partial<Data>;

/** Options of {@linkcode expressSession}. */
export interface ExpressSessionOptions<Data extends object = Record<string, unknown>> {
  /**
   * Makes `req.session` the session that express-session documents: plain properties, `cookie`, and
   * the methods `save`, `regenerate`, `destroy`, `reload` and `touch` with callbacks. Turn it on for
   * code that was written for express-session, such as Passport.
   *
   * @default {false, `req.session` is a `Session`}
   */
  compat?: boolean;
  /**
   * Decides what the stored session becomes if the app sets `req.session` to `null` or deletes it.
   * `"keep"` ignores the changes of this request; `"destroy"` ends the session. Needs `compat`.
   *
   * @default {"keep"}
   */
  unset?: "keep" | "destroy";
  /**
   * Returns the ID of the user who is signed in, which becomes the session's `subject`: a new value
   * also replaces the session ID, and `sessions.destroyAll(subject)` signs the user out everywhere.
   * It is called when the session is saved, and must not change it. Needs `compat`.
   *
   * @default {the user that Passport has serialized, `session.passport.user`, if it is a string or a
   * number}
   */
  subject?: (session: Partial<Data>) => string | undefined;
}

/** A middleware whose sessions are those of express-session. */
export interface ExpressCompatSession<Data extends object = Record<string, unknown>> {
  /** The middleware. For a WebSocket's handshake, `res` may be any object. */
  (req: NodeRequest, res: Partial<NodeResponse>, next: Next): void;
  /**
   * Returns the session of a request that has passed through the middleware, the same as
   * `req.session`. It is `undefined` if the app has ended or removed the session.
   *
   * @throws {TypeError} If the request has not passed through the middleware.
   */
  of(req: NodeRequest): CompatSession<Data> | undefined;
  /**
   * Returns a token for forms and scripts, as {@linkcode Session.csrfToken} does: put it into a field
   * `_csrf` of each form. Nothing is stored, but a new session is saved.
   *
   * @throws {TypeError} If the request has not passed through the middleware.
   * @throws {SessionError} If no session can be saved any more.
   */
  csrfToken(req: NodeRequest): string;
  /**
   * Refuses a request that a page of another site may have made, as
   * {@linkcode SessionMiddleware.verifyCsrf} does. Parse the form first.
   *
   * @throws {SessionError} `ERR_SESSION_CSRF` (403) if the request is refused.
   * @throws {TypeError} If an option is wrong, or the request has not passed through the middleware.
   *
   * @example Check all requests
   * ```ts ignore
   * const session = expressSession(sessions, { compat: true });
   * app.use(session, express.urlencoded({ extended: false }));
   * app.use((req, res, next) => {
   *   session.verifyCsrf(req).then(() => next(), next);
   * });
   * ```
   */
  verifyCsrf(req: NodeRequest, options?: VerifyCsrfOptions): Promise<void>;
}

/**
 * Creates a middleware for Express 4 and 5: `req.session` is the request's
 * {@linkcode Session}. With the option `key`, it is `req[key]`. The session is saved before the first
 * byte of the response is sent, whichever method sends it.
 *
 * An assignment to `req.session` throws, because nothing would save or end the session: write with
 * `req.session.set(…)`, and end it with `req.session.destroy()`.
 *
 * The session of a WebSocket's handshake is read-only: `io.engine.use(expressSession(sessions))`, or
 * `session(request, {}, next)`.
 *
 * If a session cannot be read or saved, the middleware calls `next(error)` with a
 * {@linkcode SessionError}; Express responds with its `status`. If the app is still writing the
 * response at that time, the client gets a response without a body instead.
 *
 * A response with a status of 500 or more saves no changes, because that is how Express responds to
 * an exception. Express does not tell a middleware that a later one threw, so an error page with
 * another status saves them. {@linkcode abortSession} discards those, too. To save in spite of an
 * error, call `await session.save()` before it.
 *
 * @example A visit counter
 * ```ts ignore
 * import express from "express";
 * import { type Session, SessionMiddleware } from "@pagi/session";
 * import { expressSession } from "@pagi/session/express";
 *
 * type Data = { visits: number };
 * declare global {
 *   namespace Express {
 *     interface Request {
 *       session: Session<Data>;
 *     }
 *   }
 * }
 *
 * const sessions = new SessionMiddleware<Data>({
 *   secret: "replace this with: openssl rand -hex 32",
 * });
 *
 * const app = express();
 * app.use(expressSession(sessions));
 * app.get("/", (req, res) => {
 *   req.session.update("visits", (visits = 0) => visits + 1);
 *   res.send(`Visit ${req.session.get("visits")}`);
 * });
 * app.listen(3000);
 * ```
 *
 * @example Without a type declaration
 * ```ts ignore
 * const session = expressSession(sessions);
 * app.use(session);
 * app.get("/", (req, res) => {
 *   res.send(`Visit ${session.of(req).get("visits", 0)}`);
 * });
 * ```
 */
export function expressSession<Data extends object>(
  sessions: SessionMiddleware<Data>,
): NodeSession<Data>;
/**
 * Creates a middleware whose `req.session` is that of express-session, for code that was written for
 * it. Passport, connect-flash and others run unchanged. The rules about concurrent requests hold:
 * their changes of different properties are merged, a session that has ended does not come back, and
 * there is one valid ID.
 *
 * @throws {TypeError} If an option is unknown or of the wrong type.
 *
 * @example Passport
 * ```ts ignore
 * app.use(expressSession(sessions, { compat: true }));
 * app.use(passport.session());
 * ```
 */
export function expressSession<Data extends object>(
  sessions: SessionMiddleware<Data>,
  options: ExpressSessionOptions<Data> & { compat: true },
): ExpressCompatSession<Data>;
export function expressSession<Data extends object>(
  sessions: SessionMiddleware<Data>,
  options: ExpressSessionOptions<Data> = {},
): NodeSession<Data> | ExpressCompatSession<Data> {
  checkMiddleware("expressSession", sessions);
  const rules = checkCompat(options as ExpressSessionOptions);
  if (rules === undefined) return nodeSession(sessions);
  const compat = {
    sessions: sessions as unknown as SessionMiddleware,
    rules,
    place: placeOf(sessions),
  };
  const middleware: unknown = nodeSession(sessions, {
    make: (open, req, isHeld) =>
      new CompatRequest(req, open as ControlledSession<Record<string, unknown>>, {
        ...compat,
        isHeld,
      }),
  });
  const requestOf = (req: NodeRequest) => {
    const own: unknown = findSession(req, sessions);
    if (own === undefined) throw noSession();
    return own as CompatRequest;
  };
  return Object.assign(middleware as ExpressCompatSession<Data>, {
    csrfToken: (req: NodeRequest) => requestOf(req).csrfToken(),
    // A promise in any case: a wrong call rejects.
    verifyCsrf: async (req: NodeRequest, csrf?: VerifyCsrfOptions) =>
      await requestOf(req).verifyCsrf(csrf),
  });
}

/**
 * Discards the session changes of a request whose handler threw or called `next(error)`. A session
 * that the handler destroyed stays destroyed. If the session refused a change of the handler, you
 * get the event `request-failed`. Add this error middleware after the routes and before your own
 * error middleware.
 *
 * @example Discard changes when a route fails
 * ```ts ignore
 * app.use(expressSession(sessions));
 * app.use(routes);
 * app.use(abortSession);
 * ```
 */
export function abortSession(
  error: unknown,
  req: NodeRequest,
  _res: unknown,
  next: Next,
): void {
  abortSessions(req, error).then(() => next(error), next);
}

/** Returns how express-session's sessions behave; `undefined` if `req.session` is a `Session`. */
function checkCompat(options: ExpressSessionOptions): CompatRules | undefined {
  const owner = "expressSession";
  checkOptions(owner, options, ["compat", "unset", "subject"]);
  const { compat = false, unset = "keep", subject = passportUser } = options;
  if (typeof compat !== "boolean") throw optionError(owner, "compat must be true or false");
  if (unset !== "keep" && unset !== "destroy") {
    throw optionError(owner, 'unset must be "keep" or "destroy"');
  }
  if (typeof subject !== "function") {
    throw optionError(owner, "subject must be a function of the session");
  }
  if (compat) return { unset, subject };
  for (const name of ["unset", "subject"] as const) {
    if (options[name] !== undefined) throw optionError(owner, `${name} needs compat: true`);
  }
  return undefined;
}

/** The user whom Passport has serialized, if that is an ID. */
function passportUser({ passport }: Record<string, unknown>): string | undefined {
  const { user } = (passport ?? {}) as { user?: unknown };
  return typeof user === "number" || (typeof user === "string" && user !== "")
    ? String(user)
    : undefined;
}
