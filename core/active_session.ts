/** One request's session, and its commit when the response starts. */
import { after, type Awaitable } from "../base/awaitable.ts";
import type { SessionLifetime } from "../base/lifetime.ts";
import { MAX_COOKIE_AGE } from "../base/limits.ts";
import { encodeEmptySession } from "../base/record_text.ts";
import { checkSubject } from "../base/subject.ts";
import type { SessionLink } from "../data/session_link.ts";
import { refusal, type WorkingCopy } from "../data/working_copy.ts";
import { SessionError } from "../errors.ts";
import type { HeaderPair, Scope } from "../pagi.ts";
import type { SessionState } from "../state/state.ts";
import { reportFailure } from "./entry/error_response.ts";
import { reportDropped } from "./entry/response_headers.ts";
import { csrfBinding } from "./csrf_tokens.ts";
import type { FallbackWatch } from "./fallback_watch.ts";
import { findHeld, HeldSession } from "./held_session.ts";
import type { IdSource } from "./id_source.ts";
import type { LoadedSession } from "./lookup.ts";
import { idleOf, type LifetimeHeader } from "./lifetime.ts";
import { isNavigation } from "./navigation.ts";
import type { ResolvedOptions } from "./options.ts";
import type { SecureCookieWatch } from "./secure_cookie.ts";
import { pulledBefore } from "./race_errors.ts";
import type { SessionRepository } from "./repository.ts";
import type { IdChange, SavedSession, SessionChange } from "./session_writer.ts";
import { type CacheHeaders, isShareable, protectFromCaches } from "./shared_caches.ts";

/** The parts that all sessions of one middleware share. */
export interface SharedParts {
  readonly options: ResolvedOptions;
  readonly repository: SessionRepository;
  readonly ids: IdSource;
  readonly secureCookie: SecureCookieWatch;
  readonly fallbacks: FallbackWatch;
}

/** The session behind a working copy. */
export interface SessionOrigin {
  readonly scope: Scope;
  /** When the session was created, in Unix seconds. */
  readonly created: number;
  /** The stored session; `undefined` if the session is new. */
  readonly stored?: LoadedSession;
  /** The key of the session that the client's ID belonged to before it was replaced. */
  readonly replacedKey?: string;
  /** An ID, or an encrypted session, that the client sent although it was replaced. */
  readonly replacedId?: string | undefined;
  /** The State that answers the request, if the middleware's State consists of several. */
  readonly state?: SessionState;
  /** The headers of earlier saves in the same request, which its response has to carry. */
  readonly carried?: readonly HeaderPair[];
}

/**
 * The action of a commit:
 * - `none`: nothing.
 * - `cleared`: clears the ID at the client. It was replaced and would keep the client from writing,
 *   or the handler has ended the session by a call such as `sessions.destroyAll`.
 * - `destroyed`: ends the session and clears it at the client.
 * - `restarted`: ends the session and writes a new record.
 * - `created`: writes a new record.
 * - `changed`: writes the changes into the record, with a new ID or the same.
 * - `touched`: notes that the session was used, and gives it a new ID if that is due.
 */
type Outcome =
  | { kind: "none" | "destroyed" | "cleared" }
  | { kind: "created" | "restarted"; change: SessionChange | undefined }
  | { kind: "changed"; stored: LoadedSession; change: SessionChange; idChange?: IdChange }
  | { kind: "touched"; stored: LoadedSession; idChange?: IdChange };

const NONE: Outcome = { kind: "none" };

/** The actions that save a change of the handler. */
const SAVED: readonly Outcome["kind"][] = ["created", "restarted", "changed"];

const CSRF_VERB = "make a CSRF token for a new session";

const NO_PAIRS: readonly HeaderPair[] = [];

/** The headers of a response that does not exist yet. */
const NO_HEADERS: CacheHeaders = { get: () => undefined };

const isNotForCaches = ([name]: HeaderPair): boolean => name !== "cache-control";

