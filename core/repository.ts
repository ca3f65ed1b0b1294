/**
 * The operations on one session's record that decide races: compare-and-swap with a merge, new IDs,
 * and the end of a session. All guarantees rest on this file. `lifecycle.ts` and
 * `active_session.ts` decide when each operation happens.
 */
import { after, type Awaitable, isPromise } from "../base/awaitable.ts";
import { KeyedQueue } from "../base/keyed_queue.ts";
import { MARKER_TTL, MAX_ATTEMPTS, MAX_CLOCK_SKEW } from "../base/limits.ts";
import { encodeHeader, isSameVerifier, newHeader, newToken } from "../base/record_header.ts";
import type { RecordHeader } from "../base/record_header.ts";
import { encodeEnded, isEnded, isSubjectIndex } from "../base/record_text.ts";
import { isChanged, merge, type ReplayableUpdates } from "../data/merge.ts";
import type { SessionLineage } from "../data/working_copy.ts";
import type { SessionError } from "../errors.ts";
import type { Backend, Expiry, SessionRecord, WriteResult } from "./backend/backend.ts";
import { createOnce } from "./backend/create_once.ts";
import { nextHeader, withToken } from "./header_rules.ts";
import {
  decodeRecord,
  examine,
  holds,
  isGraceRunning,
  isInGrace,
  isSession,
  isUnconfirmed,
  lifetimeStart,
  type LoadedSession,
  type Lookup,
  unixNow,
} from "./lookup.ts";
import type { ResolvedOptions } from "./options.ts";
import { interrupted, repeated, retry, taken } from "./race_errors.ts";
import { indexKeyOf, SubjectIndex } from "./subjects/subject_index.ts";

/** A request's changes to its session, as they were when the handler returned. */
export interface SessionChange extends ReplayableUpdates {
  /** The JSON of the values. */
  json: string;
  subject: string | undefined;
  /** Whether the user has signed in, so that the absolute lifetime starts again. */
  isSignIn: boolean;
}

/** The new ID that a request gives to its session. */
export interface IdChange {
  /** A generated ID. The session takes a part of it. */
  generated: string;
  /** Whether the old ID stays valid for a while, as after `rotate`. */
  isRotation: boolean;
}

/** A write to a session, whatever others write in the meantime. */
export interface SessionWrite {
  /** Makes the JSON that replaces the session's. */
  compose(current: LoadedSession): Awaitable<string>;
  /** Whether this write may change what the session has become in the meantime. */
  mayFollow(current: LoadedSession): boolean;
  /** Whether a client uses the session with it, which extends the session's life. */
  isUse: boolean;
  /** Whether the ID is sent to the client again if the write succeeds. */
  isSent: boolean;
  change?: SessionChange;
  idChange?: IdChange | undefined;
}

/** The result of a write that took effect. */
export interface SavedSession {
  id: string;
  header: RecordHeader;
  /** The value that has to be sent to the client, if there is one. */
  sent: string | undefined;
  /** Whether the client itself holds the session, so that only a response can change it. */
  isWithClient: boolean;
}

/** Anyone can compute the key under which a subject's index lies. No call may delete it. */
const isNotSubjectIndex = ({ text }: SessionRecord) => !isSubjectIndex(text);

/**
 * Seconds for which a store keeps a record after it has expired. Times are rounded, and clocks
 * differ. A request that found the session shortly before its end may still write to it.
 */
