/**
 * {@linkcode nextSession}: sessions in Next.js 16, in the App Router's server components, server
 * actions and route handlers, and in `proxy.ts`.
 *
 * @module
 */
import { checkMiddleware, hasMethods, isObject, kindOf } from "../base/check_options.ts";
import { HandledFailure } from "../core/entry/handled_failure.ts";
import { SessionError } from "../errors.ts";
import type { SessionMiddleware } from "../middleware.ts";
import type { Session } from "../session.ts";

/** The attributes of a cookie, as Next.js takes them. */
export interface NextCookieOptions {
  /** The attribute `Path`. */
  path?: string;
  /** The attribute `Max-Age`, in seconds. */
  maxAge?: number;
  /** The attribute `HttpOnly`. */
  httpOnly?: boolean;
  /** The attribute `Secure`. */
  secure?: boolean;
  /** The attribute `SameSite`. */
  sameSite?: "strict" | "lax" | "none";
  /** The attribute `Domain`. */
  domain?: string;
  /** The attribute `Partitioned`. */
  partitioned?: boolean;
  /** The attribute `Priority`. */
  priority?: "low" | "medium" | "high";
}

/** The part of what Next's `cookies()` resolves to that the adapter uses. */
export interface NextCookies {
  /** Returns the cookies of the request, with those that an action has set. */
  getAll(): { name: string; value: string }[];
  /** Sets a cookie. Only a server action and a route handler can do that. */
  set(name: string, value: string, options: NextCookieOptions): unknown;
}

/** The functions of `next/headers`, which this package cannot import. */
export interface NextHeaders {
  /** `cookies` of `next/headers`. */
  cookies: () => Promise<NextCookies>;
  /** `headers` of `next/headers`. */
  headers: () => Promise<Iterable<[name: string, value: string]>>;
}

/** A server action that gets the session before its arguments. */
export type NextAction<Data extends object, Args extends unknown[], Result> = (
  session: Session<Data>,
  ...args: Args
) => Result | Promise<Result>;

/** A handler of `proxy.ts`. It returns a response, such as `NextResponse.next()`. */
export type NextProxy<Data extends object, Incoming extends Request> = (
  request: Incoming,
  session: Session<Data>,
) => Response | Promise<Response>;

/** The sessions of a Next.js app, as {@linkcode nextSession} makes them. */
export interface NextSession<Data extends object = Record<string, unknown>> {
  /**
   * Resolves to the session of the request, for reading: in a server component, a layout or
   * `generateMetadata`. If the client has no session, it is empty. A write throws, because a page
   * cannot set cookies any more.
   *
   * This does not extend the session. {@linkcode NextSession.proxy} does.
   *
   * @throws {SessionError} `ERR_SESSION_STORE` if the store fails. Next.js shows `error.tsx`.
   */
  read(): Promise<Session<Data>>;
  /**
   * Makes a server action of a function that gets the session first, then the action's arguments. The
   * session is saved when the function has returned, or called `redirect()`. If it throws anything
   * else, nothing is saved.
   *
   * The action rejects with a {@linkcode SessionError} if the session cannot be read or saved.
   */
  action<Args extends unknown[], Result>(
    handle: NextAction<Data, Args, Result>,
  ): (...args: Args) => Promise<Result>;
  /**
   * Makes a route handler of a function of the request, the session and the route's context. It works
   * as `sessions.handler` does. `redirect()` saves; any other error saves nothing.
   */
  route<Incoming extends Request, Rest extends unknown[]>(
    handle: (
      request: Incoming,
      session: Session<Data>,
      ...rest: Rest
    ) => Response | Promise<Response>,
  ): (request: Incoming, ...rest: Rest) => Promise<Response>;
  /**
   * Makes the function `proxy` of `proxy.ts`. For GET and HEAD it extends the client's session, and
   * sends the cookie again when that is due. The handler may also write to the session. For other
   * methods, the session is read-only: the server action or the route handler opens it.
   */
  proxy<Incoming extends Request>(
    handle: NextProxy<Data, Incoming>,
  ): (request: Incoming) => Promise<Response>;
}

