/**
 * {@linkcode tanstackStartSession}: sessions in TanStack Start apps, as `context.session`.
 *
 * @module
 */
import { checkMiddleware } from "../base/check_options.ts";
import { HandledFailure } from "../core/entry/handled_failure.ts";
import type { SessionMiddleware } from "../middleware.ts";
import type { Session } from "../session.ts";

/** The session for TanStack Start, as {@linkcode tanstackStartSession} returns it. */
export interface TanStackStartSession<Data extends object = Record<string, unknown>> {
  /**
   * Opens the request's session, calls `next` with it, and saves it. For a request middleware:
   * `next` hands the session on as a value of the context, under a name of your choice.
   */
  handle<Result extends { readonly response: Response }>(
    request: Request,
    next: (session: Session<Data>) => Result | Promise<Result>,
  ): Promise<Result | Response>;
  /**
   * Calls `next`. If that rejects, the session's changes are not saved. For a function middleware: a
   * request middleware does not see what a server function threw. A redirect is not a failure.
   */
  watch<Result>(session: Session<Data>, next: () => Promise<Result>): Promise<Result>;
}

/** A redirect of TanStack Router: a response with the options that it was made of. */
interface MaybeRedirect extends Response {
  options?: unknown;
}

/** A request in progress. */
interface PendingRequest<Data extends object> {
  session: Session<Data>;
  /** The error of a server function. */
  failure?: { error: unknown };
}

/**
 * Connects sessions to TanStack Start 1. The middlewares are made in `src/start.ts`, with
 * `createMiddleware`, so that TypeScript knows `context.session` in server functions and server
 * routes. If a session cannot be read or saved, the client gets the same response as from
 * `sessions.handler`; the option `onError` changes it.
 *
 * If a server function or a server route throws, no session changes of the request are saved. The
 * same goes for a response with a status of 500 or more, as after a loader that threw. A redirect
 * is not a failure: it saves.
 *
 * @throws {TypeError} If `sessions` is not a `SessionMiddleware`.
 *
 * @example src/start.ts
 * ```ts ignore
 * import { SessionMiddleware } from "@pagi/session";
 * import { tanstackStartSession } from "@pagi/session/tanstack-start";
 * import { createMiddleware, createStart } from "@tanstack/react-start";
 *
 * const { handle, watch } = tanstackStartSession(
 *   new SessionMiddleware<{ visits: number }>({ secret: process.env.SESSION_SECRET! }),
 * );
 * const requests = createMiddleware().server(({ request, next }) =>
 *   handle(request, (session) => next({ context: { session } }))
 * );
 * const functions = createMiddleware({ type: "function" }).middleware([requests])
 *   .server(({ context, next }) => watch(context.session, next));
 *
 * export const startInstance = createStart(() => ({
 *   requestMiddleware: [requests],
 *   functionMiddleware: [functions],
 * }));
 * ```
 */
export function tanstackStartSession<Data extends object>(
  sessions: SessionMiddleware<Data>,
): TanStackStartSession<Data> {
  checkMiddleware("tanstackStartSession", sessions);
  const requests = new WeakMap<Request, PendingRequest<Data>>();
  const failures = new WeakMap<Session<Data>, { error: unknown }>();

  const respond = sessions.handler(
    async (request, session, next: (session: Session<Data>) => Promise<Response>) => {
      requests.set(request, { session });
      const response = await next(session);
      const failure = failures.get(session);
      if (failure === undefined && response.status < 500) return response;
      // Start has already made a response. Throwing discards the session's changes.
      throw new HandledFailure(failure?.error, response);
    },
  );

  return {
    async handle<Result extends { readonly response: Response }>(
      request: Request,
      next: (session: Session<Data>) => Result | Promise<Result>,
    ) {
      const pending = requests.get(request);
      // The same middleware has opened the session.
      if (pending !== undefined) return await next(pending.session);
      let result: Result | undefined;
      let thrown: { error: unknown } | undefined;
      const errorPage = new Response(null, { status: 500 });
      const answered = await respond(request, async (session) => {
        try {
          result = await next(session);
          return result.response;
        } catch (error) {
          thrown = { error };
          throw new HandledFailure(error, errorPage);
        }
      });
      if (thrown !== undefined) {
        const { error } = thrown;
        if (answered.status !== 500 || answered.body !== null) return answered;
        // Start makes the response, with the headers of the error.
        addHeaders(error, answered.headers);
        throw error;
      }
      if (answered === result?.response) return result;
      const { options } = result?.response as MaybeRedirect ?? {};
      // Start finds the destination of a redirect in its options, which a copy does not have.
      const isCopy = answered.status === result?.response.status;
      return isCopy && options !== undefined ? Object.assign(answered, { options }) : answered;
    },
    async watch(session, next) {
      try {
        return await next();
      } catch (error) {
        if (!(error instanceof Response)) failures.set(session, { error });
        throw error;
      }
    },
  };
}

/** Adds headers to an error, for the response that Start makes of it. */
function addHeaders(error: unknown, added: Headers): void {
  if (!(error instanceof Error) || !Object.isExtensible(error)) return;
  const own = new Headers((error as { headers?: HeadersInit }).headers);
  for (const [name, value] of added) {
    // The middleware of another session has added its cookie, which this response carries, too.
    const isThere = name === "set-cookie" && own.getSetCookie().includes(value);
    if (isThere) continue;
    if (name === "set-cookie" || name === "vary") own.append(name, value);
    else own.set(name, value);
  }
  Object.assign(error, { headers: own });
}
