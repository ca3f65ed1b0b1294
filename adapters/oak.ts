/**
 * {@linkcode oakSession}: sessions in oak apps, as `ctx.state.session`.
 *
 * @module
 */
import type { OpenSession, ResponseHeaders, SessionMiddleware } from "../middleware.ts";
import type { Session } from "../session.ts";

/** What an oak app's state is typed by: `new Application<SessionState<Data>>()`. */
export interface SessionState<Data extends object = Record<string, unknown>> {
  /** The request's session. */
  session: Session<Data>;
  /** What else the app keeps there. */
  [key: string]: unknown;
}

/** What is needed of oak's `Context`. */
export interface OakContext {
  /** The request. */
  readonly request: {
    /** Its headers. */
    readonly headers: Iterable<[name: string, value: string]>;
    /** Its method. */
    readonly method: string;
    /** Its address. */
    readonly url: URL;
    /** The server's own, which can be answered past oak. */
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
    /** False where the app has handed in a fetch `Response` as it is. */
    readonly writable: boolean;
    /** That `Response`. */
    toDomResponse(): Promise<{ readonly headers: ResponseHeaders }>;
  };
  /** Whether oak is to send the response: not after an upgrade. */
  respond: boolean;
  /** Where the handlers find the session. */
  readonly state: { session?: unknown };
}

/** A middleware for oak. */
export type OakSession = (ctx: OakContext, next: () => Promise<unknown>) => Promise<void>;

/** Contexts that have their session. */
const opened = new WeakSet<OakContext>();

/**
 * Middleware for oak: `ctx.state.session` is the request's {@linkcode Session}. A session that fails
 * is answered as `sessions.handler` answers it; the option `onError` changes that. When a later
 * middleware throws, nothing of the request is saved. After `ctx.upgrade()` or `ctx.sendEvents()`
 * the client can be sent no cookie any more: write to the session before, in another request.
 *
 * @example A visit counter
 * ```ts ignore
 * import { Application } from "@oak/oak";
 * import { SessionMiddleware } from "@pagi/session";
 * import { oakSession, type SessionState } from "@pagi/session/oak";
 *
 * type Data = { visits: number };
 * const sessions = new SessionMiddleware<Data>({ secret: "change me" });
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
  return async (ctx, next) => {
    if (opened.has(ctx)) return void await next();
    if (ctx.state.session !== undefined) {
      throw new TypeError(
        "Cannot open the session: ctx.state has one; is it shared between requests (contextState)?",
      );
    }
    let open: OpenSession<Data>;
    try {
      open = await sessions.open(nodeRequest(ctx));
    } catch (error) {
      return await answer(sessions, ctx, error);
    }
    opened.add(ctx);
    ctx.state.session = open.session;
    try {
      await next();
    } catch (error) {
      await open.abort();
      return await answer(sessions, ctx, error);
    }
    try {
      await open.commit(await headersOf(ctx));
    } catch (error) {
      await answer(sessions, ctx, error);
    }
  };
}

function nodeRequest({ request: { headers, method, url } }: OakContext) {
  return { headers: Object.fromEntries(headers), method, url: url.pathname + url.search };
}

/** The headers that are yet to be sent. */
async function headersOf({ respond, response }: OakContext): Promise<ResponseHeaders | undefined> {
  if (!respond) return undefined;
  return response.writable ? response.headers : (await response.toDomResponse()).headers;
}

async function answer<Data extends object>(
  sessions: SessionMiddleware<Data>,
  ctx: OakContext,
  error: unknown,
): Promise<void> {
  const { request, response } = ctx;
  const answered = await sessions.answer(
    error,
    new Request(request.url, { headers: [...request.headers] }),
  );
  if (response.writable) {
    response.status = answered.status;
    response.headers = answered.headers;
    response.body = answered.body;
  } else {
    // oak would send the app's Response all the same.
    ctx.respond = false;
    await request.originalRequest.respond(answered as never);
  }
}
