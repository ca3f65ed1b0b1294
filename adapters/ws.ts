/**
 * {@linkcode wsSession}: sessions for WebSocket servers of the package `ws`.
 *
 * @module
 */
import { checkMiddleware, checkOptions, placeTaken } from "../base/check_options.ts";
import type { NodeRequest, SessionMiddleware } from "../middleware.ts";
import type { Session } from "../session.ts";
import { answerNode } from "./_node/answer.ts";
import { defineSession } from "./_node/middleware.ts";
import { isPlaceTaken, openSession, placeOf, sessionOf } from "./_node/request_session.ts";
import { isSameOrigin } from "./_node/same_origin.ts";

export type { NodeRequest };

/** The part of a connection of Node's `net` that the adapter uses. */
export interface UpgradeSocket {
  /** Whether the connection has been closed. */
  readonly destroyed: boolean;
  /** Adds a listener. */
  on(event: "error", listener: () => void): unknown;
  /** Removes a listener. */
  removeListener(event: "error", listener: () => void): unknown;
  /** Sends the last text, then calls the function. */
  end(text: string, sent: () => void): unknown;
  /** Closes the connection. */
  destroy(): unknown;
}

/** The part of a client of `ws` that the adapter uses. */
export interface WsClient {
  /** Closes the connection. */
  close(code: number): unknown;
}

/** The part of a `WebSocketServer` of `ws` that the adapter uses. Make it with `noServer: true`. */
export interface WsServer {
  /** Whether the path of the request is the server's option `path`, if it has one. */
  shouldHandle(req: never): unknown;
  /** Completes the handshake. */
  handleUpgrade(req: never, socket: never, head: never, done: (client: WsClient) => void): unknown;
  /** Calls the listeners of an event. */
  emit(event: "connection", client: never, req: never): unknown;
}

/** Options of a handshake. */
export interface WsUpgradeOptions<Data extends object = Record<string, unknown>> {
  /**
   * Decides whether the client may connect. False refuses it with 401, a number with that status.
   *
   * @default {undefined, every client may connect}
   */
  accept?: (
    session: Session<Data>,
    request: NodeRequest,
  ) => boolean | number | Promise<boolean | number>;
  /**
   * Lists other origins whose pages may connect, such as `"https://app.example"`. Pages of the
   * server's own host always may, and so may clients that are not browsers.
   *
   * @default {[]}
   */
  origins?: readonly string[];
}

/** A listener of the event `upgrade` of Node's `http.Server`. */
export type UpgradeListener = (
  this: unknown,
  req: NodeRequest,
  socket: UpgradeSocket,
  head: unknown,
) => void;

/** Sessions of the clients of WebSocket servers. */
export interface WsSession<Data extends object = Record<string, unknown>> {
  /**
   * Creates a listener that opens the session of a handshake, then passes the handshake to `server`.
   *
   * @throws {TypeError} If `server` is not a `WebSocketServer`, or an option is wrong.
   */
  upgrade(server: WsServer, options?: WsUpgradeOptions<Data>): UpgradeListener;
  /**
   * Returns the session of a request whose handshake has been passed on, the same as
   * `request.session`.
   *
   * @throws {TypeError} If no listener has opened it.
   */
  of(req: NodeRequest): Session<Data>;
}

/**
 * Opens the sessions of WebSocket handshakes for servers of the package `ws`. The session is
 * `request.session`, with the option `key` `request[key]`. It is read-only: write with
 * `sessions.update(session.of(request), …)`.
 *
 * No client can end the process. If the store fails, the client gets the same response as from
 * `sessions.handler`, and the connection is closed. Handshakes of pages of another host are refused
 * with 403, because browsers send cookies with them (cross-site WebSocket hijacking). An exception of
 * `accept` is 500, and one of a listener of `connection` closes the socket with the code 1011. Both are
 * written to the console.
 *
 * A server that has the option `path` leaves other paths to other listeners. A path that all of them
 * leave gets 404, unless there are listeners that this function did not make.
 *
 * @example A server for users that have signed in
 * ```ts ignore
 * import { createServer } from "node:http";
 * import { SessionMiddleware } from "@pagi/session";
 * import { wsSession } from "@pagi/session/ws";
 * import { WebSocketServer } from "ws";
 *
 * const sessions = new SessionMiddleware({ secret: "replace this with: openssl rand -hex 32" });
 * const session = wsSession(sessions);
 *
 * const sockets = new WebSocketServer({ noServer: true });
 * sockets.on("connection", (socket, request) => {
 *   socket.send(`Hello, ${session.of(request).subject}`);
 * });
 *
 * const server = createServer(app);
 * server.on(
 *   "upgrade",
 *   session.upgrade(sockets, { accept: ({ subject }) => subject !== undefined }),
 * );
 * server.listen(3000);
 * ```
 */
export function wsSession<Data extends object>(
  sessions: SessionMiddleware<Data>,
): WsSession<Data> {
  checkMiddleware("wsSession", sessions);
  return {
    upgrade(server, options = {}) {
      checkUpgrade(server, options);
      return function (req, socket, head) {
        const handshake = new Handshake(sessions, server, options, { req, socket, head });
        handshake.serve(this).catch((error) => handshake.fail(error));
      };
    },
    of: (req) => sessionOf(req, sessions),
  };
}

