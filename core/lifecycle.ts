/**
 * What happens to a session in a request, for every entry point. `Lifecycle` finds or starts the
 * session; `ActiveSession`, which it returns, commits or aborts it.
 */
import { type Awaitable, isPromise } from "../base/awaitable.ts";
import { BoundedCache } from "../base/bounded_cache.ts";
import { isObject } from "../base/check_options.ts";
import { isId, isNonEmptyString, isSameSession } from "../base/id.ts";
import { MAX_CANDIDATES, MAX_CLOCK_SKEW } from "../base/limits.ts";
import { isSameVerifier } from "../base/record_header.ts";
import type { SessionValues } from "../base/record_text.ts";
import { checkSubject } from "../base/subject.ts";
import { deepFreeze, refusingValues } from "../data/session_values.ts";
import {
  refusal,
  type SessionAbsence,
  type SessionIdentity,
  type SessionLineage,
  WorkingCopy,
} from "../data/working_copy.ts";
import { SessionError } from "../errors.ts";
import type { HeaderPair, Scope } from "../pagi.ts";
import type { ChosenState } from "../state/state.ts";
import type { VersionedStore } from "../store/store.ts";
import { ActiveSession, type SharedParts } from "./active_session.ts";
import type { Backend } from "./backend/backend.ts";
import { openBackend } from "./backend/open.ts";
import { countMiddleware } from "./entry/nesting.ts";
import { FallbackWatch } from "./fallback_watch.ts";
import { HeldSession, isFollowed } from "./held_session.ts";
import { IdSource } from "./id_source.ts";
import {
  isInGrace,
  type LoadedSession,
  type Lookup,
  NONE,
  type ReplacedSession,
  UNKNOWN,
} from "./lookup.ts";
import { isNavigation } from "./navigation.ts";
import type { ResolvedOptions } from "./options.ts";
import { SessionRepository } from "./repository.ts";
import { SecureCookieWatch } from "./secure_cookie.ts";
import type { CurrentSession } from "./session_writer.ts";
import { SubjectSessions } from "./subjects/subject_sessions.ts";

/**
 * Seconds after which a navigation with a replaced ID may start a new session. Before, the response
 * with the current ID may still be on its way.
 */
const NAVIGATION_WAIT = 10 + MAX_CLOCK_SKEW;

/** The State that answers, in a lookup. */
type Answered = Pick<Lookup, "state">;

/** The most lost clients that are remembered, so that each is reported once. */
const MAX_LOST = 1000;

/** The sessions of one middleware. */
export class Lifecycle implements SharedParts {
  readonly options: ResolvedOptions;
  readonly repository: SessionRepository;
  readonly ids: IdSource;
  readonly secureCookie: SecureCookieWatch;
  readonly fallbacks: FallbackWatch;
  readonly #backend: Backend;
  /** The keys of sessions whose clients were reported as lost, and the time of the replacement. */
  #lost: BoundedCache<number> | undefined;

  constructor(options: ResolvedOptions) {
    countMiddleware();
    this.options = options;
    const { store, storeTimeout, expire, touchInterval, state } = options;
    this.#backend = openBackend(store, storeTimeout, expire + touchInterval, state);
    this.repository = new SessionRepository(this.#backend, options);
    const { secrets: [secret], generateId } = options;
    const isValid = this.#backend.isVersioned ? isId : isNonEmptyString;
    this.ids = new IdSource({ secret: secret!, generateId }, isValid);
    this.secureCookie = new SecureCookieWatch(options.emit);
    this.fallbacks = new FallbackWatch(options.emit);
    (store as VersionedStore).reportTo?.(options.emit);
    const { warning } = this.#backend;
    if (warning !== undefined) options.emit({ type: "store-without-guarantees", message: warning });
  }

  /** Opens the session of an HTTP request: the client's, or a new one. */
  begin(scope: Scope): Awaitable<ActiveSession> {
    const lookup = this.identify(scope);
    return isPromise(lookup)
      ? lookup.then((one) => this.#open(one, scope))
      : this.#open(lookup, scope);
  }

  /** Finds the session of a request by the ID that its client sent. */
  identify(scope: Scope): Awaitable<Lookup> {
    const { state } = this.options;
    if (state.choose !== undefined) return this.#identifyWith(state.choose(scope));
    const extracted = state.extract(scope);
    return isPromise(extracted)
      ? extracted.then((one) => this.#lookUp(one))
      : this.#lookUp(extracted);
  }

  /** Finds the session by what one of several States has found. */
  async #identifyWith(chosen: Awaitable<ChosenState>): Promise<Lookup> {
    const { state, extracted } = await chosen;
    const lookup = await this.#lookUp(extracted, state.name);
    if (lookup.status === "active") lookup.name = state.name;
    return { ...lookup, state };
  }

  /** Looks up whatever a State extracted. A callback may return anything that a client sent. */
  #lookUp(extracted: unknown, name?: string): Awaitable<Lookup> {
    if (Array.isArray(extracted)) return this.#choose([...new Set(extracted)], name);
    if (isObject(extracted)) return this.#lookUpTranslated(extracted, name);
    if (typeof extracted !== "string" || extracted === "") return NONE;
    return this.#backend.accepts(extracted) ? this.repository.find(extracted, name) : UNKNOWN;
  }

  /**
   * Looks up an ID that the State derived from something else the client sent, such as an old
   * cookie.
   */
  async #lookUpTranslated(
    { id, mustInject, name: given }: Record<string, unknown>,
    own: string | undefined,
  ): Promise<Lookup> {
    const name = typeof given === "string" ? given : own;
    const isNested = isObject(id) && !Array.isArray(id);
    const lookup = isNested ? UNKNOWN : await this.#lookUp(id, name);
    if (lookup.status === "active" && mustInject) lookup.mustInject = true;
    return lookup;
  }

