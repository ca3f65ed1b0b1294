/** The entry point for servers that do not make a fetch `Response`. */
import { after, type Awaitable, isPromise } from "../../base/awaitable.ts";
import { refusal, type WorkingCopy } from "../../data/working_copy.ts";
import { SessionError } from "../../errors.ts";
import type { HeaderPair, Scope } from "../../pagi.ts";
import { Session } from "../../session.ts";
import type { ActiveSession } from "../active_session.ts";
import type { Lifecycle } from "../lifecycle.ts";
import type { ResolvedOptions } from "../options.ts";
import { isForCaches } from "../shared_caches.ts";
import { reportFailure } from "./error_response.ts";
import { noteClosed, noteOpened, type OpenedFor, openedFor, tellOuter } from "./nesting.ts";
import { addSaved, missingVary } from "./response_headers.ts";
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

/** What `sessions.open` resolves to, with the methods that only this package's adapters need. */
export interface ControlledSession<Data extends object> extends OpenSession<Data> {
  /**
   * Ends the request as `abort` does, because its response has a status that says that the handler
   * failed. If that drops changes, you get the event `changes-dropped`.
   *
   * @param isChanged Whether the app has changes that the session does not know of.
   */
  discard(status: number, isChanged?: boolean): Promise<void>;
  /**
   * Loads the session again, after `session.save()` for example, so that the request can go on
   * writing. `session` is another object then, and changes that were not saved are dropped. Resolves
   * to whether the session is stored; if not, `session` stays the same.
   *
   * @throws {SessionError} If an earlier save of the request has failed, or the store fails.
   */
  reopen(): Promise<boolean>;
  /**
   * Replaces the session by a new, empty one. `session` is another object then, and changes that
   * were not saved are dropped. A stored session stays in the store.
   *
   * @throws {SessionError} `ERR_SESSION_AMBIGUOUS` if the client sent several IDs.
   */
  renew(): Promise<void>;
  /** Sends the ID with this response, although the client has it: an attribute has changed. */
  resend(): void;
  /** Returns the headers with which the response would send `id` to the client. */
  headersFor(id: string): readonly HeaderPair[];
}

/** A session that is read-only: no response can carry its cookie. */
class ReadOnlySession<Data extends object> implements ControlledSession<Data> {
  readonly response = undefined;
  readonly #load: () => Promise<WorkingCopy>;
  #session: Session<Data>;

  private constructor(load: () => Promise<WorkingCopy>, workingCopy: WorkingCopy) {
    this.#load = load;
    this.#session = new Session<Data>(workingCopy);
  }

  static async open<Data extends object>(
    load: () => Promise<WorkingCopy>,
  ): Promise<ReadOnlySession<Data>> {
    return new ReadOnlySession<Data>(load, await load());
  }

  get session(): Session<Data> {
    return this.#session;
  }

  run<T>(handle: () => T): T {
    return handle();
  }

  commit(): void {}

  async abort(): Promise<void> {}

  async discard(): Promise<void> {}

  async reopen(): Promise<boolean> {
    const loaded = await this.#load();
    if (loaded.absence !== undefined) return false;
    this.#session = new Session<Data>(loaded);
    return true;
  }

  renew(): Promise<void> {
    return Promise.reject(refusal("readOnly", "regenerate"));
  }

  resend(): void {}

  headersFor(): [] {
    return [];
  }
}

/** A session that the middleware around this one commits. */
class NestedSession<Data extends object> implements ControlledSession<Data> {
  readonly response = undefined;
  readonly #outer: ControlledSession<Data>;

  constructor(outer: ControlledSession<Data>) {
    this.#outer = outer;
  }

  get session(): Session<Data> {
    return this.#outer.session;
  }

  run<T>(handle: () => T): T {
    return handle();
  }

  commit(): void {}

  async abort(): Promise<void> {}

  async discard(): Promise<void> {}

  reopen(): Promise<boolean> {
    return this.#outer.reopen();
  }

  renew(): Promise<void> {
    return this.#outer.renew();
  }

  resend(): void {
    this.#outer.resend();
  }

  headersFor(id: string): readonly HeaderPair[] {
    return this.#outer.headersFor(id);
  }
}

