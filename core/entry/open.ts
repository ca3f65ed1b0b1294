/** The entry point for servers that do not make a fetch `Response`. */
import { after, type Awaitable, isPromise } from "../../base/awaitable.ts";
import type { HeaderPair, Scope } from "../../pagi.ts";
import { Session } from "../../session.ts";
import type { ActiveSession } from "../active_session.ts";
import type { Lifecycle } from "../lifecycle.ts";
import type { ResolvedOptions } from "../options.ts";
import { isForCaches } from "../shared_caches.ts";
import { reportFailure } from "./error_response.ts";
import { noteClosed, noteOpened, openedFor } from "./nesting.ts";
import { missingVary } from "./response_headers.ts";
import { type NodeRequest, scopeOf } from "./scope.ts";

/**
 * The headers of a response that has not been sent yet: a `Headers` object, Koa's `ctx.response` …
 */
export interface ResponseHeaders {
  /** The value of a header; if there are several, all of them as one value. */
  get(name: string): string | null | undefined;
  /** Adds a header and keeps others of the same name. */
  append(name: string, value: string): unknown;
  /** Sets a header and removes others of the same name. Without it, `append` is called. */
  set?(name: string, value: string): unknown;
  /**
   * Visits all headers, with names in lower case, as `Headers` does. Without it, headers for one kind
   * of cache (`CDN-Cache-Control`, `Surrogate-Control` …) are looked up by the names in common use.
   */
  forEach?(visit: (value: string, name: string) => void): void;
}

const SENT_ALREADY = "a response that was sent already";

/**
 * The session of a request in progress, as {@linkcode SessionMiddleware.open} resolves to. The
 * caller must call either `commit`, before the response's headers are sent, or `abort`.
 */
export interface OpenSession<Data extends object = Record<string, unknown>> {
  /** The session, for the handler. */
  readonly session: Session<Data>;
  /**
   * A response that is ready, or `undefined`. If there is one, send it and do not call the handler.
   * Call `commit` before, as for the handler's response. No feature of this version makes one.
   */
  readonly response: Response | undefined;
  /**
   * Calls the handler and returns its result. If it ends its own session by `sessions.destroyAll` or
   * a similar call, `commit` clears the session at the client. Without `run`, `commit` then fails
   * with `ERR_SESSION_INTERRUPTED` if the handler has written to the session.
   */
  run<T>(handle: () => T): T;
  /**
   * Saves the session, and adds the headers for the client to `headers`. Returns a promise only if the
   * store has to be awaited. A second call adds nothing: it returns the same promise as long as that
   * is pending, and nothing after that, so that an error response passes.
   *
   * Leave out `headers` if the response was sent already. Changes of a session whose ID the client
   * knows are saved then. A new session is not stored, nor is one that gets a new ID by `regenerate()`
   * or a new subject, because the client would not get that ID. A session that should have lost its
   * subject is ended. Each of these is the event `headers-dropped`. What `session.save()` saved before
   * stays.
   *
   * @throws {SessionError} If the session cannot be saved. Do not send the response then; a
   * response made from the error should carry the error's `headers`.
   */
  commit(headers?: ResponseHeaders): Awaitable<void>;
  /**
   * Ends the request without saving, because the handler failed. A `destroy()` still takes effect, and
   * so does an earlier `session.save()`: call `commit` with the headers of the error response, to add
   * those for the client.
   *
   * @param error The error of the handler. If it is a session's, you get the event `request-failed`.
   */
  abort(error?: unknown): Promise<void>;
}

/** A session that is read-only, or that the middleware around this one commits. */
class UncommittedSession<Data extends object> implements OpenSession<Data> {
  readonly session: Session<Data>;
  readonly response = undefined;

  constructor(session: Session<Data>) {
    this.session = session;
  }

  run<T>(handle: () => T): T {
    return handle();
  }

  commit(): void {}

  async abort(): Promise<void> {}
}

/** An {@linkcode ActiveSession} for code outside this package. */
class OpenedSession<Data extends object> implements OpenSession<Data> {
  readonly session: Session<Data>;
  readonly response: Response | undefined = undefined;
  readonly #active: ActiveSession;
  readonly #options: ResolvedOptions;
  readonly #close: () => void;
  #isAborted = false;
  /** The commit in progress. */
  #pending: Promise<void> | undefined;

  /** @param close Is called when the request is over. */
  constructor(active: ActiveSession, options: ResolvedOptions, close: () => void) {
    this.#active = active;
    this.#options = options;
    this.#close = close;
    this.session = new Session<Data>(active.workingCopy);
  }

  run<T>(handle: () => T): T {
    return this.#active.run(handle);
  }

  commit(headers?: ResponseHeaders): Awaitable<void> {
    this.#close();
    if (this.#pending !== undefined) return this.#pending;
    try {
      const committed = this.#commit(headers);
      if (!isPromise(committed)) return;
      return this.#pending = committed
        .catch((error) => this.#fail(error))
        .finally(() => this.#pending = undefined);
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): never {
    reportFailure(this.#options, error);
    throw error;
  }

  #commit(headers: ResponseHeaders | undefined): Awaitable<void> {
    if (headers === undefined) return this.#active.commitHeadless(SENT_ALREADY);
    const added: HeaderPair[] = [];
    const isAborted = this.#isAborted;
    return after(this.#active.commit(added, () => headers), () => {
      if (isAborted && added.length === 0) return;
      for (const [name, value] of added) {
        if (isForCaches(name) && headers.set !== undefined) headers.set(name, value);
        else headers.append(name, value);
      }
      const missing = missingVary(headers.get("vary"), this.#active.vary);
      for (const name of missing) headers.append("vary", name);
    });
  }

  abort(error?: unknown): Promise<void> {
    this.#isAborted = true;
    reportFailure(this.#options, error);
    this.#close();
    return this.#active.abort();
  }
}

/** Opens the session of a request, or finds the one that was opened for the same object. */
export async function openSession<Data extends object>(
  lifecycle: Lifecycle,
  request: Request | NodeRequest | Scope,
): Promise<OpenSession<Data>> {
  const scope = scopeOf(request);
  if (scope.type !== "http") {
    return new UncommittedSession(new Session<Data>(await lifecycle.loadOrEmpty(scope)));
  }
  const first = openedFor<OpenedSession<Data>>(request, lifecycle);
  if (first !== undefined) return new UncommittedSession(first.session);
  const active = await lifecycle.begin(scope);
  const close = (): void => noteClosed(request, noted);
  const opened = new OpenedSession<Data>(active, lifecycle.options, close);
  const noted = noteOpened(request, lifecycle, opened);
  return opened;
}
