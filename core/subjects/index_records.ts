/**
 * Reads and changes the records of the indexes. Changes of one record that wait in this process are
 * applied together, by one read and one compare-and-swap. So many sign-ins of one user at the same
 * time need only a few writes.
 */
import type { Awaitable } from "../../base/awaitable.ts";
import { KeyedQueue } from "../../base/keyed_queue.ts";
import { MAX_CLOCK_SKEW } from "../../base/limits.ts";
import { SessionError } from "../../errors.ts";
import type { Backend, SessionRecord } from "../backend/backend.ts";
import { unixNow } from "../lookup.ts";
import type { ResolvedOptions } from "../options.ts";
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

/** A change that waits, or its outcome. */
interface Job {
  readonly edit: IndexEdit<unknown>;
  outcome?: { result: unknown } | { error: unknown };
}

/** Seconds that a server may take to write a session after it has listed it, by another's clock. */
export const MAX_WRITE_SECONDS = 60 + MAX_CLOCK_SKEW;

/** The longest pause between two attempts to write, in milliseconds. */
const MAX_PAUSE_MS = 100;

/** The records of all indexes. */
export class IndexRecords {
  readonly #backend: Backend;
  readonly #options: ResolvedOptions;
  /** Seconds for which the store keeps a record after a write. */
  readonly #kept: number;
  readonly #waiting = new Map<string, Job[]>();
  readonly #queue: KeyedQueue;

  /** @param kept Seconds for which the store keeps a record after a write. */
  constructor(backend: Backend, options: ResolvedOptions, kept: number) {
    this.#backend = backend;
    this.#options = options;
    this.#kept = kept;
    // The first change carries out those of all others, which wait until it gives up.
    this.#queue = new KeyedQueue(2 * options.storeTimeout);
  }

  /** The content of a record; `undefined` if it does not exist. */
  async read(place: IndexPlace): Promise<IndexContent | undefined> {
    const record = await this.#backend.read(place.key);
    return record && this.#contentOf(place, record);
  }

  /** Changes a record. Resolves to the result of `edit`. */
  async change<Result>(place: IndexPlace, edit: IndexEdit<Result>): Promise<Result> {
    const { key } = place;
    const job: Job = { edit };
    const waiting = this.#waiting.get(key);
    if (waiting === undefined) this.#waiting.set(key, [job]);
    else waiting.push(job);
    const outcome = await this.#queue.run(key, async () => {
      if (job.outcome === undefined) await this.#changeForAll(place, job);
      return job.outcome!;
    });
    if ("error" in outcome) throw outcome.error;
    return outcome.result as Result;
  }

  /** Applies all changes that wait for the record. */
  async #changeForAll(place: IndexPlace, own: Job): Promise<void> {
    const waiting = this.#waiting.get(place.key) ?? [];
    this.#waiting.delete(place.key);
    // Another one has taken this job and does not come to an end.
    const jobs = waiting.includes(own) ? waiting : [own, ...waiting];
    try {
      const results = await this.#changeAtOnce(place, jobs.map(({ edit }) => edit));
      for (const [at, job] of jobs.entries()) job.outcome ??= { result: results[at] };
    } catch (error) {
      for (const job of jobs) job.outcome ??= { error };
    }
  }

  /**
   * Reads, changes and writes a record until no other write comes between.
   *
   * @throws {SessionError} `ERR_SESSION_CONFLICT` if concurrent writes took effect first for `storeTimeout`.
   */
  async #changeAtOnce(
    place: IndexPlace,
    edits: readonly IndexEdit<unknown>[],
  ): Promise<readonly unknown[]> {
    // By the real time, because it limits a real wait.
    const deadline = performance.now() + this.#options.storeTimeout * 1000;
    for (let attempt = 0;; attempt++) {
      const record = await this.#backend.read(place.key);
      const before = this.#contentOf(place, record);
      const results: unknown[] = [];
      let content = before;
      for (const edit of edits) {
        const [next, result] = await edit(content, attempt > 0);
        content = next;
        results.push(result);
      }
      const isDone = content === before
        ? await this.#keep(record)
        : await this.#write(place, record, content);
      if (isDone) return results;
      if (performance.now() >= deadline) throw overtaken();
      await pause(attempt);
    }
  }

  /** Extends the life of a record that was not written for a long time. */
  async #keep(record: SessionRecord | undefined): Promise<true> {
    const now = unixNow(this.#options);
    // The time of a server whose clock is wrong says nothing.
    if (record !== undefined && Math.abs(now - record.lastAccess) > this.#kept / 4) {
      // If it has another version by now, another server has just extended its life.
      await this.#backend.touch(record, { lastAccess: now, ttl: this.#kept });
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
    const ttl = isEmpty ? 2 * MAX_WRITE_SECONDS : this.#kept;
    const expiry = { lastAccess: unixNow(this.#options), ttl };
    const text = encodeIndex(content);
    const written = record === undefined
      ? await this.#backend.create(place.key, text, expiry)
      : await this.#backend.replace(record, text, expiry);
    return written !== undefined;
  }

  #contentOf({ level }: IndexPlace, record: SessionRecord | undefined): IndexContent {
    const generation = level === 0 ? crypto.randomUUID() : "";
    if (record === undefined) return { generation, level, entries: [] };
    const content = decodeIndex(record.text);
    if (content !== undefined) return { ...content, entries: this.#clamped(content.entries) };
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

/** Waits for a short random time, longer each time, so that many writers stop colliding. */
async function pause(attempt: number): Promise<void> {
  if (attempt === 0) return;
  const longest = Math.min(2 ** attempt, MAX_PAUSE_MS);
  await new Promise((resolve) => setTimeout(resolve, Math.random() * longest));
}

function overtaken(): SessionError {
  return new SessionError(
    "ERR_SESSION_CONFLICT",
    "Cannot save the session: other requests changed the list of its subject's sessions for as " +
      "long as storeTimeout. Try again",
  );
}
