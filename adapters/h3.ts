/**
 * {@linkcode h3Session}: sessions in h3 2 and Nitro 3 apps, as `event.context.session`.
 *
 * @module
 */
import { checkMiddleware, isObject, placeTaken } from "../base/check_options.ts";
import { cancelBody } from "../core/entry/response_headers.ts";
import { SessionError } from "../errors.ts";
import type { OpenSession, ResponseHeaders, SessionMiddleware } from "../middleware.ts";
import type { HeaderPair } from "../pagi.ts";
import type { Session } from "../session.ts";
import { holdResponse, isNodeResponse, type NodeResponse } from "./_node/held_response.ts";
import { sendResponse } from "./_node/send_response.ts";

/** The part of h3's `H3Event` that the middleware uses. */
export interface H3SessionEvent {
  /** The request. */
  readonly req: Request;
  /** The headers that h3 adds to what the handler returns. */
  readonly res: {
    /** The headers of a response. */
    readonly headers: Headers;
    /** The headers of an error's response. The h3 of Nitro 3.0 has none. */
    readonly errHeaders?: Headers;
  };
  /** The values of the request, in which handlers find the session. */
  readonly context: object;
  /** The app. */
  readonly app?: { readonly config: object };
  /** The server's own request. */
  readonly runtime?: { readonly node?: object };
}

/** A middleware for h3. Its method `of` returns a request's session. */
export interface H3Session<Data extends object = Record<string, unknown>> {
  /** The middleware. */
  (event: H3SessionEvent, next: () => unknown): Promise<unknown>;
  /**
   * Returns the session of a request that has passed through the middleware, the same as
   * `event.context.session`.
   *
   * @throws {TypeError} If the request has not passed through the middleware.
   */
  of(event: H3SessionEvent): Session<Data>;
}

/** The values that a handler returns if no route matches, and after it has used Node's response. */
const NOT_FOUND = Symbol.for("h3.notFound");
const HANDLED = Symbol.for("h3.handled");

/** The sessions of requests, by middleware. */
const opened = new WeakMap<object, Map<unknown, unknown>>();

/**
 * Creates a middleware for h3 2 and Nitro 3: `event.context.session` is the request's
 * {@linkcode Session}. With the option `key`, it is `event.context[key]`. If a session cannot be
 * read or saved, the client gets the same response as from `sessions.handler`; the option `onError`
 * changes it. If a handler throws or returns an error, no session changes of the request are saved.
 *
 * A handshake that opens a WebSocket carries no cookie. It saves changes of a session whose ID the
 * client knows, and no new session. A handler for Node's own request and response
 * (`fromNodeHandler`) may write to the session until it sends something.
 *
 * @example A visit counter
 * ```ts ignore
 * import { H3, serve } from "h3";
 * import { SessionMiddleware } from "@pagi/session";
 * import { h3Session } from "@pagi/session/h3";
 *
 * const sessions = new SessionMiddleware<{ visits: number }>({
 *   secret: "replace this with: openssl rand -hex 32",
 * });
 * const session = h3Session(sessions);
 *
 * const app = new H3();
 * app.use(session);
 * app.get("/", (event) => {
 *   const visits = session.of(event).update("visits", (visits = 0) => visits + 1).get("visits");
 *   return `Visit ${visits}`;
 * });
 *
 * serve(app);
 * ```
 */
