/**
 * What happens to a session in a request, for every entry point. `Lifecycle` finds or starts the
 * session; `ActiveSession`, which it returns, commits or aborts it.
 */
import { after, type Awaitable, isPromise } from "../base/awaitable.ts";
import { isObject } from "../base/check_options.ts";
import { isId, isNonEmptyString } from "../base/id.ts";
import { MAX_CANDIDATES } from "../base/limits.ts";
import type { SessionValues } from "../base/record_text.ts";
import { deepFreeze, refusingValues } from "../data/session_values.ts";
import { refusal, type SessionIdentity, WorkingCopy } from "../data/working_copy.ts";
import { SessionError } from "../errors.ts";
import type { Scope } from "../pagi.ts";
import { ActiveSession, type SharedParts } from "./active_session.ts";
import type { Backend } from "./backend/backend.ts";
import { openBackend } from "./backend/open.ts";
import { IdSource } from "./id_source.ts";
import { ABSENT, type LoadedSession, type Lookup } from "./lookup.ts";
import type { ResolvedOptions } from "./options.ts";
import { SessionRepository } from "./repository.ts";
import { SubjectSessions } from "./subjects/subject_sessions.ts";

/** The sessions of one middleware. */
export class Lifecycle implements SharedParts {
  readonly options: ResolvedOptions;
  readonly repository: SessionRepository;
  readonly ids: IdSource;
  readonly #backend: Backend;

  constructor(options: ResolvedOptions) {
    this.options = options;
    const { store, storeTimeout, expire, state } = options;
    this.#backend = openBackend(store, storeTimeout, expire, state.name);
    this.repository = new SessionRepository(this.#backend, options);
    const { secrets: [secret], generateId } = options;
    const isValid = this.#backend.isVersioned ? isId : isNonEmptyString;
    this.ids = new IdSource({ secret: secret!, generateId }, isValid);
    const { warning } = this.#backend;
    if (warning !== undefined) options.emit({ type: "store-without-guarantees", message: warning });
  }

  /** Opens the session of an HTTP request: the client's, or a new one. */
  begin(scope: Scope): Awaitable<ActiveSession> {
    const lookup = this.identify(scope);
    return isPromise(lookup) ? lookup.then((one) => this.#open(one)) : this.#open(lookup);
  }

  /** Finds the session of a request by the ID that its client sent. */
  identify(scope: Scope): Awaitable<Lookup> {
    const extracted = this.options.state.extract(scope);
    return isPromise(extracted)
      ? extracted.then((one) => this.#lookUp(one))
      : this.#lookUp(extracted);
  }

  /** Looks up whatever a State extracted. A callback may return anything that a client sent. */
  #lookUp(extracted: unknown, name?: string): Awaitable<Lookup> {
    if (Array.isArray(extracted)) return this.#choose([...new Set(extracted)], name);
    if (isObject(extracted)) return this.#lookUpTranslated(extracted);
    return typeof extracted === "string" && this.#backend.accepts(extracted)
      ? this.repository.find(extracted, name)
      : ABSENT;
  }

  /**
   * Looks up an ID that the State derived from something else the client sent, such as an old
   * cookie.
   */
  async #lookUpTranslated(
    { id, mustInject, name: given }: Record<string, unknown>,
  ): Promise<Lookup> {
    const name = typeof given === "string" ? given : undefined;
    const isNested = isObject(id) && !Array.isArray(id);
    const lookup = isNested ? ABSENT : await this.#lookUp(id, name);
    if (lookup.status === "active" && mustInject) lookup.mustInject = true;
    return lookup;
  }

  /** Picks the one active session among several IDs, or else a replaced ID. */
  async #choose(extracted: unknown[], name?: string): Promise<Lookup> {
    const accepted = extracted.filter((id): id is string => {
      return typeof id === "string" && this.#backend.accepts(id);
    });
    if (accepted.length > MAX_CANDIDATES) return this.#refuse();
    let best: Lookup = ABSENT;
    for (const id of accepted) {
      const lookup = await this.repository.find(id, name);
      if (lookup.status === "active" && best.status === "active") {
        if (lookup.id !== best.id) return this.#refuse();
        // Two encrypted cookies of one session: after its path was changed, a browser sends both.
        if (lookup.lastAccess > best.lastAccess) best = lookup;
      } else if (lookup.status === "active" || best.status === "absent") best = lookup;
    }
    return best;
  }

