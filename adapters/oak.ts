/**
 * {@linkcode oakSession}: sessions in oak apps, as `ctx.state.session`.
 *
 * @module
 */
import { checkMiddleware, placeTaken } from "../base/check_options.ts";
import type { OpenSession, ResponseHeaders, SessionMiddleware } from "../middleware.ts";
import type { Session } from "../session.ts";

/**
 * The state type of an oak app with sessions: `new Application<SessionState<Data>>()`. For a
 * middleware with the option `key`, add that: `SessionState<Shop> & SessionState<Admin, "admin">`.
 */
export type SessionState<
  Data extends object = Record<string, unknown>,
  Key extends string = "session",
> =
  & { [K in Key]: Session<Data> }
  // Other values of the app.
  & { [key: string]: unknown };

/** The part of oak's `Context` that the middleware uses. */
export interface OakContext {
  /** The request. */
  readonly request: {
    /** Its headers. */
    readonly headers: Iterable<[name: string, value: string]>;
    /** Its method. */
    readonly method: string;
    /** Its URL. */
    readonly url: URL;
    /** The server's own request. Its `respond` bypasses oak. */
    readonly originalRequest: { respond(response: never): unknown };
  };
  /** The response. */
  readonly response: {
    /** Its headers. */
    headers: ResponseHeaders;
    /** Its status. */
    status: number;
    /** Its body. */
    body: unknown;
    /** False if the app has supplied a complete fetch `Response`. */
    readonly writable: boolean;
    /** Returns the fetch `Response`. */
    toDomResponse(): Promise<{ readonly headers: ResponseHeaders }>;
  };
  /** Whether oak sends the response. False after an upgrade. */
  respond: boolean;
  /** The state in which handlers find the session. */
  readonly state: { [key: string]: unknown };
}

/** A middleware for oak. */
export type OakSession = (ctx: OakContext, next: () => Promise<unknown>) => Promise<void>;

/** The middlewares that have opened their session for a context. */
const opened = new WeakMap<OakContext, Set<unknown>>();

/**
 * Creates a middleware for oak: `ctx.state.session` is the request's {@linkcode Session}. If a
 * session cannot be read or saved, the client gets the same response as from `sessions.handler`;
 * the option `onError` changes it. With the option `key`, it is `ctx.state[key]`. If a later middleware throws, no session changes of the request
 * are saved.
 *
 * `ctx.upgrade()` and `ctx.sendEvents()` send the response headers, so no cookie can follow. Write
 * to the session in an earlier request.
 *
 * @example A visit counter
 * ```ts ignore
 * import { Application } from "@oak/oak";
 * import { SessionMiddleware } from "@pagi/session";
 * import { oakSession, type SessionState } from "@pagi/session/oak";
 *
 * type Data = { visits: number };
 * const sessions = new SessionMiddleware<Data>({
 *   secret: "replace this with: openssl rand -hex 32",
 * });
 *
 * const app = new Application<SessionState<Data>>();
 * app.use(oakSession(sessions));
 * app.use((ctx) => {
 *   const { session } = ctx.state;
 *   session.update("visits", (visits = 0) => visits + 1);
 *   ctx.response.body = `Visit ${session.get("visits")}`;
 * });
 *
 * await app.listen({ port: 8000 });
 * ```
 */
export function oakSession<Data extends object>(sessions: SessionMiddleware<Data>): OakSession {
  checkMiddleware("oakSession", sessions);
  const { key: place = "session" } = sessions;
  return async (ctx, next) => {
    const owners = opened.get(ctx) ?? new Set();
    if (owners.has(sessions)) return void await next();
    if (ctx.state[place] !== undefined) {
      if (owners.size > 0) throw placeTaken(`ctx.state.${place}`);
      throw new TypeError(
        "Cannot open the session: ctx.state has one; is it shared between requests (contextState)?",
      );
    }
    let open: OpenSession<Data>;
    try {
      open = await sessions.open(nodeRequest(ctx));
    } catch (error) {
      return await respondWithError(sessions, ctx, error);
    }
    opened.set(ctx, owners.add(sessions));
    ctx.state[place] = open.session;
    try {
      if (open.response === undefined) await open.run(next);
      else putResponse(ctx, open.response);
    } catch (error) {
      await open.abort();
      return await respondWithError(sessions, ctx, error, open);
    }
    try {
      await open.commit(await unsentHeaders(ctx));
    } catch (error) {
      await respondWithError(sessions, ctx, error);
    }
  };
}

function nodeRequest({ request: { headers, method, url } }: OakContext) {
  const socket = { encrypted: url.protocol === "https:" };
  return { headers: Object.fromEntries(headers), method, url: url.pathname + url.search, socket };
}

/** Makes the response to a session error. Rejects with any other error, whose response oak makes. */
async function answer<Data extends object>(
  sessions: SessionMiddleware<Data>,
  { request, response }: OakContext,
  error: unknown,
  open: OpenSession<Data> | undefined,
): Promise<Response> {
  const copy = new Request(request.url, { headers: [...request.headers] });
  try {
    const { body, status, headers } = await sessions.answer(error, copy);
    const errorResponse = new Response(body, { status, headers });
    await open?.commit(errorResponse.headers);
    return errorResponse;
  } catch (rethrown) {
    // If no middleware of the app handles the error, oak keeps only the error's own headers. They must
    // be of oak's class, which on Node may differ from the runtime's.
    const headers = new (response.headers.constructor as typeof Headers)();
    await open?.commit(headers);
    copyHeaders(headers, response.headers);
    if (rethrown instanceof Error) addToError(rethrown, headers);
    throw rethrown;
  }
}

function addToError(error: Error & { headers?: unknown }, added: Headers): void {
  if ([...added].length === 0 || !Object.isExtensible(error)) return;
  const OwnHeaders = added.constructor as typeof Headers;
  if (error.headers === undefined) {
    // The property of oak's own errors has no setter.
    Object.defineProperty(error, "headers", { value: new OwnHeaders(), configurable: true });
  }
  if (error.headers instanceof OwnHeaders) copyHeaders(added, error.headers);
}

function copyHeaders(from: Headers, to: ResponseHeaders): void {
  for (const [name, value] of from) {
    if (name.endsWith("cache-control") && to.set !== undefined) to.set(name, value);
    else to.append(name, value);
  }
}

/** Returns the response headers that the middleware can still change, if any. */
async function unsentHeaders(
  { respond, response }: OakContext,
): Promise<ResponseHeaders | undefined> {
  if (!respond) return undefined;
  return response.writable ? response.headers : (await response.toDomResponse()).headers;
}

async function respondWithError<Data extends object>(
  sessions: SessionMiddleware<Data>,
  ctx: OakContext,
  error: unknown,
  open?: OpenSession<Data>,
): Promise<void> {
  const { request, response } = ctx;
  const errorResponse = await answer(sessions, ctx, error, open);
  if (response.writable) putResponse(ctx, errorResponse);
  else {
    // oak would still send the app's own Response, so bypass oak.
    ctx.respond = false;
    await request.originalRequest.respond(errorResponse as never);
  }
}

function putResponse({ response }: OakContext, { status, headers, body }: Response): void {
  response.status = status;
  response.headers = headers;
  response.body = body;
}
