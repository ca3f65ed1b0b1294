/**
 * {@linkcode SessionMiddleware}: sessions for PAGI apps and for fetch handlers.
 *
 * @module
 */
import { refuseCallback } from "./base/check_options.ts";
import type { SessionValues } from "./base/record_text.ts";
import { type SessionLineage, workingCopyIn, workingCopyOfForm } from "./data/working_copy.ts";
import { checkCsrfOptions, verifyCsrf, type VerifyCsrfOptions } from "./core/entry/csrf.ts";
import { errorResponse, reportFailure } from "./core/entry/error_response.ts";
import { type Recover, serveFetch, type SessionHandler } from "./core/entry/fetch.ts";
import { type OpenSession, openSession, type ResponseHeaders } from "./core/entry/open.ts";
import { type SessionApp, type SessionScope, wrap } from "./core/entry/pagi.ts";
import { type NodeRequest, scopeOf } from "./core/entry/scope.ts";
import { Lifecycle } from "./core/lifecycle.ts";
import type { SessionEvent } from "./core/event.ts";
import { noteOptions } from "./core/known_options.ts";
import { type ResolvedOptions, resolveOptions, type SessionOptions } from "./core/options.ts";
import { reportQuestionable } from "./core/questionable_options.ts";
import {
  type DestroyAllOptions,
  type ListedSession,
  type ListOptions,
  toListedSession,
} from "./core/subjects/listed_session.ts";
import type { App, Middleware, Scope } from "./pagi.ts";
import { Session, type SessionData } from "./session.ts";
import { CookieState } from "./state/cookie.ts";
import { MemoryStore } from "./store/memory.ts";

export type {
  DestroyAllOptions,
  ListedSession,
  ListOptions,
  NodeRequest,
  OpenSession,
  ResponseHeaders,
  SessionApp,
  SessionEvent,
  SessionHandler,
  SessionOptions,
  SessionScope,
  VerifyCsrfOptions,
};

const DEFAULTS = {
  state: ({ key, cookieOptions, cookieName = key && `pagi_session_${key}` }: SessionOptions) =>
    new CookieState({ cookieName, cookieOptions }),
  store: ({ now }: SessionOptions) => new MemoryStore({ now }),
};

/**
 * Sessions for PAGI apps (`wrap`), fetch handlers (`handler`, `run`) and other servers (`open`).
 * One instance serves any number of them and follows the same rules in each.
 *
 * @example A visit counter for Deno.serve
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { SessionMiddleware } from "@pagi/session";
 * import { visitor } from "@pagi/session/testing";
 *
 * const sessions = new SessionMiddleware<{ visits: number }>({
 *   secret: "replace this with: openssl rand -hex 32",
 * });
 * const handler = sessions.handler((_request, session) => {
 *   session.update("visits", (visits = 0) => visits + 1);
 *   return new Response(`Visit ${session.get("visits")}`);
 * });
 *
 * const ada = await visitor(sessions);
 * await ada.fetch(handler);
 * const second = await ada.fetch(handler);
 * assertEquals(await second.text(), "Visit 2");
 * ```
 */
