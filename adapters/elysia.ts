/**
 * {@linkcode elysiaSession}: sessions in Elysia apps, as `session` in the context.
 *
 * @module
 */
import { checkMiddleware, placeTaken } from "../base/check_options.ts";
import { HandledFailure } from "../core/entry/handled_failure.ts";
import type { SessionMiddleware } from "../middleware.ts";
import type { Session } from "../session.ts";

/** Elysia's request handler. */
export type ElysiaFetch = (request: Request, ...rest: unknown[]) => unknown;

/** The part of an Elysia app that the plugin's types need. */
export interface ElysiaApp {
  /** Wraps a function around the app's request handler. */
  wrap(around: (fetch: (...args: unknown[]) => unknown) => ElysiaFetch): unknown;
}

/** The other methods that the plugin calls. Elysia's own types of them have too many overloads. */
interface ElysiaHooks {
  onError(scope: { as: "global" }, listener: (context: ElysiaError) => void): unknown;
  derive(scope: { as: "global" }, values: (context: { request: Request }) => object): unknown;
}

/** An error that a handler threw, with its request. */
interface ElysiaError {
  request: Request;
  error: unknown;
}

/**
 * The type that the plugin adds to an app. Elysia keeps the types of its context in `~Singleton`.
 */
export interface WithSession<
  Data extends object = Record<string, unknown>,
  Key extends string = "session",
> {
  /** The values that every handler finds in its context. */
  "~Singleton": { derive: { [K in Key]: Session<Data> } };
}

/** The state of a request in progress. */
interface PendingRequest {
  session?: unknown;
  /** The response that Elysia has made. It is not a `Response` if a WebSocket was opened. */
  answer?: { response: unknown };
  /** The error that a handler threw, once Elysia has turned it into a response. */
  thrown?: { error: unknown };
}

/** The requests in progress, by middleware. */
const pendingRequests = new WeakMap<Request, Map<unknown, PendingRequest>>();

/** How many plugins there are. */
let plugins = 0;

/** Thrown to leave `sessions.handler` after an upgrade, which has no response for a cookie. */
const UPGRADED = Symbol("upgraded");

/**
 * Creates a plugin for Elysia: `session` in a handler's context is the request's
 * {@linkcode Session}. With the option `key`, it is `admin` for the key `admin`; write
 * `elysiaSession<Data, "admin">(sessions)` for its type. If a session cannot be read or saved, the
 * client gets the same response as from `sessions.handler`; the option `onError` changes it. No session changes are saved if a
 * handler throws or if the request becomes a WebSocket. Leave Elysia's option `aot` on, which is
 * its default.
 *
 * @example A visit counter
 * ```ts ignore
 * import { Elysia } from "elysia";
 * import { SessionMiddleware } from "@pagi/session";
 * import { elysiaSession } from "@pagi/session/elysia";
 *
 * const sessions = new SessionMiddleware<{ visits: number }>({
 *   secret: "replace this with: openssl rand -hex 32",
 * });
 *
 * new Elysia()
 *   .use(elysiaSession(sessions))
 *   .get("/", ({ session }) => {
 *     session.update("visits", (visits = 0) => visits + 1);
 *     return `Visit ${session.get("visits")}`;
 *   })
 *   .listen(3000);
 * ```
 */
export function elysiaSession<Data extends object, Key extends string = "session">(
  sessions: SessionMiddleware<Data>,
): <App extends ElysiaApp>(app: App) => App & WithSession<Data, Key> {
  checkMiddleware("elysiaSession", sessions);
  const { key: place = "session" } = sessions;
  const pendingOf = (request: Request) => pendingRequests.get(request)?.get(sessions);
  const respond = sessions.handler(
    async (request, session, pending: PendingRequest, fetch: () => unknown) => {
      pending.session = session;
      if (!pendingRequests.has(request)) pendingRequests.set(request, new Map());
      pendingRequests.get(request)!.set(sessions, pending);
      const response = await fetch();
      pending.answer = { response };
      const { thrown } = pending;
      if (!(response instanceof Response)) throw thrown === undefined ? UPGRADED : thrown.error;
      // Elysia has already turned the error into a response. Throwing discards the session's changes.
      if (thrown !== undefined) throw new HandledFailure(thrown.error, response);
      return response;
    },
  );
  const openSession =
    (fetch: (...args: unknown[]) => unknown): ElysiaFetch => async (request, ...rest) => {
      // The plugin of an outer app has opened the session.
      if (pendingOf(request) !== undefined) return await fetch(request, ...rest);
      for (const other of pendingRequests.get(request)?.keys() ?? []) {
        const { key = "session" } = other as SessionMiddleware;
        if (key === place) throw placeTaken(`the context's ${place}`);
      }
      const pending: PendingRequest = {};
      try {
        return await respond(request, pending, () => fetch(request, ...rest));
      } catch (error) {
        // Without an answer, an error handler of the app has thrown as well.
        const isAnswered = error === UPGRADED || (pending.thrown && error === pending.thrown.error);
        if (isAnswered && pending.answer !== undefined) return pending.answer.response;
        throw error;
      }
    };
  // Elysia takes two functions with the same text for one, and drops the second.
  const text = `session ${++plugins}`;
  Object.defineProperty(openSession, "toString", { value: () => text });
  const noteError = ({ request, error }: ElysiaError) => {
    const pending = pendingOf(request);
    if (pending !== undefined) pending.thrown = { error };
  };
  const deriveSession = ({ request }: { request: Request }) => {
    const session = pendingOf(request)?.session;
    if (session !== undefined) return { [place]: session };
    throw new TypeError("Cannot find the session: Elysia calls no wrap() when aot is off");
  };
  return <App extends ElysiaApp>(app: App) => {
    app.wrap(openSession);
    const hooks = app as unknown as ElysiaHooks;
    hooks.onError({ as: "global" }, noteError);
    hooks.derive({ as: "global" }, deriveSession);
    return app as App & WithSession<Data, Key>;
  };
}