export function h3Session<Data extends object>(
  sessions: SessionMiddleware<Data>,
): H3Session<Data> {
  checkMiddleware("h3Session", sessions);
  const { key: place = "session" } = sessions;
  const middleware = async (event: H3SessionEvent, next: () => unknown): Promise<unknown> => {
    const owners = opened.get(event) ?? new Map<unknown, unknown>();
    if (owners.has(sessions)) return await next();
    const { req } = event;
    const before = [[...event.res.headers], [...event.res.errHeaders ?? []]] as const;
    /** Makes the response to a session error, without the headers of the handler. */
    const answer = async (error: unknown, open?: OpenSession<Data>): Promise<Response> => {
      const answered = await sessions.answer(error, req);
      const { res } = event;
      restore(res.headers, before[0]);
      if (res.errHeaders !== undefined) restore(res.errHeaders, before[1]);
      const response = prepared(event, answered);
      await open?.commit(headersFor(event, response));
      return response;
    };
    let open: OpenSession<Data>;
    try {
      open = await sessions.open(req);
    } catch (error) {
      return await answer(error);
    }
    const context = event.context as Record<string, unknown>;
    // A mounted fetch handler gets an event of its own, which may share the context.
    if (context[place] !== undefined && context[place] !== open.session) {
      await open.abort();
      throw placeTaken(`event.context.${place}`);
    }
    context[place] = open.session;
    opened.set(event, owners.set(sessions, open.session));
    holdWhenUsed(event, sessions, open);
    let value: unknown;
    let isThrown = false;
    try {
      value = open.response ?? await open.run(next);
    } catch (error) {
      [value, isThrown] = [error, true];
    }
    if ((isThrown && value !== HANDLED) || value instanceof Error) {
      await open.abort(value);
      try {
        return await answer(value, open);
      } catch (error) {
        await open.commit(headersForError(event, error));
        if (isThrown) throw error;
        return error;
      }
    }
    const isSent = value !== HANDLED && !isUpgraded(event, value);
    value = prepared(event, value);
    try {
      await open.commit(isSent ? headersFor(event, value) : undefined);
    } catch (error) {
      if (value instanceof Response) cancelBody(value);
      if (value instanceof ReadableStream) value.cancel().catch(() => {});
      return await answer(error);
    }
    if (isThrown) throw value;
    return value;
  };
  return Object.assign(middleware, {
    of(event: H3SessionEvent): Session<Data> {
      const session = opened.get(event)?.get(sessions);
      if (session !== undefined) return session as Session<Data>;
      throw new TypeError("Cannot find the session: the event has not come through the middleware");
    },
  });
}

/**
 * Whether the connection becomes a WebSocket, so that this response is not sent. The request's headers
 * alone do not tell that: a client may send them to any page.
 */
function isUpgraded({ req, runtime }: H3SessionEvent, value: unknown): boolean {
  const node = runtime?.node as { upgrade?: unknown } | undefined;
  // The server for WebSockets sends an error of the app, and drops any other response.
  if (node?.upgrade !== undefined) {
    return hasHooks(value) || !(value instanceof Response) || value.ok;
  }
  return hasHooks(value) && req.headers.get("upgrade")?.toLowerCase() === "websocket";
}

/** Whether this is the response of `defineWebSocketHandler`. */
function hasHooks(value: unknown): value is { crossws: unknown } {
  return isObject(value) && value.crossws !== undefined;
}

function restore(headers: Headers, before: readonly HeaderPair[]): void {
  for (const name of [...headers.keys()]) headers.delete(name);
  for (const [name, value] of before) headers.append(name, value);
}

/**
 * Returns the result for h3. An older h3 would add the headers to the `Response` itself, which the
 * app may return to all clients, and some of them twice.
 */
function prepared<T>({ res }: H3SessionEvent, value: T): T | Response {
  const isOlder = res.errHeaders === undefined;
  // A Response with status 101 or with hooks belongs to a connection.
  if (!isOlder || !(value instanceof Response) || value.status < 200 || hasHooks(value)) {
    return value;
  }
  const copy = copyOf(value);
  const merged = new MergedHeaders(undefined, [copy.headers]);
  for (const [name, own] of res.headers) {
    if (name === "set-cookie") merged.append(name, own);
    else merged.set(name, own);
  }
  restore(res.headers, []);
  return copy;
}

/** Returns the headers of the response that h3 will make of a handler's result. */
function headersFor({ res }: H3SessionEvent, value: unknown): ResponseHeaders {
  if (res.errHeaders === undefined && value instanceof Response) {
    return new MergedHeaders(undefined, [value.headers]);
  }
  const own = isObject(value) && value.headers instanceof Headers ? value.headers : undefined;
  const isError = value === NOT_FOUND || (value instanceof Response && value.status >= 400);
  return new MergedHeaders(own, [isError && res.errHeaders ? res.errHeaders : res.headers]);
}

