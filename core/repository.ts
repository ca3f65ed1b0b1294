/**
 * The operations on one session's record that decide races: compare-and-swap with a merge,
 * rotation, and the end of a session. All guarantees rest on this file. `lifecycle.ts` and
 * `active_session.ts` decide when each operation happens.
 */
import { after, type Awaitable, isPromise } from "../base/awaitable.ts";
import { KeyedQueue } from "../base/keyed_queue.ts";
import { isSubjectIndex } from "../base/record_text.ts";
import { isChanged, merge, type ReplayableUpdates } from "../data/merge.ts";
import type { Backend, Expiry, SessionRecord, WriteResult } from "./backend/backend.ts";
import { examine, follow, type LoadedSession, type Lookup, unixNow } from "./lookup.ts";
import type { ResolvedOptions } from "./options.ts";
import { interrupted, retry, taken } from "./race_errors.ts";
import { indexKeyOf, SubjectIndex } from "./subjects/subject_index.ts";

/** A request's changes to its session, as they were when the handler returned. */
export interface SessionChange extends ReplayableUpdates {
  text: string;
  subject: string | undefined;
}

/** Makes the text that replaces a session's text. */
type Compose = (current: LoadedSession) => Awaitable<string>;
/** Whether a write counts as a use of the session, which extends its life. */
type CountsAsUse = (current: LoadedSession) => boolean;

/** A record that was replaced, and by what. */
interface SwapResult {
  replaced: LoadedSession;
  text: string;
  transport: string;
}

/** Anyone can compute the key under which a subject's index lies. No call may delete it. */
const isNotSubjectIndex = ({ text }: SessionRecord) => !isSubjectIndex(text);

/** Seconds that a store keeps a record longer than the session lives, because times are rounded. */
const TTL_MARGIN = 1;

/** Reads and writes sessions so that no race loses one. */
export class SessionRepository {
  /** The index of each subject's sessions, if the store can hold one. */
  readonly index: SubjectIndex | undefined;
  readonly #backend: Backend;
  readonly #options: ResolvedOptions;
  readonly #queue: KeyedQueue;

  constructor(backend: Backend, options: ResolvedOptions) {
    this.index = backend.isVersioned ? new SubjectIndex(backend, options) : undefined;
    this.#backend = backend;
    this.#options = options;
    this.#queue = new KeyedQueue(options.storeTimeout);
  }

  /** Now, in whole Unix seconds. */
  now(): number {
    return unixNow(this.#options);
  }

  /**
   * Looks up the ID that a client sent in the cookie or header `name`, or under the State's name.
   */
  find(presented: string, name?: string): Awaitable<Lookup> {
    const record = this.#backend.read(presented, name);
    return isPromise(record) ? record.then((one) => this.examine(one)) : this.examine(record);
  }

  /** The record of the session that once had this ID. */
  follow(id: string): Promise<SessionRecord | undefined> {
    return follow(this.#backend, id);
  }

  /** Whether a record is an active session. */
  examine(record: SessionRecord | undefined): Lookup {
    return examine(record, this.#options);
  }

  /** Seconds that a session has left, counted from its last use. */
  remaining(created: number, lastAccess: number): number {
    const { expire, absoluteExpire } = this.#options;
    return Math.max(0, Math.min(expire, created + absoluteExpire - lastAccess));
  }

  /** Writes a new session. Resolves to the value that the client sends from now on. */
  create(id: string, created: number, change: SessionChange): Awaitable<string> {
    return after(this.#insert(id, created, change), ({ transport }) => transport);
  }

  #insert(id: string, created: number, change: SessionChange): Awaitable<WriteResult> {
    const { index } = this;
    return change.subject && index !== undefined
      ? this.#insertIndexed(index, id, created, change)
      : this.#insertUnindexed(id, created, change.text);
  }

  #insertUnindexed(id: string, created: number, text: string): Awaitable<WriteResult> {
    const expiry = this.#expiry(created, created, true);
    return after(this.#backend.create(id, text, expiry), (written) => {
      // Random IDs do not collide: `generateId` repeats itself, or the store is wrong.
      if (written === undefined) throw taken();
      return written;
    });
  }

  async #insertIndexed(
    index: SubjectIndex,
    id: string,
    created: number,
    change: SessionChange,
  ): Promise<WriteResult> {
    const { text } = change;
    const subject = change.subject!;
    const key = await indexKeyOf(subject);
    const { generation, isPruningDue } = await index.add(key, id);
    const written = await this.#insertUnindexed(id, created, text);
    // A destroyAll() between the two has not found this session.
    if (await index.isCurrent(key, generation)) {
      if (isPruningDue) await this.#prune(index, key, subject);
      return written;
    }
    await this.#discard({ id, text, version: written.version, lastAccess: created });
    throw interrupted();
  }