  #refuse(): Lookup {
    this.options.emit({
      type: "ambiguous",
      message: "A client presented several ids, of which one could not be told to be its own",
    });
    return { status: "ambiguous" };
  }

  #open(lookup: Lookup): Awaitable<ActiveSession> {
    switch (lookup.status) {
      case "active":
        return this.#openStored(lookup);
      case "absent":
        // An ID that the server did not issue is never adopted.
        return after(this.ids.reserve(), (draw) => this.#openNew(draw));
      case "replaced":
        return this.#openRefusing("replaced", lookup.id);
      case "ambiguous":
        return this.#openRefusing("ambiguous");
    }
  }

  #openStored(stored: LoadedSession): ActiveSession {
    const { id, data, created, readAt } = stored;
    const identity = { id, lastAccess: readAt };
    const workingCopy = new WorkingCopy(data, "writable", identity, this.options.codec);
    return new ActiveSession(this, workingCopy, { created, stored });
  }

  #openNew(draw: () => string): ActiveSession {
    const created = this.repository.now();
    const identity = { id: draw, lastAccess: created };
    const values = { _created: created };
    const workingCopy = new WorkingCopy(values, "writable", identity, this.options.codec);
    return new ActiveSession(this, workingCopy, { created });
  }

  /** An empty session that refuses writes and is never sent to the client. */
  #openRefusing(mode: "replaced" | "ambiguous", replacedBy?: string): ActiveSession {
    const workingCopy: WorkingCopy = new WorkingCopy(
      refusingValues((verb) => refusal(mode, verb), () => workingCopy.destroyReplaced()),
      mode,
    );
    return new ActiveSession(this, workingCopy, { created: 0, replacedBy });
  }

  /** The client's session for reading; `undefined` if it has no active session. */
  async load(scope: Scope): Promise<WorkingCopy | undefined> {
    const lookup = await this.identify(scope);
    if (lookup.status !== "active") return undefined;
    const { id, data, lastAccess } = lookup;
    return this.snapshot(data, { id, lastAccess });
  }

  /** A session for reading. */
  snapshot(data: SessionValues, identity?: SessionIdentity): WorkingCopy {
    const workingCopy = new WorkingCopy(data, "readOnly", identity);
    deepFreeze(workingCopy.materialize());
    return workingCopy;
  }

  /**
   * Changes the session under `id` atomically. If another write comes first, `change` runs again.
   */
  async update(
    id: string,
    change: (data: SessionValues) => unknown,
  ): Promise<WorkingCopy> {
    const lookup = this.#backend.accepts(id) ? await this.repository.find(id) : ABSENT;
    if (lookup.status !== "active") {
      throw new SessionError(
        "ERR_SESSION_INTERRUPTED",
        "Cannot update the session: there is none under this id, or not any more",
      );
    }
    const { codec } = this.options;
    const identity = { id, lastAccess: lookup.readAt };
    const compose = async ({ data, created, subject, text }: LoadedSession) => {
      await change(new WorkingCopy(data, "writable", identity).materialize());
      if (data._regenerated || data._destroyed || data._subject !== subject) {
        throw new TypeError(
          "Cannot update the session: a new id, a new subject or the end of it needs a request",
        );
      }
      return codec.encodeValues(data, created, subject, text);
    };
    // A background job is not a request of the client, so it does not extend the session.
    const countsAsUse = () => false;
    const { text, transport, replaced } = await this.repository.compareAndSwap(
      lookup,
      compose,
      countsAsUse,
    );
    if (transport !== replaced.id) {
      throw new SessionError(
        "ERR_SESSION_STORE",
        "Cannot update the session: it is in its client's cookie, which only a response can change",
      );
    }
    // Decoded from the text that was saved: the objects that `change` wrote stay the caller's.
    return this.snapshot(codec.decode(text)!, identity);
  }

  /** Ends the session that has or once had this ID. */
  async destroy(id: string): Promise<void> {
    if (this.#backend.accepts(id)) await this.repository.endById(id);
  }

  /** All sessions of a subject. */
  sessionsOf(subject: string): SubjectSessions {
    if (typeof subject !== "string" || subject === "") {
      throw new TypeError("Cannot find the sessions: subject must be a string that is not empty");
    }
    const { index } = this.repository;
    if (index !== undefined) return new SubjectSessions(subject, this.repository, index);
    throw new TypeError(
      "Cannot find the sessions of a subject: that takes a VersionedStore, and this store is none",
    );
  }
}
