/** One request's session, and its commit when the response starts. */
import { after, type Awaitable } from "../base/awaitable.ts";
import { encodeEmptySession } from "../base/record_text.ts";
import type { WorkingCopy } from "../data/working_copy.ts";
import { SessionError } from "../errors.ts";
import type { HeaderPair } from "../pagi.ts";
import type { IdSource } from "./id_source.ts";
import type { LoadedSession } from "./lookup.ts";
import type { ResolvedOptions } from "./options.ts";
import type { SessionChange, SessionRepository } from "./repository.ts";

/** The parts that all sessions of one middleware share. */
export interface SharedParts {
  readonly options: ResolvedOptions;
  readonly repository: SessionRepository;
  readonly ids: IdSource;
}

/** The session behind a working copy. */
export interface SessionOrigin {
  /** When the session was created, in Unix seconds. */
  readonly created: number;
  /** The stored session; `undefined` if the session is new. */
  readonly stored?: LoadedSession;
  /** The ID that the session has now, if the client sent an older one. */
  readonly replacedBy?: string;
}

/**
 * The action of a commit:
 * - `none`: nothing.
 * - `destroyed`: ends the session and clears it at the client.
 * - `created`: writes a new record.
 * - `rotated`: moves the record to a new ID.
 * - `changed`: writes the changes into the record.
 * - `touched`: notes that the session was used.
 */
type Outcome =
  | { kind: "none" | "destroyed" }
  | { kind: "created"; id: string; change: SessionChange }
  | { kind: "rotated"; stored: LoadedSession; id: string; change: SessionChange }
  | { kind: "changed"; stored: LoadedSession; change: SessionChange }
  | { kind: "touched"; stored: LoadedSession };

const NONE: Outcome = { kind: "none" };

/** One request's session, from the beginning of the request to the commit. */
export class ActiveSession {
  /** The session's values, for the `Session` object. */
  readonly workingCopy: WorkingCopy;
  readonly #options: ResolvedOptions;
  readonly #repository: SessionRepository;
  readonly #ids: IdSource;
  readonly #created: number;
  readonly #stored: LoadedSession | undefined;
  readonly #replacedBy: string | undefined;
  #isDone = false;

  constructor(parts: SharedParts, workingCopy: WorkingCopy, origin: SessionOrigin) {
    this.#options = parts.options;
    this.#repository = parts.repository;
    this.#ids = parts.ids;
    this.workingCopy = workingCopy;
    this.#created = origin.created;
    this.#stored = origin.stored;
    this.#replacedBy = origin.replacedBy;
  }

  /** The request headers on which the response depends, if the handler used the session. */
  get vary(): readonly string[] {
    return this.workingCopy.isAccessed ? this.#options.state.vary ?? [] : [];
  }