  async #prune(index: SubjectIndex, key: string, subject: string): Promise<void> {
    try {
      await index.prune(key, subject);
    } catch (cause) {
      this.#options.emit({
        type: "cleanup-failed",
        message: "A subject's list of sessions could not be tidied; it will be at a later sign-in",
        cause,
      });
    }
  }

  /** Whether the request changed anything that is stored. */
  isChanged(base: LoadedSession, change: SessionChange): boolean {
    // Even if clear() removed nothing here, it also removes what others have added since.
    if (change.isCleared && this.#backend.isVersioned) return true;
    return isChanged(base.text, change.text, this.#options.codec);
  }

  /**
   * Whether the last-access time is old enough to be updated, at `now` or when the record was read.
   */
  isTouchDue({ lastAccess, readAt, mustInject }: LoadedSession, now = readAt): boolean {
    // In both directions: if a clock was set back, the session must still be extended.
    return mustInject || Math.abs(now - lastAccess) >= this.#options.touchInterval;
  }

  /**
   * Updates the last-access time. Resolves to `undefined` if another request has changed or ended
   * the session in the meantime, which needs no action.
   */
  touch(session: LoadedSession): Awaitable<string | undefined> {
    return after(this.#addToIndexAgain(session), () => {
      const expiry = this.#expiry(session.created, session.lastAccess, true);
      return this.#backend.touch(session, expiry);
    });
  }

  /** Adds a session that stays in use to its subject's index again, from time to time. */
  #addToIndexAgain(session: LoadedSession): Promise<unknown> | undefined {
    const { subject, id } = session;
    const { index } = this;
    if (subject === undefined || !index?.isAddDue(session)) return undefined;
    return indexKeyOf(subject).then((key) => index.add(key, id));
  }

  /**
   * Applies a request's changes to the session in the store. Resolves to the value that the client
   * sends from now on, or to `undefined` if it need not be sent again. The client knows the ID, and
   * a late response must not bring an ID back that a login has replaced.
   */
  save(base: LoadedSession, change: SessionChange): Awaitable<string | undefined> {
    const now = this.now();
    const countsAsUse = (current: LoadedSession) =>
      base.mustInject || this.isTouchDue(current, now);
    const compose = (current: LoadedSession) => this.#compose(base, current, change);
    const added = countsAsUse(base) ? this.#addToIndexAgain(base) : undefined;
    const swap = () => this.compareAndSwap(base, compose, countsAsUse);
    return after(added === undefined ? swap() : added.then(swap), ({ replaced, transport }) => {
      return transport !== base.id || countsAsUse(replaced) ? transport : undefined;
    });
  }

  /**
   * Replaces a session's text with the text that `compose` makes. If a concurrent write was faster,
   * it composes again from the newer text.
   *
   * @throws {SessionError} `ERR_SESSION_INTERRUPTED` if the session has ended in the meantime,
   * `ERR_SESSION_CONFLICT` after too many attempts.
   */
  compareAndSwap(
    session: LoadedSession,
    compose: Compose,
    countsAsUse: CountsAsUse,
  ): Awaitable<SwapResult> {
    const text = compose(session);
    const swapped = isPromise(text)
      ? text.then((text) => this.#replace(session, text, countsAsUse))
      : this.#replace(session, text, countsAsUse);
    if (isPromise(swapped)) {
      return swapped.then((one) => one ?? this.#swapInQueue(session, compose, countsAsUse));
    }
    return swapped ?? this.#swapInQueue(session, compose, countsAsUse);
  }

  /** Requests of this process that lost a race continue one after the other. */
  #swapInQueue(
    session: LoadedSession,
    compose: Compose,
    countsAsUse: CountsAsUse,
  ): Promise<SwapResult> {
    let current = session;
    return this.#queue.run(session.id, () =>
      retry(async () => {
        current = await this.#reload(current);
        return await this.#replace(current, await compose(current), countsAsUse);
      }));
  }

  #replace(
    session: LoadedSession,
    text: string,
    countsAsUse: CountsAsUse,
  ): Awaitable<SwapResult | undefined> {
    const expiry = this.#expiry(session.created, session.lastAccess, countsAsUse(session));
    const written = this.#backend.replace(session, text, expiry);
    const toResult = (written: WriteResult | undefined) =>
      written && { replaced: session, text, transport: written.transport };
    return isPromise(written) ? written.then(toResult) : toResult(written);
  }

  /**
   * Moves the session to a new ID. First the new record is written, under an ID that no client
   * knows. Then a tombstone replaces the old record, which commits the rotation.
   *
   * @throws {SessionError} `ERR_SESSION_INTERRUPTED` if the session has ended or moved in the
   * meantime.
   */
  async rotate(base: LoadedSession, newId: string, change: SessionChange): Promise<string> {
    const expiry = this.#expiry(base.created, base.lastAccess, true);
    let current = base;
    let written: WriteResult | undefined = await this.#insert(newId, base.created, change);
    const copy: SessionRecord = { id: newId, text: "", version: written.version, lastAccess: 0 };
    let isInDoubt = false;
    try {
      return await retry(async () => {
        // Kept for as long as a session from now on: a logout may arrive later than anything else.
        const tombstone = { ...expiry, lastAccess: this.now() };
        isInDoubt = true;
        if (await this.#backend.leaveTombstone(current, newId, tombstone)) {
          return written!.transport;
        }
        isInDoubt = false;
        current = await this.#reload(current);
        const text = this.#compose(base, current, change);
        written = await this.#backend.replace(copy, text, expiry);
        if (written === undefined) throw interrupted();
        copy.version = written.version;
        return undefined;
      });
    } catch (error) {
      // If the tombstone may have been written, the copy is the session now.
      if (!isInDoubt) await this.#discard(copy);
      throw error;
    }
  }

  /**
   * Ends the session, under its latest ID if it has moved. When this resolves, the session has
   * ended, no matter which requests were writing to it.
   */
  async end(record: SessionRecord): Promise<void> {
    if (!await this.#backend.delete(record)) await this.endById(record.id);
  }

  /**
   * Ends the session that once had this ID.
   *
   * @param isMeant Says whether the record found is the one to end.
   * @returns Whether there was such a session.
   */
  async endById(
    id: string,
    isMeant: (record: SessionRecord) => boolean = isNotSubjectIndex,
  ): Promise<boolean> {
    return await retry(async () => {
      const record = await this.follow(id);
      if (record === undefined || !isMeant(record)) return false;
      return await this.#backend.delete(record) || undefined;
    });
  }

  /** Loads the session again after another request's write won. */
  async #reload(session: LoadedSession): Promise<LoadedSession> {
    const lookup = await this.find(session.id);
    // If it belongs to another user now, what was written for the first one must not reach it.
    if (lookup.status !== "active" || lookup.subject !== session.subject) throw interrupted();
    return lookup;
  }

  #compose(base: LoadedSession, current: LoadedSession, change: SessionChange): string {
    if (current === base) return change.text;
    const { codec } = this.#options;
    const merged = merge(base.text, change.text, current.text, change, codec);
    return codec.encodeJsonTree(merged, base.created, change.subject);
  }

  #expiry(created: number, before: number, isUse: boolean): Expiry {
    const now = this.now();
    // Never backwards: neither a slow request nor a wrong clock may shorten the session's life.
    const lastAccess = isUse ? Math.max(now, before) : before;
    const left = this.remaining(created, now) - (isUse ? 0 : Math.max(0, now - before));
    return { lastAccess, ttl: Math.max(1, Math.ceil(left)) + TTL_MARGIN };
  }

  async #discard(record: SessionRecord): Promise<void> {
    try {
      await this.#backend.delete(record);
    } catch (cause) {
      this.#options.emit({
        type: "cleanup-failed",
        message: "A record under an id that no client knows could not be removed; it will expire",
        cause,
      });
    }
  }
}
