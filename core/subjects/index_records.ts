/**
 * Reads and changes the records of the indexes. Changes of one record that wait in this process are
 * applied together, by one read and one compare-and-swap. So many sign-ins of one user at the same
 * time need only a few writes.
 */
import type { Awaitable } from "../../base/awaitable.ts";
import { type Job as BatchJob, KeyedBatches } from "../../base/keyed_batches.ts";
import { MAX_CLOCK_SKEW, MAX_TIMER_MS } from "../../base/limits.ts";
import { SessionError } from "../../errors.ts";
import type { Backend, SessionRecord } from "../backend/backend.ts";
import { unixNow } from "../lookup.ts";
import type { ResolvedOptions } from "../options.ts";
import { pause } from "../race_errors.ts";
import type { IndexPlace } from "./index_keys.ts";
import {
  decodeIndex,
  encodeIndex,
  type IndexContent,
  type IndexEntry,
  MAX_LEVEL,
} from "./index_record.ts";

/**
 * Makes new content and a result from the content of a record. It returns the same content if there
 * is nothing to change.
 *
 * @param isRetry Whether another writer was faster than the attempt before.
 */
export type IndexEdit<Result> = (
  content: IndexContent,
  isRetry: boolean,
) => Awaitable<readonly [content: IndexContent, result: Result]>;

/** A change that waits. */
interface Job extends BatchJob {
  readonly place: IndexPlace;
  readonly edit: IndexEdit<unknown>;
  resolve(result: unknown): void;
}

/** Seconds that a server may take to write a session after it has listed it, by another's clock. */
export const MAX_WRITE_SECONDS = 60 + MAX_CLOCK_SKEW;

/** The records of all indexes. */
export class IndexRecords {
  readonly #backend: Backend;
  readonly #options: ResolvedOptions;
  readonly #keptFor: (content: IndexContent) => number;
  readonly #changes: KeyedBatches<Job, undefined>;

  /** @param keptFor Returns the seconds for which the store keeps a record after a write. */
  constructor(
    backend: Backend,
    options: ResolvedOptions,
    keptFor: (content: IndexContent) => number,
  ) {
    this.#backend = backend;
    this.#options = options;
    this.#keptFor = keptFor;
    // As long as attempts go on, and two calls of the store.
    const maxMs = Math.min(3000 * options.storeTimeout, MAX_TIMER_MS);
    this.#changes = new KeyedBatches(Infinity, maxMs, (jobs) => this.#changeForAll(jobs));
  }

  /** The content of a record; `undefined` if it does not exist. */
  async read(place: IndexPlace): Promise<IndexContent | undefined> {
    const record = await this.#backend.read(place.key);
    return record && this.#contentOf(place, record, decodeIndex(record.text));
  }

  /** Changes a record. Resolves to the result of `edit`. */
  change<Result>(place: IndexPlace, edit: IndexEdit<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#changes.add(place.key, { place, edit, resolve: resolve as Job["resolve"], reject });
    });
  }

  /**
   * Reads, changes and writes a record until no other write comes between.
   *
   * @throws {SessionError} `ERR_SESSION_CONFLICT` if concurrent writes took effect first for
   * `storeTimeout`.
   */
  async #changeForAll(jobs: readonly Job[]): Promise<undefined> {
    const [{ place }] = jobs as [Job];
    // By the real time, because it limits a real wait.
    const deadline = performance.now() + this.#options.storeTimeout * 1000;
    for (let attempt = 0;; attempt++) {
      const record = await this.#backend.read(place.key);
      const stored = record && decodeIndex(record.text);
      const before = this.#contentOf(place, record, stored);
      const results: unknown[] = [];
      let content = before;
      for (const { edit } of jobs) {
        const [next, result] = await edit(content, attempt > 0);
        content = next;
        results.push(result);
      }
      const calledAt = performance.now();
      // A record that is damaged is replaced in any case: each read makes up another generation.
      const isSame = content === before && (record === undefined || stored !== undefined);
      const isDone = isSame
        ? await this.#keep(record, content)
        : await this.#write(place, record, content);
      if (isDone) {
        for (const [at, { resolve }] of jobs.entries()) resolve(results[at]);
        return;
      }
      const now = performance.now();
      if (now >= deadline) throw overtaken();
      // The first of them have no reason to wait.
      if (attempt > 0) await pause(attempt, now - calledAt);
    }
  }

  /** Extends the life of a record that was not written for a long time. */
  async #keep(record: SessionRecord | undefined, content: IndexContent): Promise<true> {
    const now = unixNow(this.#options);
    const ttl = this.#keptFor(content);
    // The time of a server whose clock is wrong says nothing.
    if (record !== undefined && Math.abs(now - record.lastAccess) > ttl / 4) {
      // If it has another version by now, another server has just extended its life.
      await this.#backend.touch(record, { lastAccess: now, ttl });
    }
    return true;
  }

  async #write(
    place: IndexPlace,
    record: SessionRecord | undefined,
    content: IndexContent,
  ): Promise<boolean> {
    // A deletion would let a late copy of the call that created the record bring it back, with its
    // old generation.
    const isEmpty = content.entries.length === 0 && (content.level === 0 || place.level > 0);
    const ttl = isEmpty ? 2 * MAX_WRITE_SECONDS : this.#keptFor(content);
    const expiry = { lastAccess: unixNow(this.#options), ttl };
    const text = encodeIndex(content);
    const written = record === undefined
      ? await this.#backend.create(place.key, text, expiry)
      : await this.#backend.replace(record, text, expiry);
    return written !== undefined;
  }

  /** @param stored The content of the record; `undefined` if it does not exist or is damaged. */
  #contentOf(
    { level }: IndexPlace,
    record: SessionRecord | undefined,
    stored: IndexContent | undefined,
  ): IndexContent {
    const generation = level === 0 ? crypto.randomUUID() : "";
    if (record === undefined) return { generation, level, entries: [] };
    if (stored !== undefined) return { ...stored, entries: this.#clamped(stored.entries) };
    this.#options.emit({
      type: "record-corrupt",
      message: "The store returned a record that is not a per-user session index. A new " +
        "index replaces it. Check what else writes to the store",
    });
    // An entry that cannot be decrypted: until all sessions are added again, the list is
    // incomplete. There may be shards of every level.
    const lost = { tag: "", sealed: "", at: unixNow(this.#options) };
    return { generation, level: MAX_LEVEL, entries: [lost] };
  }

  /** The entries, with no time in the future, whatever the clock of another server says. */
  #clamped(entries: readonly IndexEntry[]): readonly IndexEntry[] {
    const latest = unixNow(this.#options) + MAX_CLOCK_SKEW;
    return entries.map((entry) => ({ ...entry, at: Math.min(entry.at, latest) }));
  }
}

function overtaken(): SessionError {
  return new SessionError(
    "ERR_SESSION_CONFLICT",
    "Cannot save the session: other requests changed the list of its subject's sessions for as " +
      "long as storeTimeout. Try again",
  );
}
