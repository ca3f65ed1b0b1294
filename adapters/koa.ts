/**
 * {@linkcode koaSession}: sessions in Koa apps, as `ctx.state.session`.
 *
 * @module
 */
import { checkMiddleware, placeTaken } from "../base/check_options.ts";
import type { NodeRequest, SessionMiddleware } from "../middleware.ts";
import type { Session } from "../session.ts";
import { answerNode, sendAnswer } from "./_node/answer.ts";
import type { NodeResponse } from "./_node/held_response.ts";
import {
  findSession,
  openSession,
  placeOf,
  type RequestSession,
  sessionOf,
} from "./_node/request_session.ts";
import { sendResponse, setHead } from "./_node/send_response.ts";

export type { NodeRequest, NodeResponse };

/**
 * The state type of a Koa app with sessions: `new Koa<SessionState<Data>>()`. For a middleware with
 * the option `key`, add that: `SessionState<Shop> & SessionState<Admin, "admin">`.
 */
export type SessionState<
  Data extends object = Record<string, unknown>,
  Key extends string = "session",
> = { [K in Key]: Session<Data> };

/** The part of Koa's `Context` that the middleware uses. */
export interface KoaContext {
  /** Node's request. */
  readonly req: NodeRequest;
  /** Node's response. */
  readonly res: NodeResponse;
  /** The app. */
  readonly app: {
    /** Reports an error. */
    emit(event: string, error: unknown, ctx: unknown): unknown;
  };
  /** The state in which handlers find the session. */
  readonly state: object;
  /** The status of the response. */
  status: number;
  /** The body of the response. */
  body: unknown;
  /** Whether Koa sends the response. */
  respond?: boolean;
  /** Makes the response to an error. */
  onerror(error: Error): void;
}

/** A middleware for Koa. Its method `of` returns a request's session. */
export interface KoaSession<Data extends object = Record<string, unknown>> {
  /** The middleware. */
  (ctx: KoaContext, next: () => Promise<unknown>): Promise<void>;
  /**
   * Returns the session of a request that has passed through the middleware, the same as
   * `ctx.state.session`.
   *
   * @throws {TypeError} If the request has not passed through the middleware.
   */
  of(ctx: { readonly req: NodeRequest }): Session<Data>;
}

/**
 * Creates a middleware for Koa 2 and 3: `ctx.state.session` is the request's {@linkcode Session}. With
 * the option `key`, it is `ctx.state[key]`. The session is saved before the first byte of the
 * response, whether Koa sends it or the app writes to `ctx.res`.
 *
 * If a later middleware throws, no session changes of the request are saved. A response with a status
 * of 500 or more saves nothing either. To save in spite of an error, call `await session.save()` before
 * it. If a session cannot be read or saved, the client gets
 * the same response as from `sessions.handler`, and the app gets the event `error`. The option
 * `onError` of `SessionMiddleware` changes that response.
 *
 * @throws {TypeError} If `sessions` is not a `SessionMiddleware`.
 *
 * @example A visit counter
 * ```ts ignore
 * import { SessionMiddleware } from "@pagi/session";
 * import { koaSession, type SessionState } from "@pagi/session/koa";
 * import Koa from "koa";
 *
 * type Data = { visits: number };
 * const sessions = new SessionMiddleware<Data>({
 *   secret: "replace this with: openssl rand -hex 32",
 * });
 *
 * const app = new Koa<SessionState<Data>>();
 * app.use(koaSession(sessions));
 * app.use((ctx) => {
 *   const { session } = ctx.state;
 *   session.update("visits", (visits = 0) => visits + 1);
 *   ctx.body = `Visit ${session.get("visits")}`;
 * });
 * app.listen(3000);
 * ```
 */
export function koaSession<Data extends object>(
  sessions: SessionMiddleware<Data>,
): KoaSession<Data> {
  checkMiddleware("koaSession", sessions);
  const place = placeOf(sessions);
  const middleware = async (ctx: KoaContext, next: () => Promise<unknown>) => {
    const { req, res } = ctx;
    if (findSession(req, sessions) !== undefined) return void await next();
    if (place in ctx.state) throw placeTaken(`ctx.state.${place}`);
    const before = { ...res.getHeaders() };
    const fail = (error: unknown) => {
      const report = () => void ctx.app.emit("error", error, ctx);
      sendAnswer(sessions, error, req, res, report).catch((rethrown) => ctx.onerror(rethrown));
    };
    let own: RequestSession<Data>;
    try {
      own = await openSession(sessions, req, res, { fail });
    } catch (error) {
      return await respondWithError(sessions, ctx, error, before);
    }
    Object.assign(ctx.state, { [place]: own.session });
    abortOnError(ctx, own);
    if (own.response !== undefined) {
      ctx.respond = false;
      return await sendResponse(own.response, req, res);
    }
    try {
      await own.run(next);
    } catch (error) {
      await own.abort(error);
      await respondWithError(sessions, ctx, error, before);
    }
  };
  return Object.assign(middleware, {
    of: ({ req }: { readonly req: NodeRequest }) => sessionOf(req, sessions),
  });
}

/**
 * Discards the changes when Koa responds to an error that the middleware does not see: one of a body's
 * stream, or of a middleware outside of this one.
 */
function abortOnError<Data extends object>(ctx: KoaContext, own: RequestSession<Data>): void {
  const { onerror } = ctx;
  ctx.onerror = (error) => {
    // Koa also calls it without an error.
    if (error != null) void own.abort(error);
    onerror.call(ctx, error);
  };
}

/** Makes the response to a session that failed. Rejects with any other error, which is Koa's. */
async function respondWithError<Data extends object>(
  sessions: SessionMiddleware<Data>,
  ctx: KoaContext,
  error: unknown,
  before: Readonly<Record<string, unknown>>,
): Promise<void> {
  const { res } = ctx;
  if (res.headersSent) throw error;
  const response = await answerNode(sessions, error, ctx.req);
  // Koa 2 does not accept a `Response` as the body.
  const text = await response.text();
  ctx.app.emit("error", error, ctx);
  for (const name of Object.keys(res.getHeaders())) res.removeHeader(name);
  for (const [name, value] of Object.entries(before)) res.setHeader(name, value as string);
  setHead(response, res);
  // Koa sends 200 or 404 unless its own property was set.
  ctx.status = response.status;
  ctx.body = text;
  ctx.respond = true;
}
