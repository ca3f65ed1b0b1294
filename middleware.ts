/**
 * {@linkcode SessionMiddleware}: sessions for PAGI apps and for fetch handlers.
 *
 * @module
 */
import { answer } from "./core/entry/error_response.ts";
import { isPromise } from "./base/awaitable.ts";
import type { SessionValues } from "./base/record_text.ts";
import type { Exchange } from "./core/active_session.ts";
import { idOf } from "./core/_id_of.ts";
import {
  type DestroyAllOptions,
  type ListedSession,
  type ListOptions,
  show,
} from "./core/subjects/listed_session.ts";
import { OpenExchange, type OpenSession, type ResponseHeaders } from "./core/entry/open.ts";
import { type SessionApp, type SessionScope, wrap } from "./core/entry/pagi.ts";
import { type NodeRequest, RequestScope, scopeOf } from "./core/entry/scope.ts";
import { addHeaders } from "./core/entry/response_headers.ts";
import { type SessionEvent, type SessionOptions, type Settings, settle } from "./core/options.ts";
import { Lifecycle } from "./core/lifecycle.ts";
import type { App, HeaderPair, Middleware, Scope } from "./pagi.ts";
import { Session, type SessionData } from "./session.ts";

export type {
  DestroyAllOptions,
  ListedSession,
  ListOptions,
  NodeRequest,
  OpenSession,
  ResponseHeaders,
  SessionApp,
  SessionEvent,
  SessionOptions,
  SessionScope,
};

/** A fetch handler that gets the session beside the request, and whatever its server adds. */
export type SessionHandler<
  Data extends object = Record<string, unknown>,
  Rest extends unknown[] = unknown[],
> = (request: Request, session: Session<Data>, ...rest: Rest) => Response | Promise<Response>;

/** What is answered to an error, or that error again. */
type Recover = (error: unknown, request: Request) => Promise<Response>;

/**
 * Sessions, for PAGI apps (`wrap`) and fetch handlers (`handler`, `run`). One instance serves any
 * number of both; what it does with a session is the same.
 *
 * @example A visit counter for Deno.serve
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { SessionMiddleware } from "@pagi/session";
 *
 * const sessions = new SessionMiddleware<{ visits: number }>({ secret: "change me" });
 * const handler = sessions.handler((_request, session) => {
 *   session.update("visits", (visits = 0) => visits + 1);
 *   return new Response(`Visit ${session.get("visits")}`);
 * });
 *
 * const first = await handler(new Request("http://localhost/"));
 * const cookie = first.headers.get("set-cookie")!.split(";")[0]!;
 * const second = await handler(new Request("http://localhost/", { headers: { cookie } }));
 * assertEquals(await second.text(), "Visit 2");
 * ```
 */
