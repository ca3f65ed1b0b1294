/**
 * Writes to a session's record by compare-and-swap, whatever others write in the meantime. Requests
 * of this process that lose a race write together.
 */
import { type Awaitable, isPromise } from "../base/awaitable.ts";
import { type Job, KeyedBatches } from "../base/keyed_batches.ts";
import { MAX_ATTEMPTS, MAX_CLOCK_SKEW, MAX_TIMER_MS } from "../base/limits.ts";
import { encodeHeader, isSameVerifier, type RecordHeader } from "../base/record_header.ts";
import { newToken } from "../base/token.ts";
import type { ReplayableUpdates } from "../data/merge.ts";
import type { MetadataChange } from "../data/metadata_change.ts";
import type { SessionError } from "../errors.ts";
import { type Backend, type Expiry, storeError, type WriteResult } from "./backend/backend.ts";
import { isDeadlineError } from "./backend/call_guard.ts";
import { nextHeader, withToken } from "./header_rules.ts";
import { absoluteOf, idleOf, type LifetimeHeader, touchIntervalOf } from "./lifetime.ts";
import { decodeRecord, holds, isInGrace, type LoadedSession, unixNow } from "./lookup.ts";
import type { ResolvedOptions } from "./options.ts";
import { conflict, interrupted, ownError, pause, repeated, retry } from "./race_errors.ts";

/** A request's changes to its session, as they were when the handler returned. */
export interface SessionChange extends ReplayableUpdates {
  /** The JSON of the values. */
  json: string;
  subject: string | undefined;
  /** Whether the user has signed in, so that the absolute lifetime starts again. */
  isSignIn: boolean;
  /** The changes beside the values, if there are any. */
  metadata?: MetadataChange | undefined;
}

/** The new ID that a request gives to its session. */
export interface IdChange {
  /** A generated ID. The session takes a part of it. */
  generated: string;
  /** Whether the old ID stays valid for a while, as after `rotate`. */
  isRotation: boolean;
}

/** A session as a write finds it. The write decodes the JSON if it needs the values. */
export type CurrentSession = Omit<LoadedSession, "data">;

/** A write to a session, whatever others write in the meantime. */
export interface SessionWrite {
  /** Makes the JSON that replaces the session's; `undefined` if it cannot follow this JSON. */
  compose(current: CurrentSession): Awaitable<string | undefined>;
  /** Whether this write may change what the session has become in the meantime. */
  mayFollow(current: CurrentSession): boolean;
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

/** A write that waits until earlier writes to its session are done. */
interface WriteJob extends Job {
  readonly base: LoadedSession;
  readonly write: SessionWrite;
  /** The record that the JSON was composed for, if that took a while. */
  readonly start?: CurrentSession;
  /** The tokens of the calls that contained this write. In the record, one proves its effect. */
  readonly tokens: string[];
  /** @param left The record after this write and those in the same call. */
  resolve(saved: Awaitable<SavedSession | undefined>, left: CurrentSession): void;
}

/** A write whose JSON takes a while to compose. */
interface UpdateJob extends Job {
  readonly base: LoadedSession;
  readonly write: SessionWrite;
  readonly tokens: string[];
  resolve(saved: SavedSession): void;
}

/** The result of a write, before it is stored. */
interface PreparedWrite {
  id: string;
  newId: string | undefined;
  header: RecordHeader;
  head: string;
  json: string;
  expiry: Expiry;
  now: number;
}

/**
 * Seconds for which a store keeps a record after it has expired. Times are rounded, and clocks
 * differ. A request that found the session shortly before its end may still write to it.
 */
const TTL_MARGIN = 1 + MAX_CLOCK_SKEW;
const MAX_REQUEST_SECONDS = 3600;

/** The most writes in one call of the store. More would keep other requests waiting for the CPU. */
const MAX_BATCH = 128;

/** Writes to the sessions of one store. */
export class SessionWriter {
  readonly #backend: Backend;
  readonly #options: ResolvedOptions;
  readonly #timeoutMs: number;
  readonly #writes: KeyedBatches<WriteJob, CurrentSession>;
  readonly #updates: KeyedBatches<UpdateJob, CurrentSession>;