const TTL_MARGIN = 1 + MAX_CLOCK_SKEW;
const MAX_REQUEST_SECONDS = 3600;

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
    const verifier = this.#backend.verifierOf(presented);
    const record = this.#backend.read(this.#backend.keyOf(presented), name);
    return isPromise(record)
      ? record.then((one) => examine(one, verifier, this.#options))
      : examine(record, verifier, this.#options);
  }

  /** The active session under a key. */
  async findByKey(key: string): Promise<Lookup> {
    return examine(await this.#backend.read(key), undefined, this.#options);
  }

  /** The key of the session that has or had this ID. */
  keyOf(id: string): string {
    return this.#backend.keyOf(id);
  }

  /** Seconds that a session has left if it is used at `now`. */
  remaining(header: RecordHeader, created: number, now: number): number {
    const { expire, absoluteExpire } = this.#options;
    return Math.max(
      0,
      Math.min(expire, lifetimeStart(header, created, now) + absoluteExpire - now),
    );
  }

  /** Writes a new session. */
  create(id: string, created: number, change: SessionChange): Awaitable<SavedSession> {
    const { index } = this;
    return change.subject && index !== undefined
      ? this.#createIndexed(index, change.subject, id, created, change.json)
      : this.#create(id, created, change.json);
  }

  #create(id: string, created: number, json: string): Awaitable<SavedSession> {
    const backend = this.#backend;
    const header = newHeader(backend.verifierOf(id) ?? "");
    const expiry = this.#expiry(created, true, this.now());
    const text = encodeHeader(header) + json;
    return after(createOnce(backend, backend.keyOf(id), text, expiry), (written) => {
      // Random IDs do not collide: `generateId` repeats itself, or the store is wrong.
      if (written === undefined) throw taken(this.#options.generateId !== undefined);
      const sent = written.transport ?? id;
      return { id, header, sent, isWithClient: sent !== id };
    });
  }

  async #createIndexed(
    index: SubjectIndex,
    subject: string,
    id: string,
    created: number,
    json: string,
  ): Promise<SavedSession> {
    return await this.#listed(index, subject, this.#backend.keyOf(id), async () => {
      try {
        return await this.#create(id, created, json);
      } catch (error) {
        if ((error as SessionError).code === "ERR_SESSION_STORE") await this.#withdraw(id);
        throw error;
      }
    });
  }

  /**
   * Ends a session whose creation failed. The store may have written it all the same, or may do so
   * later. No client would ever learn its ID, but the index of its subject would list it.
   */
  async #withdraw(id: string): Promise<void> {
    const backend = this.#backend;
    const key = backend.keyOf(id);
    const start = encodeHeader(newHeader(backend.verifierOf(id) ?? ""));
    try {
      // While the marker lies there, nothing can be created under the key.
      const expiry = { lastAccess: this.now(), ttl: MARKER_TTL };
      const marked = await backend.create(key, encodeEnded(newToken()), expiry);
      if (marked === undefined) await this.endByKey(key, ({ text }) => text.startsWith(start));
    } catch {
      // The first error says more.
    }
  }

  /**
   * Lists the session, then gives it its subject with `write`.
   *
   * @throws {SessionError} `ERR_SESSION_INTERRUPTED` if all sessions of the subject were ended in
   * the meantime. This one has ended, too: a call that did not see it may have missed it.
   */
  async #listed(
    index: SubjectIndex,
    subject: string,
    key: string,
    write: () => Promise<SavedSession>,
  ): Promise<SavedSession> {
    const indexKey = await indexKeyOf(subject);
    const listing = await index.add(indexKey, key);
    const saved = await write();
    let isRefused: boolean;
    try {
      isRefused = !await index.isListed(indexKey, key, listing);
    } catch (error) {
      // Nobody can tell whether it was refused, and its client will not learn its ID.
      await this.endByKey(key).catch(() => {});
      throw error;
    }
    if (isRefused) {
      await this.endByKey(key);
      throw interrupted();
    }
    if (listing.isPruningDue) await this.#prune(index, indexKey, subject);
    return saved;
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
    return isChanged(base.json, change.json, this.#options.codec);
  }

  /**
   * Whether the last-access time is old enough to be updated. A request that came with the previous
   * ID always updates it: the response carries the current ID only if the store confirms that ID.
   *
   * @param now Now, not when the request began: a long request uses the session until its end.
   */
  isTouchDue({ lastAccess, mustInject, oldVerifier }: LoadedSession, now: number): boolean {
    // If another server's clock is far ahead, the time stays, but the store has to keep the record.
    return mustInject || oldVerifier !== undefined ||
      now - lastAccess >= this.#options.touchInterval || lastAccess - now > MAX_CLOCK_SKEW;
  }

  /** Whether a navigation should get a new ID now. */
  isRotationDue({ header, created, readAt, oldVerifier }: LoadedSession): boolean {
    const { rotateInterval } = this.#options;
    // A store without versions cannot keep the old ID valid until the client has the new one.
    return this.#backend.isVersioned && oldVerifier === undefined &&
      readAt - (header.replacedAt ?? created) >= rotateInterval &&
      !isGraceRunning(header, readAt, this.#options);
  }

  /** Whether the client itself holds the sessions, so that each change has to be sent. */
  get isWithClient(): boolean {
    return this.#backend.isWithClient;
  }

  /** Seconds since the client last got the ID. */
  sentAgo({ header, created }: LoadedSession, now: number): number {
    const ago = now - (header.sentAt ?? header.replacedAt ?? created);
    // By the clock of a server that is far ahead. The client may be about to lose the ID.
    return ago < -MAX_CLOCK_SKEW ? Infinity : ago;
  }

  /** Which session this is, if the store can tell it from what it may become later. */
  lineageOf(session: SessionLineage): SessionLineage | undefined {
    return this.#backend.isVersioned ? session : undefined;
  }

  /**
   * Updates the last-access time. If another request has changed or ended the session in the
   * meantime, nothing has to be done, and it resolves to `undefined`.
   *
   * @param isSent Whether the ID is sent to the client again.
   * @param idChange The new ID, if the old one has become due for a rotation.
   */
  touch(
    session: LoadedSession,
    isSent: boolean,
    idChange?: IdChange,
  ): Awaitable<SavedSession | undefined> {
    const touched = () => this.#touch(session, isSent, idChange);
    const added = this.#addToIndexAgain(session);
    return added === undefined ? touched() : added.then(touched);
  }

  #touch(
    session: LoadedSession,
    isSent: boolean,
    idChange: IdChange | undefined,
  ): Awaitable<SavedSession | undefined> {
    const { id, header, json } = session;
    const write: SessionWrite = {
      compose: () => json,
      mayFollow: () => false,
      isUse: true,
      isSent,
      idChange,
    };
    const isNoted = isSent || idChange !== undefined ||
      (session.oldVerifier === undefined && isUnconfirmed(header));
    if (!this.#backend.isWithClient && isNoted) {
      return this.#replace(session, session, json, write, undefined);
    }
    const now = this.now();
    const expiry = this.#expiry(session.lastAccess, true, now);
    return after(this.#backend.touch(session, expiry), (written) => {
      if (written === undefined) return undefined;
      const sent = this.#toSend(session, session, header, id, written, write, now);
      return { id, header, sent, isWithClient: false };
    });
  }

  /** Adds a session that stays in use to its subject's index again, from time to time. */
  #addToIndexAgain(session: LoadedSession): Promise<unknown> | undefined {
    const { subject, key } = session;
    const { index } = this;
    if (subject === undefined || !index?.isAddDue(session)) return undefined;
    return indexKeyOf(subject).then((indexKey) => index.add(indexKey, key));
  }

  /**
   * Applies a request's changes to the session in the store, and gives it a new ID.
   *
   * @throws {SessionError} `ERR_SESSION_INTERRUPTED` if the session has ended, or was regenerated or
   * given to another user in the meantime.
   */
  save(
    base: LoadedSession,
    change: SessionChange,
    isSent: boolean,
    idChange: IdChange | undefined,
  ): Awaitable<SavedSession> {
    const write: SessionWrite = {
      compose: (current) => this.#compose(base, current, change),
      mayFollow: ({ header: { regenerations, subjectChanges } }) =>
        regenerations === base.header.regenerations &&
        subjectChanges === base.header.subjectChanges,
      isUse: true,
      isSent,
      change,
      idChange,
    };
    const { index } = this;
    const { subject } = change;
    if (subject !== undefined && subject !== base.subject && index !== undefined) {
      const swap = async () => await this.compareAndSwap(base, write);
      return this.#listed(index, subject, base.key, swap);
    }
    const added = this.#addToIndexAgain(base);
    return added === undefined
      ? this.compareAndSwap(base, write)
      : added.then(() => this.compareAndSwap(base, write));
  }

  /**
   * Replaces a session's text. If a concurrent write was faster, it composes again from the newer
   * text.
   *
   * @throws {SessionError} `ERR_SESSION_INTERRUPTED` if the session has ended in the meantime,
   * `ERR_SESSION_CONFLICT` after too many attempts.
   */
  compareAndSwap(base: LoadedSession, write: SessionWrite): Awaitable<SavedSession> {
    const token = this.#backend.isRemote ? newToken() : undefined;
    const json = write.compose(base);
    if (isPromise(json)) return json.then((json) => this.#swapAfterWait(base, json, write, token));
    const saved = this.#replace(base, base, json, write, token);
    if (!isPromise(saved)) return saved ?? this.#swapInQueue(base, write, token);
    return saved.then((one) => one ?? this.#swapInQueue(base, write, token))
      .catch((error) => this.#recover(error, base, write, token));
  }

  /**
   * The store failed. If it has written a new ID all the same, the client must learn that ID: it
   * could do nothing with the old one.
   */
  async #recover(
    error: unknown,
    base: LoadedSession,
    write: SessionWrite,
    token: string | undefined,
  ): Promise<SavedSession> {
    const { code } = error as SessionError;
    const isInDoubt = write.idChange !== undefined && token !== undefined &&
      code === "ERR_SESSION_STORE";
    if (!isInDoubt) throw error;
    try {
      const current = await this.#reload(base);
      if (this.#isOwn(base, current, write, token)) return this.#recognize(base, current, write);
    } catch {
      // The first error says more.
    }
    throw error;
  }

  /**
   * Composing took a while. Other requests have used the session since, and not every store shows
   * that in the version, so that this write would set their last-access time back.
   */
  async #swapAfterWait(
    base: LoadedSession,
    json: string,
    write: SessionWrite,
    token: string | undefined,
  ): Promise<SavedSession> {
    const saved = this.#hasWaited(base)
      ? undefined
      : await this.#replace(base, base, json, write, token);
    return saved ?? await this.#swapInQueue(base, write, token);
  }

  #hasWaited({ readAt }: LoadedSession): boolean {
    return this.now() - readAt > 1;
  }

  /** Requests of this process that lost a race continue one after the other. */
  #swapInQueue(
    base: LoadedSession,
    write: SessionWrite,
    token: string | undefined,
  ): Promise<SavedSession> {
    return this.#queue.run(base.key, () =>
      retry(async () => {
        const current = await this.#reload(base);
        if (this.#isOwn(base, current, write, token)) return this.#recognize(base, current, write);
        if (!write.mayFollow(current)) throw interrupted();
        const json = await write.compose(current);
        if (this.#hasWaited(current)) return undefined;
        return await this.#replace(base, current, json, write, token);
      }));
  }

  /** Whether this write has taken effect: its token proves that, and so does its new verifier. */
  #isOwn(
    base: LoadedSession,
    { header }: LoadedSession,
    { idChange }: SessionWrite,
    token: string | undefined,
  ): boolean {
    if (token === undefined) return false;
    if (header.tokens.some((one) => one.token === token)) return true;
    if (idChange === undefined) return false;
    const verifier = this.#backend.verifierOf(this.#backend.nextId(base.id, idChange.generated));
    return verifier !== undefined && holds(header, verifier);
  }

  /** Loads the session again after another request's write won. */
  async #reload({ key }: LoadedSession): Promise<LoadedSession> {
    const current = decodeRecord(await this.#backend.read(key), this.#options);
    // It may have expired in the meantime. A request that found it active can still write to it.
    if (current === undefined) throw interrupted();
    return current;
  }

  #replace(
    base: LoadedSession,
    current: LoadedSession,
    json: string,
    write: SessionWrite,
    token: string | undefined,
  ): Awaitable<SavedSession | undefined> {
    const now = this.now();
    const { idChange } = write;
    // If another request has rotated the ID first, one new ID is enough.
    const isKept = idChange === undefined ||
      (idChange.isRotation && !isSameVerifier(base.header.verifier, current.header.verifier));
    const newId = isKept ? undefined : this.#backend.nextId(current.id, idChange.generated);
    if (newId === current.id) throw repeated();
    const changed = nextHeader(current, {
      now,
      // A background job proves nothing about what the client has received.
      isPresented: write.isUse && base.oldVerifier === undefined &&
        isSameVerifier(base.header.verifier, current.header.verifier),
      isSent: write.isSent,
      notesSending: this.#options.touchInterval > 0,
      change: write.change,
      newVerifier: newId && (this.#backend.verifierOf(newId) ?? ""),
      isRotation: idChange?.isRotation === true,
    }, this.#options);
    const header = token === undefined
      ? changed
      : withToken(changed, token, now, this.#options, current.lastAccess);
    const head = header === current.header
      ? current.text.slice(0, current.jsonStart)
      : encodeHeader(header);
    const expiry = this.#expiry(current.lastAccess, write.isUse, now);
    const written = this.#backend.replace(current, head + json, expiry, newId);
    const id = newId ?? current.id;
    const toSaved = (written: WriteResult | undefined): SavedSession | undefined => {
      if (written === undefined) return undefined;
      const sent = this.#toSend(base, current, header, id, written, write, now);
      const isWithClient = written.transport !== undefined && written.transport !== id;
      return { id, header, sent, isWithClient };
    };
    return isPromise(written) ? written.then(toSaved) : toSaved(written);
  }

  /**
   * The first attempt took effect, although its answer was that it had not: it arrived twice. Others
   * may have written since. The result must not contain their regenerations and changes of subject.
   */
  #recognize(
    base: LoadedSession,
    { header, version }: LoadedSession,
    write: SessionWrite,
  ): SavedSession {
    const { idChange, change } = write;
    const id = idChange === undefined ? base.id : this.#backend.nextId(base.id, idChange.generated);
    const own = {
      ...header,
      regenerations: base.header.regenerations + (idChange?.isRotation === false ? 1 : 0),
      subjectChanges: base.header.subjectChanges +
        (change !== undefined && change.subject !== base.subject ? 1 : 0),
    };
    const isLatest = isSameVerifier(header.verifier, this.#backend.verifierOf(id) ?? "");
    const sent = isLatest
      ? this.#toSend(base, base, header, id, { version }, write, this.now())
      : undefined;
    return { id, header: own, sent, isWithClient: false };
  }

  /** The value that the response to a successful write or touch sends to the client. */
  #toSend(
    base: LoadedSession,
    replaced: LoadedSession,
    header: RecordHeader,
    id: string,
    { transport }: WriteResult,
    { isSent, idChange }: SessionWrite,
    now: number,
  ): string | undefined {
    // The session itself is in the client's cookie.
    if (transport !== undefined && transport !== base.id) return transport;
    if (idChange !== undefined && id !== replaced.id) return id;
    if (base.oldVerifier !== undefined) {
      return isInGrace(header, base.oldVerifier, now, this.#options) ? id : undefined;
    }
    if (base.mustInject) {
      const isValid = id === base.id || isInGrace(header, base.header.verifier, now, this.#options);
      return isValid ? id : undefined;
    }
    // A response that sends an ID again must not bring back one that was replaced.
    return isSent && id === base.id ? id : undefined;
  }

  /** Ends the session. When this resolves, it has ended, no matter which requests write to it. */
  async end(session: LoadedSession): Promise<void> {
    await this.#end(session.key, session, isNotSubjectIndex);
  }

  /**
   * Ends the session under a key, whatever its ID is.
   *
   * @param isMeant Says whether the record found is the one to end.
   * @returns Whether there was such a session, and it had not expired.
   */
  async endByKey(
    key: string,
    isMeant: (record: SessionRecord) => boolean = isNotSubjectIndex,
  ): Promise<boolean> {
    if (this.#backend.isWithClient) return await this.#backend.delete(key);
    return await this.#end(key, await this.#backend.read(key), isMeant);
  }

  async #end(
    key: string,
    found: SessionRecord | undefined,
    isMeant: (record: SessionRecord) => boolean,
  ): Promise<boolean> {
    const marker = encodeEnded(newToken());
    let record = found;
    let last = found;
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      if (record === undefined || isEnded(record.text)) {
        // A call that arrived twice has ended the session itself.
        return record?.text === marker && this.#isActive(last!);
      }
      if (!isMeant(record)) return false;
      last = record;
      const isDone = await this.#backend.end(record, marker, this.now());
      if (isDone) return this.#isActive(record);
      record = await this.#backend.read(key);
    }
    // Others write to it all the time. This call wins over all of them.
    return await this.#backend.delete(key);
  }

  #isActive(record: SessionRecord): boolean {
    const session = decodeRecord(record, this.#options);
    return session !== undefined && isSession(session, this.#options);
  }

  #compose(base: LoadedSession, current: LoadedSession, change: SessionChange): string {
    if (current === base) return change.json;
    const { codec } = this.#options;
    const merged = merge(base.json, change.json, current.json, change, codec);
    return codec.encodeJsonTree(merged, base.created, change.subject);
  }

  #expiry(before: number, isUse: boolean, now: number): Expiry {
    const { expire, absoluteExpire, touchInterval } = this.#options;
    // Never backwards: neither a slow request nor a wrong clock may shorten the session's life.
    const lastAccess = isUse ? Math.max(now, before) : before;
    // The longest that any session has left. How much this one has depends on whose clock says so,
    // and a record that stays for too long does no harm.
    const left = Math.min(expire, absoluteExpire) + touchInterval;
    const margin = TTL_MARGIN + Math.min(expire, MAX_REQUEST_SECONDS);
    return { lastAccess, ttl: Math.ceil(left + margin) };
  }
}
