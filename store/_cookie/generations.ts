/**
 * The subjects whose sessions were all ended, for a `CookieStore`. A versioned store has one record
 * for each of them, under a hash of the subject. It names the subject's generation:
 *
 * - A session gets the generation when it gets its subject. Its values contain it.
 * - Ending all sessions begins another generation. Values of an earlier one are not valid any more.
 * - The record may name the key of one session that was kept, and the generation that this session
 *   has. If the session gets the same subject again, it gets that generation.
 *
 * Without a record every generation is valid: either no sessions were ended, or that is so long ago
 * that their values have expired.
 */
import type { Awaitable } from "../../base/awaitable.ts";
import { BoundedCache } from "../../base/bounded_cache.ts";
import { newToken } from "../../base/token.ts";
import { sha256 } from "../../base/sha256.ts";
import type { StoreCallOptions, StoredRecord, VersionedStore, WriteOptions } from "../store.ts";
import { RevocationRecords } from "./revocation_records.ts";

/** How many subjects have their keys cached at least. */
const CACHED_KEYS = 1000;
/** The generation of sessions that got their subject while there was no record. */
export const FIRST = "";

const PREFIX = "generation:";
/** The generation, the key of the session that was kept, and its generation, unless it is empty. */
const CONTENT = /^([0-9a-f]{12})(?: ([0-9a-f]{32})(?: ([0-9a-f]{12}))?)?$/;

/** The record of a subject. */
interface SubjectRecord extends StoredRecord {
  readonly generation: string;
  /** The key of the session that was kept. */
  readonly keptKey: string | undefined;
  readonly keptGeneration: string;
}

/** The generations of all subjects. */
export class Generations {
  readonly #records: RevocationRecords<SubjectRecord>;
  /** The keys under which the records of subjects lie. */
  readonly #keys = new BoundedCache<string>(CACHED_KEYS);

  constructor(store: VersionedStore, cacheSeconds: number, now: () => number) {
    this.#records = new RevocationRecords(store, cacheSeconds, now, toSubjectRecord);
  }

  /** The key under which the record of a subject lies. */
  keyOf(subject: string): Awaitable<string> {
    // Not that of an index of sessions, which may lie in the same store.
    return this.#keys.get(subject) ??
      sha256(`@pagi/session ended subject ${subject}`).then((key) => {
        this.#keys.set(subject, key);
        return key;
      });
  }

  /** The generation that a session gets with the subject. */
  async next(key: string, sessionKey: string, options: StoreCallOptions): Promise<string> {
    // Never from the cache: a user who signs in after a logout must not get the generation before.
    return expectedGeneration(await this.#records.ask(key, options), sessionKey);
  }

  /**
   * Whether the session has not been ended with all others. The answer may be `cacheSeconds` old.
   *
   * @param maxAge The most seconds that it may be old, if that is less.
   */
  async isValid(
    key: string,
    sessionKey: string,
    generation: string,
    options: StoreCallOptions,
    maxAge?: number,
  ): Promise<boolean> {
    const expected = expectedGeneration(await this.#records.find(key, options, maxAge), sessionKey);
    return expected === FIRST || expected === generation;
  }

  /** Ends all sessions of the subject, except one. */
  async endAll(subject: string, keptKey: string | undefined, options: WriteOptions): Promise<void> {
    const key = await this.keyOf(subject);
    const generation = newToken();
    const compose = (found: SubjectRecord | undefined) => {
      const text = PREFIX + generation;
      if (keptKey === undefined) return text;
      // A session that was ended before has another generation, so it does not come back.
      const kept = expectedGeneration(found, keptKey);
      return kept === FIRST ? `${text} ${keptKey}` : `${text} ${keptKey} ${kept}`;
    };
    await this.#records.write(key, await this.#records.ask(key, options), compose, options);
  }
}

/** The generation that the values of this session must have; `FIRST` if all are valid. */
function expectedGeneration(found: SubjectRecord | undefined, sessionKey: string): string {
  if (found === undefined) return FIRST;
  return found.keptKey === sessionKey ? found.keptGeneration : found.generation;
}

function toSubjectRecord(record: StoredRecord): SubjectRecord | undefined {
  const { text, version, lastAccess } = record;
  const content = text.startsWith(PREFIX) ? CONTENT.exec(text.slice(PREFIX.length)) : null;
  if (content === null) return undefined;
  const [, generation, keptKey, keptGeneration = FIRST] = content;
  return { text, version, lastAccess, generation: generation!, keptKey, keptGeneration };
}