  constructor(backend: Backend, options: ResolvedOptions) {
    this.#backend = backend;
    this.#options = options;
    this.#timeoutMs = Math.min(options.storeTimeout * 1000, MAX_TIMER_MS);
    const maxMs = Math.min(3 * this.#timeoutMs, MAX_TIMER_MS);
    this.#writes = new KeyedBatches(MAX_BATCH, maxMs, (jobs, left) => this.#writeJobs(jobs, left));
    this.#updates = new KeyedBatches(1, maxMs, ([job], left) => this.#updateInQueue(job!, left));
  }

  /**
   * Replaces a session's text. If a concurrent write was faster, it composes again from the newer
   * text.
   *
   * @throws {SessionError} `ERR_SESSION_INTERRUPTED` if the session has ended in the meantime,
   * `ERR_SESSION_CONFLICT` after too many attempts.
   */
  compareAndSwap(base: LoadedSession, write: SessionWrite): Awaitable<SavedSession> {
    const json = write.compose(base);
    if (isPromise(json)) return this.#update(base, json, write);
    if (this.#writes.isBusy(base.key)) return this.#swapInBatch(base, write, []);
    const token = this.#newToken();
    const saved = this.replace(base, json!, write, token);
    if (!isPromise(saved)) return saved ?? this.#swapInBatch(base, write, []);
    const tokens = token === undefined ? [] : [token];
    return saved.then(
      (one) => one ?? this.#swapInBatch(base, write, tokens),
      (error) => this.#recover(error, base, write, tokens),
    );
  }

  /** Writes together with other requests of this process that lost a race. */
  #swapInBatch(base: LoadedSession, write: SessionWrite, tokens: string[]): Promise<SavedSession> {
    const saved = this.#enqueue({ base, write, tokens }) as Promise<SavedSession>;
    return saved.catch((error) => this.#recover(error, base, write, tokens));
  }

  /** @param learn Gets the record after the write. */
  #enqueue(
    job: Omit<WriteJob, "resolve" | "reject">,
    learn?: (left: CurrentSession) => void,
  ): Promise<SavedSession | undefined> {
    return new Promise((done, fail) => {
      const resolve: WriteJob["resolve"] = (saved, left) => {
        learn?.(left);
        done(saved);
      };
      const reject = (error: unknown) => fail(ownError(error));
      this.#writes.add(job.base.key, { ...job, resolve, reject });
    });
  }

  /** Carries out the writes that waited for one session. */
  async #writeJobs(
    jobs: WriteJob[],
    left: CurrentSession | undefined,
  ): Promise<CurrentSession | undefined> {
    try {
      return await this.#writeBatch(jobs, left);
    } catch (error) {
      if (concernsAll(error)) throw error;
      if (jobs.length === 1 || isConflict(error)) {
        for (const job of jobs) job.reject(error);
        return undefined;
      }
    }
    return await this.#writeEach(jobs);
  }

  /**
   * Writes one by one what the store refused together: only one of the texts may be too long for
   * it. If the store goes on failing, the last of many must not have to wait for all others.
   */
  async #writeEach(jobs: WriteJob[]): Promise<CurrentSession | undefined> {
    const startedAt = performance.now();
    let left: CurrentSession | undefined;
    for (const job of jobs) {
      if (left === undefined && performance.now() - startedAt > this.#timeoutMs) {
        throw storeError("save", "the store has failed for longer than storeTimeout");
      }
      left = await this.#writeJobs([job], left);
    }
    return left;
  }

