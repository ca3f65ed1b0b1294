/**
 * One request whose `req.session` is that of express-session. The app's object is a copy of the
 * session's values. A save writes the app's changes into the session, key by key, so that the rules
 * about concurrent requests hold.
 */
import { after, type Awaitable } from "../../base/awaitable.ts";
import { isReserved } from "../../base/record_text.ts";
import type { ControlledSession } from "../../core/entry/open.ts";
import { put } from "../../data/session_values.ts";
import { noteForm, refusal, workingCopyIn } from "../../data/working_copy.ts";
import { SessionError } from "../../errors.ts";
import type {
  NodeRequest,
  ResponseHeaders,
  SessionMiddleware,
  VerifyCsrfOptions,
} from "../../middleware.ts";
import type { OpenedRequest } from "../_node/request_session.ts";
import { CompatSession, type SessionCallback, type SessionOperations } from "./compat_session.ts";
import {
  clearCookie,
  type CookieDefaults,
  cookieOf,
  isSetCookie,
  learnDefaults,
  lifetimeOf,
  overridesOf,
  type SessionCookie,
  setCookie,
  setCookieOf,
  toCookie,
} from "./session_cookie.ts";

/** The part of a request that is used. */
export interface CompatRequestSource {
  headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** How `CompatRequest` behaves. */
export interface CompatRules {
  /** What `req.session = null` does to the stored session. */
  readonly unset: "keep" | "destroy";
  /** Returns the ID of the user who is signed in. */
  subject(session: Record<string, unknown>): string | undefined;
}

/** Stands for a value that JSON cannot hold. */
const UNSUPPORTED = "";

/** The session of one request. */
export class CompatRequest implements OpenedRequest, SessionOperations {
  readonly response: Response | undefined;
  readonly #open: ControlledSession<Record<string, unknown>>;
  readonly #sessions: SessionMiddleware;
  readonly #rules: CompatRules;
  readonly #req: CompatRequestSource;
  readonly #place: string;
  /** The app's object; `undefined` until the app asks for it. */
  #session: CompatSession | undefined;
  #defaults: CookieDefaults | undefined;
  /** The values when they were loaded or saved last, as JSON by key. */
  #texts: ReadonlyMap<string, string> = new Map();
  /** The user who was signed in then. */
  #subject: string | undefined;
  /** The lifetime of the cookie then, in milliseconds. */
  #maxAge: number | null = null;
  /** `unset`: the app has removed `req.session`. */
  #state: "active" | "unset" | "destroyed" = "active";
  /** Whether `open.session` was saved, so that it has to be opened again before the next write. */
  #isSaved = false;
  #aborted: Promise<void> | undefined;
  /** Whether no response can carry a cookie any more. */
  #isLate: boolean;
  /** Whether the session was saved with the response. */
  #isCommitted = false;
  /** Whether an attribute of the cookie has changed. */
  #isCookieChanged = false;
  /** The operations that are not done yet. */
  #pending: Promise<void> | undefined;
  /** The error of an operation without a callback. */
  #failure: { readonly error: unknown } | undefined;

  /** @param isHeld Whether a response follows that can carry the cookie. */
  constructor(
    req: CompatRequestSource,
    open: ControlledSession<Record<string, unknown>>,
    { sessions, rules, place, isHeld }: {
      sessions: SessionMiddleware;
      rules: CompatRules;
      place: string;
      isHeld: boolean;
    },
  ) {
    this.response = open.response;
    this.#req = req;
    this.#open = open;
    this.#sessions = sessions;
    this.#rules = rules;
    this.#place = place;
    this.#isLate = !isHeld;
    this.#define(place, () => this.session, (value) => this.#assign(value));
    if (place !== "session") return;
    this.#define("sessionID", () => this.id, () => {
      throw new TypeError(
        "Cannot assign req.sessionID: an ID that the server did not issue is never used. For a new " +
          "ID, call req.session.regenerate()",
      );
    });
    Object.assign(req, {
      sessionStore: {
        regenerate: (_req: unknown, callback?: SessionCallback) => this.regenerate(callback),
        destroy: (id: string, callback?: SessionCallback) =>
          this.#run(async () => void await this.#sessions.destroy(id), callback),
        get: (id: string, callback: (error: unknown, session?: unknown) => void) => {
          let found: unknown;
          const read = async () => void (found = await this.#read(id));
          this.#run(read, (error) => callback(error ?? null, found));
        },
      },
    });
  }

