/**
 * {@linkcode expressSession}: sessions in Connect and Express apps, as `req.session`.
 *
 * @module
 */
import type { NodeRequest, SessionMiddleware } from "../middleware.ts";
import { SessionError } from "../errors.ts";
import type { Session } from "../session.ts";
import { holdBack, type NodeResponse } from "./_held_response.ts";

export type { NodeRequest, NodeResponse };

/** Hands a request on to what comes next, or an error to what answers it. */
export type Next = (error?: unknown) => void;

/** A middleware for Connect and Express, which also finds a request's session. */
export interface ExpressSession<Data extends object = Record<string, unknown>> {
  /** The middleware. */
  (req: NodeRequest, res: NodeResponse, next: Next): void;
  /**
   * The session of a request that has come through the middleware, the same as `req.session`.
   *
   * @throws {TypeError} When the request has not.
   */
  of(req: NodeRequest): Session<Data>;
}

/** The sessions of the requests under way. */
const opened = new WeakMap<NodeRequest, { session: unknown; abort(): Promise<void> }>();

/**
 * Middleware for Connect 3 and Express 4 and 5: `req.session` is the request's
 * {@linkcode Session}. The session is saved before the first byte of the response leaves, whatever
 * sends it. A session that cannot be read or saved goes to `next(error)`, as a
 * {@linkcode SessionError} whose `status` Express answers with; a response that is still being
 * written then is replaced by one without a body.
 *
 * Express does not tell a middleware that a later one threw, and what was written to the session
 * before is saved with the error page. {@linkcode abortSession} has it dropped.
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
 * const sessions = new SessionMiddleware<Data>({ secret: "change me" });
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
 * @example Without a declaration
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
  const middleware = (req: NodeRequest & { session?: unknown }, res: NodeResponse, next: Next) => {
    if (opened.has(req)) return next();
    sessions.open(req).then((open) => {
      opened.set(req, open);
      req.session = open.session;
      holdBack(res, {
        save: (headers) => open.commit(headers),
        describe,
        fail: (error) => next(bare(error)),
      });
      next();
    }, next);
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
 * Error middleware for after the routes, before your own: nothing is saved of a request whose
 * handler threw, or handed on an error, except that what it destroyed stays destroyed.
 *
 * @example
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
  const aborted = opened.get(req)?.abort() ?? Promise.resolve();
  aborted.then(() => next(error), next);
}

function describe(error: unknown) {
  return error instanceof SessionError ? error : { status: 500, headers: [] };
}

/** The error without its headers: they are on the response, and Express takes headers for an object. */
function bare(error: unknown): unknown {
  if (!(error instanceof SessionError) || error.headers.length === 0) return error;
  return new SessionError(error.code, error.message, { cause: error });
}