/** A response whose status says that the handler failed. */
export interface FailedResponse {
  readonly status: number;
  /** Whether the handler has changed the session. By default, the session tells. */
  readonly isChanged?: boolean | undefined;
}

/** A save before the response, and its headers for the client. */
interface EarlySave {
  readonly headers: HeaderPair[];
  /** Resolves to what the client will send. */
  readonly saved: Promise<string | undefined>;
  isSaved: boolean;
  /** Whether it has failed, and the entry point knows that. */
  isFailed: boolean;
}

/** One request's session, from the beginning of the request to the commit. */
export class ActiveSession implements SessionLink {
  /** The session's values, for the `Session` object. */
  readonly workingCopy: WorkingCopy;
  readonly #options: ResolvedOptions;
  readonly #repository: SessionRepository;
  readonly #ids: IdSource;
  readonly #secureCookie: SecureCookieWatch;
  readonly #fallbacks: FallbackWatch;
  readonly #scope: Scope;
  readonly #created: number;
  readonly #stored: LoadedSession | undefined;
  readonly #replacedKey: string | undefined;
  readonly #replacedId: string | undefined;
  readonly #state: SessionState;
  #isDone = false;
  /** When the commit began, in Unix seconds. */
  #doneAt: number | undefined;
  /** The header of the record that the commit has written. */
  #saved: LifetimeHeader | undefined;
  /** Whether the commit leaves the client without a session. */
  #isCleared = false;
  /** Whether the response can carry no headers. */
  #isHeadless = false;
  /** Names changes that were not stored, because the client would not get their ID. */
  #notStored: string | undefined;
  #early: EarlySave | undefined;
  /** The headers of earlier saves in this request, for a response that sends no newer ones. */
  #carried: readonly HeaderPair[];
  #held: HeldSession | undefined;
  /** The value that the client will send from now on. */
  #presented: string | undefined;
  /** The new ID, if it had to be known before the commit. */
  #generated: string | undefined;

  constructor(parts: SharedParts, workingCopy: WorkingCopy, origin: SessionOrigin) {
    this.#options = parts.options;
    this.#repository = parts.repository;
    this.#ids = parts.ids;
    this.#secureCookie = parts.secureCookie;
    this.#fallbacks = parts.fallbacks;
    this.workingCopy = workingCopy;
    this.#scope = origin.scope;
    this.#created = origin.created;
    this.#stored = origin.stored;
    this.#replacedKey = origin.replacedKey;
    this.#replacedId = origin.replacedId;
    this.#state = origin.state ?? parts.options.state;
    this.#presented = origin.stored?.presented;
    this.#carried = origin.carried ?? NO_PAIRS;
    workingCopy.link = this;
    workingCopy.owner = parts;
  }

  /** The flash messages of the stored session. */
  get messages(): readonly string[] {
    return this.#record?.header.messages ?? [];
  }

