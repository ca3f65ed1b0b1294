/**
 * The operations on one session's record that races are decided by: compare-and-swap with a merge,
 * rotation, and the end of a session. Everything the guarantees rest on is here; lifecycle says when.
 */
import { after, type Awaitable } from "../base/awaitable.ts";
import { type Intent, isChanged, merge } from "../data/merge.ts";
import type { Settings } from "./options.ts";
import type { KeyedRecord, Lifetime, StoreFace, Written } from "./backend/backend.ts";
import { conflict, interrupted, taken } from "./race_errors.ts";
import { type LiveRecord, MAX_ATTEMPTS, SessionReader } from "./lookup.ts";
import { keyOf, SubjectIndex } from "./subjects/subject_index.ts";
import { isSubjectIndex } from "../base/record_text.ts";
import { SubjectSessions } from "./subjects/subject_sessions.ts";
import { Turns } from "../base/keyed_queue.ts";

/** What a request made of a session, as it was when the request was done with it. */
export interface Change extends Intent {
  text: string;
  subject: string | undefined;
}

/** Makes the text that is to replace a record's. */
type Compose = (current: LiveRecord) => Awaitable<string>;
/** Whether a write counts as a use of the session. */
type IsUsed = (current: LiveRecord) => boolean;

/** A record that was replaced, and by what. */
interface Swapped {
  record: LiveRecord;
  text: string;
  transport: string;
}

/** A subject's list is under a key that anybody can compute. */
const isNoIndex = ({ text }: KeyedRecord) => !isSubjectIndex(text);

/** Seconds that a store keeps a record beyond its end, which is decided here, in whole seconds. */
const TTL_MARGIN = 1;

/** Reads and writes sessions in a store so that no race loses one. */
export class SessionRecords extends SessionReader {
  /** Which sessions a subject has, where the store can say. */
  readonly index: SubjectIndex | undefined;
  readonly #face: StoreFace;
  readonly #settings: Settings;
  readonly #turns: Turns;

  constructor(face: StoreFace, settings: Settings) {
    super(face, settings);
    this.index = face.isVersioned ? new SubjectIndex(face, settings) : undefined;
    this.#face = face;
    this.#settings = settings;
    this.#turns = new Turns(settings.storeTimeout);
  }

  /** Seconds that a session made at `created` and used at `lastAccess` has left from then on. */
  remaining(created: number, lastAccess: number): number {
    const { expire, absoluteExpire } = this.#settings;
    return Math.max(0, Math.min(expire, created + absoluteExpire - lastAccess));
  }

  /** Writes a new session under an id that nobody has. */
  create(id: string, created: number, change: Change): Awaitable<string> {
    return after(this.#insert(id, created, change), ({ transport }) => transport);
  }

  #insert(id: string, created: number, change: Change): Awaitable<Written> {
    return change.subject
      ? this.#insertListed(id, created, change)
      : this.#put(id, created, change);
  }

