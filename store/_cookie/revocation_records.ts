/** Records of replaced IDs and ended sessions in a versioned store, and a cache of them. */
import { after, type Awaitable } from "../../base/awaitable.ts";
import { BoundedCache } from "../../base/bounded_cache.ts";
import { MAX_ATTEMPTS } from "../../base/limits.ts";
import type { StoreCallOptions, StoredRecord, VersionedStore, WriteOptions } from "../store.ts";

/** How many results are cached at least. */
const CACHED_RESULTS = 10_000;
/**
 * Seconds that a record outlives the values of the session: server clocks differ, and a server with
 * a cached result may make another value.
 */
const TTL_MARGIN = 300;
/**
 * Seconds for which a cached result may let a server make another value of the session. The record
 * must outlive that value, too.
 */
export const MAX_AGE_TO_SEAL = 60;

/** The store's answer for a key, and when it was asked. */
interface CachedResult<Found> {
  /** In Unix milliseconds. */
  askedAt: number;
  /** Later calls have greater numbers. */
  order: number;
  found: Found | undefined;
}

/** The records of one kind. */
export class RevocationRecords<Found extends StoredRecord & { readonly lifetime?: number }> {
  readonly #store: VersionedStore;
  readonly #cacheSeconds: number;
  readonly #now: () => number;
  readonly #parse: (record: StoredRecord) => Found | undefined;
  readonly #results = new BoundedCache<CachedResult<Found>>(CACHED_RESULTS);
  #calls = 0;

  /** @param parse Returns `undefined` for a record that is not of this kind. */
  constructor(
    store: VersionedStore,
    cacheSeconds: number,
    now: () => number,
    parse: (record: StoredRecord) => Found | undefined,
  ) {
    this.#store = store;
    this.#cacheSeconds = cacheSeconds;
    this.#now = now;
    this.#parse = parse;
  }

  /**
   * The record under a key, if there is one. May be `cacheSeconds` old.
   *
   * @param maxAge The most seconds that it may be old, if that is less.
   */
  find(
    key: string,
    options: StoreCallOptions,
    maxAge: number = this.#cacheSeconds,
  ): Awaitable<Found | undefined> {
    const cached = this.#results.get(key);
    const maxAgeMs = Math.min(maxAge, this.#cacheSeconds) * 1000;
    // The absolute difference: a clock that was set back must not extend the life of an entry.
    return cached !== undefined && Math.abs(this.#now() - cached.askedAt) < maxAgeMs
      ? cached.found
      : this.ask(key, options);
  }

  /** The record that is now under a key, if there is one. */
  ask(key: string, { signal }: StoreCallOptions): Awaitable<Found | undefined> {
    // Taken before the call, so that a cached result never counts as newer than it is.
    const askedAt = this.#now();
    const order = ++this.#calls;
    return after(this.#store.read(key, { signal }), (record) => {
      const found = this.#check(record);
      this.#cache(key, { askedAt, order, found });
      return found;
    });
  }

  /**
   * Writes a record. Resolves to whether it did.
   *
   * @param known The record, as it was read before.
   * @param compose Makes the text. Returns `undefined` if the existing record forbids the write.
   */
  async write(
    key: string,
    known: Found | undefined,
    compose: (found: Found | undefined) => string | undefined,
    options: WriteOptions,
  ): Promise<boolean> {
    let found = known;
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const text = compose(found);
      if (text === undefined) return false;
      // A session may have had a longer lifetime before.
      const ttl = Math.max(options.ttl, found?.lifetime ?? 0) + TTL_MARGIN;
      const write = { ...options, ttl };
      const version: unknown = found === undefined
        ? await this.#store.create(key, text, write)
        : await this.#store.replace(key, text, { ...write, version: found.version });
      if (typeof version === "string") {
        const { lastAccess } = options;
        const found = this.#check({ text, version, lastAccess });
        this.#cache(key, { askedAt: this.#now(), order: ++this.#calls, found });
        return true;
      }
      if (version !== undefined && version !== null) throw invalidAnswer();
      found = await this.ask(key, options);
      // A client that reconnects sends a call again. Then the first one has succeeded.
      if (found?.text === text) return true;
    }
    throw new Error("Cannot note the session's end: others wrote its record every time");
  }

  /** Throws for an invalid record: it must not count as "not revoked". */
  #check(record: StoredRecord | null | undefined): Found | undefined {
    if (record === undefined || record === null) return undefined;
    const found = typeof record.text === "string" ? this.#parse(record) : undefined;
    if (found === undefined) throw invalidAnswer();
    return found;
  }

  #cache(key: string, result: CachedResult<Found>): void {
    if (this.#cacheSeconds === 0) return;
    // A read that started before a write may return after it.
    if ((this.#results.get(key)?.order ?? 0) < result.order) this.#results.set(key, result);
  }
}

function invalidAnswer(): Error {
  return new Error("Cannot tell whether the session has ended: the store's answer is invalid");
}
