/**
 * What happens to a session in a request: every rule once, for every front door. {@linkcode Lifecycle}
 * begins; the {@linkcode Exchange} that it hands out commits (`core/active_session.ts`).
 */
import { after, type Awaitable, isPromise } from "../base/awaitable.ts";
import { isObject, type SessionValues } from "../base/record_text.ts";
import { Control, NewShown, refusal, type Shown } from "../data/working_copy.ts";
import { deepFreeze, refusing } from "../data/session_values.ts";
import { IdSource, isId, isNotEmpty } from "./id_source.ts";
import type { Found } from "./lookup.ts";
import { SessionRecords } from "./repository.ts";
import type { Settings } from "./options.ts";
import { openStore, type StoreFace } from "./backend/backend.ts";
import { SubjectSessions } from "./subjects/subject_sessions.ts";
import { Exchange } from "./active_session.ts";
import { SessionError } from "../errors.ts";
import type { Scope } from "../pagi.ts";
import { MAX_CANDIDATES } from "../base/limits.ts";

/** What a client presents: a session, the old id of one, more than one, or nothing. */
type Presented = Found | { kind: "ambiguous" };

const ABSENT: Found = { kind: "absent" };

/** The rules, with their settings. */
export class Lifecycle {
  readonly settings: Settings;
  readonly records: SessionRecords;
  readonly ids: IdSource;
  readonly #face: StoreFace;

