/**
 * {@linkcode expressSession}: sessions in Connect and Express apps, as `req.session`.
 *
 * @module
 */
import { checkMiddleware } from "../base/check_options.ts";
import type { NodeRequest, SessionMiddleware } from "../middleware.ts";
import { SessionError } from "../errors.ts";
import type { Session } from "../session.ts";
import { holdResponse, isNodeResponse, type NodeResponse } from "./_node/held_response.ts";

export type { NodeRequest, NodeResponse };

/** Passes the request to the next middleware, or an error to the error middleware. */
export type Next = (error?: unknown) => void;

/** A middleware for Connect and Express. Its method `of` returns a request's session. */
export interface ExpressSession<Data extends object = Record<string, unknown>> {
  /** The middleware. For a WebSocket's handshake, `res` may be any object. */
  (req: NodeRequest, res: Partial<NodeResponse>, next: Next): void;
  /**
   * Returns the session of a request that has passed through the middleware, the same as
   * `req.session`.
   *
   * @throws {TypeError} If the request has not passed through the middleware.
   */
  of(req: NodeRequest): Session<Data>;
}

/** The sessions of requests in progress. */
const opened = new WeakMap<
  NodeRequest,
  { session: unknown; abort(error: unknown): Promise<void> }
>();

/**
 * Creates a middleware for Connect 3 and Express 4 and 5: `req.session` is the request's
 * {@linkcode Session}. The session is saved before the first byte of the response is sent,
 * whichever method sends it.
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
 * Express does not tell a middleware that a later one threw. By default, changes made before the
 * error are saved with the error page. {@linkcode abortSession} discards those changes.
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
): ExpressSession<Data> {
  checkMiddleware("expressSession", sessions);
  const middleware = (
    req: NodeRequest & { session?: unknown },
    res: Partial<NodeResponse>,
    next: Next,
  ) => {
    if (opened.has(req)) return next();
    const fail = (error: unknown) => next(withoutHeaders(error));
    const isHeld = !req.upgrade && isNodeResponse(res);
    const { headers, method, url, socket } = req;
    const request = isHeld ? req : { headers, method, url, socket, upgrade: true };
    sessions.open(request).then((open) => {
      opened.set(req, open);
      // cookie-session ends a session by `req.session = null`. Here that would leave it active.
      Object.defineProperty(req, "session", {
        configurable: true,
        enumerable: true,
        get: () => open.session,
        set() {
          throw new TypeError(
            "Cannot assign req.session: it would not be saved. Use req.session.set(values), or " +
              "req.session.destroy() to end the session",
          );
        },
      });
      if (isHeld) {
        holdResponse(res, { save: (headers) => open.commit(headers), errorHead, fail });
      }
      open.run(next);
    }, fail);
  };
  return Object.assign(middleware, {
    of(req: NodeRequest): Session<Data> {
      const open = opened.get(req);
      if (open !== undefined) return open.session as Session<Data>;
      throw new TypeError(
        "Cannot find the session: the request has not come through the middleware",
      );
    },
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
  const aborted = opened.get(req)?.abort(error) ?? Promise.resolve();
  aborted.then(() => next(error), next);
}

/** Returns the status and headers of a response to `error`. */
function errorHead(error: unknown) {
  return error instanceof SessionError ? error : { status: 500, headers: [] };
}

/**
 * Returns the error without its headers, which the response already has: Express expects `headers`
 * of an error to be an object.
 */
function withoutHeaders(error: unknown): unknown {
  if (!(error instanceof SessionError) || error.headers.length === 0) return error;
  return new SessionError(error.code, error.message, { cause: error });
}
