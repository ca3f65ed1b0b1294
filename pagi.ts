/**
 * The types of the PAGI protocol as this package uses them: an app is called with a scope, a
 * `receive` and a `send`, and headers are pairs. PAGI is the Perl Asynchronous Gateway Interface, what
 * ASGI is to Python; for fetch handlers nothing of it is needed.
 *
 * ```ts
 * import type { App } from "@pagi/session/pagi";
 *
 * const app: App = async (_scope, _receive, send) => {
 *   await send({ type: "http.response.start", status: 200, headers: [] });
 *   await send({ type: "http.response.body", body: "Hello" });
 * };
 * ```
 *
 * @module
 */

/** One header: its name and its value, both as they stand on the wire. */
export type HeaderPair = [name: string, value: string];

/**
 * What is known of a connection when it opens.
 *
 * The fetch doors make a scope of their own from a `Request` and put the request into `request`,
 * so that a State can be written once for both.
 */
export interface Scope {
  /** The protocol: `"http"`, `"websocket"`, `"sse"`, `"lifespan"` … */
  type: string;
  /** The request's headers; names in any case. Absent where there is no request (`lifespan`). */
  headers?: readonly (readonly [name: string, value: string])[];
  /** The fetch `Request` behind this scope, where there is one. */
  request?: Request;
  /** Whatever else the server and the middleware above put in. */
  [key: string]: unknown;
}

/** Something that is sent or received: `http.response.start`, `http.response.body` … */
export interface Event {
  /** The event's name. */
  type: string;
  /** Whatever else the event carries. */
  [key: string]: unknown;
}

/** Waits for the next event from the client. */
export type Receive = () => Promise<Event>;

/** Sends an event to the client. */
export type Send = (event: Event) => Promise<void>;

/** A PAGI application: called once for each connection. */
export type App<S extends Scope = Scope> = (
  scope: S,
  receive: Receive,
  send: Send,
) => Promise<void> | void;

/** Something with `wrap`: an app goes in, the app with the middleware around it comes out. */
export interface Middleware {
  /** Puts this middleware around `app`. */
  // A method, so that a middleware may give its app a richer scope than it was given itself.
  wrap(app: App): App;
}