/**
 * Creates the sessions of a Next.js 16 app. Pass `cookies` and `headers` of `next/headers`.
 *
 * A server component can only read, because its page may have been sent in part. Next.js calls the
 * proxy before that, so the proxy extends the session and sends its cookie.
 *
 * @throws {TypeError} If an argument is missing.
 *
 * @example `lib/session.ts`
 * ```ts ignore
 * import { SessionMiddleware } from "@pagi/session";
 * import { nextSession } from "@pagi/session/next";
 * import { cookies, headers } from "next/headers";
 *
 * const sessions = new SessionMiddleware<{ name: string }>({
 *   secret: "replace this with: openssl rand -hex 32",
 * });
 * export const session = nextSession(sessions, { cookies, headers });
 * ```
 *
 * @example `app/actions.ts`
 * ```ts ignore
 * "use server";
 * import { redirect } from "next/navigation";
 * import { session } from "../lib/session.ts";
 *
 * export const login = session.action((session, form: FormData) => {
 *   session.subject = String(form.get("name"));
 *   redirect("/");
 * });
 * ```
 */
export function nextSession<Data extends object>(
  sessions: SessionMiddleware<Data>,
  next: NextHeaders,
): NextSession<Data> {
  checkMiddleware("nextSession", sessions);
  if (!hasMethods(next, ["cookies", "headers"])) {
    throw new TypeError(
      "Cannot make nextSession: its second argument must be { cookies, headers } of next/headers; " +
        `it is ${kindOf(next)}`,
    );
  }
  const respond = sessions.handler(answer<Data>);
  return {
    async read() {
      const { headers } = await currentRequest(next);
      return (await sessions.open({ type: "websocket", headers })).session;
    },
    action:
      <Args extends unknown[], Result>(handle: NextAction<Data, Args, Result>) =>
      async (...args: Args): Promise<Result> => {
        const request = await currentRequest(next);
        const store = await next.cookies();
        const open = await sessions.open(request);
        let result: Result | undefined;
        let thrown: { error: unknown } | undefined;
        try {
          result = await open.run(() => handle(open.session, ...args));
        } catch (error) {
          thrown = { error };
          if (!isRedirect(error)) await open.abort(error);
        }
        const headers = new Headers();
        try {
          await open.commit(headers);
          if (thrown !== undefined) throw thrown.error;
          return result as Result;
        } catch (error) {
          const own = error instanceof SessionError ? error.headers : [];
          for (const [name, value] of own) headers.append(name, value);
          throw error;
        } finally {
          setCookies(headers, store);
        }
      },
    route: (handle) => async (request, ...rest) => {
      const failure: Failure = {};
      const response = await respond(request, failure, (one) => handle(request, one, ...rest));
      // Next answers an error whose response needs no cookie, and reports it.
      if (response === failure.response) throw failure.error;
      return response;
    },
    proxy: (handle) => {
      const respond = sessions.handler((request, session) => handle(request as never, session));
      return async (request) => {
        if (request.method === "GET" || request.method === "HEAD") {
          return visibleToPage(await respond(request));
        }
        try {
          const scope = { type: "websocket", headers: [...request.headers] };
          return await handle(request, (await sessions.open(scope)).session);
        } catch (error) {
          return await sessions.answer(error, request);
        }
      };
    },
  };
}

/** The scopes of requests whose actions are running, by what Next's `headers()` returns. */
const scopes = new WeakMap<object, { cookie: string; scope: ActionScope }>();

interface ActionScope {
  type: "http";
  method: "POST";
  headers: [name: string, value: string][];
  [key: string]: unknown;
}

/** Returns the request that Next.js is handling, with the cookies that an action has set. */
async function currentRequest({ cookies, headers }: NextHeaders): Promise<ActionScope> {
  const own = await headers();
  const pairs = [...own];
  const sent = pairs.find(([name]) => name === "cookie")?.[1] ?? "";
  const cookie = currentCookies(sent, (await cookies()).getAll());
  const known = scopes.get(own);
  // An action may call another one. Both have one session.
  if (known?.cookie === cookie) return known.scope;
  const others = pairs.filter(([name]) => name !== "cookie");
  const scope: ActionScope = {
    type: "http",
    method: "POST",
    headers: cookie === "" ? others : [...others, ["cookie", cookie]],
  };
  scopes.set(own, { cookie, scope });
  return scope;
}

/**
 * Returns the client's header `Cookie`, with the cookies that an action has set since. The header
 * counts otherwise: `getAll` returns one cookie of each name, and a client may send several.
 */
function currentCookies(sent: string, all: { name: string; value: string }[]): string {
  const now = new Map(all.map(({ name, value }) => [name, value]));
  const pairs = sent.split(";").map((pair) => pair.trim()).filter((pair) => pair !== "");
  const isSent = new Set<string>();
  for (const pair of pairs) {
    const [name, value] = split(pair);
    if (now.get(name) === value) isSent.add(name);
  }
  const kept = pairs.filter((pair) => isSent.has(split(pair)[0]) || !now.has(split(pair)[0]));
  const changed = all.filter(({ name, value }) => !isSent.has(name) && value !== "");
  return [...kept, ...changed.map(({ name, value }) => `${name}=${encodeURIComponent(value)}`)]
    .join("; ");
}

