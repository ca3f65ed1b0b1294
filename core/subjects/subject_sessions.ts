/** All sessions of one subject: lists them and ends them. */
import { sha256 } from "../../base/sha256.ts";
import { SessionError } from "../../errors.ts";
import type { SessionRecord } from "../backend/backend.ts";
import type { LoadedSession } from "../lookup.ts";
import type { SessionRepository } from "../repository.ts";
import { type IndexEntry, indexKeyOf, isSessionOf, type SubjectIndex } from "./subject_index.ts";

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
  /** The key of the subject's index. */
  readonly #key: Promise<string>;
  readonly #repository: SessionRepository;
  readonly #index: SubjectIndex;

  constructor(subject: string, repository: SessionRepository, index: SubjectIndex) {
    this.#subject = subject;
    this.#key = indexKeyOf(subject);
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
    const found = new Map<string, SubjectSession>();
    for (const entry of await this.#index.list(await this.#key)) {
      const key = await this.#unseal(entry);
      // A session that has been used for a long time has several entries.
      if (key === undefined || found.has(key)) continue;
      const session = await this.#repository.findByKey(key);
      if (session.status !== "active" || session.subject !== this.#subject) continue;
      found.set(key, { hash: await hashOf(key), session, isCurrent: key === currentKey });
    }
    return [...found.values()].sort((a, b) => b.session.lastAccess - a.session.lastAccess);
  }

  /**
   * The session's key in an entry; `undefined` if it cannot be decrypted but is too old to matter.
   *
   * @throws {SessionError} `ERR_SESSION_STORE` if it cannot be decrypted and may be an active
   * session's.
   */
  async #unseal(entry: IndexEntry): Promise<string | undefined> {
    const key = await this.#index.unseal(await this.#key, entry);
    if (key !== undefined || this.#index.isPast(entry)) return key;
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
    const key = await this.#key;
    const keptKey = kept && this.#repository.keyOf(kept);
    let before = 0;
    let entries: readonly IndexEntry[];
    try {
      entries = await this.#index.bumpGeneration(key);
    } catch {
      // A store that is full refuses to write. It may have room when sessions have ended.
      const { count, failures } = await this.#endListed(await this.#index.list(key), keptKey);
      before = count;
      entries = await this.#bumpAgain(failures.length);
    }
    const { count, ended, failures } = await this.#endListed(entries, keptKey);
    await this.#index.remove(key, ended);
    if (failures.length > 0) throw failures[0];
    return before + count;
  }

  /** @param remaining How many of the listed sessions could not be ended. */
  async #bumpAgain(remaining: number): Promise<readonly IndexEntry[]> {
    try {
      return await this.#index.bumpGeneration(await this.#key);
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
    entries: readonly IndexEntry[],
    keptKey: string | undefined,
  ): Promise<{ count: number; ended: readonly IndexEntry[]; failures: readonly unknown[] }> {
    const ended: IndexEntry[] = [];
    const failures: unknown[] = [];
    const isOurs = (record: SessionRecord) => this.#isOurs(record);
    let count = 0;
    for (const entry of entries) {
      try {
        const key = await this.#unseal(entry);
        if (key !== undefined && key === keptKey) continue;
        if (key !== undefined && await this.#repository.endByKey(key, isOurs)) count++;
        ended.push(entry);
      } catch (error) {
        failures.push(error);
      }
    }
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