/** An {@linkcode ActiveSession} for code outside this package. */
class OpenedSession<Data extends object> implements ControlledSession<Data> {
  readonly response: Response | undefined = undefined;
  readonly #lifecycle: Lifecycle;
  readonly #options: ResolvedOptions;
  readonly #request: object;
  readonly #noted: OpenedFor;
  #active: ActiveSession;
  #session: Session<Data>;
  /** Whether the response is that of an error. */
  #hasFailed = false;
  /** The commit in progress. */
  #pending: Promise<void> | undefined;

  constructor(active: ActiveSession, lifecycle: Lifecycle, request: object) {
    this.#lifecycle = lifecycle;
    this.#options = lifecycle.options;
    this.#request = request;
    this.#noted = noteOpened(request, lifecycle, this);
    this.#active = active;
    this.#session = new Session<Data>(active.workingCopy);
  }

  get session(): Session<Data> {
    return this.#session;
  }

  run<T>(handle: () => T): T {
    return this.#active.run(handle);
  }

  commit(headers?: ResponseHeaders): Awaitable<void> {
    noteClosed(this.#request, this.#noted);
    if (this.#pending !== undefined) return this.#pending;
    try {
      const committed = this.#commit(headers);
      if (!isPromise(committed)) return;
      return this.#pending = committed
        .catch((error) => this.#fail(error, headers))
        .finally(() => this.#pending = undefined);
    } catch (error) {
      this.#fail(error, headers);
    }
  }

  #fail(error: unknown, headers: ResponseHeaders | undefined): never {
    // An earlier save has succeeded, so the response to the error carries its ID.
    for (const [name, value] of this.#active.takeCarried()) headers?.append(name, value);
    reportFailure(this.#options, error);
    this.#hasFailed = true;
    const { fromInside = [] } = this.#noted;
    if (fromInside.length === 0 || !(error instanceof SessionError)) throw error;
    // Sessions inside of this one were saved, and the client has to learn their IDs.
    const { code, message } = error;
    const both = [...error.headers, ...fromInside];
    throw new SessionError(code, message, { cause: error, headers: both });
  }

  #commit(headers: ResponseHeaders | undefined): Awaitable<void> {
    if (headers === undefined) return this.#active.commitHeadless(SENT_ALREADY);
    const added: HeaderPair[] = [];
    const hasFailed = this.#hasFailed;
    return after(this.#active.commit(added, () => headers), () => {
      if (hasFailed) addSaved(added, this.#noted.fromInside ?? [], headers, this.#options);
      if (hasFailed && added.length === 0) return;
      tellOuter(this.#noted, added);
      for (const [name, value] of added) {
        if (isForCaches(name) && headers.set !== undefined) headers.set(name, value);
        else headers.append(name, value);
      }
      const missing = missingVary(headers.get("vary"), this.#active.vary);
      for (const name of missing) headers.append("vary", name);
    });
  }

  abort(error?: unknown): Promise<void> {
    this.#hasFailed = true;
    reportFailure(this.#options, error);
    noteClosed(this.#request, this.#noted);
    return this.#active.abort();
  }

  discard(status: number, isChanged?: boolean): Promise<void> {
    this.#hasFailed = true;
    noteClosed(this.#request, this.#noted);
    return this.#active.abort({ status, isChanged });
  }

  async reopen(): Promise<boolean> {
    const active = await this.#lifecycle.reopen(this.#active);
    if (active !== undefined) this.#continue(active);
    return active !== undefined;
  }

  async renew(): Promise<void> {
    this.#continue(await this.#lifecycle.renew(this.#active));
  }

  #continue(active: ActiveSession): void {
    this.#active = active;
    this.#session = new Session<Data>(active.workingCopy);
  }

  resend(): void {
    this.#active.workingCopy.mustSend = true;
  }

  headersFor(id: string): readonly HeaderPair[] {
    return this.#active.headersFor(id);
  }
}

/** Opens the session of a request, or finds the one that was opened for the same object. */
export async function openSession<Data extends object>(
  lifecycle: Lifecycle,
  request: Request | NodeRequest | Scope,
): Promise<ControlledSession<Data>> {
  const scope = scopeOf(request);
  if (scope.type !== "http") {
    return await ReadOnlySession.open<Data>(() => lifecycle.loadOrEmpty(scope));
  }
  const first = openedFor<OpenedSession<Data>>(request, lifecycle);
  if (first !== undefined) return new NestedSession<Data>(first);
  return new OpenedSession<Data>(await lifecycle.begin(scope), lifecycle, request);
}