/** Splits a cookie as Next.js does, which decodes its value. */
function split(pair: string): [name: string, value: string] {
  const mark = pair.indexOf("=");
  if (mark < 0) return [pair, "true"];
  const value = pair.slice(mark + 1);
  try {
    return [pair.slice(0, mark), decodeURIComponent(value)];
  } catch {
    return [pair.slice(0, mark), value];
  }
}

/** An error of a route handler, and the response to it. */
interface Failure {
  error?: unknown;
  response?: Response;
}

/** Calls a route handler, and makes responses of the errors that Next's functions throw. */
async function answer<Data extends object>(
  _request: Request,
  session: Session<Data>,
  failure: Failure,
  handle: (session: Session<Data>) => Response | Promise<Response>,
): Promise<Response> {
  try {
    return await handle(session);
  } catch (error) {
    if (isRedirect(error)) return redirectOf(error.digest);
    const response = new Response(null, { status: statusOf(error) });
    Object.assign(failure, { error, response });
    throw new HandledFailure(error, response);
  }
}

/** An error that Next.js throws to end a handler. Its `digest` says why. */
interface NextError {
  digest: string;
}

function hasDigest(error: unknown): error is NextError {
  return isObject(error) && typeof error.digest === "string";
}

function isRedirect(error: unknown): error is NextError {
  return hasDigest(error) && error.digest.startsWith("NEXT_REDIRECT;");
}

/** The response to `redirect()`. The digest is `NEXT_REDIRECT;push;/path;307;`. */
function redirectOf(digest: string): Response {
  const [, , ...rest] = digest.split(";");
  const [status, location] = [Number(rest.at(-2)), rest.slice(0, -2).join(";")];
  return new Response(null, { status, headers: { location } });
}

/** The status of `notFound()`, `forbidden()` and `unauthorized()`; 500 for other errors. */
function statusOf(error: unknown): number {
  if (!hasDigest(error)) return 500;
  const [, status] = /^NEXT_HTTP_ERROR_FALLBACK;(\d{3})$/.exec(error.digest) ?? [];
  return Number(status ?? 500);
}

/**
 * Lets the page see the cookies of the proxy's response. `NextResponse` does the same for cookies
 * that are set by its own method.
 */
function visibleToPage(response: Response): Response {
  const { status } = response;
  const cookies = response.headers.getSetCookie();
  if (cookies.length === 0 || !response.headers.has("x-middleware-next")) return response;
  const headers = new Headers(response.headers);
  headers.set("x-middleware-set-cookie", cookies.join(","));
  return new Response(null, { status, headers });
}

/** Headers that Next.js sets itself on the response to a server action. */
const OF_NEXT = /^(vary|.*cache-control|set-cookie)$/;

/** The attributes whose names or values Next.js spells differently. */
const SPELLINGS: Record<string, string> = {
  "Max-Age": "maxAge",
  HttpOnly: "httpOnly",
  SameSite: "sameSite",
};

/** Sets the cookies in these headers with Next's own method. */
function setCookies(headers: Headers, store: NextCookies): void {
  for (const header of headers.getSetCookie()) {
    const [pair, ...attributes] = header.split("; ");
    const mark = pair!.indexOf("=");
    const value = pair!.slice(mark + 1);
    if (encodeURIComponent(value) !== value) {
      throw new TypeError(
        "Cannot set the session's cookie: Next.js would encode its value. Use a CookieStore without " +
          "the option format, or a generateId whose IDs have letters and digits only",
      );
    }
    store.set(pair!.slice(0, mark), value, Object.fromEntries(attributes.map(optionOf)));
  }
  for (const name of headers.keys()) {
    if (OF_NEXT.test(name)) continue;
    throw new TypeError(
      `Cannot send the header ${name}: a server action can only set cookies. Use a route handler`,
    );
  }
}

function optionOf(attribute: string): [name: string, value: unknown] {
  const [name, value] = attribute.split("=") as [string, string?];
  const option = SPELLINGS[name] ?? name.toLowerCase();
  if (option === "maxAge") return [option, Number(value)];
  if (option === "sameSite" || option === "priority") return [option, value!.toLowerCase()];
  return [option, value ?? true];
}
