/**
 * Which sessions a subject has: one record a subject, beside the sessions in their store. Its key is a
 * hash of the subject, and it names the sessions' ids sealed, so that a dump of the store holds none
 * that a server would take.
 *
 * A session is listed before its record is written, and again when it is used in another hour of its
 * age than before. So one that was listed an hour and `expire` ago is not alive, and a list that was
 * lost is whole again after that time. Lists are kept longer, for who comes with a longer `expire`.
 */
import { isSubjectIndex, SUBJECT_INDEX_PREFIX } from "../../base/record_text.ts";
import { sha256 } from "../../base/sha256.ts";
import { conflict } from "../race_errors.ts";
import type { Settings } from "../options.ts";
import type { KeyedRecord, StoreFace } from "../backend/backend.ts";
import { Turns } from "../../base/keyed_queue.ts";
import { TextSeal } from "../../base/text_seal.ts";

/** A session in the list. */
export interface Entry {
  /** Its id, sealed. */
  sealed: string;
  /** When it was listed, in Unix seconds. */
  at: number;
}

/** What stands in a subject's record. */
interface Index {
  /** Another one each time that all of the subject's sessions are ended. */
  epoch: string;
  entries: readonly Entry[];
}

/** How often a change is tried against others before it gives up. */
const MAX_ATTEMPTS = 32;
/** A session that goes on is listed once in so many seconds of its age. */
const RELISTED = 3600;
/** Seconds that the clocks of two servers may be apart, and that one may take from list to record. */
const SKEW = 60;
/** Seconds for which a list is kept at least. */
const KEPT = 7 * 86_400;
/** From so many entries on those are looked for that are no session any more; then at twice as many. */
const MANY = 16;
/** The lists of all subjects, each by its key. */
export class SubjectIndex {
  readonly #face: StoreFace;
  readonly #settings: Settings;
  readonly #seal: TextSeal;
  readonly #turns: Turns;
  /** Seconds for which a listed session can be alive without being listed again. */
  readonly #alive: number;
  /** Seconds for which it stays listed. */
  readonly #kept: number;

  constructor(face: StoreFace, settings: Settings) {
    this.#face = face;
    this.#settings = settings;
    this.#seal = new TextSeal(settings.secrets);
    this.#turns = new Turns(settings.storeTimeout);
    this.#alive = settings.expire + RELISTED + SKEW;
    this.#kept = Math.max(KEPT, 2 * this.#alive);
  }

  /** Whether a session of that age that is used now has to be listed again. */
  isDue({ created, lastAccess }: { created: number; lastAccess: number }): boolean {
    return Math.floor((this.#now() - created) / RELISTED) !==
      Math.floor((lastAccess - created) / RELISTED);
  }

  /** Lists a session. Resolves to the epoch in which it is, and whether the list is to be tidied. */
  async add(key: string, id: string): Promise<{ epoch: string; isLong: boolean }> {
    const entry = { sealed: await this.#seal.seal(sealName(key), id), at: this.#now() };
    const { epoch, entries } = await this.#change(key, ({ epoch, entries }) => ({
      epoch,
      entries: [...entries, entry],
    }));
    return { epoch, isLong: entries.length >= MANY && Number.isInteger(Math.log2(entries.length)) };
  }

  /** Whether nobody has ended all of the subject's sessions since `epoch`. */
  async isStill(key: string, epoch: string): Promise<boolean> {
    const record = await this.#face.read(key);
    return record !== undefined && parse(record.text)?.epoch === epoch;
  }

  /** The sessions that may be alive. */
  async list(key: string): Promise<readonly Entry[]> {
    return this.#examine(await this.#face.read(key)).entries;
  }

  /**
   * Begins another epoch, so that no session is written any more that was listed before and has not
   * been yet. Resolves to those that were listed; they stay, for whoever has to try again.
   */
  async raise(key: string): Promise<readonly Entry[]> {
    const raise = ({ entries }: Index) => ({ epoch: crypto.randomUUID(), entries });
    return (await this.#change(key, raise)).entries;
  }

  /** Takes away what is no live session of the subject's any more. */
  async remove(key: string, ended: readonly Entry[]): Promise<void> {
    const gone = new Set(ended.map(({ sealed }) => sealed));
    await this.#change(key, ({ epoch, entries }) => ({
      epoch,
      entries: entries.filter(({ sealed }) => !gone.has(sealed)),
    }));
  }

  /** Whether its session may be about to be written. */
  isFresh({ at }: Entry): boolean {
    return this.#now() - at <= SKEW;
  }

  /** Whether its session is alive only if it is listed again. */
  isPast({ at }: Entry): boolean {
    return this.#now() - at > this.#alive;
  }

  /** The id of a listed session; undefined when it was not sealed under a secret of ours. */
  async open(key: string, { sealed }: Entry): Promise<string | undefined> {
    return await this.#seal.unseal(sealName(key), sealed);
  }

  #now(): number {
    return Math.floor(this.#settings.now() / 1000);
  }

  /** Reads, changes and writes the list until nobody comes between. */
  async #change(key: string, change: (index: Index) => Index): Promise<Index> {
    return await this.#turns.take(key, async () => {
      for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
        const record = await this.#face.read(key);
        const next = change(this.#examine(record));
        if (await this.#write(key, record, next)) return next;
      }
      throw conflict(MAX_ATTEMPTS);
    });
  }

  async #write(key: string, record: KeyedRecord | undefined, index: Index): Promise<boolean> {
    const text = SUBJECT_INDEX_PREFIX + JSON.stringify(index);
    const lifetime = { lastAccess: this.#now(), ttl: this.#kept };
    const written = record === undefined
      ? await this.#face.create(key, text, lifetime)
      : await this.#face.replace(record, text, lifetime);
    return written !== undefined;
  }

  /** What the record says, without the sessions that cannot be alive. */
  #examine(record: KeyedRecord | undefined): Index {
    if (record === undefined) return { epoch: crypto.randomUUID(), entries: [] };
    const now = this.#now();
    const index = parse(record.text);
    if (index === undefined) {
      this.#settings.emit({
        type: "record-corrupt",
        message: "The store gave back what is no list of a subject's sessions; it is begun anew",
      });
      // Nobody can open it: until whoever was listed is listed again, the list is not whole.
      return { epoch: crypto.randomUUID(), entries: [{ sealed: "", at: now }] };
    }
    return { ...index, entries: index.entries.filter(({ at }) => now - at <= this.#kept) };
  }
}

function parse(text: string): Index | undefined {
  if (!isSubjectIndex(text)) return undefined;
  try {
    const index: Index = JSON.parse(text.slice(SUBJECT_INDEX_PREFIX.length));
    return Array.isArray(index.entries) ? index : undefined;
  } catch {
    return undefined;
  }
}

/** The key of a subject's list. Without the secret: processes that do not share it must notice. */
export function keyOf(subject: string): Promise<string> {
  return sha256(`@pagi/session subject ${subject}`);
}

/** Another name than the record's, whose text a SealedStore may seal under the same secret. */
function sealName(key: string): string {
  return SUBJECT_INDEX_PREFIX + key;
}