  /**
   * Applies several writes to a session, one after the other, and stores the result with a single
   * call. So writers do not wait for one call each, and processes that write to the same session
   * meet less often.
   *
   * @param left The record that the writes before these left.
   */
  async #writeBatch(
    jobs: readonly WriteJob[],
    left: CurrentSession | undefined,
  ): Promise<CurrentSession | undefined> {
    const [{ base: { key }, start }] = jobs as [WriteJob];
    let current = jobs.length === 1 ? start : undefined;
    if (left !== undefined) current = this.#hasWaited(left) ? undefined : left;
    for (let attempt = current === undefined ? 1 : 0; attempt <= MAX_ATTEMPTS; attempt++) {
      current ??= await this.#reload(key);
      const { last, prepared, settle } = this.#plan(jobs, current);
      if (prepared === undefined) {
        settle({ version: current.version }, current);
        return current;
      }
      const { head, json, expiry, newId } = prepared;
      const calledAt = performance.now();
      const written = await this.#backend.replace(current, head + json, expiry, newId);
      if (written !== undefined) {
        const after = { ...last, version: written.version };
        settle(written, after);
        return after;
      }
      current = undefined;
      // The first of them have no reason to wait.
      if (attempt > 0) await pause(attempt, performance.now() - calledAt);
    }
    throw conflict();
  }

  /**
   * Composes the writes, each on the result of the one before. No job is settled before the store
   * has written that result, because an error may be due to a write before it.
   */
  #plan(jobs: readonly WriteJob[], current: CurrentSession) {
    const token = this.#newToken();
    const outcomes: ((written: WriteResult, left: CurrentSession) => void)[] = [];
    let last = current;
    let prepared: PreparedWrite | undefined;
    for (const job of jobs) {
      const { base, write, tokens } = job;
      try {
        if (this.#isOwn(base, current, write, tokens)) {
          const saved = this.#recognize(base, current, write);
          outcomes.push((_, left) => job.resolve(saved, left));
          continue;
        }
        if (last !== base && !write.mayFollow(last)) throw interrupted();
        const json = write.compose(last);
        if (json === undefined || isPromise(json)) {
          // It composes again outside of this batch.
          const later = json?.then(() => this.#updateLater(base, write, tokens));
          later?.catch(() => {});
          outcomes.push((_, left) => job.resolve(later, left));
          continue;
        }
        const own = this.#prepare(base, last, json, write, prepared ? undefined : token);
        const before = last;
        outcomes.push((written, left) => {
          const saved = this.#toSaved(base, before, own, write, written);
          // If a write after this one has replaced the ID, only its response sends the new one.
          if (saved.id !== left.id) saved.sent = undefined;
          job.resolve(saved, left);
        });
        if (token !== undefined) tokens.push(token);
        last = advance(last, own, write);
        prepared = own;
      } catch (error) {
        outcomes.push(() => job.reject(error));
      }
    }
    const settle = (written: WriteResult, left: CurrentSession) => {
      for (const outcome of outcomes) outcome(written, left);
    };
    return { last, prepared, settle };
  }

  /**
   * The store failed. If it has written a new ID all the same, the client must learn that ID: it
   * could do nothing with the old one.
   */
  async #recover(
    error: unknown,
    base: LoadedSession,
    write: SessionWrite,
    tokens: readonly string[],
  ): Promise<SavedSession> {
    const isInDoubt = write.idChange !== undefined && tokens.length > 0 && isStoreError(error);
    if (!isInDoubt) throw error;
    try {
      const current = await this.#reload(base.key);
      if (this.#isOwn(base, current, write, tokens)) return this.#recognize(base, current, write);
    } catch {
      // The first error says more.
    }
    throw error;
  }

  /** A token for a call of a store in another process, where the call may arrive twice. */
  #newToken(): string | undefined {
    return this.#backend.isRemote ? newToken() : undefined;
  }

  /**
   * Writes a JSON that is still being composed.
   *
   * @param pending Resolves to the JSON that follows `base`.
   */
  async #update(
    base: LoadedSession,
    pending: Promise<string | undefined>,
    write: SessionWrite,
  ): Promise<SavedSession> {
    const json = await pending;
    const token = this.#newToken();
    const saved = this.#hasWaited(base) ? undefined : await this.replace(base, json!, write, token);
    return saved ?? await this.#updateLater(base, write, token === undefined ? [] : [token]);
  }

  #updateLater(base: LoadedSession, write: SessionWrite, tokens: string[]): Promise<SavedSession> {
    return new Promise((resolve, fail) => {
      const reject = (error: unknown) => fail(ownError(error));
      this.#updates.add(base.key, { base, write, tokens, resolve, reject });
    });
  }

  /**
   * Updates of one session whose callbacks are asynchronous run one after the other, so that each
   * callback starts from the values that the one before it left. The next one does not wait for a
   * callback longer than `storeTimeout`: that callback may itself be waiting for the next one.
   */
  #updateInQueue(
    { base, write, tokens, resolve, reject }: UpdateJob,
    left: CurrentSession | undefined,
  ): Promise<CurrentSession | undefined> {
    return new Promise((release, fail) => {
      let next = left;
      retry(async (attempt) => {
        const start = next === undefined || this.#hasWaited(next)
          ? await this.#reload(base.key)
          : next;
        next = undefined;
        if (this.#isOwn(base, start, write, tokens)) return this.#recognize(base, start, write);
        if (!write.mayFollow(start)) throw interrupted();
        const timer = setTimeout(() => release(undefined), this.#timeoutMs);
        let json: string | undefined;
        try {
          json = await write.compose(start);
        } finally {
          clearTimeout(timer);
        }
        if (this.#hasWaited(start)) return undefined;
        // The values may have changed since.
        const compose = (current: CurrentSession) => current.json === start.json ? json : undefined;
        const job = { base, write: { ...write, compose }, start, tokens };
        const calledAt = performance.now();
        const saved = await this.#enqueue(job, (left) => next = left);
        // If another process keeps writing, what this one has learned will be too old.
        if (saved === undefined && attempt > 0) {
          await pause(attempt, performance.now() - calledAt);
          next = undefined;
        }
        return saved;
      }).then((saved) => {
        resolve(saved);
        release(next);
      }, (error) => {
        if (isDeadlineError(error)) fail(error);
        else release(undefined);
        // Also if others did not wait for it.
        reject(error);
      });
    });
  }

  /**
   * Whether other requests may have used the session since. Not every store shows that in the
   * version, so that a write would set the last-access time back.
   */
  #hasWaited({ readAt }: CurrentSession): boolean {
    return unixNow(this.#options) - readAt > 1;
  }

  /** Whether this write has taken effect: its token proves that, and so does its new verifier. */
  #isOwn(
    base: LoadedSession,
    { header }: CurrentSession,
    { idChange }: SessionWrite,
    tokens: readonly string[],
  ): boolean {
    if (tokens.length === 0) return false;
    if (header.tokens.some(({ token }) => tokens.includes(token))) return true;
    if (idChange === undefined) return false;
    const verifier = this.#backend.verifierOf(this.#backend.nextId(base.id, idChange.generated));
    return verifier !== undefined && holds(header, verifier);
  }

  /** Loads the session again after another request's write won. */
  async #reload(key: string): Promise<CurrentSession> {
    const current = decodeRecord(await this.#backend.read(key), this.#options);
    // It may have expired in the meantime. A request that found it active can still write to it.
    if (current === undefined) throw interrupted();
    return current;
  }

  /** Writes to the session as it was read; `undefined` if it is not the same any more. */
  replace(
    base: LoadedSession,
    json: string,
    write: SessionWrite,
    token?: string,
  ): Awaitable<SavedSession | undefined> {
    const prepared = this.#prepare(base, base, json, write, token);
    const { head, expiry, newId } = prepared;
    const written = this.#backend.replace(base, head + json, expiry, newId);
    const toSaved = (written: WriteResult | undefined) =>
      written && this.#toSaved(base, base, prepared, write, written);
    return isPromise(written) ? written.then(toSaved) : toSaved(written);
  }

  /** @param token Marks the call that will contain this write. */
  #prepare(
    base: LoadedSession,
    current: CurrentSession,
    json: string,
    write: SessionWrite,
    token?: string,
  ): PreparedWrite {
    const now = unixNow(this.#options);
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
    const expiry = expiryOf(header, current.lastAccess, write.isUse, now, this.#options);
    return { id: newId ?? current.id, newId, header, head, json, expiry, now };
  }

  #toSaved(
    base: LoadedSession,
    current: CurrentSession,
    { id, header, now }: PreparedWrite,
    write: SessionWrite,
    written: WriteResult,
  ): SavedSession {
    const sent = this.toSend(base, current, header, id, written, write, now);
    const isWithClient = written.transport !== undefined && written.transport !== id;
    return { id, header, sent, isWithClient };
  }

  /**
   * The first attempt took effect, although its answer was that it had not: it arrived twice. Others
   * may have written since. The result must not contain their regenerations and changes of subject.
   */
  #recognize(
    base: LoadedSession,
    { header, version }: CurrentSession,
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
      ? this.toSend(base, base, header, id, { version }, write, unixNow(this.#options))
      : undefined;
    return { id, header: own, sent, isWithClient: false };
  }

  /** The value that the response to a successful write or touch sends to the client. */
  toSend(
    base: LoadedSession,
    replaced: CurrentSession,
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
}

/**
 * How long the store keeps a record that is written now.
 *
 * @param before When the session was last used before.
 * @param isUse Whether the write is a use of the session.
 */
export function expiryOf(
  header: LifetimeHeader,
  before: number,
  isUse: boolean,
  now: number,
  options: ResolvedOptions,
): Expiry {
  // Never backwards: neither a slow request nor a wrong clock may shorten the session's life.
  const lastAccess = isUse ? Math.max(now, before) : before;
  // The longest that a session with this lifetime has left. How much this one has depends on whose clock says so,
  // and a record that stays for too long does no harm.
  const idle = idleOf(header, options);
  const left = Math.min(idle, absoluteOf(header, options)) + touchIntervalOf(header, options);
  const margin = TTL_MARGIN + Math.min(idle, MAX_REQUEST_SECONDS);
  return { lastAccess, ttl: Math.ceil(left + margin) };
}

/** The session after a write, for the next one. It still has the version that is in the store. */
function advance(
  current: CurrentSession,
  { id, header, head, json, expiry: { lastAccess }, now }: PreparedWrite,
  { change }: SessionWrite,
): CurrentSession {
  return {
    ...current,
    id,
    header,
    text: head + json,
    jsonStart: head.length,
    json,
    lastAccess,
    readAt: now,
    subject: change === undefined ? current.subject : change.subject,
  };
}

function isStoreError(error: unknown): error is SessionError {
  return (error as SessionError).code === "ERR_SESSION_STORE";
}

function isConflict(error: unknown): boolean {
  return (error as SessionError).code === "ERR_SESSION_CONFLICT";
}

/**
 * Whether all who wait to write to the session fail as well: it has ended, or the store does not
 * answer. One after the other they would wait for `storeTimeout` each.
 */
function concernsAll(error: unknown): boolean {
  return (error as SessionError).code === "ERR_SESSION_INTERRUPTED" ||
    isDeadlineError(error as SessionError);
}
