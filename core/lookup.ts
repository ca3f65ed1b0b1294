/** Finding out what stands under an id: a session, the way to where it has moved, or nothing. */
import { type Awaitable, isPromise } from "../base/awaitable.ts";
import { decodeTombstone, isSubjectIndex, type SessionValues } from "../base/record_text.ts";
import { conflict } from "./race_errors.ts";
import type { Settings } from "./options.ts";
import type { KeyedRecord, StoreFace } from "./backend/backend.ts";

/** A session that is alive, as it stood in the store. */
export interface LiveRecord extends KeyedRecord {
  kind: "live";
  /** When it was read, in Unix seconds. */
  readAt: number;
  created: number;
  subject: string | undefined;
  /** What the text says; whoever reads the record may change it. */
  data: SessionValues;
  /** Whether the client does not know the id yet: then any write or touch that takes tells it. */
  mustInject: boolean;
}

/** What stands under an id. */
export type Found =
  | LiveRecord
  | { kind: "moved"; id: string }
  | { kind: "absent" };

const ABSENT: Found = { kind: "absent" };
/** How often a write or a delete is tried against others, and an id followed, before it is given up. */
export const MAX_ATTEMPTS = 32;
/** For how long a request under an old id counts as late, in seconds; then it starts a new session. */
const LATE = 60;

/** Reads sessions from a store. */
export class SessionReader {
  readonly #face: StoreFace;
  readonly #settings: Settings;

  constructor(face: StoreFace, settings: Settings) {
    this.#face = face;
    this.#settings = settings;
  }

  /** Now, in Unix seconds. */
  now(): number {
    return Math.floor(this.#settings.now() / 1000);
  }

  /** Looks up what a client presents; under another name than its State's where one is given. */
  find(presented: string, name?: string): Awaitable<Found> {
    const record = this.#face.read(presented, name);
    return isPromise(record) ? record.then((one) => this.examine(one)) : this.examine(record);
  }

  /** What a record is, and whether it counts. */
  examine(record: KeyedRecord | undefined): Found {
    if (record === undefined) return ABSENT;
    const data = this.#settings.codec.decode(record.text);
    if (data === undefined) return this.#findTombstone(record);
    const { expire, absoluteExpire } = this.#settings;
    const created = data._created as number;
    const now = this.now();
    // Not deleted: a request that saves it meanwhile would lose the race. Its ttl removes it.
    if (!(now - record.lastAccess <= expire && now - created <= absoluteExpire)) return ABSENT;
    const { id, text, version, lastAccess } = record;
    const subject = data._subject as string | undefined;
    return {
      kind: "live",
      id,
      text,
      version,
      lastAccess,
      readAt: now,
      created,
      subject,
      data,
      mustInject: false,
    };
  }

  #findTombstone(record: KeyedRecord): Found {
    const id = decodeTombstone(record.id, String(record.text));
    if (id === undefined && isSubjectIndex(record.text)) return ABSENT;
    if (id === undefined) {
      this.#settings.emit({
        type: "record-corrupt",
        message: "The store gave back what is no session; its client is treated as new",
      });
      return ABSENT;
    }
    return this.now() - record.lastAccess > LATE ? ABSENT : { kind: "moved", id };
  }

  /** The record of the session under `id`: behind every tombstone. */
  async follow(id: string): Promise<KeyedRecord | undefined> {
    for (let hop = 0; hop < MAX_ATTEMPTS; hop++) {
      const record = await this.#face.read(id);
      const next = record && decodeTombstone(id, String(record.text));
      if (next === undefined) return record;
      id = next;
    }
    throw conflict(MAX_ATTEMPTS);
  }
}