  async #insertListed(id: string, created: number, change: Change): Promise<Written> {
    const { index } = this;
    if (index === undefined) return await this.#put(id, created, change);
    const { text } = change;
    const subject = change.subject!;
    const key = await keyOf(subject);
    const { epoch, isLong } = await index.add(key, id);
    const written = await this.#put(id, created, change);
    // Who ends all of the subject's sessions between the two has not found this one.
    if (await index.isStill(key, epoch)) {
      if (isLong) await this.#tidy(new SubjectSessions(subject, this, index));
      return written;
    }
    await this.#discard({ id, text, version: written.version, lastAccess: created });
    throw interrupted();
  }

  async #tidy(sessions: SubjectSessions): Promise<void> {
    try {
      await sessions.tidy();
    } catch (cause) {
      this.#settings.emit({
        type: "cleanup-failed",
        message: "A subject's list of sessions could not be tidied; it will be at a later sign-in",
        cause,
      });
    }
  }

  #put(id: string, created: number, { text }: Change): Awaitable<Written> {
    const lifetime = this.#lifetime(created, created, true);
    return after(this.#face.create(id, text, lifetime), (written) => {
      // 256 random bits do not collide: this is a broken generator, or a store that lies.
      if (written === undefined) throw taken();
      return written;
    });
  }

  /** Whether the request changed anything that is kept. */
  isChanged(base: LiveRecord, change: Change): boolean {
    // Nothing of what was there may have been cleared, but what others have added since goes too.
    if (change.isCleared && this.#face.isVersioned) return true;
    return isChanged(base.text, change.text, this.#settings.codec);
  }

  /** Notes the session's use: undefined when it was changed or ended meanwhile, which is as well. */
  touch(record: LiveRecord): Awaitable<string | undefined> {
    const listed = this.#relist(record);
    return after(listed, () => {
      return this.#face.touch(record, this.#lifetime(record.created, record.lastAccess, true));
    });
  }

  /** Lists a session that goes on again, from time to time, before its use is noted. */
  #relist(record: LiveRecord): Awaitable<unknown> {
    const { subject, id } = record;
    const { index } = this;
    if (subject === undefined || !index?.isDue(record)) return undefined;
    return keyOf(subject).then((key) => index.add(key, id));
  }

  /** Whether the last use was noted long enough ago to be noted again: when the request came, or `now`. */
  isDue({ lastAccess, readAt, mustInject }: LiveRecord, now = readAt): boolean {
    // Either way: a clock that was set back must not keep the record from being prolonged.
    return mustInject || Math.abs(now - lastAccess) >= this.#settings.touchInterval;
  }

  /**
   * Puts a request's changes upon what stands in the store. Resolves to what the client is to
   * present, or undefined when it need not be told: it knows the id, and an answer that comes late
   * must not put the id back that a login has replaced meanwhile.
   */
  save(base: LiveRecord, change: Change): Awaitable<string | undefined> {
    const now = this.now();
    const isUsed = (current: LiveRecord) => base.mustInject || this.isDue(current, now);
    const compose = (current: LiveRecord) => this.#compose(base, current, change);
    const listed = isUsed(base) ? this.#relist(base) : undefined;
    const swapped = after(listed, () => this.swap(base, compose, isUsed));
    return after(swapped, ({ record, transport }) => {
      return transport !== base.id || isUsed(record) ? transport : undefined;
    });
  }

  /**
   * Replaces the record by what `compose` makes of it; again with the newer one if another came
   * first.
   *
   * @param isUsed Whether this counts as a use of the session, which prolongs it.
   * @throws {SessionError} `ERR_SESSION_INTERRUPTED` when the session has ended meanwhile.
   */
  swap(record: LiveRecord, compose: Compose, isUsed: IsUsed): Awaitable<Swapped> {
    const swapped = this.#replace(record, compose, isUsed);
    return after(swapped, (swapped) => swapped ?? this.#swapInTurn(record, compose, isUsed));
  }

  /** Those of this process that came too late go one after the other from there on. */
  #swapInTurn(record: LiveRecord, compose: Compose, isUsed: IsUsed): Promise<Swapped> {
    return this.#turns.take(record.id, async () => {
      let current = record;
      for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
        current = await this.#reread(current);
        const swapped = await this.#replace(current, compose, isUsed);
        if (swapped !== undefined) return swapped;
      }
      throw conflict(MAX_ATTEMPTS);
    });
  }

  #replace(
    record: LiveRecord,
    compose: Compose,
    isUsed: IsUsed,
  ): Awaitable<Swapped | undefined> {
    return after(compose(record), (text) => {
      const lifetime = this.#lifetime(record.created, record.lastAccess, isUsed(record));
      const written = this.#face.replace(record, text, lifetime);
      return after(written, (written) => written && { record, text, transport: written.transport });
    });
  }

  /**
   * Moves the session to `newId`. The new record is written first, under an id that nobody has
   * seen; the old one's replacement by a tombstone is the commit.
   *
   * @throws {SessionError} `ERR_SESSION_INTERRUPTED` when the session has ended or moved meanwhile.
   */
  async rotate(base: LiveRecord, newId: string, change: Change): Promise<string> {
    const lifetime = this.#lifetime(base.created, base.lastAccess, true);
    let current = base;
    let written: Written | undefined = await this.#insert(newId, base.created, change);
    const fresh: KeyedRecord = { id: newId, text: "", version: written.version, lastAccess: 0 };
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      // From now, and kept as long as a session: a logout may come later than anything else.
      const tombstone = { ...lifetime, lastAccess: this.now() };
      if (await this.#face.retire(current, newId, tombstone)) return written.transport;
      let text: string;
      try {
        current = await this.#reread(current);
        text = this.#compose(base, current, change);
      } catch (error) {
        await this.#discard(fresh);
        throw error;
      }
      written = await this.#face.replace(fresh, text, lifetime);
      if (written === undefined) throw interrupted();
      fresh.version = written.version;
    }
    await this.#discard(fresh);
    throw conflict(MAX_ATTEMPTS);
  }

  /**
   * Ends the session: deletes its record, under its new id if it has moved. It is ended when this
   * resolves, whoever wrote to it meanwhile.
   */
  async end(record: KeyedRecord): Promise<void> {
    if (!await this.#face.delete(record)) await this.endById(record.id);
  }

  /**
   * Ends the session that stands under `id` or has moved on from there, if it is one that is meant.
   * Resolves to whether there was one.
   */
  async endById(
    id: string,
    isMeant: (record: KeyedRecord) => boolean = isNoIndex,
  ): Promise<boolean> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const record = await this.follow(id);
      if (record === undefined || !isMeant(record)) return false;
      if (await this.#face.delete(record)) return true;
    }
    throw conflict(MAX_ATTEMPTS);
  }

  /** The session as it stands now, after a write of ours came too late. */
  async #reread(record: LiveRecord): Promise<LiveRecord> {
    const found = await this.find(record.id);
    // Another user's session now: what was written for the one must not reach the other.
    if (found.kind !== "live" || found.subject !== record.subject) throw interrupted();
    return found;
  }

  #compose(base: LiveRecord, current: LiveRecord, change: Change): string {
    if (current === base) return change.text;
    const { codec } = this.#settings;
    const merged = merge(base.text, change.text, current.text, change, codec);
    return codec.encodeTree(merged, base.created, change.subject);
  }

  #lifetime(created: number, before: number, isUsed: boolean): Lifetime {
    const now = this.now();
    // Never back: a request that takes long, or a clock, must not shorten the session's life.
    const lastAccess = isUsed ? Math.max(now, before) : before;
    const left = this.remaining(created, now) - (isUsed ? 0 : Math.max(0, now - before));
    return { lastAccess, ttl: Math.max(1, Math.ceil(left)) + TTL_MARGIN };
  }

  async #discard(record: KeyedRecord): Promise<void> {
    try {
      await this.#face.delete(record);
    } catch (cause) {
      this.#settings.emit({
        type: "cleanup-failed",
        message: "A record under an id that no client knows could not be removed; it will expire",
        cause,
      });
    }
  }
}
