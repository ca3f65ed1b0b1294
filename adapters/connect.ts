/**
 * {@linkcode connectSession}: sessions in Connect apps, as `req.session`.
 *
 * @module
 */
import { checkMiddleware } from "../base/check_options.ts";
import type { NodeRequest, SessionMiddleware } from "../middleware.ts";
import type { NodeResponse } from "./_node/held_response.ts";
import { type Next, type NodeSession, nodeSession } from "./_node/middleware.ts";

export { abortSession } from "./express.ts";
export type { Next, NodeRequest, NodeResponse, NodeSession as ConnectSession };

/**
 * Creates a middleware for Connect 3, and for servers that call `(req, res, next)` as Connect does:
 * `req.session` is the request's {@linkcode Session}. With the option `key`, it is `req[key]`. The
 * session is saved before the first byte of the response. If it cannot be read or saved, `next` is
 * called with a {@linkcode SessionError}, which has a `status`.
 *
 * A response with a status of 500 or more saves nothing. {@linkcode abortSession} discards the changes
 * of errors with other statuses. To save in spite of an error, call `await session.save()` before it.
 *
 * @throws {TypeError} If `sessions` is not a `SessionMiddleware`.
 *
 * @example A visit counter
 * ```ts ignore
 * import { SessionMiddleware } from "@pagi/session";
 * import { connectSession } from "@pagi/session/connect";
 * import connect from "connect";
 * import { createServer } from "node:http";
 *
 * const sessions = new SessionMiddleware<{ visits: number }>({
 *   secret: "replace this with: openssl rand -hex 32",
 * });
 * const session = connectSession(sessions);
 *
 * const app = connect();
 * app.use(session);
 * app.use("/", (req, res) => {
 *   session.of(req).update("visits", (visits = 0) => visits + 1);
 *   res.end(`Visit ${session.of(req).get("visits")}`);
 * });
 * createServer(app).listen(3000);
 * ```
 */
export function connectSession<Data extends object>(
  sessions: SessionMiddleware<Data>,
): NodeSession<Data> {
  checkMiddleware("connectSession", sessions);
  return nodeSession(sessions);
}
