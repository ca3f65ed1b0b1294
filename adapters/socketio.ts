/**
 * {@linkcode socketioSession}: sessions for Socket.IO servers.
 *
 * @module
 */
import { checkMiddleware, placeTaken } from "../base/check_options.ts";
import type { SessionError } from "../errors.ts";
import type { NodeRequest, SessionMiddleware } from "../middleware.ts";
import type { Session } from "../session.ts";
import { answerNode } from "./_node/answer.ts";
import { defineSession } from "./_node/middleware.ts";
import { isPlaceTaken, openSession, placeOf } from "./_node/request_session.ts";
import { isSameOrigin } from "./_node/same_origin.ts";

export type { NodeRequest };

/** The part of a `Socket` of Socket.IO that the adapter uses. */
export interface SocketioSocket {
  /** The request that opened the connection. */
  readonly request: NodeRequest;
  /** The namespace. */
  readonly nsp?: {
    /** The server. */
    readonly server: object;
  };
}

/** Passes the connection on, or refuses it with an error. */
export type SocketioNext = (error?: Error) => void;

/** A middleware for Socket.IO. Its method `of` returns a socket's session. */
export interface SocketioSession<Data extends object = Record<string, unknown>> {
  /** The middleware, for `io.use` and for the `use` of namespaces. */
  (socket: SocketioSocket, next: SocketioNext): void;
  /** For `io.engine.use`, where it does nothing: `io.use` opens the session. */
  (req: NodeRequest, res: unknown, next: () => void): void;
  /**
   * Returns the session of a socket.
   *
   * @throws {TypeError} If the socket has not passed through the middleware.
   */
  of(socket: SocketioSocket): Session<Data>;
}

/**
 * Creates a middleware for Socket.IO 4: the session of a socket is `session.of(socket)`, and
 * `socket.request.session`, with the option `key` `socket.request[key]`. It is read-only: write with
 * `sessions.update(session.of(socket), …)`. A connection to another namespace reads it again.
 *
 * If the session cannot be read, or the page belongs to another host, the client gets `connect_error`
 * with `error.data`, which is `{ code, status }`. Pages of other origins may connect if the
 * server's option `cors.origin` names their origin. Browsers do not apply CORS to WebSockets, so the
 * middleware does.
 *
 * With `connectionStateRecovery`, set `skipMiddlewares: false`, so that a recovered connection has a
 * session.
 *
 * @example Greet users, and end connections whose session has ended
 * ```ts ignore
 * import { SessionMiddleware } from "@pagi/session";
 * import { socketioSession } from "@pagi/session/socketio";
 * import { Server } from "socket.io";
 *
 * const sessions = new SessionMiddleware({ secret: "replace this with: openssl rand -hex 32" });
 * const session = socketioSession(sessions);
 *
 * const io = new Server(3000);
 * io.use(session);
 * io.on("connection", (socket) => {
 *   socket.emit("hello", session.of(socket).subject);
 *   socket.use((_packet, next) => {
 *     session.of(socket).touch().then(
 *       (isActive) => isActive ? next() : socket.disconnect(true),
 *       next,
 *     );
 *   });
 * });
 * ```
 */
export function socketioSession<Data extends object>(
  sessions: SessionMiddleware<Data>,
): SocketioSession<Data> {
  checkMiddleware("socketioSession", sessions);
  const opened = new WeakMap<SocketioSocket, Session<Data>>();
  const place = placeOf(sessions);

  const open = async (socket: SocketioSocket): Promise<Error | undefined> => {
    const { request } = socket;
    try {
      if (!isSameOrigin(request) && !await isAllowed(socket)) {
        const reason =
          "Pages of this origin may not connect. The server's option cors can allow it";
        return refusal(reason, "ERR_SESSION_ORIGIN", 403);
      }
      if (isPlaceTaken(request, place, sessions)) throw placeTaken(`socket.request.${place}`);
      const own = await openSession(sessions, request, {}, { fail() {} });
      defineSession(request, place, own);
      opened.set(socket, own.session);
      return undefined;
    } catch (error) {
      return await refusalOf(sessions, error, request);
    }
  };

  const middleware = (
    first: SocketioSocket | NodeRequest,
    second: unknown,
    third?: () => void,
  ): void => {
    if (third !== undefined) return third();
    const next = second as SocketioNext;
    const socket = first as SocketioSocket;
    if (opened.has(socket)) return next();
    open(socket).then(next);
  };

  return Object.assign(middleware, {
    of(socket: SocketioSocket): Session<Data> {
      const session = opened.get(socket);
      if (session !== undefined) return session;
      throw new TypeError(
        "Cannot find the session: the socket has not passed through the middleware. Call " +
          "io.use(session), also for each namespace",
      );
    },
  });
}

/** Returns the error that the client gets. Socket.IO sends its `message` and its `data`. */
function refusal(message: string, code: string, status: number, cause?: unknown): Error {
  const error = cause === undefined ? new Error(message) : new Error(message, { cause });
  return Object.assign(error, { data: { code, status } });
}

async function refusalOf<Data extends object>(
  sessions: SessionMiddleware<Data>,
  error: unknown,
  request: NodeRequest,
): Promise<Error> {
  try {
    // Reports the failure to the operator.
    const { status, body } = await answerNode(sessions, error, request);
    await body?.cancel();
    const { code } = error as SessionError;
    return refusal("The session is unavailable. Please try again", code, status, error);
  } catch {
    // It is not the error of a session, and its message may hold anything.
    console.error(error);
    return refusal("The session could not be opened", "ERR_SESSION", 500, error);
  }
}

type Rule = unknown;
type DynamicRule = (
  origin: string,
  decide: (error: Error | null, allowed?: Rule) => void,
) => void;

/** Whether the server's option `cors.origin` names the page's origin. */
async function isAllowed({ request, nsp }: SocketioSocket): Promise<boolean> {
  const { opts } = (nsp?.server ?? {}) as { opts?: { cors?: { origin?: Rule } } };
  const rule = opts?.cors?.origin;
  const origin = String(request.headers.origin);
  if (typeof rule !== "function") return matches(rule, origin);
  return await new Promise((resolve) => {
    (rule as DynamicRule)(origin, (error, allowed) => {
      resolve(error === null && matches(allowed, origin));
    });
  });
}

/** Whether a rule of the package `cors` allows an origin. */
function matches(rule: Rule, origin: string): boolean {
  if (Array.isArray(rule)) return rule.some((one) => matches(one, origin));
  if (rule instanceof RegExp) return rule.test(origin);
  return rule === true || rule === "*" || rule === origin;
}