export class SessionMiddleware<Data extends object = Record<string, unknown>>
  implements Middleware {
  readonly #settings: Settings;
  readonly #lifecycle: Lifecycle;

  /**
   * Checks the options; draws no randomness yet.
   *
   * @throws {TypeError} When an option is missing, unknown, or of the wrong kind.
   * @throws {RangeError} When a duration is not a number from 0 up.
   */
  constructor(options: SessionOptions) {
    this.#settings = settle(options);
    this.#lifecycle = new Lifecycle(this.#settings);
  }

  /**
   * The PAGI app with sessions around it. A scope that has a `pagi.session` already, or no headers,
   * passes through as it is; one that is not `http` gets its session for reading.
   *
   * The wrapped app rejects with {@linkcode SessionError} when the session cannot be read, and so
   * does `send` when it cannot be saved; nothing of the response has been sent then.
   *
   * @throws {TypeError} When `app` is not a function.
   */
  wrap(app: SessionApp<Data>): App {
    if (typeof app !== "function") throw new TypeError("Cannot wrap: the app must be a function");
    return wrap(this.#lifecycle, app);
  }

  /**
   * A fetch handler that opens the session, calls `respond` with it, and saves it. A session that
   * fails becomes a response: `onError`'s, or a short text (409 for an interrupted session, 503
   * with `Retry-After` for a failing store).
   *
   * @throws {TypeError} When `respond` is not a function.
   */
  handler<Rest extends unknown[]>(
    respond: SessionHandler<Data, Rest>,
  ): (request: Request, ...rest: Rest) => Promise<Response> {
    if (typeof respond !== "function") {
      throw new TypeError("Cannot make a handler: it takes a function");
    }
    const recover: Recover = (error, request) => this.answer(error, request);
    return (request, ...rest) => this.#run(request, respond, recover, rest);
  }

  /**
   * Opens the request's session, calls `respond` with it, saves it, and returns the response with
   * what the client has to be told. What `handler` and the adapters are made of.
   *
   * @throws {SessionError} When the session cannot be read or saved; `headers` are for the response
   * that is made of it.
   */
  run(
    request: Request,
    respond: (session: Session<Data>) => Response | Promise<Response>,
  ): Promise<Response> {
    return this.#run(request, (_, session) => respond(session), rethrow, []);
  }

  /** For both fetch doors: one async function in the other would be 5 % of a read, as is an await. */
  async #run<Rest extends unknown[]>(
    request: Request,
    respond: SessionHandler<Data, Rest>,
    recover: Recover,
    rest: Rest,
  ): Promise<Response> {
    let exchange: Exchange | undefined;
    let response: Response | undefined;
    const headers: HeaderPair[] = [];
    try {
      const begun = this.#lifecycle.begin(new RequestScope(request));
      exchange = isPromise(begun) ? await begun : begun;
      const pending = respond(request, new Session<Data>(exchange.control), ...rest);
      const answered = checkResponse(isPromise(pending) ? await pending : pending);
      response = answered;
      const done = exchange.commit(headers, () => {
        return answered.headers.get("cache-control") ?? undefined;
      });
      if (done !== undefined) await done;
    } catch (error) {
      // Only if it was not being saved already.
      await exchange?.abort();
      // Nobody will read it: what feeds it must not wait for ever, nor this for that.
      response?.body?.cancel().catch(() => {});
      return await recover(error, request);
    }
    return addHeaders(response, headers, exchange.vary, this.#settings.emit);
  }

  /**
   * Opens the request's session for a server that makes no fetch `Response`: Node's, and what is
   * built on it. Who opens it commits or aborts it.
   *
   * @throws {SessionError} When the session cannot be read.
   *
   * @example
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { SessionMiddleware } from "@pagi/session";
   *
   * const sessions = new SessionMiddleware<{ user: string }>({ secret: "change me" });
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
    const exchange = await this.#lifecycle.begin(scopeOf(request));
    return new OpenExchange<Data>(exchange, this.#settings.emit);
  }

  /**
   * What `handler` answers to a session that failed: `onError`'s response, or a short text. Rejects
   * with the error itself where it is another, or one that `handler` throws on.
   */
  answer(error: unknown, request: Request): Promise<Response> {
    return answer(this.#settings, error, request);
  }

  /**
   * The client's session for reading, for WebSockets and server-sent events; undefined when there
   * is none. It is not kept alive by this, and cannot be written to.
   *
   * @throws {SessionError} `ERR_SESSION_STORE` when the store fails.
   */
  async load(request: Request | NodeRequest | Scope): Promise<Session<Data> | undefined> {
    const control = await this.#lifecycle.peek(scopeOf(request));
    return control && new Session<Data>(control);
  }

  /**
   * Changes a session in one step, outside a request or while a response streams. If another write
   * comes first, `change` runs again on what that left: it should do nothing else. Resolves to the
   * session as it was saved, for reading.
   *
   * @param idOrSession A session's id, or a session of a request that has been answered.
   * @throws {SessionError} `ERR_SESSION_INTERRUPTED` when there is no such session (any more),
   * `ERR_SESSION_CONFLICT` when others came first too often, `ERR_SESSION_STORE` when the store fails.
   */
  async update(
    idOrSession: string | Session<Data>,
    change: (data: SessionData<Data>) => unknown,
  ): Promise<Session<Data>> {
    const id = idOf(idOrSession, "update");
    return new Session<Data>(
      await this.#lifecycle.update(id, change as (data: SessionValues) => unknown),
    );
  }

  /**
   * Ends a session, outside a request. No request in flight brings it back. It is no error if
   * there is none.
   *
   * @throws {SessionError} `ERR_SESSION_STORE` when the store fails: it may still be alive.
   */
  async destroy(idOrSession: string | Session<Data>): Promise<void> {
    await this.#lifecycle.destroy(idOf(idOrSession, "destroy"));
  }

  /**
   * The sessions of one subject, as `session.subject` says whose they are: for a page that shows a
   * user where he is signed in. The last used comes first. Nothing in it can be used as an id.
   *
   * @param options.current The session that asks, which is marked.
   * @throws {TypeError} When the store is no `VersionedStore`, or `subject` is no string.
   * @throws {SessionError} `ERR_SESSION_STORE` when the store fails, or the list is not whole.
   *
   * @example Where a user is signed in
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { SessionMiddleware } from "@pagi/session";
   *
   * const sessions = new SessionMiddleware<{ device: string }>({ secret: "change me" });
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
    const { current } = options;
    const currentId = current === undefined ? undefined : idOf(current, "list");
    const members = await this.#lifecycle.sessionsOf(subject).list(currentId);
    return members.map((member) => show(this.#lifecycle, member));
  }

  /**
   * Ends all sessions of a subject: "log out everywhere". When it resolves, they are ended: no request
   * in flight brings one back, and none that is being made from one of them, by a rotation, is left.
   * Who signs in meanwhile may be refused, with `ERR_SESSION_INTERRUPTED`. If it fails, some may have
   * been ended; call it again. Resolves to how many sessions there were.
   *
   * @param options.except The session that stays. If it gets a new id at the same moment, in another
   * request, it may be ended with the others.
   * @throws {TypeError} When the store is no `VersionedStore`, or `subject` is no string.
   * @throws {SessionError} `ERR_SESSION_STORE` when the store fails, or the list is not whole.
   */
  async destroyAll(subject: string, options: DestroyAllOptions<Data> = {}): Promise<number> {
    const { except } = options;
    const kept = except === undefined ? undefined : idOf(except, "keep");
    return await this.#lifecycle.sessionsOf(subject).endAll(kept);
  }

  /**
   * Ends the one session of a subject that `list` shows under `hash`. Resolves to whether there was
   * one.
   *
   * @throws {TypeError} When the store is no `VersionedStore`, or `subject` is no string.
   * @throws {SessionError} `ERR_SESSION_STORE` when the store fails, or the list is not whole.
   */
  async destroyListed(subject: string, hash: string): Promise<boolean> {
    return await this.#lifecycle.sessionsOf(subject).end(hash);
  }
}

const rethrow: Recover = (error) => Promise.reject(error);

function checkResponse(response: Response): Response {
  if (typeof response?.headers?.get === "function") return response;
  throw new TypeError("Cannot answer the request: the handler must return a Response");
}
