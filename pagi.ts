/**
 * The types of the PAGI protocol that this package uses. PAGI, the Perl Asynchronous Gateway
 * Interface, is Perl's counterpart of Python's ASGI: a server calls an app with a scope, a
 * `receive` and a `send` function, and headers are pairs. You do not need these types for fetch
 * handlers.
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

/** One header: its name and its value, exactly as sent or received. */
export type HeaderPair = [name: string, value: string];

/**
 * Describes a connection when it opens.
 *
 * The fetch API (`handler`, `run`) creates a scope from a `Request` and puts the request into
 * `request`. A State therefore works with PAGI servers and with fetch handlers.
 */
export interface Scope {
  /** The protocol, such as `"http"`, `"websocket"`, `"sse"` or `"lifespan"`. */
  type: string;
  /** The request's headers, with names in any case. Absent if there is no request (`lifespan`). */
  headers?: readonly (readonly [name: string, value: string])[];
  /** The fetch `Request` from which this scope was created, if any. */
  request?: Request;
  /** Other values that the server and outer middleware provide. */
  [key: string]: unknown;
}

/** An event that an app sends or receives, such as `http.response.start`. */
export interface Event {
  /** The event's type. */
  type: string;
  /** Other values of the event. */
  [key: string]: unknown;
}

/** Waits for the next event from the client. */
export type Receive = () => Promise<Event>;

/** Sends an event to the client. */
export type Send = (event: Event) => Promise<void>;

/** A PAGI application. The server calls it once for each connection. */
export type App<S extends Scope = Scope> = (
  scope: S,
  receive: Receive,
  send: Send,
) => Promise<void> | void;

/** A PAGI middleware. */
export interface Middleware {
  /** Returns an app that runs this middleware around `app`. */
  // A method, not a function property: its bivariant parameter lets a middleware pass its app a
  // scope with more properties.
  wrap(app: App): App;
}
