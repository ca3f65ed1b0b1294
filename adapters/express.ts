/**
 * {@linkcode expressSession}: sessions in Connect and Express apps, as `req.session`.
 *
 * @module
 */
import { checkMiddleware, placeTaken } from "../base/check_options.ts";
import type { NodeRequest, SessionMiddleware } from "../middleware.ts";
import { SessionError } from "../errors.ts";
import type { Session } from "../session.ts";
import { holdResponse, isNodeResponse, type NodeResponse } from "./_node/held_response.ts";
import { sendResponse } from "./_node/send_response.ts";

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

/** The session of a request in progress. */
interface OpenedRequest {
  readonly session: unknown;
  abort(error: unknown): Promise<void>;
}

/** The sessions of requests in progress, by middleware. */
const opened = new WeakMap<NodeRequest, Map<unknown, OpenedRequest>>();

/**
 * Creates a middleware for Connect 3 and Express 4 and 5: `req.session` is the request's
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
  const { key: place = "session" } = sessions;
  const isTaken = (req: NodeRequest) =>
    [...opened.get(req)?.keys() ?? []].some((other) => placeOf(other) === place) ||
    (sessions.key !== undefined && place in req);
  const middleware = (req: NodeRequest, res: Partial<NodeResponse>, next: Next) => {
    if (opened.get(req)?.has(sessions)) return next();
    if (isTaken(req)) return next(placeTaken(`req.${place}`));
    const fail = (error: unknown) => next(withoutHeaders(error));
    const isHeld = !req.upgrade && isNodeResponse(res);
    const { headers, method, url, socket } = req;
    const request = isHeld ? req : { headers, method, url, socket, upgrade: true };
    sessions.open(request).then((open) => {
      if (!opened.has(req)) opened.set(req, new Map());
      opened.get(req)!.set(sessions, open);
      // cookie-session ends a session by `req.session = null`. Here that would leave it active.
      Object.defineProperty(req, place, {
        configurable: true,
        enumerable: true,
        get: () => open.session,
        set() {
          throw new TypeError(
            `Cannot assign req.${place}: it would not be saved. Use req.${place}.set(values), or ` +
              `req.${place}.destroy() to end the session`,
          );
        },
      });
      if (isHeld) {
        holdResponse(res, { save: (headers) => open.commit(headers), errorHead, fail });
      }
      if (open.response === undefined) return open.run(next);
      sendResponse(open.response, req, res as NodeResponse).catch(fail);
    }, fail);
  };
  return Object.assign(middleware, {
    of(req: NodeRequest): Session<Data> {
      const open = opened.get(req)?.get(sessions);
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
  const all = [...opened.get(req)?.values() ?? []];
  Promise.all(all.map((open) => open.abort(error))).then(() => next(error), next);
}

/** Returns the name of the property under which a middleware puts its sessions. */
function placeOf(sessions: unknown): string {
  return (sessions as SessionMiddleware).key ?? "session";
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