export class SessionMiddleware<Data extends object = Record<string, unknown>>
  implements Middleware {
  readonly #options: ResolvedOptions;
  readonly #lifecycle: Lifecycle;

  /**
   * Validates the options. Generates no random values yet.
   *
   * @throws {TypeError} If an option is missing, unknown or of the wrong type.
   * @throws {RangeError} If a duration is not a number of seconds, below one second where a session
   * could not live, or above ten years.
   */
  constructor(options: SessionOptions) {
    this.#options = resolveOptions(options, DEFAULTS);
    reportQuestionable(options, this.#options);
    noteOptions(this, this.#options);
    this.#lifecycle = new Lifecycle(this.#options);
  }

  /** The option `key`: the place of the session in an app with several middlewares. */
  get key(): string | undefined {
    return this.#options.key;
  }

  /**
   * Wraps a PAGI app. A scope that already has a `pagi.session`, or that has no headers, passes
   * through unchanged. If it is that of another middleware, you get the event `place-taken`. A scope of another type than `http` gets its session for reading.
   *
   * The wrapped app rejects with {@linkcode SessionError} if the session cannot be read, and `send`
   * rejects with it if the session cannot be saved. Nothing of the response has been sent then.
   *
   * @throws {TypeError} If `app` is not a function.
   */
  wrap(app: SessionApp<Data>): App {
    if (typeof app !== "function") throw new TypeError("Cannot wrap: the app must be a function");
    return wrap(this.#lifecycle, app);
  }

  /**
   * Makes a fetch handler that opens the session, calls `respond` with it, and saves it. If the
   * session fails, the response comes from `onError`, or is a short text: 409 for an interrupted
   * session, 503 with `Retry-After` for a store that failed.
   *
   * @throws {TypeError} If `respond` is not a function.
   */
  handler<Rest extends unknown[]>(
    respond: SessionHandler<Data, Rest>,
  ): (request: Request, ...rest: Rest) => Promise<Response> {
    if (typeof respond !== "function") {
      throw new TypeError(
        "Cannot make a handler: expected a function of the request and its session",
      );
    }
    const recover: Recover = (error, request) => this.answer(error, request);
    return (request, ...rest) => serveFetch(this.#lifecycle, request, respond, recover, rest);
  }

  /**
   * Opens the request's session, calls `respond` with it, saves it, and returns the response with
   * the headers for the client. The framework adapters are built on this method.
   *
   * @throws {SessionError} If the session cannot be read or saved. Add its `headers` to the
   * response that you make of it.
   */
  run(
    request: Request,
    respond: (session: Session<Data>) => Response | Promise<Response>,
  ): Promise<Response> {
    if (typeof respond !== "function") {
      throw new TypeError("Cannot run: expected a Request and a function of its session");
    }
    const handle: SessionHandler<Data> = (_, session) => respond(session);
    return serveFetch(this.#lifecycle, request, handle, rethrow, []);
  }

  /**
   * Opens the request's session for a server that does not make a fetch `Response`, such as Node's
   * `http` and what is built on it. The caller must call either `commit()` or `abort()`. While it has
   * not, a second call for the same request returns the same session. The `commit()` and `abort()` of
   * that second one do nothing.
   *
   * The session of a request that upgrades its connection, and of a PAGI scope of another type than
   * `http`, is read-only: no response can carry its cookie.
   *
   * @throws {SessionError} If the session cannot be read.
   *
   * @example
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { SessionMiddleware } from "@pagi/session";
   *
   * const sessions = new SessionMiddleware<{ user: string }>({
   *   secret: "replace this with: openssl rand -hex 32",
   * });
   * const headers = new Headers({ "content-type": "text/plain" });
   *
   * // A request as Node's http hands it out: here, what is needed of one.
   * const open = await sessions.open({ method: "GET", url: "/", headers: { host: "localhost" } });
   * open.session.set("user", "ada");
   * await open.commit(headers);
   * assertEquals(headers.getSetCookie().length, 1);
   * ```
   */
  async open(request: Request | NodeRequest | Scope): Promise<OpenSession<Data>> {
    refuseCallback("open", arguments, AWAIT);
    try {
      return await openSession<Data>(this.#lifecycle, request);
    } catch (error) {
      reportFailure(this.#options, error);
      throw error;
    }
  }

  /**
   * Makes the response that `handler` sends for a session that failed: the one of `onError`, or a
   * short text. Rejects with the error itself if it is not one of those failures.
   */
  answer(error: unknown, request: Request): Promise<Response> {
    return errorResponse(this.#options, error, request);
  }

  /**
   * Refuses a request that a page of another site may have made (cross-site request forgery). Call it
   * first in each handler that changes something, or in a middleware for all requests.
   *
   * Two things must hold. A page of this origin has made the request, by `Sec-Fetch-Site`, or by
   * `Origin` from browsers that do not send that. And the header `X-CSRF-Token` or the form field
   * `_csrf` contains a token that `session.csrfToken()` has made. The field is read from a copy of a
   * fetch request, or from `req.body` of a Node request whose form was parsed. For a PAGI scope, read
   * the form yourself and pass the option `token`.
   *
   * GET, HEAD, OPTIONS and TRACE pass, so they must not change anything. The handshake of a WebSocket
   * needs the right origin only. A request whose session ID came in a header, as with `BearerState`,
   * passes, because no other site can make a browser send that.
   *
   * @param session The session of this request.
   * @throws {SessionError} `ERR_SESSION_CSRF` if the request is refused. You get the event
   * `request-failed`, and `handler` and the adapters respond with 403.
   * @throws {TypeError} If `session` is not of this middleware, an option is wrong, or a form's body
   * was read before.
   *
   * @example A script that sends the token in a header
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { SessionMiddleware } from "@pagi/session";
   * import { visitor } from "@pagi/session/testing";
   *
   * const sessions = new SessionMiddleware({
   *   secret: "replace this with: openssl rand -hex 32",
   * });
   * const handler = sessions.handler(async (request, session) => {
   *   await sessions.verifyCsrf(request, session);
   *   return Response.json({ token: session.csrfToken() });
   * });
   *
   * const ada = await visitor(sessions, { subject: "user-7" });
   * const { token } = await (await ada.fetch(handler, "/")).json();
   * const headers = { "x-csrf-token": token };
   * assertEquals((await ada.fetch(handler, "/order", { method: "POST", headers })).status, 200);
   * const from = "https://evil.example/";
   * assertEquals((await ada.fetch(handler, "/order", { method: "POST", headers, from })).status, 403);
   * ```
   */
  async verifyCsrf(
    request: Request | NodeRequest | Scope,
    session: Session<Data>,
    options: VerifyCsrfOptions = {},
  ): Promise<void> {
    refuseCallback("verify", arguments, AWAIT);
    checkCsrfOptions(options);
    await verifyCsrf(this.#options, request, session, options);
  }

  /**
   * Loads the client's session for reading, for WebSockets and server-sent events; `undefined` if
   * it has no active session. This does not extend the session, and the session cannot be written
   * to.
   *
   * @throws {SessionError} `ERR_SESSION_STORE` if the store fails.
   */
  async load(request: Request | NodeRequest | Scope): Promise<Session<Data> | undefined> {
    refuseCallback("load", arguments, AWAIT);
    const workingCopy = await this.#lifecycle.load(scopeOf(request));
    return workingCopy && new Session<Data>(workingCopy);
  }

  /**
   * Changes a session atomically, outside a request or while a response streams. If another write
   * wins, `change` is called again with the newer data, so it must not have side effects. Resolves
   * to the session as it was saved, for reading.
   *
   * A `Session` that the server holds, such as that of a WebSocket, leads to its session even if the
   * ID has changed in the meantime. After `rotate()` it always does. After `regenerate()` it does
   * if the session belongs to the same user as before. An ID has to be valid.
   *
   * @param idOrSession A session's ID, or a session from `load` or a request.
   * @throws {SessionError} `ERR_SESSION_INTERRUPTED` if the session does not exist or has ended,
   * `ERR_SESSION_CONFLICT` if other writes won too often, `ERR_SESSION_STORE` if the store fails.
   */
  async update(
    idOrSession: string | Session<Data>,
    change: (data: SessionData<Data>) => unknown,
  ): Promise<Session<Data>> {
    if (typeof change !== "function") {
      throw new TypeError("Cannot update the session: expected its ID and a function of its data");
    }
    refuseCallback("update", Array.from(arguments).slice(2), AWAIT);
    const id = idOf(idOrSession, "update");
    const target = lineageOf(idOrSession) ?? id;
    return new Session<Data>(
      await this.#lifecycle.update(target, change as (data: SessionValues) => unknown),
    );
  }

  /**
   * Ends a session, outside a request, by any ID that it has or had. No request in progress brings
   * it back. Resolves to whether there was one. A handler that ends its own session goes on as
   * described at {@linkcode SessionMiddleware.destroyAll}, if the session has a subject.
   *
   * @throws {SessionError} `ERR_SESSION_STORE` if the store fails. The session may still be active
   * then.
   */
  async destroy(idOrSession: string | Session<Data>): Promise<boolean> {
    refuseCallback("destroy", arguments, AWAIT);
    return await this.#lifecycle.destroy(idOf(idOrSession, "destroy"));
  }

  /**
   * Lists the sessions of one subject, the last used first, for a page that shows users where they
   * are signed in. The subject is what the app assigned to `session.subject`. No value in the list
   * can be used as a session ID.
   *
   * @param options.current The session that asks, which is marked.
   * @throws {TypeError} If the store is not a `VersionedStore`, or `subject` is empty,
   * not a string or not well-formed Unicode.
   * @throws {SessionError} `ERR_SESSION_STORE` if the store fails or the list is incomplete.
   *
   * @example Where a user is signed in
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { SessionMiddleware } from "@pagi/session";
   *
   * const sessions = new SessionMiddleware<{ device: string }>({
   *   secret: "replace this with: openssl rand -hex 32",
   * });
   * const signIn = sessions.handler((request, session) => {
   *   session.subject = "user-7";
   *   session.set("device", request.headers.get("user-agent") ?? "unknown");
   *   return new Response();
   * });
   * for (const device of ["phone", "desktop"]) {
   *   await signIn(new Request("http://localhost/", { headers: { "user-agent": device } }));
   * }
   *
   * const devices = (await sessions.list("user-7")).map(({ session }) => session.get("device"));
   * assertEquals(devices.sort(), ["desktop", "phone"]);
   * assertEquals(await sessions.destroyAll("user-7"), 2);
   * assertEquals(await sessions.list("user-7"), []);
   * ```
   */
  async list(subject: string, options: ListOptions<Data> = {}): Promise<ListedSession<Data>[]> {
    refuseCallback("list", arguments, AWAIT);
    const { current } = options;
    const currentId = current === undefined ? undefined : idOf(current, "list");
    const found = await this.#lifecycle.sessionsOf(subject).list(currentId);
    return found.map((one) => toListedSession(this.#lifecycle, one));
  }

  /**
   * Ends all sessions of a subject: "log out everywhere". When it resolves, they have ended: no
   * request in progress brings one back. A sign-in that overlaps with this call may be rejected with
   * `ERR_SESSION_INTERRUPTED`. If the call fails, some sessions may have ended; call it again.
   * Resolves to how many sessions there were; to `undefined` if the store is a `CookieStore`, whose
   * sessions nobody can count.
   *
   * If the handler that calls it has one of these sessions, it goes on as after `session.destroy()`:
   * the response clears the cookie, and changes of the session are dropped. To go on with a new
   * session, for example for a message on the next page, call `session.restart()`. Assigning
   * `session.subject` starts a new session, too. Other requests of these sessions fail if they write.
   *
   * @param options.except The session that stays, whatever ID it has.
   * @throws {TypeError} If the store is neither a `VersionedStore` nor a `CookieStore` with
   * `revocations`, or `subject` is empty, not a string or not well-formed Unicode.
   * @throws {SessionError} `ERR_SESSION_STORE` if the store fails or the list is incomplete.
   */
  async destroyAll(
    subject: string,
    options: DestroyAllOptions<Data> = {},
  ): Promise<number | undefined> {
    refuseCallback("destroyAll", arguments, AWAIT);
    const { except } = options;
    const kept = except === undefined ? undefined : idOf(except, "keep");
    return await this.#lifecycle.endAll(subject, kept);
  }

  /**
   * Ends the one session of a subject that `list` shows under `hash`. Resolves to whether there was
   * one. A handler that ends its own session goes on as described at
   * {@linkcode SessionMiddleware.destroyAll}.
   *
   * @throws {TypeError} If the store is not a `VersionedStore`, or `subject` is empty,
   * not a string or not well-formed Unicode.
   * @throws {SessionError} `ERR_SESSION_STORE` if the store fails or the list is incomplete.
   */
  async destroyListed(subject: string, hash: string): Promise<boolean> {
    refuseCallback("destroyListed", arguments, AWAIT);
    return await this.#lifecycle.sessionsOf(subject).end(hash);
  }
}

/** The advice to those who pass a callback. */
const AWAIT = "Await the promise that it returns";

const rethrow: Recover = (error) => Promise.reject(error);

/**
 * The ID of a session.
 *
 * @param verb The caller's intention, for the message.
 * @throws {TypeError} If it has none.
 */
function idOf(idOrSession: unknown, verb: string): string {
  const id = idOrSession instanceof Session
    ? idOrSession.id
    : workingCopyOfForm(idOrSession)?.id ?? idOrSession;
  if (typeof id === "string" && id !== "") return id;
  throw new TypeError(`Cannot ${verb} the session: expected its id, or a Session that has one`);
}

/** Which session the server holds, if it was stored. */
function lineageOf(idOrSession: unknown): SessionLineage | undefined {
  return typeof idOrSession === "string" ? undefined : workingCopyIn(idOrSession).lineage;
}