function checkUpgrade(server: WsServer, options: object): void {
  if (typeof server?.handleUpgrade !== "function") {
    throw new TypeError(
      "Cannot upgrade: the first argument must be a WebSocketServer of the package ws, made with " +
        "{ noServer: true }",
    );
  }
  checkOptions("an upgrade listener", options, ["accept", "origins"]);
  const { accept, origins = [] } = options as { accept?: unknown; origins?: unknown };
  if (accept !== undefined && typeof accept !== "function") {
    throw new TypeError("Cannot upgrade: accept must be a function");
  }
  // A path or a trailing slash would never match.
  const isOrigin = (one: unknown) =>
    URL.canParse(one as string) && new URL(one as string).origin === one;
  if (!Array.isArray(origins) || !origins.every(isOrigin)) {
    throw new TypeError(
      'Cannot upgrade: origins must be a list of origins, such as "https://app.example"',
    );
  }
}

/** A handshake as Node passes it to its listeners. */
interface Upgrade {
  readonly req: NodeRequest;
  readonly socket: UpgradeSocket;
  readonly head: unknown;
}

/** Serves one handshake. */
class Handshake<Data extends object> {
  readonly #sessions: SessionMiddleware<Data>;
  readonly #server: WsServer;
  readonly #options: WsUpgradeOptions<Data>;
  readonly #upgrade: Upgrade;
  /** Whether the socket belongs to the WebSocket server. */
  #isPassed = false;

  constructor(
    sessions: SessionMiddleware<Data>,
    server: WsServer,
    options: WsUpgradeOptions<Data>,
    upgrade: Upgrade,
  ) {
    this.#sessions = sessions;
    this.#server = server;
    this.#options = options;
    this.#upgrade = upgrade;
  }

  /** @param httpServer The server whose event this is. */
  async serve(httpServer: unknown): Promise<void> {
    const { req, socket } = this.#upgrade;
    if (!this.#server.shouldHandle(req as never)) {
      if (isLeftByAll(socket, httpServer)) this.#refuse(404);
      return;
    }
    socket.on("error", ignore);
    const status = await this.#open();
    if (socket.destroyed) return;
    socket.removeListener("error", ignore);
    if (status === undefined) this.#pass();
    else this.#refuse(status);
  }

  /** Opens the session. Resolves to the status of a refusal, if there is one. */
  async #open(): Promise<number | undefined> {
    const { req } = this.#upgrade;
    const { accept, origins = [] } = this.#options;
    if (!isSameOrigin(req) && !origins.includes(String(req.headers.origin))) return 403;
    const place = placeOf(this.#sessions);
    if (isPlaceTaken(req, place, this.#sessions)) throw placeTaken(`request.${place}`);
    // There is no response that could be held, so the session is read-only.
    const own = await openSession(this.#sessions, req, {}, { fail: ignore });
    defineSession(req, place, own);
    const accepted = accept === undefined || await accept(own.session, req);
    return typeof accepted === "number" ? accepted : accepted ? undefined : 401;
  }

  #pass(): void {
    const { req, socket, head } = this.#upgrade;
    this.#isPassed = true;
    this.#server.handleUpgrade(req as never, socket as never, head as never, (client) => {
      try {
        this.#server.emit("connection", client as never, req as never);
      } catch (error) {
        console.error(error);
        client.close(1011);
      }
    });
  }

  /** Answers an error. */
  async fail(error: unknown): Promise<void> {
    const { req } = this.#upgrade;
    if (this.#isPassed) return console.error(error);
    try {
      const { status, headers, body } = await answerNode(this.#sessions, error, req);
      const text = body === null ? "" : await new Response(body).text();
      this.#send(status, text, headers);
    } catch {
      // It is not the error of a session.
      console.error(error);
      this.#refuse(500);
    }
  }

  #refuse(status: number): void {
    const reason = status === 403
      ? "Pages of this origin may not connect. The server's option origins can allow it.\n"
      : "";
    this.#send(status, reason, new Headers({ "content-type": "text/plain" }));
  }

  #send(status: number, text: string, headers: Headers): void {
    const { socket } = this.#upgrade;
    if (socket.destroyed) return;
    socket.on("error", ignore);
    headers.set("connection", "close");
    headers.set("content-length", String(new TextEncoder().encode(text).length));
    const lines = [...headers].map(([name, value]) => `${name}: ${value}\r\n`).join("");
    socket.end(`HTTP/1.1 ${status} \r\n${lines}\r\n${text}`, () => socket.destroy());
  }
}

/** How many listeners of this module have left a socket to others. */
const leavers = new WeakMap<UpgradeSocket, number>();

/** Whether each listener of the event has left the socket to others. */
function isLeftByAll(socket: UpgradeSocket, server: unknown): boolean {
  const count = (leavers.get(socket) ?? 0) + 1;
  leavers.set(socket, count);
  const { listenerCount } = (server ?? {}) as { listenerCount?(event: string): number };
  return listenerCount?.call(server, "upgrade") === count;
}

/** An error of a socket ends the connection, and nothing is left to do. */
function ignore(): void {}