  constructor(settings: Settings) {
    this.settings = settings;
    const { store, storeTimeout, expire, state } = settings;
    this.#face = openStore(store, storeTimeout, expire, state.name);
    this.records = new SessionRecords(this.#face, settings);
    const { secrets: [secret], generateId } = settings;
    const isValid = this.#face.isVersioned ? isId : isNotEmpty;
    this.ids = new IdSource({ secret: secret!, generateId }, isValid);
    const { caveat } = this.#face;
    if (caveat !== undefined) settings.emit({ type: "store-without-guarantees", message: caveat });
  }

  /** Opens the session of an HTTP request: the client's, or a new one. */
  begin(scope: Scope): Awaitable<Exchange> {
    const presented = this.#resolve(scope);
    return isPromise(presented) ? presented.then((one) => this.#open(one)) : this.#open(presented);
  }

  #open(presented: Presented): Awaitable<Exchange> {
    const { codec } = this.settings;
    switch (presented.kind) {
      case "live": {
        const { id, data, created, readAt } = presented;
        const shown = { id, lastAccess: readAt };
        const control = new Control(data, "open", shown, codec);
        return new Exchange(this, control, shown, created, presented);
      }
      case "absent":
        // An id that the server did not issue is never adopted.
        return after(this.ids.reserve(), (draw) => {
          const now = this.records.now();
          const shown = new NewShown(draw, now);
          const control = new Control({ _created: now }, "open", shown, codec);
          return new Exchange(this, control, shown, now);
        });
      case "moved":
      case "ambiguous": {
        // Empty, not to be written to, and never sent.
        const { kind } = presented;
        const control: Control = new Control(
          refusing((verb) => refusal(kind, verb), () => control.destroyLate()),
          kind,
        );
        const id = kind === "moved" ? presented.id : "";
        return new Exchange(this, control, { id, lastAccess: 0 }, 0);
      }
    }
  }

  /** The client's session, to be read and no more; undefined when there is none. */
  async peek(scope: Scope): Promise<Control | undefined> {
    const presented = await this.#resolve(scope);
    if (presented.kind !== "live") return undefined;
    const { id, data, lastAccess } = presented;
    return this.snapshot(data, { id, lastAccess });
  }

  /** A session to be read and no more. */
  snapshot(data: SessionValues, shown?: Shown): Control {
    const control = new Control(data, "snapshot", shown);
    deepFreeze(control.expose());
    return control;
  }

  /** Changes the session under `id` in one step; `change` runs again if another came first. */
  async update(
    id: string,
    change: (data: SessionValues) => unknown,
  ): Promise<Control> {
    const found = this.#face.accepts(id) ? await this.records.find(id) : undefined;
    if (found?.kind !== "live") {
      throw new SessionError(
        "ERR_SESSION_INTERRUPTED",
        "Cannot update the session: there is none under this id, or not any more",
      );
    }
    const { codec } = this.settings;
    const shown = { id, lastAccess: found.readAt };
    const { text, transport, record } = await this.records.swap(
      found,
      async ({ data, created, subject, text }) => {
        await change(new Control(data, "open", shown).expose());
        if (data._regenerated || data._destroyed || data._subject !== subject) {
          throw new TypeError(
            "Cannot update the session: a new id, a new subject or the end of it needs a request",
          );
        }
        return codec.encode(data, created, subject, text);
      },
      // Not the client: a job must not keep its session alive.
      () => false,
    );
    if (transport !== record.id) {
      throw new SessionError(
        "ERR_SESSION_STORE",
        "Cannot update the session: it is in its client's cookie, which only a response can change",
      );
    }
    // What was saved, not what `change` made: its objects stay the caller's.
    return this.snapshot(codec.decode(text)!, shown);
  }

  /** Ends the session under `id`, wherever it has moved. */
  async destroy(id: string): Promise<void> {
    if (this.#face.accepts(id)) await this.records.endById(id);
  }

  /** All sessions of a subject. */
  sessionsOf(subject: string): SubjectSessions {
    if (typeof subject !== "string" || subject === "") {
      throw new TypeError("Cannot find the sessions: subject must be a string that is not empty");
    }
    const { index } = this.records;
    if (index !== undefined) return new SubjectSessions(subject, this.records, index);
    throw new TypeError(
      "Cannot find the sessions of a subject: that takes a VersionedStore, and this store is none",
    );
  }

  #resolve(scope: Scope): Awaitable<Presented> {
    const extracted = this.settings.state.extract(scope);
    return isPromise(extracted)
      ? extracted.then((one) => this.#findExtracted(one))
      : this.#findExtracted(extracted);
  }

  #findExtracted(extracted: unknown): Awaitable<Presented> {
    return isObject(extracted) && !Array.isArray(extracted)
      ? this.#findTranslated(extracted)
      : this.#find(extracted);
  }

  /** The session under an id, or under one of several; a callback may hand on whatever a client wrote. */
  #find(presented: unknown, name?: string): Awaitable<Presented> {
    if (Array.isArray(presented)) return this.#choose([...new Set(presented)], name);
    return typeof presented === "string" && this.#face.accepts(presented)
      ? this.records.find(presented, name)
      : ABSENT;
  }

  /** The session that a State knows from something else. */
  async #findTranslated(
    { id, mustInject, name: given }: Record<string, unknown>,
  ): Promise<Presented> {
    const found = await this.#find(id, typeof given === "string" ? given : undefined);
    if (found.kind === "live" && mustInject) found.mustInject = true;
    return found;
  }

  /** The one live session among several ids; an old id counts where there is none. */
  async #choose(extracted: string[], name?: string): Promise<Presented> {
    const accepted = extracted.filter((id) => typeof id === "string" && this.#face.accepts(id));
    if (accepted.length > MAX_CANDIDATES) return this.#refuse();
    let best: Presented = ABSENT;
    for (const id of accepted) {
      const found = await this.records.find(id, name);
      if (found.kind === "live" && best.kind === "live") {
        if (found.id !== best.id) return this.#refuse();
        // Sealed sessions: where the cookie's path was changed, a browser sends the old value too.
        if (found.lastAccess > best.lastAccess) best = found;
      } else if (found.kind === "live" || best.kind === "absent") best = found;
    }
    return best;
  }

  #refuse(): Presented {
    this.settings.emit({
      type: "ambiguous",
      message: "A client presented several ids, of which one could not be told to be its own",
    });
    return { kind: "ambiguous" };
  }
}