  /** The lifetime of the stored session, which a new subject does not take over. */
  get lifetime(): SessionLifetime | undefined {
    if (this.#held?.isNoted) return this.#held.lifetime;
    // Others may have changed it before this request was saved.
    if (this.#saved !== undefined) return this.#saved.lifetime;
    const { isRestarted, data } = this.workingCopy;
    const stored = this.#stored;
    return isRestarted || data._subject !== stored?.subject ? undefined : stored?.header.lifetime;
  }

  /** When the session ends if this request is its last use. */
  get expiresAt(): number | undefined {
    const { mode, lifetime } = this.workingCopy;
    if (mode === "replaced" || mode === "ambiguous" || this.#isOver()) return undefined;
    if (this.#held?.isNoted) return this.#held.expiresAt;
    const at = this.#usedAt;
    const signedInAt = this.#isSignIn ? at : this.#record?.header.signedInAt;
    const header = this.#saved ?? { lifetime, signedInAt };
    return at + this.#repository.remaining(header, this.#createdAt, at);
  }

  /** When the request uses the session: until its commit, which notes that. */
  get #usedAt(): number {
    return Math.max(this.workingCopy.lastAccess, this.#doneAt ?? this.#repository.now());
  }

  /** Whether the handler has ended the session, without a new one in its place. */
  #isOver(): boolean {
    const { isEnded, isRestarted } = this.workingCopy;
    return this.#isCleared || this.#isDestroyed() || (isEnded && !isRestarted);
  }

  /** The record that the request changes, if there is one. */
  get #record(): LoadedSession | undefined {
    return this.workingCopy.isRestarted ? undefined : this.#stored;
  }

  /** Whether the user signs in with this request. */
  get #isSignIn(): boolean {
    const { isAuthenticated, data: { _subject } } = this.workingCopy;
    return isAuthenticated || (_subject !== undefined && _subject !== this.#record?.subject);
  }

  /** The request headers on which the response depends, if the handler used the session. */
  get vary(): readonly string[] {
    return this.workingCopy.isAccessed ? this.#options.state.vary ?? [] : [];
  }

  /**
   * Runs the handler. Only a session with a subject can be ended by a call that does not name it, so
   * other requests need not be recognized.
   */
  run<T>(handle: () => T): T {
    if (this.#stored?.subject === undefined) return handle();
    const { workingCopy } = this;
    const { key, subject } = this.#stored;
    return this.#repository.currentRequest.run({ key, subject, workingCopy }, handle);
  }

  /**
   * Saves the request's changes, and adds the headers for the client to `headers`. A second call
   * does nothing. After `save` or `abort`, it adds the headers of the earlier save.
   *
   * @param own Returns the response's own headers.
   */
  commit(headers: HeaderPair[], own: () => CacheHeaders): Awaitable<void> {
    const before = headers.length;
    if (this.#early !== undefined) {
      return after(this.#takeEarly(headers), () => this.#complete(headers, before, own));
    }
    if (this.#isDone) return this.#complete(headers, before, own);
    this.#isDone = true;
    this.#doneAt = this.#repository.now();
    this.#fallbacks.check(this.workingCopy);
    // Most requests only read. For them the outcome is always "none", so it is not computed.
    if (this.#isReadOnly()) {
      this.workingCopy.close();
      return this.#complete(headers, before, own);
    }
    const saved = this.#needsGeneratedId()
      ? after(
        this.#generated ?? this.#ids.next(),
        (generated) => this.#save(headers, own, generated),
      )
      : this.#save(headers, own);
    return after(saved, () => this.#complete(headers, before, own));
  }

  /**
   * Saves the changes of a request whose response can carry no headers. Nothing is stored that only
   * a client with a new ID could use: no new session, and no regenerated one.
   *
   * @param what Names that response, for the event.
   */
  commitHeadless(what: string): Awaitable<void> {
    this.#isHeadless = true;
    const dropped: HeaderPair[] = [];
    return after(this.commit(dropped, () => NO_HEADERS), () => {
      reportDropped(this.#options, dropped, what, this.#notStored);
    });
  }

  /** Adds what belongs to the headers that were added from `before` on. */
  #complete(headers: HeaderPair[], before: number, own: () => CacheHeaders): void {
    if (headers.length === before) headers.push(...this.takeCarried());
    if (headers.length > before) protectFromCaches(headers, own(), this.#options);
  }

  /** The headers of earlier saves in this request. Each is returned once. */
  takeCarried(): readonly HeaderPair[] {
    const carried = this.#carried;
    this.#carried = NO_PAIRS;
    return carried;
  }

  /**
   * Leaves the rest of the request to another `ActiveSession`, without saving anything. Returns the
   * headers that the response has to carry.
   */
  leave(): readonly HeaderPair[] {
    this.#isDone = true;
    this.workingCopy.close();
    const early = this.#early?.headers.splice(0).filter(isNotForCaches) ?? [];
    return early.length > 0 ? early : this.takeCarried();
  }

  /** The session as it is stored now; `undefined` if it is not, or somebody else has signed in. */
  async findAgain(): Promise<LoadedSession | undefined> {
    await this.#early?.saved;
    if (!this.#repository.isWithClient) return findHeld(this.#repository, this.workingCopy);
    const presented = this.#presented;
    const found = presented && await this.#repository.find(presented, this.#state.name);
    return found && found.status === "active" ? found : undefined;
  }

  /** The parts of the request that another `ActiveSession` for it needs. */
  get origin(): Pick<SessionOrigin, "scope" | "state"> {
    return { scope: this.#scope, state: this.#state };
  }

  /** The headers with which a response sends `id` to the client. */
  headersFor(id: string): HeaderPair[] {
    const headers: HeaderPair[] = [];
    const { lifetime } = this.workingCopy;
    const at = this.#usedAt;
    const { expiresAt = at + this.#options.expire } = this;
    const persistent = this.#isPersistent({ lifetime, signedInAt: undefined });
    this.#state.inject(headers, id, { expire: expiresAt - at, persistent });
    return headers;
  }

  /**
   * Saves the changes before there is a response. Resolves to what the client will send from now on;
   * `undefined` if that is nothing.
   */
  save(): Promise<string | undefined> {
    if (this.#early !== undefined) return this.#early.saved;
    if (this.#isDone) return Promise.reject(refusal("committed", "save"));
    const headers: HeaderPair[] = [];
    const saved = this.#saveInto(headers);
    const early: EarlySave = { headers, saved, isSaved: false, isFailed: false };
    this.#early = early;
    // If the handler awaits nothing, `commit` rejects. A second rejection would end the process.
    saved.then(() => void (early.isSaved = true), () => {});
    return saved;
  }

  /** Until the response, the request itself is the use, and its commit notes that. */
  touch(): Promise<boolean> {
    const { workingCopy } = this;
    if (!this.#isDone) return Promise.resolve(workingCopy.absence === undefined);
    this.#held ??= new HeldSession(this.#repository, workingCopy, this.isExplicit);
    return this.#held.touch();
  }

  get isExplicit(): boolean {
    return this.#state.isExplicit ?? false;
  }

  /** The client can send the token back only with its session, so a new session is saved. */
  csrfToken(): string {
    const { mode } = this.workingCopy;
    if (mode === "ambiguous") throw refusal(mode, CSRF_VERB);
    const binding = mode === "replaced" ? this.#replacedId! : this.#nextCsrfBinding();
    if (binding === undefined) throw refusal("committed", CSRF_VERB);
    return this.#repository.csrfTokens.make(binding);
  }

  /** Binds tokens to the session as it is committed; `undefined` if a commit has saved nothing. */
  #nextCsrfBinding(): string | undefined {
    const { workingCopy } = this;
    if (this.#isDone) {
      return workingCopy.stored && this.#repository.csrfBindingOf(workingCopy.stored);
    }
    const stored = workingCopy.isRestarted ? undefined : this.#stored;
    if (stored === undefined) workingCopy.isNeeded = workingCopy.maybeDirty = true;
    if (this.#needsGeneratedId()) {
      this.#generated ??= this.#ids.nextNow();
      return this.#repository.nextCsrfBinding(stored, this.#generated, this.#isRegenerated());
    }
    return stored === undefined
      ? csrfBinding(workingCopy.recordId, 0)
      : this.#repository.csrfBindingOf(stored);
  }

  isCsrfToken(text: string): boolean {
    const binding = this.#stored === undefined
      ? this.#replacedId
      : this.#repository.csrfBindingOf(this.#stored);
    return binding !== undefined && this.#repository.csrfTokens.matches(text, binding);
  }

  async #saveInto(headers: HeaderPair[]): Promise<string | undefined> {
    try {
      await this.commit(headers, () => NO_HEADERS);
    } catch (error) {
      headers.length = 0;
      reportFailure(this.#options, error);
      throw error;
    }
    return this.#presented;
  }

  /**
   * Adds the headers of an earlier save, once. If that save has failed, the response fails, once:
   * nobody can tell whether the handler knows of it. An error response then passes.
   */
  #takeEarly(headers: HeaderPair[]): Awaitable<void> {
    const early = this.#early!;
    if (early.isFailed) return;
    if (!early.isSaved) {
      return early.saved.then(() => this.#takeEarly(headers), (error) => {
        early.isFailed = true;
        throw error;
      });
    }
    // The response that now exists decides about caches.
    const taken = early.headers.splice(0).filter(isNotForCaches);
    const { isEnded, isRestarted } = this.workingCopy;
    // The handler has ended the session since.
    if (isEnded && !isRestarted && taken.length > 0) this.#state.clear?.(headers);
    else headers.push(...taken);
  }

  /** Carries out the outcome. Nothing is awaited between reading the values and freezing them. */
  #save(
    headers: HeaderPair[],
    own: () => CacheHeaders,
    generated?: string,
  ): Awaitable<void> {
    // Called only if it matters: with some servers, the headers of a response are slow to read.
    const isPrivate = () => !this.#isHeadless && !isShareable(own(), this.#options);
    const decided = this.#decide(isPrivate, generated);
    const outcome = this.#isHeadless ? this.#withoutHeaders(decided, generated) : decided;
    this.workingCopy.close();
    switch (outcome.kind) {
      case "none":
        return;
      case "cleared":
        this.#presented = undefined;
        this.#isCleared = true;
        return this.#state.clear?.(headers);
      case "destroyed":
        this.#presented = undefined;
        this.#isCleared = true;
        return this.#destroy().then(() => this.#state.clear?.(headers));
      case "restarted":
        return this.#restart(headers, generated!, outcome.change);
      case "created": {
        const id = generated ?? this.workingCopy.recordId;
        return this.#create(headers, id, outcome.change!);
      }
      case "changed": {
        const { stored, change, idChange } = outcome;
        const isSent = change.metadata?.changesLifetime(stored.header.lifetime) ||
          this.#isSentAgain(stored, isPrivate, true);
        const saved = this.#repository.save(stored, change, isSent, idChange);
        return after(saved, (saved) => this.#send(headers, saved));
      }
      case "touched": {
        const { stored, idChange } = outcome;
        const isSent = this.#isSentAgain(stored, isPrivate, false);
        return this.#touch(stored, isSent, idChange).then((saved) => {
          if (saved !== undefined) this.#send(headers, saved);
        });
      }
    }
  }

  /** @param isPrivate Whether no shared cache stores the response. */
  #decide(isPrivate: () => boolean, generated?: string): Outcome {
    const { workingCopy } = this;
    const stored = this.#stored;
    if (this.#isDestroyed()) return { kind: "destroyed" };
    if (workingCopy.isEnded && !workingCopy.isRestarted) {
      const { _subject } = workingCopy.data;
      if (_subject === undefined || _subject === stored?.subject) return { kind: "cleared" };
      // Another user signs in with this request.
      workingCopy.restart(workingCopy.data);
    }
    if (workingCopy.mode !== "writable") return NONE;
    const change = this.#capture();
    if (stored === undefined || workingCopy.isRestarted) {
      const isEmpty = change.json === encodeEmptySession(this.#createdAt) &&
        !change.metadata?.changes(undefined);
      const isSaved = !isEmpty || workingCopy.isNeeded || this.#options.saveUninitialized;
      if (workingCopy.isRestarted) {
        return { kind: "restarted", change: isSaved ? change : undefined };
      }
      if (isSaved) return { kind: "created", change };
      // A form on this page may sign in: under the replaced ID it could not write.
      return this.#hasReplacedId() && isPrivate() ? { kind: "cleared" } : NONE;
    }
    const isChanged = this.#repository.isChanged(stored, change);
    const isAsked = workingCopy.isRotated || this.#isRegenerated();
    // A rotation that is due can wait for a response that no shared cache stores.
    const isNow = generated !== undefined && (isAsked || isPrivate());
    const idChange = this.#idChange(stored, isNow ? generated : undefined);
    if (isChanged || (idChange !== undefined && isAsked)) {
      return { kind: "changed", stored, change, idChange };
    }
    return idChange !== undefined || this.#isTouched(stored, isPrivate)
      ? { kind: "touched", stored, idChange }
      : NONE;
  }

  /** The part of an outcome that is carried out if the client can be sent nothing. */
  #withoutHeaders(outcome: Outcome, generated: string | undefined): Outcome {
    switch (outcome.kind) {
      case "created":
        if (!this.#sendsHeaders(generated)) return outcome;
        this.#notStored = "A new session was not stored";
        return NONE;
      case "restarted":
        if (outcome.change === undefined || !this.#sendsHeaders(generated)) return outcome;
        this.#notStored = "A session was ended, and the next was not stored";
        return { kind: "restarted", change: undefined };
      case "changed":
        return this.#changedWithoutHeaders(outcome, generated);
      default:
        return outcome;
    }
  }

  #changedWithoutHeaders(
    outcome: Outcome & { kind: "changed" },
    generated: string | undefined,
  ): Outcome {
    const { stored, idChange } = outcome;
    const { isWithClient } = this.#repository;
    const isKept = idChange === undefined || !this.#sendsHeaders(generated);
    if (isKept && !isWithClient) return outcome;
    if (!isKept && stored.subject !== undefined && stored.subject !== outcome.change.subject) {
      this.#notStored = "A session was ended, and did not get its new subject";
      return { kind: "destroyed" };
    }
    if (isWithClient) {
      this.#notStored = "A session in a cookie was not saved";
      return NONE;
    }
    if (idChange!.isRotation) {
      this.#notStored = "A session was saved and kept its ID";
      return { ...outcome, idChange: undefined };
    }
    // Under the old ID, the changes could reach an attacker who has planted that ID.
    this.#notStored = "A regenerated session was not saved";
    return NONE;
  }

  /** Whether the client gets a new ID by a header. Otherwise the app itself sends it. */
  #sendsHeaders(generated = this.workingCopy.recordId): boolean {
    const headers: HeaderPair[] = [];
    this.#state.inject(headers, generated, { expire: this.#options.expire });
    return headers.length > 0;
  }

  /** Whether to note that the session was used, or that its ID is sent again. */
  #isTouched(stored: LoadedSession, isPrivate: () => boolean): boolean {
    const now = this.#repository.now();
    if (this.workingCopy.mustSend) return true;
    if (!this.#repository.isTouchDue(stored, now)) {
      return this.#isOldAtClient(stored, now) && isPrivate();
    }
    // A session that its client holds would have to be sent.
    return !this.#repository.isWithClient || isPrivate();
  }

  /** The session's new ID; `undefined` if it keeps its own. */
  #idChange(stored: LoadedSession, generated: string | undefined): IdChange | undefined {
    if (generated === undefined) return undefined;
    const isRotation = !this.#isRegenerated();
    // A client that does not know the current ID yet is sent that one.
    if (isRotation && stored.oldVerifier !== undefined) return undefined;
    return { generated, isRotation };
  }

  /** When the session was created, in Unix seconds. */
  get #createdAt(): number {
    return this.workingCopy.isRestarted ? this.workingCopy.lastAccess : this.#created;
  }

  /** The request's changes as text, so that later changes are not part of them. */
  #capture(): SessionChange {
    const { workingCopy } = this;
    const stored = this.#record;
    const { data, updates, isCleared, maybeDirty, codec, metadataChange } = workingCopy;
    if (!maybeDirty) {
      const json = stored?.json ?? encodeEmptySession(this.#createdAt);
      return { json, subject: stored?.subject, isSignIn: false, updates, isCleared };
    }
    const subject = data._subject;
    if (subject !== undefined) checkSubject("save the session", subject);
    const json = codec.encodeSession(workingCopy, this.#createdAt, stored?.json);
    return {
      json,
      subject,
      isSignIn: this.#isSignIn,
      updates,
      isCleared,
      metadata: metadataChange,
    };
  }

  #create(headers: HeaderPair[], id: string, change: SessionChange): Awaitable<void> {
    const { name } = this.#state;
    const saved = this.#repository.create(id, this.#createdAt, change, name);
    return after(saved, (saved) => this.#send(headers, saved));
  }

  /** Ends the session that the client had, then writes the new one if there is anything in it. */
  async #restart(
    headers: HeaderPair[],
    generated: string,
    change: SessionChange | undefined,
  ): Promise<void> {
    this.#presented = undefined;
    if (this.#stored !== undefined) {
      await this.#destroy();
      if (change === undefined) this.#state.clear?.(headers);
    }
    if (change !== undefined) await this.#create(headers, generated, change);
  }

  #send(headers: HeaderPair[], { id, header, sent }: SavedSession): void {
    const { workingCopy } = this;
    workingCopy.rename(id);
    workingCopy.absence = undefined;
    workingCopy.stored = { key: this.#repository.keyOf(id), header };
    this.#saved = header;
    workingCopy.lineage = this.#repository.lineageOf(workingCopy.stored);
    if (sent === undefined) return;
    this.#presented = sent;
    this.#inject(headers, sent, { header, created: this.#createdAt });
  }

  #inject(
    headers: HeaderPair[],
    sent: string,
    { header, created }: Pick<LoadedSession, "header" | "created">,
  ): void {
    const expire = this.#repository.remaining(header, created, this.workingCopy.lastAccess);
    const before = headers.length;
    const persistent = this.#isPersistent(header);
    this.#state.inject(headers, sent, { expire, persistent, scope: this.#scope });
    this.#secureCookie.check(headers, before, this.#scope);
  }

  /** Whether the client keeps the ID when it is closed; `undefined` if that is up to the State. */
  #isPersistent({ lifetime }: LifetimeHeader): boolean | undefined {
    return lifetime && (lifetime.persistent ?? this.#state.maxAge !== false);
  }

  /**
   * Whether the response sends an ID that stays the same again, so that the client keeps it. Other
   * responses than those to navigations may overtake each other, and one could bring an ID back that
   * a login has replaced. So they send it only if the client would lose it soon.
   */
  #isSentAgain(stored: LoadedSession, isPrivate: () => boolean, isChange: boolean): boolean {
    if (stored.mustInject || this.workingCopy.mustSend) return true;
    if (stored.oldVerifier !== undefined) return false;
    // If a shared cache may store this response, the next one sends it.
    return this.#isRenewalDue(stored, isChange) && isPrivate();
  }

  #isRenewalDue(stored: LoadedSession, isChange: boolean): boolean {
    const { touchInterval, rolling } = this.#options;
    if (touchInterval === 0) return rolling || isChange;
    if (!rolling) return false;
    const now = this.#repository.now();
    if (this.#isOldAtClient(stored, now)) return true;
    return this.#repository.isTouchDue(stored, now) && isNavigation(this.#scope);
  }

  /** Whether less than half of the time remains for which the client keeps the ID. */
  #isOldAtClient(stored: LoadedSession, now: number): boolean {
    const { rolling, touchInterval } = this.#options;
    const isPersistent = this.#isPersistent(stored.header);
    const own = isPersistent === undefined ? this.#state.maxAge : isPersistent && undefined;
    const maxAge = own ?? Math.min(idleOf(stored.header, this.#options), MAX_COOKIE_AGE);
    return rolling && touchInterval > 0 && maxAge !== false &&
      this.#repository.sentAgo(stored, now) > maxAge / 2;
  }

  /**
   * Ends the request without saving, because the handler threw. A `destroy()` still takes effect, and
   * so does an earlier `save()`: `commit` then adds its headers to the error response.
   *
   * @param failure The response that says so, if nothing has reported an exception. The operator then
   * hears of changes that are dropped.
   */
  async abort(failure?: FailedResponse): Promise<void> {
    const early = this.#early;
    // The save's error has been reported, and the handler's own error takes precedence.
    if (early !== undefined) await early.saved.catch(() => early.isFailed = true);
    if (failure !== undefined) this.#reportDropped(failure);
    if (this.#isDone) return;
    this.#isDone = true;
    const isDestroyed = this.#isDestroyed();
    this.workingCopy.close();
    if (!isDestroyed) return;
    try {
      await this.#end();
    } catch (cause) {
      this.#options.emit({
        type: "destroy-failed",
        message: "The handler destroyed the session and threw; then the store failed to delete it",
        cause,
      });
    }
  }

  #reportDropped({ status, isChanged = this.#isChanged() }: FailedResponse): void {
    if (!isChanged) return;
    this.#options.emit({
      type: "changes-dropped",
      message:
        `A response with status ${status} dropped the changes of its session. To keep them, ` +
        "call await session.save() before it",
    });
  }

