/**
 * {@linkcode expressSession}: sessions in Express apps, as `req.session`.
 *
 * @module
 */
import { checkMiddleware } from "../base/check_options.ts";
import type { NodeRequest, SessionMiddleware } from "../middleware.ts";
import type { NodeResponse } from "./_node/held_response.ts";
import { type Next, type NodeSession, nodeSession } from "./_node/middleware.ts";
import { abortSessions } from "./_node/request_session.ts";

export type { Next, NodeRequest, NodeResponse, NodeSession as ExpressSession };

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
): NodeSession<Data> {
  checkMiddleware("expressSession", sessions);
  return nodeSession(sessions);
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