  /**
   * Saves the request's changes, and adds the headers for the client to `headers`. A second call
   * does nothing.
   *
   * @param cacheControl Returns the response's own Cache-Control, if it has one.
   */
  commit(headers: HeaderPair[], cacheControl: () => string | undefined): Awaitable<void> {
    if (this.#isDone) return;
    this.#isDone = true;
    // Most requests only read. For them the outcome is always "none", so it is not computed.
    if (this.#isReadOnly()) return this.workingCopy.close();
    const before = headers.length;
    const saved = this.#needsNewId()
      ? after(this.#ids.next(), (newId) => this.#save(headers, newId))
      : this.#save(headers);
    return after(saved, () => {
      if (headers.length > before) this.#protectFromCaches(headers, cacheControl());
    });
  }

  /** Carries out the outcome. Nothing is awaited between reading the values and freezing them. */
  #save(headers: HeaderPair[], newId?: string): Awaitable<void> {
    const { state } = this.#options;
    const outcome = this.#decide(newId);
    this.workingCopy.close();
    let transport: Awaitable<string | undefined>;
    switch (outcome.kind) {
      case "none":
        break;
      case "destroyed":
        return this.#destroy().then(() => state.clear?.(headers));
      case "created":
        transport = this.#repository.create(outcome.id, this.#created, outcome.change);
        break;
      case "rotated":
        transport = this.#repository.rotate(outcome.stored, outcome.id, outcome.change);
        break;
      case "changed":
        transport = this.#repository.save(outcome.stored, outcome.change);
        break;
      case "touched":
        transport = this.#touch(outcome.stored);
        break;
    }
    return after(transport, (transport) => {
      if (newId !== undefined) this.workingCopy.rename(newId);
      if (transport === undefined) return;
      const expire = this.#repository.remaining(this.#created, this.workingCopy.lastAccess);
      state.inject(headers, transport, { expire });
    });
  }

  #decide(newId?: string): Outcome {
    const { workingCopy } = this;
    const stored = this.#stored;
    if (this.#isDestroyed()) return { kind: "destroyed" };
    if (workingCopy.mode !== "writable") return NONE;
    const change = this.#capture();
    if (stored === undefined) {
      const isEmpty = change.text === encodeEmptySession(this.#created);
      if (isEmpty && !this.#options.saveUninitialized) return NONE;
      return { kind: "created", id: newId ?? workingCopy.recordId, change };
    }
    if (newId !== undefined) return { kind: "rotated", stored, id: newId, change };
    if (this.#repository.isChanged(stored, change)) return { kind: "changed", stored, change };
    return this.#repository.isTouchDue(stored) ? { kind: "touched", stored } : NONE;
  }

  /** The request's changes as text, so that later changes are not part of them. */
  #capture(): SessionChange {
    const { workingCopy } = this;
    const stored = this.#stored;
    const { data, updates, isCleared, maybeDirty, codec } = workingCopy;
    if (!maybeDirty) {
      const text = stored?.text ?? encodeEmptySession(this.#created);
      return { text, subject: stored?.subject, updates, isCleared };
    }
    const subject = data._subject;
    if (subject !== undefined && typeof subject !== "string") {
      throw new TypeError("Cannot save the session: _subject must be a string");
    }
    const text = codec.encodeSession(workingCopy, this.#created, stored?.text);
    return { text, subject, updates, isCleared };
  }

  #protectFromCaches(headers: HeaderPair[], cacheControl: string | undefined): void {
    if (cacheControl === undefined) headers.push(["cache-control", "no-store"]);
    else if (isShareable(cacheControl)) {
      this.#options.emit({
        type: "public-response",
        message:
          "A session id was sent with a Cache-Control that lets shared caches keep it and hand it on",
      });
    }
  }

  /**
   * Ends the request without saving, because the handler threw. A `destroy()` still takes effect.
   */
  async abort(): Promise<void> {
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

  async #destroy(): Promise<void> {
    try {
      await this.#end();
    } catch (cause) {
      const headers: HeaderPair[] = [];
      this.#options.state.clear?.(headers);
      if (headers.length > 0) headers.push(["cache-control", "no-store"]);
      throw new SessionError(
        "ERR_SESSION_STORE",
        "Cannot end the session: the store failed, so it may still be alive",
        { cause, headers },
      );
    }
  }

  async #end(): Promise<void> {
    if (this.#stored !== undefined) await this.#repository.end(this.#stored);
    else if (this.#replacedBy !== undefined) await this.#repository.endById(this.#replacedBy);
  }

  async #touch(stored: LoadedSession): Promise<string | undefined> {
    try {
      const transport = await this.#repository.touch(stored);
      return this.#options.rolling || stored.mustInject ? transport : undefined;
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
    const { maybeDirty, isDestroyed } = this.workingCopy;
    if (maybeDirty || isDestroyed) return false;
    return this.#stored === undefined
      ? !this.#options.saveUninitialized
      : !this.#repository.isTouchDue(this.#stored);
  }

  #isDestroyed(): boolean {
    return this.workingCopy.isDestroyed || Boolean(this.workingCopy.data._destroyed);
  }

  #needsNewId(): boolean {
    const { data } = this.workingCopy;
    return Boolean(data._regenerated) ||
      (this.#stored !== undefined && this.#stored.subject !== data._subject);
  }
}

/**
 * Whether a shared cache may store the response (RFC 9111, section 3). Set-Cookie does not prevent
 * it.
 */
function isShareable(cacheControl: string): boolean {
  return /\b(public|s-maxage)\b/i.test(cacheControl) ||
    !/\b(private|no-store|no-cache)\b/i.test(cacheControl);
}