/**
 * Returns the headers of the response that h3 will make of an error. It depends on the app's
 * `onError` which ones h3 uses.
 */
function headersForError({ res, app }: H3SessionEvent, error: unknown): ResponseHeaders {
  const { headers, errHeaders } = res;
  const own = isObject(error) && error.headers instanceof Headers ? error.headers : undefined;
  addToErrorResponses(app?.config);
  const noted = errorHeadersOf(res);
  if (errHeaders !== undefined) return new MergedHeaders(own, [errHeaders, headers, noted]);
  const target = own ?? new Headers();
  if (isObject(error) && Object.isExtensible(error)) error.headers ??= target;
  return new MergedHeaders(undefined, [target, noted]);
}

/** The headers of sessions that were saved before an error. */
const errorHeaders = new WeakMap<object, Headers>();

function errorHeadersOf(res: object): Headers {
  const headers = errorHeaders.get(res) ?? new Headers();
  errorHeaders.set(res, headers);
  return headers;
}

type OnError = (error: unknown, event: H3SessionEvent) => unknown;

const wrapped = new WeakSet<OnError>();

/** Lets a `Response` of the app's `onError` carry the headers of a session that was saved. */
function addToErrorResponses(config: { onError?: OnError } | undefined): void {
  const onError = config?.onError;
  if (config === undefined || onError === undefined || wrapped.has(onError)) return;
  const adding: OnError = async (error, event) => {
    const added = errorHeaders.get(event.res);
    const result = await onError.call(config, error, event);
    if (added === undefined || !(result instanceof Response)) return result;
    const copy = copyOf(result);
    const merged = new MergedHeaders(undefined, [copy.headers]);
    for (const [name, value] of added) merged.append(name, value);
    return copy;
  };
  wrapped.add(adding);
  Reflect.set(config, "onError", adding);
}

function copyOf({ body, status, statusText, headers }: Response): Response {
  return new Response(body, { status, statusText, headers });
}

/** The headers of a value, and those that h3 sets over them. h3 only adds `Set-Cookie`. */
class MergedHeaders implements ResponseHeaders {
  readonly #own: Headers | undefined;
  readonly #over: readonly Headers[];

  constructor(own: Headers | undefined, over: readonly Headers[]) {
    this.#own = own;
    this.#over = over;
  }

  get(name: string): string | null | undefined {
    return this.#over[0]!.get(name) ?? this.#own?.get(name);
  }

  set(name: string, value: string): void {
    for (const headers of this.#over) headers.set(name, value);
  }

  append(name: string, value: string): void {
    const before = name === "set-cookie" ? undefined : this.get(name);
    if (before) this.set(name, `${before}, ${value}`);
    else for (const headers of this.#over) headers.append(name, value);
  }

  forEach(visit: (value: string, name: string) => void): void {
    this.#own?.forEach((value, name) => this.#over[0]!.has(name) || visit(value, name));
    this.#over[0]!.forEach(visit);
  }
}

/** Holds Node's response back if the app uses it itself before the session is saved. */
function holdWhenUsed<Data extends object>(
  { runtime, req }: H3SessionEvent,
  sessions: SessionMiddleware<Data>,
  open: OpenSession<Data>,
): void {
  const node = runtime?.node as { res?: NodeResponse } | undefined;
  const res = node?.res;
  if (node === undefined || res === undefined || !isNodeResponse(res)) return;
  const errorHead = (error: unknown) =>
    error instanceof SessionError ? error : { status: 500, headers: [] };
  const fail = (error: unknown) => {
    sessions.answer(error, req).then((response) => sendResponse(response, req, res)).catch(() => {
      res.statusCode = 500;
      res.end();
    });
  };
  const hold = () => {
    Object.defineProperty(node, "res", { configurable: true, enumerable: true, value: res });
    holdResponse(res, { save: (headers) => open.commit(headers), errorHead, fail });
    return res;
  };
  Object.defineProperty(node, "res", { configurable: true, enumerable: true, get: hold });
}
