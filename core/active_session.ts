/** One request's session, and its commit when the response starts. */
import { after, type Awaitable, isPromise } from "../base/awaitable.ts";
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
  readonly #parts: SharedParts;
  readonly #origin: SessionOrigin;
  #isDone = false;

  constructor(parts: SharedParts, workingCopy: WorkingCopy, origin: SessionOrigin) {
    this.#parts = parts;
    this.workingCopy = workingCopy;
    this.#origin = origin;
  }

  /** The request headers on which the response depends, if the handler used the session. */
  get vary(): readonly string[] {
    return this.workingCopy.isAccessed ? this.#parts.options.state.vary ?? [] : [];
  }

  /**
   * Saves the request's changes, and adds the headers for the client to `headers`. A second call does
   * nothing.
   *
   * @param cacheControl Returns the response's own Cache-Control, if it has one.
   */
  commit(headers: HeaderPair[], cacheControl: () => string | undefined): Awaitable<void> {
    if (this.#isDone) return;
    this.#isDone = true;
    // Most requests only read. Detecting that here saves them the rest of this class.
    if (this.#isReadOnly()) return this.workingCopy.close();
    if (this.#needsNewId()) {
      return after(this.#parts.ids.next(), (id) => this.#commit(headers, cacheControl, id));
    }
    return this.#commit(headers, cacheControl, undefined);
  }

  /** Carries out the outcome. Nothing is awaited between reading the values and freezing them. */
  #commit(
    headers: HeaderPair[],
    cacheControl: () => string | undefined,
    newId: string | undefined,
  ): Awaitable<void> {
    const { repository } = this.#parts;
    const outcome = this.#decide(newId);
    this.workingCopy.close();
    let transport: Awaitable<string | undefined>;
    switch (outcome.kind) {
      case "none":
        break;
      case "destroyed":
        return this.#destroy().then(() => this.#clearClient(headers, cacheControl));
      case "created":
        transport = repository.create(outcome.id, this.#origin.created, outcome.change);
        break;
      case "rotated":
        transport = repository.rotate(outcome.stored, outcome.id, outcome.change);
        break;
      case "changed":
        transport = repository.save(outcome.stored, outcome.change);
        break;
      case "touched":
        transport = this.#touch(outcome.stored);
        break;
    }
    return isPromise(transport)
      ? transport.then((value) => this.#informClient(value, newId, headers, cacheControl))
      : this.#informClient(transport, newId, headers, cacheControl);
  }

  #decide(newId: string | undefined): Outcome {
    const { workingCopy } = this;
    const { repository, options } = this.#parts;
    const { stored, created } = this.#origin;
    if (this.#isDestroyed()) return { kind: "destroyed" };
    if (workingCopy.mode !== "writable") return NONE;
    const change = this.#capture();
    if (stored === undefined) {
      const isEmpty = change.text === encodeEmptySession(created);
      if (isEmpty && !options.saveUninitialized) return NONE;
      return { kind: "created", id: newId ?? workingCopy.recordId, change };
    }
    if (newId !== undefined) return { kind: "rotated", stored, id: newId, change };
    if (repository.isChanged(stored, change)) return { kind: "changed", stored, change };
    return repository.isTouchDue(stored) ? { kind: "touched", stored } : NONE;
  }

  /** The request's changes as text, so that later changes are not part of them. */
  #capture(): SessionChange {
    const { workingCopy } = this;
    const { stored, created } = this.#origin;
    const { data, updates, isCleared, maybeDirty, codec } = workingCopy;
    if (!maybeDirty) {
      const text = stored?.text ?? encodeEmptySession(created);
      return { text, subject: stored?.subject, updates, isCleared };
    }
    const subject = data._subject;
    if (subject !== undefined && typeof subject !== "string") {
      throw new TypeError("Cannot save the session: _subject must be a string");
    }
    const text = codec.encodeSession(workingCopy, created, stored?.text);
    return { text, subject, updates, isCleared };
  }

  #informClient(
    transport: string | undefined,
    newId: string | undefined,
    headers: HeaderPair[],
    cacheControl: () => string | undefined,
  ): void {
    if (newId !== undefined) this.workingCopy.rename(newId);
    if (transport === undefined) return;
    const { repository, options } = this.#parts;
    const expire = repository.remaining(this.#origin.created, this.workingCopy.lastAccess);
    const before = headers.length;
    options.state.inject(headers, transport, { expire });
    if (headers.length > before) this.#protectFromCaches(headers, cacheControl());
  }

  #clearClient(headers: HeaderPair[], cacheControl: () => string | undefined): void {
    const before = headers.length;
    this.#parts.options.state.clear?.(headers);
    if (headers.length > before) this.#protectFromCaches(headers, cacheControl());
  }

  #protectFromCaches(headers: HeaderPair[], cacheControl: string | undefined): void {
    if (cacheControl === undefined) headers.push(["cache-control", "no-store"]);
    else if (isShareable(cacheControl)) {
      this.#parts.options.emit({
        type: "public-response",
        message:
          "A session id was sent with a Cache-Control that lets shared caches keep it and hand it on",
      });
    }
  }

  /** Ends the request without saving, because the handler threw. A `destroy()` still takes effect. */
  async abort(): Promise<void> {
    if (this.#isDone) return;
    this.#isDone = true;
    const isDestroyed = this.#isDestroyed();
    this.workingCopy.close();
    if (!isDestroyed) return;
    try {
      await this.#end();
    } catch (cause) {
      this.#parts.options.emit({
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
      this.#parts.options.state.clear?.(headers);
      if (headers.length > 0) headers.push(["cache-control", "no-store"]);
      throw new SessionError(
        "ERR_SESSION_STORE",
        "Cannot end the session: the store failed, so it may still be alive",
        { cause, headers },
      );
    }
  }

  async #end(): Promise<void> {
    const { repository } = this.#parts;
    const { stored, replacedBy } = this.#origin;
    if (stored !== undefined) await repository.end(stored);
    else if (replacedBy !== undefined) await repository.endById(replacedBy);
  }

  async #touch(stored: LoadedSession): Promise<string | undefined> {
    const { repository, options } = this.#parts;
    try {
      const transport = await repository.touch(stored);
      return options.rolling || stored.mustInject ? transport : undefined;
    } catch (cause) {
      options.emit({
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
    const { repository, options } = this.#parts;
    const { stored } = this.#origin;
    return stored === undefined ? !options.saveUninitialized : !repository.isTouchDue(stored);
  }

  #isDestroyed(): boolean {
    return this.workingCopy.isDestroyed || Boolean(this.workingCopy.data._destroyed);
  }

  #needsNewId(): boolean {
    const { data } = this.workingCopy;
    const { stored } = this.#origin;
    return Boolean(data._regenerated) || (stored !== undefined && stored.subject !== data._subject);
  }
}

/** Whether a shared cache may store the response (RFC 9111, section 3). Set-Cookie does not prevent it. */
function isShareable(cacheControl: string): boolean {
  return /\b(public|s-maxage)\b/i.test(cacheControl) ||
    !/\b(private|no-store|no-cache)\b/i.test(cacheControl);
}
