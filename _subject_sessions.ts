/** All sessions of one subject: to be shown to whom they belong, and to be ended. */
import { decode } from "./_codec.ts";
import { sha256 } from "./_digest.ts";
import type { LiveRecord, SessionRecords } from "./_session_records.ts";
import type { KeyedRecord } from "./_store_face.ts";
import type { Entry, SubjectIndex } from "./_subject_index.ts";

/** Digits of a hash; no two of a user's sessions share so many. */
const HASH_DIGITS = 32;

/** A session of the subject. */
export interface Member {
  /** What it is called where its id must not be seen. */
  hash: string;
  record: LiveRecord;
}

/** The sessions of one subject. */
export class SubjectSessions {
  readonly #subject: string;
  readonly #records: SessionRecords;
  readonly #index: SubjectIndex;

  constructor(subject: string, records: SessionRecords, index: SubjectIndex) {
    this.#subject = subject;
    this.#records = records;
    this.#index = index;
  }

  /** Those that are alive, the last used first. */
  async list(): Promise<Member[]> {
    const members = new Map<string, Member>();
    for (const entry of await this.#index.list(this.#subject)) {
      const record = await this.#records.follow(await this.#index.open(this.#subject, entry));
      const found = this.#records.examine(record);
      if (found.kind !== "live" || found.subject !== this.#subject) continue;
      // A session that was rotated or used for long is listed more than once.
      members.set(found.id, { hash: await hashOf(found.id), record: found });
    }
    return [...members.values()].sort((a, b) => b.record.lastAccess - a.record.lastAccess);
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
    const entries = await this.#index.raise(this.#subject);
    const keptId = kept === undefined ? undefined : (await this.#records.follow(kept))?.id;
    const gone: Entry[] = [];
    let count = 0;
    let failure: unknown;
    for (const entry of entries) {
      try {
        const id = await this.#index.open(this.#subject, entry);
        let isKept = false;
        const isMeant = (record: KeyedRecord) => {
          isKept = record.id === keptId;
          return !isKept && this.#isOurs(record);
        };
        if (await this.#records.endById(id, isMeant)) count++;
        if (!isKept) gone.push(entry);
      } catch (error) {
        // The others first.
        failure ??= error;
      }
    }
    await this.#index.remove(this.#subject, gone);
    if (failure !== undefined) throw failure;
    return count;
  }

  /** Whether it has not been given to somebody else meanwhile. */
  #isOurs({ text }: KeyedRecord): boolean {
    return decode(text)?._subject === this.#subject;
  }
}

async function hashOf(id: string): Promise<string> {
  return (await sha256(`@pagi/session listed ${id}`)).slice(0, HASH_DIGITS);
}
