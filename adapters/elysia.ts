/**
 * {@linkcode elysiaSession}: sessions in Elysia apps, as `session` in the context.
 *
 * @module
 */
import type { SessionMiddleware } from "../middleware.ts";
import type { Session } from "../session.ts";

/** A function that answers requests, and what it is called with. */
export type ElysiaFetch = (request: Request, ...rest: unknown[]) => unknown;

/** What is needed of an Elysia app. */
export interface ElysiaApp {
  /** Puts a function around what answers requests. */
  wrap(around: (fetch: (...args: unknown[]) => unknown) => ElysiaFetch): unknown;
}

/** What else is called of it. Elysia's own types of these have too many forms to be named here. */
interface ElysiaHooks {
  onError(scope: { as: "global" }, listener: (context: ElysiaError) => void): unknown;
  derive(scope: { as: "global" }, make: (context: { request: Request }) => object): unknown;
}

/** An error that a handler threw, and for which request. */
interface ElysiaError {
  request: Request;
  error: unknown;
}

/** What the plugin adds to an app's type, where Elysia keeps the types of its context. */
export interface WithSession<Data extends object = Record<string, unknown>> {
  /** What every handler finds in its context. */
  "~Singleton": { derive: { session: Session<Data> } };
}

/** A request under way. */
interface Visit {
  session?: unknown;
  response?: unknown;
  /** What a handler threw, when Elysia has made a response of it. */
  thrown?: { error: unknown };
}

const visits = new WeakMap<Request, Visit>();

/** Thrown past `handler` after an upgrade: there is no response that could carry a cookie. */
const UPGRADED = Symbol("upgraded");

/**
 * Plugin for Elysia: `session` in a handler's context is the request's {@linkcode Session}. A
 * session that fails is answered as `sessions.handler` answers it; the option `onError` changes
 * that. When a handler throws, nothing of its request is saved, nor of one that becomes a WebSocket.
 * Elysia's `aot` must be on, as it is by default.
 *
 * @example A visit counter
 * ```ts ignore
 * import { Elysia } from "elysia";
 * import { SessionMiddleware } from "@pagi/session";
 * import { elysiaSession } from "@pagi/session/elysia";
 *
 * const sessions = new SessionMiddleware<{ visits: number }>({ secret: "change me" });
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
export function elysiaSession<Data extends object>(
  sessions: SessionMiddleware<Data>,
): <App extends ElysiaApp>(app: App) => App & WithSession<Data> {
  const respond = sessions.handler(
    async (request, session, visit: Visit, fetch: () => unknown) => {
      visit.session = session;
      visits.set(request, visit);
      const response = visit.response = await fetch();
      // Elysia has answered it already; here it only has to be known that nothing is to be saved.
      if (visit.thrown !== undefined) throw visit.thrown.error;
      if (!(response instanceof Response)) throw UPGRADED;
      return response;
    },
  );
  const around =
    (fetch: (...args: unknown[]) => unknown): ElysiaFetch => async (request, ...rest) => {
      // The plugin of an app around this one has opened it.
      if (visits.has(request)) return await fetch(request, ...rest);
      const visit: Visit = {};
      try {
        return await respond(request, visit, () => fetch(request, ...rest));
      } catch (error) {
        if (error === UPGRADED || (visit.thrown && error === visit.thrown.error)) {
          return visit.response;
        }
        throw error;
      }
    };
  const listen = ({ request, error }: ElysiaError) => {
    const visit = visits.get(request);
    if (visit !== undefined) visit.thrown = { error };
  };
  const derive = ({ request }: { request: Request }) => {
    const session = visits.get(request)?.session;
    if (session !== undefined) return { session };
    throw new TypeError("Cannot find the session: Elysia calls no wrap() when aot is off");
  };
  return <App extends ElysiaApp>(app: App) => {
    app.wrap(around);
    const hooks = app as unknown as ElysiaHooks;
    hooks.onError({ as: "global" }, listen);
    hooks.derive({ as: "global" }, derive);
    return app as App & WithSession<Data>;
  };
}
