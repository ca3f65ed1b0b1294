/**
 * Revoked IDs, which make logouts final for cookie-backed sessions. A versioned store keeps one
 * record under each ID that is no longer valid. The record is written once and never changed: it is
 * either the tombstone that names the session's next ID, or a note that the session has ended. So
 * the IDs of a session form one chain, whichever request wins a race, and at most the last ID is
 * valid.
 */
import { after, type Awaitable } from "../../base/awaitable.ts";
import { BoundedCache } from "../../base/bounded_cache.ts";
import type { StoreCallOptions, StoredRecord, VersionedStore, WriteOptions } from "../store.ts";

/** The text under the ID of a session that has ended. */
const ENDED = "ended";
/** How many results are cached at least. */
const CACHED_RESULTS = 10_000;
/**
 * How often a revocation is attempted while existing records expire between `create` and `read`.
 */
const MAX_REVOCATION_TRIES = 4;
/** Seconds that a revocation outlives the values of its ID, because server clocks differ. */
const TTL_MARGIN = 300;

/** The record of a revoked ID. */
export interface Revocation {
  /** Replaces the text of the values with this ID: a tombstone. Empty if the session has ended. */
  text: string;
  /** When the ID was revoked, in Unix seconds. */
  lastAccess: number;
}

/** What the store returned for an ID, and when it was asked, in Unix milliseconds. */
interface CachedResult {
  askedAt: number;
  revocation: Revocation | undefined;
}

/** The revoked IDs in a versioned store. */
export class Revocations {
  readonly #store: VersionedStore;
  readonly #cacheMs: number;
  readonly #now: () => number;
  readonly #results = new BoundedCache<CachedResult>(CACHED_RESULTS);

  constructor(store: VersionedStore, cacheSeconds: number, now: () => number) {
    this.#store = store;
    this.#cacheMs = cacheSeconds * 1000;
    this.#now = now;
  }

  /** The revocation of `id`; `undefined` if the ID is valid. May be `cacheSeconds` old. */
  find(id: string, { signal }: StoreCallOptions): Awaitable<Revocation | undefined> {
    const cached = this.#results.get(id);
    // The absolute difference: a clock that was set back must not extend the life of an entry.
    if (cached !== undefined && Math.abs(this.#now() - cached.askedAt) < this.#cacheMs) {
      return cached.revocation;
    }
    return this.#ask(id, signal);
  }

  /**
   * Revokes `id`. Resolves to the text that now applies: `text`, or that of an earlier revocation.
   */
  async end(id: string, text: string, options: WriteOptions): Promise<string> {
    const write = { ...options, ttl: options.ttl + TTL_MARGIN };
    for (let attempt = 0; attempt < MAX_REVOCATION_TRIES; attempt++) {
      const askedAt = this.#now();
      const version: unknown = await this.#store.create(id, text || ENDED, write);
      if (typeof version === "string") {
        this.#cache(id, { askedAt, revocation: { text, lastAccess: options.lastAccess } });
        return text;
      }
      if (version !== undefined && version !== null) throw invalidAnswer();
      const earlier = await this.#ask(id, options.signal);
      if (earlier !== undefined) return earlier.text;
    }
    throw new Error("Cannot note the session's end: the store has a record and does not show it");
  }

  #ask(id: string, signal: AbortSignal): Awaitable<Revocation | undefined> {
    // Taken before the call, so that a cached result never counts as newer than it is.
    const askedAt = this.#now();
    return after(this.#store.read(id, { signal }), (record) => {
      const revocation = toRevocation(record);
      this.#cache(id, { askedAt, revocation });
      return revocation;
    });
  }

  #cache(id: string, result: CachedResult): void {
    if (this.#cacheMs === 0) return;
    // A revocation is final. A read that started before it may return later.
    const isOutdated = result.revocation === undefined &&
      this.#results.get(id)?.revocation !== undefined;
    if (!isOutdated) this.#results.set(id, result);
  }
}

/** Throws for an invalid record: it must not count as "not revoked". */
function toRevocation(record: StoredRecord | null | undefined): Revocation | undefined {
  if (record === undefined || record === null) return undefined;
  const { text, lastAccess } = record;
  if (typeof text !== "string") throw invalidAnswer();
  return { text: text === ENDED ? "" : text, lastAccess };
}

function invalidAnswer(): Error {
  return new Error("Cannot tell whether the session has ended: the store's answer is none");
}
