/**
 * {@linkcode sveltekitSession}: sessions in SvelteKit apps, as `event.locals.session`.
 *
 * @module
 */
import { checkMiddleware } from "../base/check_options.ts";
import { type AsyncStorage, makeAsyncStorage } from "../core/async_storage.ts";
import { HandledFailure } from "../core/entry/handled_failure.ts";
import type { SessionMiddleware } from "../middleware.ts";
import type { Session } from "../session.ts";
import { Place } from "./_fetch/place.ts";

/** The part of SvelteKit's `RequestEvent` that the hooks use. */
export interface SvelteKitEvent {
  /** The request. */
  readonly request: Request;
  /** The values that hooks hand to pages and endpoints. */
  readonly locals: object;
  /** Whether a page has made this request with `event.fetch`. */
  readonly isSubRequest: boolean;
  /** Whether the client asks for the data of a page. */
  readonly isDataRequest: boolean;
  /** Whether the client calls a remote function. SvelteKit 2.27 and later have it. */
  readonly isRemoteRequest?: boolean;
}

/** The argument of the hook `handleError`. */
export interface SvelteKitError<Event extends SvelteKitEvent = SvelteKitEvent> {
  /** The request's event. */
  readonly event: Event;
  /** The value that was thrown. */
  readonly error: unknown;
  /** Its origin: `app`, `framework`, `validation` or `unknown`. SvelteKit 3 has it. */
  readonly kind?: string;
  /** The status of the response. SvelteKit 2 has it. */
  readonly status?: number;
}

/** The hooks for `src/hooks.server.ts`, as {@linkcode sveltekitSession} returns them. */
export interface SvelteKitSession<Data extends object = Record<string, unknown>> {
  /** The hook `handle`. With hooks of your own, write `sequence(session.handle, yours)`. */
  handle<Event extends SvelteKitEvent>(
    input: { event: Event; resolve(event: Event): Response | Promise<Response> },
  ): Promise<Response>;
  /**
   * Makes the hook `handleError`. It tells the session that a page, an action or an endpoint threw,
   * so that nothing is saved.
   *
   * @param own Your own hook. Without it, unexpected errors are logged, as SvelteKit does.
   */
  handleError<Input extends SvelteKitError, Result = void>(
    own?: (input: Input) => Result,
  ): (input: Input) => Result | void;
  /**
   * Returns the session of a request, with its type.
   *
   * @throws {TypeError} If `handle` has not run for this event.
   */
  of(event: SvelteKitEvent): Session<Data>;
}

/**
 * Creates the hooks for SvelteKit 2 and 3: `event.locals.session` is the request's
 * {@linkcode Session}. With the option `key`, it is `event.locals[key]`. If a session cannot be read
 * or saved, the client gets the same response as from `sessions.handler`; the option `onError`
 * changes it. If a page, an action or an endpoint throws, no session changes of the request are
 * saved. A redirect is not a failure: it saves.
 *
 * An endpoint that a page calls with `event.fetch` has the session of the page.
 *
 * @throws {TypeError} If `sessions` is not a `SessionMiddleware`.
 *
 * @example src/hooks.server.ts
 * ```ts ignore
 * import { SessionMiddleware } from "@pagi/session";
 * import { sveltekitSession } from "@pagi/session/sveltekit";
 * import { SESSION_SECRET } from "$app/env/private";
 *
 * const sessions = new SessionMiddleware<{ visits: number }>({ secret: SESSION_SECRET });
 * const session = sveltekitSession(sessions);
 *
 * export const handle = session.handle;
 * export const handleError = session.handleError();
 * ```
 */
export function sveltekitSession<Data extends object>(
  sessions: SessionMiddleware<Data>,
): SvelteKitSession<Data> {
  checkMiddleware("sveltekitSession", sessions);
  const place = new Place(sessions, "event.locals");
  /** The first error of each request. */
  const failures = new WeakMap<Request, { error: unknown }>();
  /** The locals of the page, for the endpoints that it calls. */
  let pages: AsyncStorage<object> | undefined;

  const respond = sessions.handler(
    async (request, session, { event }: { event: SvelteKitEvent }, resolve: Resolve) => {
      place.put(event.locals, session);
      pages ??= makeAsyncStorage();
      const response = await (pages?.run(event.locals, resolve) ?? resolve());
      const failure = failures.get(request);
      if (failure === undefined && response.status < 500) return response;
      // SvelteKit has already made a response. Throwing discards the session's changes.
      throw new HandledFailure(failure?.error, response);
    },
  );

  return {
    handle(input) {
      const { event, resolve } = input;
      const next = () => answerRedirect(event, () => resolve(event));
      const page = event.isSubRequest ? pages?.getStore() : undefined;
      const opened = place.find(page ?? event.locals);
      if (opened === undefined) return respond(event.request, input, next);
      if (page !== undefined) place.put(event.locals, opened);
      return next();
    },
    handleError: (own) => (input) => {
      const { event: { request }, error } = input;
      // An unknown path is the framework's error: no code of the app has failed.
      const isFrameworks = input.kind === "framework" || input.status === 404;
      if (!isFrameworks && !failures.has(request)) failures.set(request, { error });
      return own === undefined ? logUnexpected(input) : own(input);
    },
    of: (event) => place.of(event.locals),
  };
}

type Resolve = () => Response | Promise<Response>;

/**
 * Makes the response to a redirect that a later hook has thrown, so that it carries the cookie. Such
 * a redirect does not pass SvelteKit's `resolve`, which would have made it.
 */
async function answerRedirect(
  { request, isDataRequest, isRemoteRequest }: SvelteKitEvent,
  resolve: Resolve,
): Promise<Response> {
  try {
    return await resolve();
  } catch (thrown) {
    const { status, location } = (thrown ?? {}) as { status?: unknown; location?: unknown };
    const isRedirect = typeof status === "number" && status >= 300 && status < 400;
    if (!isRedirect || typeof location !== "string") throw thrown;
    const isForScript = isDataRequest || isRemoteRequest ||
      request.headers.get("accept")?.startsWith("application/json");
    if (isForScript) return Response.json({ type: "redirect", status, location });
    return new Response(null, { status, headers: { location } });
  }
}

function logUnexpected({ error, kind = "unknown", status = 500 }: SvelteKitError): void {
  if (kind === "unknown" && status !== 404) console.error(error);
}
