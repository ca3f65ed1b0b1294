/**
 * {@linkcode oakSession}: sessions in oak apps, as `ctx.state.session`.
 *
 * @module
 */
import { checkMiddleware, placeTaken } from "../base/check_options.ts";
import type {
  NodeRequest,
  OpenSession,
  ResponseHeaders,
  SessionMiddleware,
} from "../middleware.ts";
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
    /** Returns the fetch `Response` that oak sends. */
    toDomResponse(): Promise<object>;
  };
  /** Whether oak sends the response. False after an upgrade. */
  respond: boolean;
  /** The state in which handlers find the session. */
  readonly state: { [key: string]: unknown };
}

type OakResponse = OakContext["response"];

/** A middleware for oak. */
export type OakSession = (ctx: OakContext, next: () => Promise<unknown>) => Promise<void>;

/** The middlewares that have opened their session for a context, and the request that all of them get. */
const opened = new WeakMap<OakContext, { owners: Set<unknown>; request: NodeRequest }>();

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
    const known = opened.get(ctx) ?? { owners: new Set(), request: nodeRequest(ctx) };
    const { owners, request } = known;
    if (owners.has(sessions)) return void await next();
    if (ctx.state[place] !== undefined) {
      if (owners.size > 0) throw placeTaken(`ctx.state.${place}`);
      throw new TypeError(
        "Cannot open the session: ctx.state has one; is it shared between requests (contextState)?",
      );
    }
    let open: OpenSession<Data>;
    try {
      open = await sessions.open(request);
    } catch (error) {
      return await respondWithError(sessions, ctx, error);
    }
    owners.add(sessions);
    opened.set(ctx, known);
    ctx.state[place] = open.session;
    const { headers: own } = ctx.response;
    try {
      if (open.response === undefined) await open.run(next);
      else putResponse(ctx, open.response);
    } catch (error) {
      await open.abort();
      return await respondWithError(sessions, ctx, error, open);
    }
    try {
      await open.commit(await unsentHeaders(ctx, own));
    } catch (error) {
      await respondWithError(sessions, ctx, error);
    }
  };
}

function nodeRequest({ request: { headers, method, url } }: OakContext): NodeRequest {
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
    // A middleware of the app may make the response, or oak does, which keeps few headers then.
    const headers = new Headers();
    await open?.commit(headers);
    addToAnswer(response, headers);
    throw rethrown;
  }
}

/** Adds headers to the response that will be sent. The app or oak makes it. */
function addToAnswer(response: OakResponse, added: Headers): void {
  if ([...added].length === 0) return;
  const make = response.toDomResponse.bind(response);
  answerWith(response, async () => {
    const answer = copyOf(await make() as Response);
    for (const [name, value] of added) {
      if (name !== "set-cookie" && name !== "vary") answer.headers.set(name, value);
      else if (!has(answer.headers, name, value)) answer.headers.append(name, value);
    }
    return answer;
  });
}

/** Whether the headers have this value. A session inside of this one may have added it. */
function has(headers: Headers, name: string, value: string): boolean {
  return [...headers].some(([one, values]) => one === name && values.includes(value));
}

/** Sets what oak sends, because a complete `Response` of the app cannot be replaced otherwise. */
function answerWith(response: OakResponse, make: () => Promise<Response>): void {
  Object.defineProperty(response, "toDomResponse", { value: make, configurable: true });
}

/** Returns a copy, because the app may return the same object to all clients. */
function copyOf<Copied extends Response>(response: Copied): Response {
  const { body, status, statusText, headers } = response;
  // On Node, oak's class may differ from the runtime's.
  const OwnResponse = response.constructor as typeof Response;
  return new OwnResponse(body, { status, statusText, headers });
}

/** Returns the response headers that the middleware can still change, if any. */
async function unsentHeaders(
  { respond, response }: OakContext,
  own: ResponseHeaders,
): Promise<ResponseHeaders | undefined> {
  if (!respond) return undefined;
  if (response.writable) {
    // The app's own object may be one for all clients.
    if (response.headers !== own) {
      const OwnHeaders = response.headers.constructor as typeof Headers;
      response.headers = new OwnHeaders(response.headers as Headers);
    }
    return response.headers;
  }
  const answer = await response.toDomResponse() as Response;
  // A Response with status 101 belongs to an upgraded connection.
  if (answer.status < 200) return undefined;
  const copy = copyOf(answer);
  answerWith(response, () => Promise.resolve(copy));
  return copy.headers;
}

async function respondWithError<Data extends object>(
  sessions: SessionMiddleware<Data>,
  ctx: OakContext,
  error: unknown,
  open?: OpenSession<Data>,
): Promise<void> {
  putResponse(ctx, await answer(sessions, ctx, error, open));
}

function putResponse({ response }: OakContext, answer: Response): void {
  if (!response.writable) return answerWith(response, () => Promise.resolve(answer));
  response.status = answer.status;
  response.headers = answer.headers;
  response.body = answer.body;
}