  #define(name: string, get: () => unknown, set: (value: unknown) => void): void {
    Object.defineProperty(this.#req, name, { configurable: true, enumerable: true, get, set });
  }

  /** The session's ID; `undefined` if the client's ID has been replaced. */
  get id(): string | undefined {
    return this.#open.session.id;
  }

  /** The value of `req.session`. */
  get session(): CompatSession | undefined {
    return this.#state === "active" ? this.#session ??= this.#build() : undefined;
  }

  #assign(value: unknown): void {
    if (value === null || value === undefined) {
      if (this.#state === "active") this.#state = "unset";
    } else if (value instanceof CompatSession && value === this.#session) {
      if (this.#state === "unset") this.#state = "active";
    } else {
      throw new TypeError(
        `Cannot assign req.${this.#place}: it has methods that this value lacks. Set its ` +
          `properties, or call req.${this.#place}.regenerate() for a new session`,
      );
    }
  }

  /** Makes the app's object of the values in `open.session`. */
  #build(): CompatSession {
    // The defaults contain the session's own lifetime.
    this.#defaults = undefined;
    const session: CompatSession = new CompatSession(this.#req, this);
    noteForm(session, () => workingCopyIn(this.#open.session));
    const { data } = this.#open.session;
    for (const key of Object.keys(data)) {
      const value = data[key];
      // A name like `save` would hide a method. The value stays in the store.
      if (isReserved(key) || key in session || value === undefined) continue;
      session[key] = typeof value === "object" && value !== null ? structuredClone(value) : value;
    }
    CompatSession.addCookie(session, cookieOf(this.#cookieDefaults, data.cookie));
    this.#remember(session);
    return session;
  }

  /** Reads another session, which is not a use of it. */
  async #read(id: string): Promise<Record<string, unknown> | undefined> {
    const pair = this.#pairOf(id);
    const session = pair && await this.#sessions.load({ headers: { cookie: pair } });
    if (!session) return undefined;
    const values = Object.entries(session.data).filter(([key]) => !isReserved(key));
    const cookie = cookieOf(this.#cookieDefaults, session.data.cookie);
    cookie.expires = session.expiresAt === undefined ? null : new Date(session.expiresAt * 1000);
    return { ...structuredClone(Object.fromEntries(values)), cookie: cookie.data };
  }

  /** The cookie with an ID; `undefined` if no cookie can carry that. */
  #pairOf(id: string): string | undefined {
    try {
      return setCookieOf(this.#open.headersFor(id))?.split(";", 1)[0];
    } catch {
      return undefined;
    }
  }

  toCookie(given: unknown): SessionCookie {
    return toCookie(this.#cookieDefaults, given);
  }

  get #cookieDefaults(): CookieDefaults {
    return this.#defaults ??= learnDefaults((id) => this.#open.headersFor(id));
  }

  /** Notes that these are the values in the store. */
  #remember(session: CompatSession): void {
    this.#texts = this.#textsOf(session);
    this.#subject = this.#rules.subject(session);
    this.#maxAge = session.cookie.originalMaxAge;
  }

  #textsOf(session: CompatSession): Map<string, string> {
    const texts = new Map<string, string>();
    for (const key of new Set([...Object.keys(session), "cookie"])) {
      const text = textOf(key === "cookie" ? this.#overridesOf(session) : session[key]);
      if (text !== undefined) texts.set(key, text);
    }
    return texts;
  }

  #overridesOf({ cookie }: CompatSession) {
    return overridesOf(cookie, this.#cookieDefaults);
  }

  #isMaxAgeChanged({ cookie }: CompatSession): boolean {
    return cookie.originalMaxAge !== this.#maxAge;
  }

  #isChanged(session: CompatSession): boolean {
    const texts = this.#textsOf(session);
    return texts.size !== this.#texts.size || this.#isMaxAgeChanged(session) ||
      [...texts].some(([key, text]) => this.#texts.get(key) !== text);
  }

  /** Writes what the app has changed into a session's values. */
  #applyTo(data: Record<string, unknown>, session: CompatSession): void {
    const texts = this.#textsOf(session);
    for (const [key, text] of texts) {
      if (this.#texts.get(key) === text) continue;
      if (isReserved(key)) {
        throw new TypeError(
          `Cannot save the session: the key ${key} is reserved. Use another name`,
        );
      }
      // Of an unsupported value, the codec says what is wrong with it.
      put(data, key, text === UNSUPPORTED ? session[key] : JSON.parse(text));
    }
    for (const key of this.#texts.keys()) if (!texts.has(key)) delete data[key];
  }

  /** Writes what the app has changed into `open.session`. */
  #apply(): void {
    const target = this.#session;
    if (target === undefined || !this.#isChanged(target)) return;
    const { session } = this.#open;
    const isCookieChanged = this.#texts.get("cookie") !== textOf(this.#overridesOf(target));
    const isMaxAgeChanged = this.#isMaxAgeChanged(target);
    // Throws before anything is saved if no browser would take the cookie.
    if (isCookieChanged || isMaxAgeChanged) {
      setCookie(target.cookie, this.#cookieDefaults.name ?? "id", "");
    }
    const subject = this.#rules.subject(target);
    const { lifetime } = session;
    // First: it starts a new session if the client's ID has been replaced.
    if (subject !== this.#subject) session.subject = subject;
    if (isMaxAgeChanged) session.lifetime = lifetimeOf(target.cookie.originalMaxAge, lifetime);
    // Here, the lifetime belongs to the session and not to its user.
    else if (lifetime !== undefined) session.lifetime = lifetime;
    this.#applyTo(session.data, target);
    this.#isCookieChanged ||= isCookieChanged || isMaxAgeChanged;
    if (isCookieChanged) this.#open.resend();
    this.#remember(target);
  }

  /** Makes `open.session` writable after it was saved. */
  async #prepare(): Promise<void> {
    if (!this.#isSaved) return;
    if (!await this.#open.reopen()) {
      if (this.#open.session.absence === undefined) {
        throw new SessionError(
          "ERR_SESSION_INTERRUPTED",
          "Cannot save the session: it has ended, or somebody else has signed in, since this " +
            "request saved it",
        );
      }
      await this.#open.renew();
    }
    this.#isSaved = false;
  }

  csrfToken(): string {
    if (this.#state === "destroyed") throw refusal("committed", "make a CSRF token");
    return this.#open.session.csrfToken();
  }

  verifyCsrf(options: VerifyCsrfOptions | undefined): Promise<void> {
    return this.#sessions.verifyCsrf(this.#req as NodeRequest, this.#open.session, options);
  }

  store(callback?: SessionCallback): void {
    this.#run(() => this.#isLate ? this.#saveLate() : this.#save(), callback);
  }

  async #save(): Promise<void> {
    if (this.#state === "destroyed") throw refusal("committed", "save");
    const target = this.#session!;
    const isChanged = this.#isChanged(target);
    // Saving a new session without data would do nothing, and give it another ID.
    if (!isChanged && (this.#isSaved || this.#open.session.absence !== undefined)) return;
    await this.#prepare();
    this.#apply();
    await this.#saveNow();
  }

  async #saveNow(): Promise<void> {
    this.#isSaved = true;
    await this.#open.session.save();
  }

  /** Saves after the response, or in a WebSocket's handler. */
  async #saveLate(): Promise<void> {
    const target = this.#session!;
    const { session } = this.#open;
    if (this.#rules.subject(target) !== this.#subject) {
      throw refusal("committed", "set the subject");
    }
    if (this.#isMaxAgeChanged(target)) throw refusal("committed", "set the lifetime");
    if (session.absence !== undefined) throw refusal("committed", "save");
    if (this.#isChanged(target)) {
      await this.#sessions.update(session, (data) => this.#applyTo(data, target));
      this.#remember(target);
    }
    await session.touch();
  }

  regenerate(callback?: SessionCallback): void {
    this.#run(() => this.#regenerate(), callback);
  }

  async #regenerate(): Promise<void> {
    if (this.#isLate) throw refusal("committed", "regenerate");
    await this.#prepare();
    const { session } = this.#open;
    if (session.absence !== undefined) await this.#open.renew();
    else {
      session.clear().regenerate({ authenticated: true });
      session.delete(...Object.keys(session.data).filter((key) => !isReserved(key)));
      if (session.subject !== undefined) session.subject = undefined;
      if (session.lifetime !== undefined) session.lifetime = undefined;
      try {
        await this.#saveNow();
      } catch (error) {
        // Another request was first. The app wants a new session, so it gets one of its own.
        if ((error as SessionError).code !== "ERR_SESSION_INTERRUPTED") throw error;
        await this.#open.renew();
        this.#isSaved = false;
      }
    }
    this.#state = "active";
    this.#session = this.#build();
  }

  destroy(callback?: SessionCallback): void {
    this.#state = "destroyed";
    this.#run(() => this.#destroy(), callback);
  }

  async #destroy(): Promise<void> {
    const { id, absence } = this.#open.session;
    if (this.#isLate) return void (id !== undefined && await this.#sessions.destroy(id));
    // The client has no cookie that could be cleared.
    if (absence === "none") return;
    if (this.#isSaved && !await this.#open.reopen()) return;
    this.#open.session.destroy();
    await this.#saveNow();
  }

  reload(callback?: SessionCallback): void {
    this.#run(async () => {
      if (!await this.#open.reopen()) throw new Error("failed to load session");
      this.#isSaved = false;
      this.#session = this.#build();
    }, callback);
  }

  /** Runs one operation after the other, and tells the callback. */
  #run(operation: () => Promise<void>, callback: SessionCallback | undefined): void {
    const done = this.#pending === undefined ? operation() : this.#pending.then(operation);
    const settled = done.then(() => undefined, (error: unknown) => ({ error }));
    const pending = settled.then(() => {
      if (this.#pending === pending) this.#pending = undefined;
    });
    this.#pending = pending;
    settled.then((failure) => {
      // An error that the callback throws is the app's, as in express-session.
      if (callback) queueMicrotask(() => callback(failure?.error));
      else if (failure !== undefined) this.#noteFailure(failure.error);
    });
  }

  #noteFailure(error: unknown): void {
    this.#failure ??= { error };
    if (this.#isLate) this.#open.abort(error);
  }

  run<T>(handle: () => T): T {
    return this.#open.run(handle);
  }

  save(headers: ResponseHeaders): Awaitable<void> {
    if (this.#pending !== undefined) return this.#pending.then(() => this.save(headers));
    this.#isLate = true;
    const own = this.#withCookie(headers);
    if (this.#aborted !== undefined) return this.#aborted.then(() => this.#open.commit(own));
    return after(this.#commit(own), () => {
      this.#isCommitted = true;
    });
  }

  /** Saves what the app has changed while it sent the response, as express-session does at its end. */
  close(): void {
    const isOver = !this.#isCommitted || this.#state !== "active" || this.#session === undefined;
    if (isOver || !this.#isInPlace() || !this.#isChanged(this.#session!)) return;
    this.#run(() => this.#saveLate(), undefined);
  }

  #commit(headers: ResponseHeaders): Awaitable<void> {
    if (this.#failure !== undefined) return this.#fail(this.#failure.error, headers);
    if (this.#state === "destroyed" && this.#isSaved) return this.#open.commit(headers);
    const isUnset = this.#state !== "active" || !this.#isInPlace();
    if (isUnset && (this.#rules.unset === "keep" || this.#state === "destroyed")) {
      return this.#open.abort().then(() => this.#open.commit(headers));
    }
    const isSaved = this.#isSaved && this.#session !== undefined;
    if (!isSaved) return this.#finish(headers, isUnset);
    if (!isUnset && !this.#isChanged(this.#session!)) return this.#open.commit(headers);
    return this.#prepare().then(
      () => this.#finish(headers, isUnset),
      (error) => this.#fail(error, headers),
    );
  }

  #finish(headers: ResponseHeaders, isUnset: boolean): Awaitable<void> {
    try {
      if (!isUnset) this.#apply();
      else if (this.#open.session.absence === "none") {
        return this.#open.abort().then(() => this.#open.commit(headers));
      } else this.#open.session.destroy();
    } catch (error) {
      return this.#fail(error, headers);
    }
    return this.#open.commit(headers);
  }

  /** Ends the request without saving. Earlier saves stay, and so do their headers. */
  async #fail(error: unknown, headers: ResponseHeaders): Promise<never> {
    await this.#open.abort(error);
    await this.#open.commit(headers);
    throw error;
  }

  /** Whether the app has not deleted `req.session`. It may have defined it again. */
  #isInPlace(): boolean {
    const { get, value } = Object.getOwnPropertyDescriptor(this.#req, this.#place) ?? {};
    return get !== undefined || (value !== undefined && value === this.#session);
  }

  abort(error?: unknown): Promise<void> {
    return this.#end(() => this.#open.abort(error));
  }

  discard(status: number): Promise<void> {
    return this.#end(() => {
      const session = this.#state === "active" ? this.#session : undefined;
      return this.#open.discard(status, session !== undefined && this.#isChanged(session));
    });
  }

  /** Ends the request without saving, after the operations that are not done yet. */
  #end(end: () => Promise<void>): Promise<void> {
    return this.#aborted ??= this.#pending === undefined ? end() : this.#pending.then(end);
  }

  /** Headers that give the session's cookie the attributes of `req.session.cookie`. */
  #withCookie(headers: ResponseHeaders): ResponseHeaders {
    const { set, forEach } = headers;
    return {
      get: (name) => headers.get(name),
      append: (name, value) => {
        const own = isSetCookie(name) ? this.#ownCookie(value) : value;
        if (own !== undefined) headers.append(name, own);
      },
      ...set && { set: (name: string, value: string) => set.call(headers, name, value) },
      ...forEach && { forEach: forEach.bind(headers) },
    };
  }

  /** The Set-Cookie to send in place of this one; `undefined` for none. */
  #ownCookie(line: string): string | undefined {
    const pair = line.split(";", 1)[0]!;
    const at = pair.indexOf("=");
    const name = pair.slice(0, at);
    if (name !== this.#cookieDefaults.name) return line;
    const cookie: SessionCookie = this.#session?.cookie ??
      cookieOf(this.#cookieDefaults, this.#open.session.data.cookie);
    const value = pair.slice(at + 1);
    if (value === "") return clearCookie(cookie, name);
    cookie.maxAge = cookie.originalMaxAge;
    // A browser keeps a cookie without a date until it is closed, so it need not be sent again.
    const isKnown = cookie.expires === null && !this.#isCookieChanged && this.#hasSent(pair);
    return isKnown ? undefined : setCookie(cookie, name, value);
  }

  /** Whether the client has sent this cookie with the request. */
  #hasSent(pair: string): boolean {
    const sent = [this.#req.headers.cookie ?? []].flat().join(";");
    return sent.split(";").some((one) => one.trim() === pair);
  }
}

/** The JSON of a value; `undefined` if JSON leaves it out. */
function textOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return UNSUPPORTED;
  }
}