  /** Whether a commit would save a change of the handler. */
  #isChanged(): boolean {
    if (this.#isDone || !this.workingCopy.maybeDirty) return false;
    try {
      return SAVED.includes(this.#decide(() => false, this.workingCopy.recordId).kind);
    } catch {
      // A value that cannot be stored is a change, too.
      return true;
    }
  }

  async #destroy(): Promise<void> {
    try {
      await this.#end(this.workingCopy.metadataChange?.pulled);
    } catch (cause) {
      const headers: HeaderPair[] = [];
      this.#state.clear?.(headers);
      if (headers.length > 0) headers.push(["cache-control", "no-store"]);
      // The session has ended, but another request has taken what this one pulled.
      if ((cause as SessionError).code === "ERR_SESSION_CONFLICT") throw pulledBefore(headers);
      throw new SessionError(
        "ERR_SESSION_STORE",
        "Cannot end the session: the store failed, so it may still be alive",
        { cause, headers },
      );
    }
  }

  async #end(pulled?: ReadonlySet<string>): Promise<void> {
    const { isRestarted, isEnded } = this.workingCopy;
    if (isEnded) return;
    if (this.#stored !== undefined) await this.#repository.end(this.#stored, pulled);
    // A session that was restarted under a replaced ID leaves its successor alone.
    else if (this.#replacedKey !== undefined && !isRestarted) {
      await this.#repository.endByKey(this.#replacedKey);
    }
  }

