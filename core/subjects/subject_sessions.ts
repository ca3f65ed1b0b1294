/** All sessions of one subject: to be shown to whom they belong, and to be ended. */
import { decodeSession } from "../../base/record_text.ts";
import { sha256 } from "../../base/sha256.ts";
import type { LiveRecord } from "../lookup.ts";
import type { SessionRecords } from "../repository.ts";
import type { KeyedRecord } from "../backend/backend.ts";
import { type Entry, keyOf, type SubjectIndex } from "./subject_index.ts";
import { SessionError } from "../../errors.ts";

/** Digits of a hash; no two of a user's sessions share so many. */
const HASH_DIGITS = 32;

/** A session of the subject. */
export interface Member {
  /** What it is called where its id must not be seen. */
  hash: string;
  record: LiveRecord;
  /** Whether it is the one that asks. */
  isCurrent: boolean;
}

/** The sessions of one subject. */
export class SubjectSessions {
  readonly #subject: string;
  /** Of the subject's list. */
  readonly #key: Promise<string>;
  readonly #records: SessionRecords;
  readonly #index: SubjectIndex;

  constructor(subject: string, records: SessionRecords, index: SubjectIndex) {
    this.#subject = subject;
    this.#key = keyOf(subject);
    this.#records = records;
    this.#index = index;
  }

  /**
   * Those that are alive, the last used first.
   *
   * @param current The id of the one that asks, which may have got another meanwhile.
   */
  async list(current?: string): Promise<Member[]> {
    const currentId = current && (await this.#records.follow(current))?.id;
    const members = new Map<string, Member>();
    for (const entry of await this.#index.list(await this.#key)) {
      const id = await this.#open(entry);
      const found = this.#records.examine(id === undefined ? id : await this.#records.follow(id));
      // A session that was rotated or used for long is listed more than once.
      if (found.kind !== "live" || found.subject !== this.#subject || members.has(found.id)) {
        continue;
      }
      const hash = await hashOf(found.id);
      members.set(found.id, { hash, record: found, isCurrent: found.id === currentId });
    }
    return [...members.values()].sort((a, b) => b.record.lastAccess - a.record.lastAccess);
  }

  /** Strikes off what is no session of the subject's any more, and what is listed again. */
  async tidy(): Promise<void> {
    const seen = new Set<string>();
    const gone: Entry[] = [];
    for (const entry of (await this.#index.list(await this.#key)).toReversed()) {
      if (this.#index.isFresh(entry)) continue;
      const id = await this.#index.open(await this.#key, entry);
      if (id === undefined && !this.#index.isPast(entry)) continue;
      const record = id === undefined ? undefined : await this.#records.follow(id);
      if (record === undefined || !this.#isOurs(record) || seen.has(record.id)) gone.push(entry);
      else seen.add(record.id);
    }
    await this.#index.remove(await this.#key, gone);
  }

  /**
   * The id of an entry; undefined when it cannot be opened and does not matter.
   *
   * @throws {SessionError} `ERR_SESSION_STORE` when it cannot be opened and may be a live session's.
   */
  async #open(entry: Entry): Promise<string | undefined> {
    const id = await this.#index.open(await this.#key, entry);
    if (id !== undefined || this.#index.isPast(entry)) return id;
    throw new SessionError(
      "ERR_SESSION_STORE",
      "Cannot tell which sessions the subject has: some were listed under another secret (give " +
        "every process the same, and after a change the old one as a second), or the list is damaged",
    );
  }

  /** Ends the one that `list` calls `hash`; whether there was one. */
  async end(hash: string): Promise<boolean> {
    const member = (await this.list()).find((member) => member.hash === hash);
    return member !== undefined &&
      await this.#records.endById(member.record.id, (record) => this.#isOurs(record));
  }

  /**
   * Ends all but the one under `kept`. First nothing more is written under the ids that are listed,
   * then what stands under them goes, and only then they are struck off: who is stopped half-way can
   * do it again. Resolves to how many there were.
   */
  async endAll(kept: string | undefined): Promise<number> {
    const entries = await this.#index.raise(await this.#key);
    const keptId = kept === undefined ? undefined : (await this.#records.follow(kept))?.id;
    const gone: Entry[] = [];
    let count = 0;
    let failure: unknown;
    for (const entry of entries) {
      try {
        const id = await this.#open(entry);
        let isKept = false;
        const isMeant = (record: KeyedRecord) => {
          isKept = record.id === keptId;
          return !isKept && this.#isOurs(record);
        };
        if (id !== undefined && await this.#records.endById(id, isMeant)) count++;
        if (!isKept) gone.push(entry);
      } catch (error) {
        // The others first.
        failure ??= error;
      }
    }
    await this.#index.remove(await this.#key, gone);
    if (failure !== undefined) throw failure;
    return count;
  }

  /** Whether it has not been given to somebody else meanwhile. */
  #isOurs({ text }: KeyedRecord): boolean {
    return decodeSession(text)?._subject === this.#subject;
  }
}

async function hashOf(id: string): Promise<string> {
  return (await sha256(`@pagi/session listed ${id}`)).slice(0, HASH_DIGITS);
}
