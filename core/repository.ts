/**
 * The operations on one session: finding it, creating it, saving and touching it, and ending it.
 * All guarantees rest on this file and on `session_writer.ts`, which decides the races between
 * writes. `lifecycle.ts` and `active_session.ts` decide when each operation happens.
 */
import { after, type Awaitable, isPromise } from "../base/awaitable.ts";
import { isSameSession } from "../base/id.ts";
import { MARKER_TTL, MAX_ATTEMPTS, MAX_CLOCK_SKEW, MAX_COOKIE_AGE } from "../base/limits.ts";
import { encodeHeader, newHeader } from "../base/record_header.ts";
import { encodeEnded, isEnded, isSubjectIndex } from "../base/record_text.ts";
import { newToken } from "../base/token.ts";
import { areSame, isChanged, merge } from "../data/merge.ts";
import type { SessionLineage } from "../data/working_copy.ts";
import type { SessionError } from "../errors.ts";
import type { Backend, SessionRecord } from "./backend/backend.ts";
import { createOnce } from "./backend/create_once.ts";
import { csrfBinding, CsrfTokens } from "./csrf_tokens.ts";
import { CurrentRequest } from "./current_request.ts";
import {
  decodeRecord,
  examine,
  isGraceRunning,
  isSession,
  isUnconfirmed,
  type LoadedSession,
  type Lookup,
  unixNow,
} from "./lookup.ts";
import { nextLifetime, nextMessages } from "./header_rules.ts";
import { type LifetimeHeader, remaining, touchIntervalOf } from "./lifetime.ts";
import type { ResolvedOptions } from "./options.ts";
import { interrupted, pulledBefore, taken } from "./race_errors.ts";
import {
  type CurrentSession,
  expiryOf,
  type IdChange,
  type SavedSession,
  type SessionChange,
  type SessionWrite,
  SessionWriter,
} from "./session_writer.ts";
import { type PlacedEntry, SubjectIndex } from "./subjects/subject_index.ts";

/** Anyone can compute the key under which a subject's index lies. No call may delete it. */
const isNotSubjectIndex = ({ text }: SessionRecord) => !isSubjectIndex(text);

/** Reads and writes sessions so that no race loses one. */
export class SessionRepository {
  /** The index of each subject's sessions, if the store can hold one. */
  readonly index: SubjectIndex | undefined;
  /** Finds the request that makes a call. */
  readonly currentRequest = new CurrentRequest();
  /** Makes and checks CSRF tokens. */
  readonly csrfTokens: CsrfTokens;
  readonly #backend: Backend;
  readonly #options: ResolvedOptions;
  readonly #writer: SessionWriter;

