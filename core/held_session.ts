/** A session that the server holds while a connection is open, after its request or without one. */
import type { SessionLifetime } from "../base/lifetime.ts";
import type { SessionLink } from "../data/session_link.ts";
import { refusal, type SessionLineage, type WorkingCopy } from "../data/working_copy.ts";
import { SessionError } from "../errors.ts";
import { type LoadedSession, type Lookup, NONE } from "./lookup.ts";
import type { SessionRepository } from "./repository.ts";
import type { CurrentSession } from "./session_writer.ts";

const CSRF_VERB = "make a CSRF token for a session that is not stored";
/** The most attempts to update the last-access time, if other writes come first. */
const MAX_TOUCHES = 3;

/** The stored session that the values come from. */
type SessionBase = Pick<LoadedSession, "header" | "created" | "lastAccess">;

/** The rules behind a session that was loaded for reading, or whose request is over. */
export class HeldSession implements SessionLink {
  readonly #repository: SessionRepository;
  readonly #workingCopy: WorkingCopy;
  readonly isExplicit: boolean;
  #base: SessionBase | undefined;
  /** Whether the store was asked. Then the lifetime and the end are those that it had. */
  isNoted = false;
  /** Until when the store need not be asked again, in Unix seconds. */
  #quietUntil = -Infinity;
  #pending: Promise<boolean> | undefined;

  /**
   * @param isExplicit Whether the client's own code adds the ID to each request.
   * @param base The stored session that the values come from.
   */
  constructor(
    repository: SessionRepository,
    workingCopy: WorkingCopy,
    isExplicit: boolean,
    base?: SessionBase,
  ) {
    this.isExplicit = isExplicit;
    this.#repository = repository;
    this.#workingCopy = workingCopy;
    this.#base = base;
  }

  /** The lifetime that the session had when it was loaded or last touched. */
  get lifetime(): SessionLifetime | undefined {
    return this.#base?.header.lifetime;
  }

  /** By the time at which the session was last used when it was loaded or last touched. */
  get expiresAt(): number | undefined {
    if (this.#base === undefined) return undefined;
    const { header, created, lastAccess } = this.#base;
    return lastAccess + this.#repository.remaining(header, created, lastAccess);
  }

  /** Only a response can show messages. */
  get messages(): readonly string[] {
    return [];
  }

  /** It was loaded for reading, so there is nothing to save. */
  save(): Promise<never> {
    return Promise.reject(refusal("readOnly", "save"));
  }

  touch(): Promise<boolean> {
    if (this.#repository.now() < this.#quietUntil) return Promise.resolve(true);
    // The messages of a connection may come faster than the store answers.
    this.#pending ??= this.#touch().finally(() => this.#pending = undefined);
    return this.#pending;
  }

  csrfToken(): string {
    const { stored } = this.#workingCopy;
    if (stored === undefined) throw refusal("readOnly", CSRF_VERB);
    return this.#repository.csrfTokens.make(this.#repository.csrfBindingOf(stored));
  }

  isCsrfToken(text: string): boolean {
    const { stored } = this.#workingCopy;
    return stored !== undefined &&
      this.#repository.csrfTokens.matches(text, this.#repository.csrfBindingOf(stored));
  }

  async #touch(): Promise<boolean> {
    if (this.#repository.isWithClient && this.#workingCopy.absence === undefined) {
      throw new SessionError(
        "ERR_SESSION_STORE",
        "Cannot touch the session: it is in its client's cookie, which only a response can change",
      );
    }
    for (let tries = MAX_TOUCHES; tries > 0; tries--) {
      const current = await findHeld(this.#repository, this.#workingCopy);
      this.#base = current;
      this.isNoted = true;
      if (current === undefined) return false;
      const now = this.#repository.now();
      const interval = this.#repository.touchInterval(current);
      this.#quietUntil = current.lastAccess + interval;
      if (!this.#repository.isTouchDue(current, now)) return true;
      if (await this.#repository.touchHeld(current)) {
        this.#quietUntil = now + interval;
        this.#base = { ...current, lastAccess: Math.max(now, current.lastAccess) };
        return true;
      }
    }
    return true;
  }
}

/** The session as it is stored, unless it has ended or somebody else has signed in since. */
export async function findHeld(
  repository: SessionRepository,
  { lineage, id, absence }: WorkingCopy,
): Promise<LoadedSession | undefined> {
  if (absence !== undefined) return undefined;
  // A store that cannot compare versions knows the session by its ID only.
  const found: Lookup = lineage !== undefined
    ? await repository.findByKey(lineage.key)
    : id !== undefined
    ? await repository.find(id)
    : NONE;
  if (found.status !== "active") return undefined;
  return lineage === undefined || isFollowed(lineage, found) ? found : undefined;
}

/** Whether a session that was held since this lineage may follow to what it has become. */
export function isFollowed(
  { header: { regenerations, subjectChanges } }: SessionLineage,
  { header, subject }: CurrentSession,
): boolean {
  return header.subjectChanges === subjectChanges &&
    (subject !== undefined || header.regenerations === regenerations);
}
