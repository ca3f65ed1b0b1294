/**
 * {@linkcode astroSession}: sessions in Astro apps, as `Astro.locals.session`.
 *
 * @module
 */
import { checkMiddleware } from "../base/check_options.ts";
import { HandledFailure, isAnswer } from "../core/entry/handled_failure.ts";
import type { SessionMiddleware } from "../middleware.ts";
import type { Session } from "../session.ts";
import { Place } from "./_fetch/place.ts";

/** The part of Astro's `APIContext` that the middleware uses. */
export interface AstroContext {
  /** The request. */
  readonly request: Request;
  /** The values that middleware hands to pages and endpoints. */
  readonly locals: object;
  /** Whether the page is made at build time. Astro 5 and later have it. */
  readonly isPrerendered?: boolean;
  /** The route's pattern. Astro 5 and later have it. */
  readonly routePattern?: string;
}

/** A middleware for Astro. `of` returns the session with its type. */
export interface AstroSession<Data extends object = Record<string, unknown>> {
  /** The middleware: `export const onRequest = astroSession(sessions)`. */
  (context: AstroContext, next: () => Promise<Response>): Promise<Response>;
  /**
   * Returns the session of a request, with its type. `context` is an endpoint's context or `Astro`.
   *
   * @throws {TypeError} If the middleware has not run for this request, or the page is prerendered.
   */
  of(context: { readonly locals: object }): Session<Data>;
}

/**
 * Creates a middleware for Astro 4 and later, for pages that are rendered on demand:
 * `Astro.locals.session` is the request's {@linkcode Session}. With the option `key`, it is
 * `Astro.locals[key]`. (Astro's own sessions are `Astro.session`.) If a session cannot be read or
 * saved, the client gets the same response as from `sessions.handler`; the option `onError` changes
 * it.
 *
 * No session changes of the request are saved if a page, an endpoint or an action throws, or if the
 * response has the status 500 or more. Prerendered pages have no session.
 *
 * @throws {TypeError} If `sessions` is not a `SessionMiddleware`.
 *
 * @example src/middleware.ts
 * ```ts ignore
 * import { SessionMiddleware } from "@pagi/session";
 * import { astroSession } from "@pagi/session/astro";
 *
 * const sessions = new SessionMiddleware<{ visits: number }>({
 *   secret: process.env.SESSION_SECRET!,
 * });
 *
 * export const onRequest = astroSession(sessions);
 * ```
 */
export function astroSession<Data extends object>(
  sessions: SessionMiddleware<Data>,
): AstroSession<Data> {
  checkMiddleware("astroSession", sessions);
  const place = new Place(sessions, "context.locals");

  const respond = sessions.handler(
    async (_request, session, context: AstroContext, next: () => Promise<Response>) => {
      place.put(context.locals, session);
      const response = await next();
      if (response.status < 500 && !hasActionFailed(context, response)) return response;
      // Astro or the app has already made a response. Throwing discards the session's changes.
      throw new HandledFailure(undefined, response);
    },
  );

  const openSession = async (context: AstroContext, next: () => Promise<Response>) => {
    let thrown: { error: unknown } | undefined;
    // Astro makes its error page of a response like this, and keeps its headers.
    const errorPage = new Response(null, { status: 500 });
    const response = await respond(context.request, context, async () => {
      try {
        return await next();
      } catch (error) {
        thrown = { error };
        throw new HandledFailure(error, errorPage);
      }
    });
    // Without headers for the client, Astro handles the error, as it would without this middleware.
    if (response === errorPage) throw thrown!.error;
    if (isAnswer(response)) refuseCookies(response);
    if (thrown !== undefined && response.body === null) console.error(thrown.error);
    return response;
  };

  const middleware = async (context: AstroContext, next: () => Promise<Response>) => {
    if (context.isPrerendered || place.find(context.locals) !== undefined) return await next();
    return await openSession(context, next);
  };
  const of = ({ locals }: { readonly locals: object }) => place.of(locals);
  return Object.assign(middleware, { of });
}

/** Keeps the page's cookies off this response. Astro would attach them under this symbol. */
function refuseCookies(response: Response): void {
  Object.defineProperty(response, Symbol.for("astro.cookies"), { value: undefined });
}

/** The route of actions that scripts call. */
const ACTIONS = "/_actions/[...path]";

/** The result of an action that a form has called, as Astro keeps it. */
interface ActionLocals {
  _actionPayload?: { actionResult?: { type?: unknown } };
}

/** Whether an action has thrown. Astro makes a result of what an action throws. */
function hasActionFailed({ locals, routePattern }: AstroContext, { status }: Response): boolean {
  if (routePattern === ACTIONS) return status >= 400;
  return (locals as ActionLocals)._actionPayload?.actionResult?.type === "error";
}