  constructor(backend: Backend, options: ResolvedOptions) {
    this.index = backend.isVersioned
      ? new SubjectIndex(backend, options, (key, isMeant) => this.endListed(key, isMeant))
      : undefined;
    this.csrfTokens = new CsrfTokens(options.secrets);
    this.#backend = backend;
    this.#options = options;
    this.#writer = new SessionWriter(backend, options);
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
      ? record.then((one) => examine(one, verifier, this.#options, presented))
      : examine(record, verifier, this.#options, presented);
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
  remaining(header: LifetimeHeader, created: number, now: number): number {
    const left = remaining(header, created, now, this.#options);
    // No client keeps a cookie for longer, and a CookieStore opens none that is older.
    return this.#backend.isWithClient ? Math.min(left, MAX_COOKIE_AGE) : left;
  }

  /**
   * Writes a new session.
   *
   * @param name The name of the cookie or header that carries it, if not the State's.
   */
  create(
    id: string,
    created: number,
    change: SessionChange,
    name?: string,
  ): Awaitable<SavedSession> {
    const { index } = this;
    return change.subject && index !== undefined
      ? this.#createIndexed(index, change.subject, id, created, change)
      : this.#create(id, created, change, name);
  }

  #create(
    id: string,
    created: number,
    change: SessionChange,
    name?: string,
  ): Awaitable<SavedSession> {
    const backend = this.#backend;
    const fresh = newHeader(backend.verifierOf(id) ?? "");
    const header = {
      ...fresh,
      lifetime: nextLifetime(undefined, change),
      messages: nextMessages(fresh.messages, change),
    };
    const expiry = expiryOf(header, created, true, this.now(), this.#options);
    const text = encodeHeader(header) + change.json;
    return after(createOnce(backend, backend.keyOf(id), text, expiry, name), (written) => {
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
    change: SessionChange,
  ): Promise<SavedSession> {
    const listed = { key: this.#backend.keyOf(id), idle: nextLifetime(undefined, change)?.idle };
    return await this.#listed(index, subject, listed, async () => {
      try {
        return await this.#create(id, created, change);
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
   *
   * @param old The entries that it has in the index of another subject.
   */
  async #listed(
    index: SubjectIndex,
    subject: string,
    { key, idle }: { key: string; idle: number | undefined },
    write: () => Promise<SavedSession>,
    old: readonly PlacedEntry[] = [],
  ): Promise<SavedSession> {
    const listing = await index.add(subject, key, idle);
    const saved = await write();
    let isRefused: boolean;
    try {
      isRefused = !await index.isListed(subject, key, listing, idle);
    } catch (error) {
      // Nobody can tell whether it was refused, and its client will not learn its ID.
      await this.endByKey(key).catch(() => {});
      throw error;
    }
    if (isRefused) await this.endListed(key);
    await this.removeFromIndex(async () => {
      await index.remove(old);
      if (isRefused) await index.removeSession(subject, key);
    });
    if (isRefused) throw interrupted();
    return saved;
  }

  /** Removes what nobody needs from a subject's index. */
  async removeFromIndex(remove: () => Promise<void>): Promise<void> {
    try {
      await remove();
    } catch (cause) {
      this.#options.emit({
        type: "cleanup-failed",
        message: "A per-user session index could not be pruned; a later sign-in prunes it",
        cause,
      });
    }
  }

  /** Whether the request changed anything that is stored. */
  isChanged(base: LoadedSession, change: SessionChange): boolean {
    // Even if clear() removed nothing here, it also removes what others have added since.
    if (change.isCleared && this.#backend.isVersioned) return true;
    if (change.metadata?.changes(base.header.lifetime)) return true;
    if (change.isCleared && base.header.messages.length > 0) return true;
    return isChanged(base.json, change.json, this.#options.codec);
  }

  /**
   * Whether the last-access time is old enough to be updated. A request that came with the previous
   * ID always updates it: the response carries the current ID only if the store confirms that ID.
   *
   * @param now Now, not when the request began: a long request uses the session until its end.
   */
  isTouchDue(
    { header, lastAccess, mustInject, oldVerifier }: LoadedSession,
    now: number,
  ): boolean {
    // If another server's clock is far ahead, the time stays, but the store has to keep the record.
    return mustInject || oldVerifier !== undefined ||
      now - lastAccess >= touchIntervalOf(header, this.#options) ||
      lastAccess - now > MAX_CLOCK_SKEW;
  }

  /** Whether a navigation should get a new ID now. */
  isRotationDue({ header, created, readAt, oldVerifier }: LoadedSession): boolean {
    const { rotateInterval } = this.#options;
    // A store without versions cannot keep the old ID valid until the client has the new one.
    return this.#backend.isVersioned && oldVerifier === undefined &&
      readAt - (header.replacedAt ?? created) >= rotateInterval &&
      !isGraceRunning(header, readAt, this.#options);
  }

  /** The minimum number of seconds between two updates of the session's last-access time. */
  touchInterval({ header }: LoadedSession): number {
    return touchIntervalOf(header, this.#options);
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

  /** The session to which CSRF tokens are bound, as a text. */
  csrfBindingOf({ key, header }: SessionLineage): string {
    const { isVersioned, isWithClient } = this.#backend;
    // A plain store has no header. There, each new ID has another key.
    return csrfBinding(key, isVersioned || isWithClient ? header.regenerations : 0);
  }

  /**
   * The same for a session that is about to get a new ID.
   *
   * @param stored The stored session; `undefined` if it is new.
   */
  nextCsrfBinding(
    stored: LoadedSession | undefined,
    generated: string,
    isRegenerated: boolean,
  ): string {
    if (stored === undefined) return csrfBinding(generated, 0);
    const key = this.#backend.keyOf(this.#backend.nextId(stored.id, generated));
    let { regenerations } = stored.header;
    if (isRegenerated) regenerations++;
    return this.csrfBindingOf({ key, header: { ...stored.header, regenerations } });
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
    const confirmed = this.#confirmInIndex(session);
    return confirmed === undefined ? touched() : confirmed.then(touched);
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
      return this.#writer.replace(session, json, write);
    }
    const now = this.now();
    const expiry = expiryOf(header, session.lastAccess, true, now, this.#options);
    return after(this.#backend.touch(session, expiry), (written) => {
      if (written === undefined) return undefined;
      const sent = this.#writer.toSend(session, session, header, id, written, write, now);
      return { id, header, sent, isWithClient: false };
    });
  }

  /**
   * Notes that the server uses a session that it holds. Unlike a request, this proves nothing about
   * the ID that the client has. Resolves to whether it was noted.
   */
  touchHeld(session: LoadedSession): Awaitable<boolean> {
    const touched = () => {
      const expiry = expiryOf(
        session.header,
        session.lastAccess,
        true,
        this.now(),
        this.#options,
      );
      return after(this.#backend.touch(session, expiry), (written) => written !== undefined);
    };
    return after(this.#confirmInIndex(session), touched);
  }

  /**
   * Makes sure, from time to time, that a session that stays in use is in its subject's index. The
   * index must know a new lifetime first.
   */
  #confirmInIndex(session: LoadedSession, change?: SessionChange): Promise<void> | undefined {
    const { subject, key, header } = session;
    const { index } = this;
    if (!subject || index === undefined) return undefined;
    const isChanged = change?.metadata?.changesLifetime(header.lifetime);
    if (!isChanged && !index.entries.isConfirmDue(session)) return undefined;
    return index.confirm(subject, key, nextLifetime(header.lifetime, change)?.idle);
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
    if (change.subject !== base.subject && index !== undefined) {
      return this.#changeSubject(index, base, change, write);
    }
    const confirmed = this.#confirmInIndex(base, change);
    return confirmed === undefined
      ? this.#writer.compareAndSwap(base, write)
      : confirmed.then(() => this.#writer.compareAndSwap(base, write));
  }

  /** Replaces a session's text, as {@linkcode SessionWriter.compareAndSwap} does. */
  compareAndSwap(base: LoadedSession, write: SessionWrite): Awaitable<SavedSession> {
    return this.#writer.compareAndSwap(base, write);
  }

  /** Gives the session to another subject, or to none, in the indexes too. */
  async #changeSubject(
    index: SubjectIndex,
    base: LoadedSession,
    change: SessionChange,
    write: SessionWrite,
  ): Promise<SavedSession> {
    const { subject } = change;
    // Found before the write: at any time after it, the session may come back with a new entry.
    const old: PlacedEntry[] = [];
    await this.removeFromIndex(async () => {
      if (base.subject) old.push(...await index.find(base.subject, base.key));
    });
    const swap = async () => await this.#writer.compareAndSwap(base, write);
    if (subject) {
      const listed = { key: base.key, idle: nextLifetime(undefined, change)?.idle };
      return await this.#listed(index, subject, listed, swap, old);
    }
    const saved = await swap();
    await this.removeFromIndex(() => index.remove(old));
    return saved;
  }

  /**
   * Ends the session. When this resolves, it has ended, no matter which requests write to it.
   *
   * @param pulled The keys that the request has pulled.
   * @throws {SessionError} `ERR_SESSION_CONFLICT` if another request has taken one of their values.
   * The session has ended all the same.
   */
  async end(session: LoadedSession, pulled?: ReadonlySet<string>): Promise<void> {
    const ended = await this.#end(session.key, session, isNotSubjectIndex);
    await this.#removeEnded(ended);
    if (pulled !== undefined) this.#checkPulled(session, ended?.json, pulled);
  }

  /** @throws {SessionError} `ERR_SESSION_CONFLICT` if another request has taken one of the values. */
  #checkPulled(base: LoadedSession, json: string | undefined, keys: ReadonlySet<string>): void {
    if (keys.size === 0 || !this.#backend.isVersioned) return;
    if (json === undefined || !areSame(keys, base.json, json, this.#options.codec)) {
      throw pulledBefore();
    }
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
    if (this.#backend.isWithClient) {
      return this.#noteEnd(key, await this.#backend.delete(key));
    }
    const ended = await this.#end(key, await this.#backend.read(key), isMeant);
    await this.#removeEnded(ended);
    return this.#noteEnd(key, this.#wasActive(ended));
  }

  /**
   * Ends all sessions of a subject, except one, in a backend without an index.
   *
   * @param kept An ID that the session which stays has or once had.
   * @returns Whether the backend can do that.
   * @throws {TypeError} If the store cannot.
   */
  async endAll(subject: string, kept: string | undefined): Promise<boolean> {
    if (this.#backend.endAll === undefined) return false;
    const keptKey = await this.#backend.endAll(subject, kept);
    this.currentRequest.noteEnd((request) =>
      request.subject === subject &&
      (keptKey === undefined || !isSameSession(request.key, keptKey))
    );
    return true;
  }

  /** Ends a session in the same way, and leaves it in its subject's index. */
  async endListed(
    key: string,
    isMeant: (record: SessionRecord) => boolean = isNotSubjectIndex,
  ): Promise<boolean> {
    const ended = await this.#end(key, await this.#backend.read(key), isMeant);
    return this.#noteEnd(key, this.#wasActive(ended));
  }

  /** Notes the end of a session for the request that is ending it. Returns `isEnded`. */
  #noteEnd(key: string, isEnded: boolean): boolean {
    if (isEnded) this.currentRequest.noteEnd((request) => isSameSession(request.key, key));
    return isEnded;
  }

  #wasActive(ended: LoadedSession | undefined): boolean {
    return ended !== undefined && isSession(ended, this.#options);
  }

  /** Removes a session from its subject's index. Its key never comes back. */
  async #removeEnded(ended: LoadedSession | undefined): Promise<void> {
    const { index } = this;
    if (!ended?.subject || index === undefined) return;
    const { subject, key } = ended;
    await this.removeFromIndex(() => index.removeSession(subject, key));
  }

  /** Resolves to the session that it has ended. */
  async #end(
    key: string,
    found: SessionRecord | undefined,
    isMeant: (record: SessionRecord) => boolean,
  ): Promise<LoadedSession | undefined> {
    const marker = encodeEnded(newToken());
    let record = found;
    let last = found;
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      if (record === undefined || isEnded(record.text)) {
        // A call that arrived twice has ended the session itself.
        return record?.text === marker ? decodeRecord(last, this.#options) : undefined;
      }
      if (!isMeant(record)) return undefined;
      last = record;
      const isDone = await this.#backend.end(record, marker, this.now());
      if (isDone) return decodeRecord(record, this.#options);
      record = await this.#backend.read(key);
    }
    // Others write to it all the time. This call wins over all of them.
    return await this.#backend.delete(key) ? decodeRecord(last, this.#options) : undefined;
  }

  #compose(base: LoadedSession, current: CurrentSession, change: SessionChange): string {
    if (current === base) return change.json;
    if (change.metadata !== undefined) {
      this.#checkPulled(base, current.json, change.metadata.pulled);
    }
    const { codec } = this.#options;
    const merged = merge(base.json, change.json, current.json, change, codec);
    return codec.encodeJsonTree(merged, base.created, change.subject);
  }
}
