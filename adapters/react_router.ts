/**
 * {@linkcode reactRouterSession}: sessions in React Router apps, as `context.get(session)`.
 *
 * @module
 */
import { checkMiddleware } from "../base/check_options.ts";
import { HandledFailure } from "../core/entry/handled_failure.ts";
import type { SessionMiddleware } from "../middleware.ts";
import type { Session } from "../session.ts";

/** The key of a value in React Router's context, as its `createContext` makes them. */
export interface ReactRouterContext<Value> {
  /** The value of a context in which none was set. */
  defaultValue?: Value;
}

/** The part of React Router's `RouterContextProvider` that the middleware uses. */
export interface ReactRouterContextProvider {
  /** Sets the value for the loaders and actions. */
  set<Value>(key: ReactRouterContext<Value>, value: Value): void;
}

/** The arguments of a middleware of React Router. */
export interface ReactRouterArgs {
  /** The request. */
  readonly request: Request;
  /** The values of the request. */
  readonly context: Readonly<ReactRouterContextProvider>;
}

/** The session for React Router, as {@linkcode reactRouterSession} returns it. */
export interface ReactRouterSession<Data extends object = Record<string, unknown>> {
  /** The key of the session: `context.get(session)`. */
  readonly session: ReactRouterContext<Session<Data>>;
  /** The middleware, for `export const middleware = [middleware]` in `app/root.tsx`. */
  middleware(args: ReactRouterArgs, next: () => Promise<Response>): Promise<Response>;
  /**
   * Makes `handleError` for `app/entry.server.tsx`. With it, an error of a session that a loader throws
   * gets the same response as from `sessions.handler`, and not the page of your `ErrorBoundary`.
   *
   * @param own Your own function. Without it, errors are logged, as React Router does.
   */
  handleError<Args extends ReactRouterArgs>(
    own?: (error: unknown, args: Args) => void,
  ): (error: unknown, args: Args) => void;
}

/**
 * Creates a middleware for React Router 7.9 and later, in framework mode: `context.get(session)` is
 * the request's {@linkcode Session}. If a session cannot be read or saved, the client gets the same
 * response as from `sessions.handler`; the option `onError` changes it.
 *
 * No session changes of the request are saved if a loader, an action or a component throws an
 * `Error`, or if the response has the status 500 or more. A thrown `redirect()`, `data()` or
 * `Response` is a response in React Router, not a failure: it saves.
 *
 * @throws {TypeError} If `sessions` is not a `SessionMiddleware`.
 *
 * @example app/session.server.ts
 * ```ts ignore
 * import { SessionMiddleware } from "@pagi/session";
 * import { reactRouterSession } from "@pagi/session/react-router";
 *
 * const sessions = new SessionMiddleware<{ visits: number }>({
 *   secret: process.env.SESSION_SECRET!,
 * });
 *
 * // In app/root.tsx: export const middleware = [sessionMiddleware];
 * export const { session, middleware: sessionMiddleware } = reactRouterSession(sessions);
 * ```
 */
export function reactRouterSession<Data extends object>(
  sessions: SessionMiddleware<Data>,
): ReactRouterSession<Data> {
  checkMiddleware("reactRouterSession", sessions);
  const key: ReactRouterContext<Session<Data>> = {};
  /** The requests in progress, by their contexts, with their first error. */
  const pending = new WeakMap<object, { failure?: { error: unknown } }>();

  const respond = sessions.handler(
    async (_request, session, { context }: ReactRouterArgs, next: () => Promise<Response>) => {
      const request: { failure?: { error: unknown } } = {};
      pending.set(context, request);
      context.set(key, session);
      const response = await next();
      const { failure } = request;
      if (failure === undefined && response.status < 500) return response;
      // React Router has already made a response. Throwing discards the session's changes.
      throw new HandledFailure(failure?.error, response);
    },
  );
  return {
    session: key,
    middleware: (args, next) =>
      // The same middleware of an outer route has opened the session.
      pending.has(args.context) ? next() : respond(args.request, args, next),
    handleError: (own = logError) => (error, args) => {
      const request = pending.get(args.context);
      if (request !== undefined) request.failure ??= { error };
      own(error, args);
    },
  };
}

function logError(error: unknown, { request }: ReactRouterArgs): void {
  if (!request.signal.aborted) console.error(error);
}