  async #touch(
    stored: LoadedSession,
    isSent: boolean,
    idChange: IdChange | undefined,
  ): Promise<SavedSession | undefined> {
    try {
      return await this.#repository.touch(stored, isSent, idChange);
    } catch (cause) {
      this.#options.emit({
        type: "touch-failed",
        message: "The store failed to note a session's use; it may expire early",
        cause,
      });
      return undefined;
    }
  }

  /** Whether there is nothing to save, not even a use of the session. */
  #isReadOnly(): boolean {
    const { maybeDirty, isDestroyed, isEnded, mustSend } = this.workingCopy;
    if (maybeDirty || isDestroyed || isEnded || mustSend) return false;
    const stored = this.#stored;
    if (stored === undefined) return !this.#options.saveUninitialized && !this.#hasReplacedId();
    const now = this.#repository.now();
    return !this.#repository.isTouchDue(stored, now) && !this.#isOldAtClient(stored, now) &&
      !this.#isRotationDue();
  }

  /** Whether this new session follows a replaced ID, which the client still sends. */
  #hasReplacedId(): boolean {
    const { absence, mode } = this.workingCopy;
    return absence === "replaced" && mode === "writable";
  }

  #isDestroyed(): boolean {
    return this.workingCopy.isDestroyed || Boolean(this.workingCopy.data._destroyed);
  }

  #needsGeneratedId(): boolean {
    const { isRestarted, isRotated } = this.workingCopy;
    return isRestarted || isRotated || this.#isRegenerated() || this.#isRotationDue();
  }

  /** Whether the session gets a new ID and the old one becomes invalid. */
  #isRegenerated(): boolean {
    const { data } = this.workingCopy;
    return Boolean(data._regenerated) ||
      (this.#stored !== undefined && this.#stored.subject !== data._subject);
  }

  #isRotationDue(): boolean {
    return this.#options.rotateInterval < Infinity && this.#stored !== undefined &&
      this.workingCopy.mode === "writable" &&
      this.#repository.isRotationDue(this.#stored) && isNavigation(this.#scope);
  }
}
