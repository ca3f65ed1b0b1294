/** All sessions of one subject: lists them and ends them. */
import { mapConcurrently } from "../../base/concurrently.ts";
import { sha256 } from "../../base/sha256.ts";
import { SessionError } from "../../errors.ts";
import type { SessionRecord } from "../backend/backend.ts";
import type { LoadedSession } from "../lookup.ts";
import type { SessionRepository } from "../repository.ts";
import { isSessionOf } from "./index_entries.ts";
import type { PlacedEntry, SubjectIndex } from "./subject_index.ts";

/** Digits of a hash that stands for a session. */
const HASH_DIGITS = 32;

/** A session of the subject. */
export interface SubjectSession {
  /** Stands for the session's key, which must not be shown. */
  hash: string;
  session: LoadedSession;
  /** Whether it is the session that asks. */
  isCurrent: boolean;
}

/** The sessions of one subject. */
export class SubjectSessions {
  readonly #subject: string;
  readonly #repository: SessionRepository;
  readonly #index: SubjectIndex;

  constructor(subject: string, repository: SessionRepository, index: SubjectIndex) {
    this.#subject = subject;
    this.#repository = repository;
    this.#index = index;
  }

  /**
   * The active sessions, the last used first.
   *
   * @param current An ID that the session which asks has or once had.
   */
  async list(current?: string): Promise<SubjectSession[]> {
    const currentKey = current && this.#repository.keyOf(current);
    const keys = await mapConcurrently(
      await this.#index.list(this.#subject),
      (entry) => this.#unseal(entry),
    );
    // A session may have several entries.
    const found = await mapConcurrently([...new Set(keys)], async (key) => {
      const session = key === undefined ? undefined : await this.#repository.findByKey(key);
      if (session?.status !== "active" || session.subject !== this.#subject) return undefined;
      return { hash: await hashOf(session.key), session, isCurrent: key === currentKey };
    });
    return found.filter((one) => one !== undefined)
      .sort((a, b) => b.session.lastAccess - a.session.lastAccess);
  }

  /**
   * The session's key in an entry; `undefined` if it cannot be decrypted but is too old to matter.
   *
   * @throws {SessionError} `ERR_SESSION_STORE` if it cannot be decrypted and may be an active
   * session's.
   */
  async #unseal(entry: PlacedEntry): Promise<string | undefined> {
    const key = await this.#index.unseal(this.#subject, entry);
    if (key !== undefined || this.#index.entries.isPast(entry)) return key;
    throw new SessionError(
      "ERR_SESSION_STORE",
      "Cannot tell which sessions the subject has: some were listed under another secret (give " +
        "every process the same, and after a change the old one as a second), or the list is damaged",
    );
  }

  /** Ends the session that `list` shows under `hash`. Resolves to whether there was one. */
  async end(hash: string): Promise<boolean> {
    const listed = (await this.list()).find((one) => one.hash === hash);
    return listed !== undefined &&
      await this.#repository.endByKey(listed.session.key, (record) => this.#isOurs(record));
  }

  /**
   * Ends all sessions but one. It first bumps the generation, so that no session in progress is
   * written any more; then it ends the sessions in the index; only then it removes their entries.
   * So a call that was interrupted can be repeated. Resolves to how many sessions there were.
   *
   * @param kept An ID that the session which stays has or once had.
   * @throws {SessionError} `ERR_SESSION_STORE` if not all of them could be ended.
   */
  async endAll(kept: string | undefined): Promise<number> {
    const keptKey = kept && this.#repository.keyOf(kept);
    let before = 0;
    let entries: readonly PlacedEntry[];
    try {
      entries = await this.#index.bumpGeneration(this.#subject);
    } catch {
      // A store that is full refuses to write. It may have room when sessions have ended.
      const listed = await this.#index.list(this.#subject);
      const { count, failures } = await this.#endListed(listed, keptKey);
      before = count;
      entries = await this.#bumpAgain(failures.length);
    }
    const { count, ended, failures } = await this.#endListed(entries, keptKey);
    await this.#repository.removeFromIndex(() => this.#index.remove(ended));
    if (failures.length > 0) throw failures[0];
    return before + count;
  }

  /** @param remaining How many of the listed sessions could not be ended. */
  async #bumpAgain(remaining: number): Promise<readonly PlacedEntry[]> {
    try {
      return await this.#index.bumpGeneration(this.#subject);
    } catch (cause) {
      throw new SessionError(
        "ERR_SESSION_STORE",
        `Cannot end all sessions of the subject: ${remaining} of those listed remain, and the ` +
          "store has no room to refuse a sign-in in progress. Give it room, and call again",
        { cause },
      );
    }
  }

  /** Ends the sessions of these entries, except one. An error does not stop it. */
  async #endListed(
    entries: readonly PlacedEntry[],
    keptKey: string | undefined,
  ): Promise<{ count: number; ended: readonly PlacedEntry[]; failures: readonly unknown[] }> {
    const ended: PlacedEntry[] = [];
    const failures: unknown[] = [];
    const isOurs = (record: SessionRecord) => this.#isOurs(record);
    let count = 0;
    await mapConcurrently(entries, async (entry) => {
      try {
        const key = await this.#unseal(entry);
        if (key !== undefined && key === keptKey) return;
        const isEnded = key !== undefined && await this.#repository.endListed(key, isOurs);
        if (isEnded) count++;
        // A sign-in may be about to write the session. If it began after the bump, it is not
        // refused, and the session needs its entry.
        if (isEnded || !this.#index.entries.mayBeUnwritten(entry)) ended.push(entry);
      } catch (error) {
        failures.push(error);
      }
    });
    return { count, ended, failures };
  }

  /** False if the session has been given to another subject in the meantime. */
  #isOurs(record: SessionRecord): boolean {
    return isSessionOf(this.#subject, record);
  }
}

async function hashOf(key: string): Promise<string> {
  return (await sha256(`@pagi/session listed ${key}`)).slice(0, HASH_DIGITS);
}