  /** Picks the one active session among several IDs, or else a replaced ID. */
  async #choose(extracted: unknown[], name?: string): Promise<Lookup> {
    const accepted = extracted.filter((id): id is string => {
      return typeof id === "string" && this.#backend.accepts(id);
    });
    if (accepted.length > MAX_CANDIDATES) return this.#refuse();
    let best: Lookup = extracted.length === 0 ? NONE : UNKNOWN;
    for (const id of accepted) {
      const lookup = await this.repository.find(id, name);
      if (lookup.status === "active" && best.status === "active") {
        if (!isSameSession(lookup.key, best.key)) return this.#refuse();
        // Two cookies of one session: after its path was changed, a browser sends both.
        if (isNewer(lookup, best)) best = lookup;
      } else if (isBetter(lookup, best)) best = lookup;
    }
    return best;
  }

  #refuse(): Lookup {
    this.options.emit({
      type: "ambiguous",
      message:
        "A client sent several session IDs, and none could be trusted. Look for a cookie of " +
        "the same name on another path or a sibling domain",
    });
    return { status: "ambiguous" };
  }

  #open(lookup: Lookup, scope: Scope): Awaitable<ActiveSession> {
    switch (lookup.status) {
      case "active":
        return this.#openStored(lookup, scope);
      case "absent":
        return this.#openNew(scope, lookup.reason, lookup);
      case "replaced":
        return this.#openReplaced(lookup, scope);
      case "ambiguous":
        return this.#openRefusing(scope, "ambiguous", lookup);
    }
  }

  /**
   * Opens a request's session again, as it is stored now. Resolves to `undefined` if it is not
   * stored, or not any more; the request then keeps the session that it has.
   *
   * @throws {SessionError} If an earlier save of the request has failed, or the store fails.
   */
  async reopen(active: ActiveSession): Promise<ActiveSession | undefined> {
    const stored = await active.findAgain();
    if (stored === undefined) return undefined;
    const { scope, state } = active.origin;
    return this.#openStored({ ...stored, state }, scope, active.leave());
  }

  /**
   * Replaces a request's session by a new, empty one, without saving anything.
   *
   * @throws {SessionError} If the client sent several IDs.
   */
  async renew(active: ActiveSession): Promise<ActiveSession> {
    const { absence } = active.workingCopy;
    if (absence === "ambiguous") throw refusal(absence, "regenerate");
    const { scope, state } = active.origin;
    // As after restart(): the session that has the newer ID goes on.
    const why = absence === undefined || absence === "replaced" ? "unknown" : absence;
    return await this.#openNew(scope, why, { state }, undefined, active.leave());
  }

  #openStored(
    stored: LoadedSession & Answered,
    scope: Scope,
    carried?: readonly HeaderPair[],
  ): ActiveSession {
    const { id, data, created, readAt, state } = stored;
    const identity = { id, lastAccess: readAt };
    const workingCopy = new WorkingCopy(data, "writable", identity, this.options.codec);
    workingCopy.lineage = this.repository.lineageOf(stored);
    workingCopy.stored = stored;
    return new ActiveSession(this, workingCopy, { scope, created, stored, state, carried });
  }

  /** A new session under a new ID: an ID that the server did not issue is never adopted. */
  #openNew(
    scope: Scope,
    absence: SessionAbsence,
    { state }: Answered,
    replacedKey?: string,
    carried?: readonly HeaderPair[],
  ): Awaitable<ActiveSession> {
    const open = (draw: () => string) => {
      const created = this.repository.now();
      const identity = { id: draw, lastAccess: created };
      const values = { _created: created };
      const workingCopy = new WorkingCopy(values, "writable", identity, this.options.codec);
      workingCopy.absence = absence;
      const origin = { scope, created, replacedKey, state, carried };
      return new ActiveSession(this, workingCopy, origin);
    };
    const draw = this.ids.reserve();
    return isPromise(draw) ? draw.then(open) : open(draw);
  }

  /**
   * The session of a request whose ID was replaced. The client may know the current ID by now, and a
   * cookie of a new session would take that away from it.
   */
  #openReplaced(lookup: ReplacedSession & Answered, scope: Scope): Awaitable<ActiveSession> {
    const replacedKey = lookup.isHeld ? lookup.key : undefined;
    const age = this.repository.now() - lookup.replacedAt;
    if (age > NAVIGATION_WAIT) this.#reportLost(lookup);
    // No response can take an ID away from a client that adds it to each request itself.
    const { isExplicit } = lookup.state ?? this.options.state;
    if (isExplicit) return this.#openNew(scope, "unknown", lookup, replacedKey);
    if (age > NAVIGATION_WAIT && isNavigation(scope)) {
      return this.#openNew(scope, "replaced", lookup, replacedKey);
    }
    return this.#openRefusing(scope, "replaced", lookup, replacedKey);
  }

  /** Reports a client that never got the ID that replaced its own: once, however often it comes. */
  #reportLost({ key, replacedAt }: ReplacedSession): void {
    this.#lost ??= new BoundedCache(MAX_LOST);
    if (this.#lost.get(key) === replacedAt) return;
    this.#lost.set(key, replacedAt);
    this.options.emit({
      type: "session-lost",
      message:
        "A client still sends an ID that was replaced minutes ago: it did not get the new one, " +
        "or its cookie was copied. It has no session until it opens a page or signs in",
    });
  }

  /** An empty session that refuses writes and is never sent to the client. */
  #openRefusing(
    scope: Scope,
    mode: "replaced" | "ambiguous",
    { state, presented }: Answered & Partial<Pick<ReplacedSession, "presented">>,
    replacedKey?: string,
  ): ActiveSession {
    const identity = { id: undefined, lastAccess: this.repository.now() };
    const workingCopy: WorkingCopy = new WorkingCopy(
      refusingValues((verb) => refusal(mode, verb), () => workingCopy.destroyReplaced()),
      mode,
      identity,
      this.options.codec,
    );
    workingCopy.absence = mode;
    return new ActiveSession(this, workingCopy, {
      scope,
      created: 0,
      replacedKey,
      replacedId: presented,
      state,
    });
  }

  /** The client's session for reading; `undefined` if it has no active session. */
  async load(scope: Scope): Promise<WorkingCopy | undefined> {
    const lookup = await this.identify(scope);
    return lookup.status === "active" ? this.#snapshotOf(lookup) : undefined;
  }

  /** The client's session for reading; an empty one if it has no active session. */
  async loadOrEmpty(scope: Scope): Promise<WorkingCopy> {
    const lookup = await this.identify(scope);
    if (lookup.status === "active") return this.#snapshotOf(lookup);
    const workingCopy = this.snapshot(Object.create(null));
    const { isExplicit } = lookup.state ?? this.options.state;
    workingCopy.absence = lookup.status === "absent"
      ? lookup.reason
      : isExplicit && lookup.status === "replaced"
      ? "unknown"
      : lookup.status;
    return workingCopy;
  }

  #snapshotOf(stored: LoadedSession & Answered): WorkingCopy {
    const { data, id, lastAccess, state = this.options.state } = stored;
    const workingCopy = this.snapshot(data, { id, lastAccess }, stored, state.isExplicit);
    workingCopy.lineage = this.repository.lineageOf(stored);
    workingCopy.stored = stored;
    return workingCopy;
  }

  /**
   * A session for reading.
   *
   * @param base The stored session that the values come from.
   * @param isExplicit Whether the client's own code adds the ID to each request.
   */
  snapshot(
    data: SessionValues,
    identity?: SessionIdentity,
    base?: Pick<LoadedSession, "header" | "created" | "lastAccess">,
    isExplicit = false,
  ): WorkingCopy {
    const workingCopy = new WorkingCopy(data, "readOnly", identity);
    workingCopy.link = new HeldSession(this.repository, workingCopy, isExplicit, base);
    workingCopy.owner = this;
    deepFreeze(workingCopy.materialize());
    return workingCopy;
  }

  /**
   * Changes a session atomically. If another write comes first, `change` runs again.
   *
   * @param target An ID, which must be valid; or a session that the server holds, which may have a
   * newer ID by now.
   */
  async update(
    target: string | SessionLineage,
    change: (data: SessionValues) => unknown,
  ): Promise<WorkingCopy> {
    const base = await this.#findForUpdate(target);
    const { codec } = this.options;
    let seen: string | undefined;
    let made = "";
    const compose = (current: CurrentSession) => {
      const { id, json, created, subject, readAt } = current;
      // Only the header or the last-access time has changed.
      if (json === seen) return made;
      const identity = { id, lastAccess: readAt };
      const data = current === base ? base.data : codec.decode(json)!;
      const encode = () => {
        if (data._regenerated || data._destroyed || data._subject !== subject) {
          throw new TypeError(
            "Cannot update the session: its ID, its subject and its end belong to a request. End it " +
              "with sessions.destroy(); set the others in a handler",
          );
        }
        seen = json;
        return made = codec.encodeValues(data, created, subject, json);
      };
      const changed = change(new WorkingCopy(data, "writable", identity).materialize());
      return isPromise(changed) ? Promise.resolve(changed).then(encode) : encode();
    };
    const saved = await this.repository.compareAndSwap(base, {
      compose,
      mayFollow: (current) => this.#mayUpdate(target, current),
      // A background job is not a request of the client, so it does not extend the session.
      isUse: false,
      isSent: false,
    });
    if (saved.isWithClient) {
      throw new SessionError(
        "ERR_SESSION_STORE",
        "Cannot update the session: it is in its client's cookie, which only a response can change",
      );
    }
    const { id, header } = saved;
    // Decoded from the text that was saved: the objects that `change` wrote stay the caller's.
    const identity = { id, lastAccess: base.readAt };
    const workingCopy = this.snapshot(codec.decode(made)!, identity, { ...base, header });
    workingCopy.stored = { key: base.key, header };
    workingCopy.lineage = this.repository.lineageOf(workingCopy.stored);
    return workingCopy;
  }

  async #findForUpdate(target: string | SessionLineage): Promise<LoadedSession> {
    const lookup = typeof target !== "string"
      ? await this.repository.findByKey(target.key)
      : this.#backend.accepts(target)
      ? await this.repository.find(target)
      : UNKNOWN;
    if (lookup.status === "active" && this.#mayUpdate(target, lookup)) return lookup;
    throw new SessionError(
      "ERR_SESSION_INTERRUPTED",
      "Cannot update the session: no session has this ID, or not any more",
    );
  }

  /** Whether this is the session that was meant, and nobody else has signed in since. */
  #mayUpdate(target: string | SessionLineage, current: CurrentSession): boolean {
    const { header, readAt } = current;
    if (typeof target !== "string") return isFollowed(target, current);
    const verifier = this.#backend.verifierOf(target);
    return verifier === undefined || isSameVerifier(header.verifier, verifier) ||
      isInGrace(header, verifier, readAt, this.options);
  }

  /** Ends the session that has or once had this ID. Resolves to whether there was one. */
  async destroy(id: string): Promise<boolean> {
    if (!this.#backend.accepts(id)) return false;
    return await this.repository.endByKey(this.repository.keyOf(id));
  }

  /**
   * Ends all sessions of a subject, except one. Resolves to how many there were; `undefined` if
   * nobody knows, because their clients hold them.
   *
   * @param kept An ID that the session which stays has or once had.
   */
  async endAll(subject: string, kept: string | undefined): Promise<number | undefined> {
    checkSubject("end the sessions", subject);
    if (await this.repository.endAll(subject, kept)) return undefined;
    return await this.sessionsOf(subject).endAll(kept);
  }

  /** All sessions of a subject. */
  sessionsOf(subject: string): SubjectSessions {
    checkSubject("find the sessions", subject);
    const { index } = this.repository;
    if (index !== undefined) return new SubjectSessions(subject, this.repository, index);
    throw new TypeError(
      this.#backend.isWithClient
        ? "Cannot find the sessions of a subject: their clients hold them, so no server has a list " +
          "of them. Use a VersionedStore; destroyAll() also works with a CookieStore that has " +
          "revocations"
        : "Cannot find the sessions of a subject: that takes a VersionedStore, and this store is " +
          "none",
    );
  }
}

/** Which of two IDs or values of one session its client should keep. */
function isNewer(a: LoadedSession, b: LoadedSession): boolean {
  if (a.oldVerifier !== undefined || b.oldVerifier !== undefined) {
    return a.oldVerifier === undefined;
  }
  const { regenerations } = a.header;
  if (regenerations !== b.header.regenerations) return regenerations > b.header.regenerations;
  return a.lastAccess > b.lastAccess;
}

/** Whether a candidate says more about its client than the best one so far. */
function isBetter(lookup: Lookup, best: Lookup): boolean {
  if (lookup.status === "absent") return best.status === "absent" && best.reason !== "expired";
  if (lookup.status === "active" || best.status === "absent") return true;
  // Only an ID that the record holds can end the session.
  return lookup.status === "replaced" && best.status === "replaced" && !best.isHeld;
}
