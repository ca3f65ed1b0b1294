/** Middleware of the form `(req, res, next)`, for Connect and what is built like it. */
import { placeTaken } from "../../base/check_options.ts";
import type { ControlledSession } from "../../core/entry/open.ts";
import { SessionError } from "../../errors.ts";
import type { NodeRequest, SessionMiddleware } from "../../middleware.ts";
import type { Session } from "../../session.ts";
import type { NodeResponse } from "./held_response.ts";
import {
  findSession,
  isPlaceTaken,
  type OpenedRequest,
  openRequest,
  placeOf,
  RequestSession,
  sessionOf,
} from "./request_session.ts";
import { sendResponse } from "./send_response.ts";

/** Passes the request to the next middleware, or an error to the error middleware. */
export type Next = (error?: unknown) => void;

/** A middleware for servers on Node. Its method `of` returns a request's session. */
export interface NodeSession<Data extends object = Record<string, unknown>> {
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

/** The functions in which servers differ. */
export interface MiddlewareHooks<Data extends object = Record<string, unknown>> {
  /** Puts another form of the session into `req[key]`. By default, that is a `Session`. */
  make?(open: ControlledSession<Data>, req: NodeRequest, isHeld: boolean): OpenedRequest;
  /** Called if the session cannot be read or saved. By default, `next` gets the error. */
  fail?(error: unknown, req: NodeRequest, res: Partial<NodeResponse>, next: Next): void;
  /** Whether the response says that the handler failed. By default, a status of 500 or more does. */
  isFailure?(res: NodeResponse): boolean;
}

/** Creates a middleware that puts the session into `req[key]`. */
export function nodeSession<Data extends object>(
  sessions: SessionMiddleware<Data>,
  { make, fail = failNext, isFailure }: MiddlewareHooks<Data> = {},
): NodeSession<Data> {
  const place = placeOf(sessions);
  const isTaken = (req: NodeRequest) =>
    isPlaceTaken(req, place) || (sessions.key !== undefined && place in req);
  const middleware = (req: NodeRequest, res: Partial<NodeResponse>, next: Next) => {
    if (findSession(req, sessions) !== undefined) return next();
    if (isTaken(req)) return next(placeTaken(`req.${place}`));
    const failThis = (error: unknown) => fail(error, req, res, next);
    const makeOwn = (open: ControlledSession<Data>, isHeld: boolean) => {
      if (make !== undefined) return make(open, req, isHeld);
      const own = new RequestSession(open);
      defineSession(req, place, own);
      return own;
    };
    openRequest(sessions, req, res, { fail: failThis, isFailure }, makeOwn).then((own) => {
      if (own.response === undefined) return own.run(next);
      sendResponse(own.response, req, res as NodeResponse).catch(failThis);
    }, failThis);
  };
  return Object.assign(middleware, { of: (req: NodeRequest) => sessionOf(req, sessions) });
}

/** Puts the session into `req[place]`. */
export function defineSession<Data extends object>(
  req: NodeRequest,
  place: string,
  { session }: RequestSession<Data>,
): void {
  Object.defineProperty(req, place, {
    configurable: true,
    enumerable: true,
    get: () => session,
    // cookie-session ends a session by `req.session = null`. Here that would leave it active.
    set() {
      throw new TypeError(
        `Cannot assign req.${place}: it would not be saved. Use req.${place}.set(values), or ` +
          `req.${place}.destroy() to end the session`,
      );
    },
  });
}

function failNext(
  error: unknown,
  _req: NodeRequest,
  _res: Partial<NodeResponse>,
  next: Next,
): void {
  next(withoutHeaders(error));
}

/**
 * Returns the error without its headers, which the response already has: Express expects `headers`
 * of an error to be an object.
 */
export function withoutHeaders(error: unknown): unknown {
  if (!(error instanceof SessionError) || error.headers.length === 0) return error;
  return new SessionError(error.code, error.message, { cause: error });
}
