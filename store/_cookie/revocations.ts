/**
 * The IDs that are not valid any more, for a `CookieStore`. A versioned store has one record for
 * each session whose ID was replaced or that has ended, under the session's key. It names the
 * verifier of the only valid ID, or says that the session has ended, which is final.
 */
import { after, type Awaitable } from "../../base/awaitable.ts";
import { BoundedCache } from "../../base/bounded_cache.ts";
import { keyOf, verifierOf } from "../../base/id.ts";
import { MAX_ATTEMPTS } from "../../base/limits.ts";
import { isSameVerifier, newToken } from "../../base/record_header.ts";
import { encodeEnded, isEnded } from "../../base/record_text.ts";
import type { StoreCallOptions, StoredRecord, VersionedStore, WriteOptions } from "../store.ts";

/** The start of the text that names the verifier of the valid ID. */
const VALID_PREFIX = "valid:";
/** How many results are cached at least. */
const CACHED_RESULTS = 10_000;
/** Seconds that a record outlives the values of the session, because server clocks differ. */
const TTL_MARGIN = 300;

/** The record of a session. */
export interface Revocation {
  readonly text: string;
  /** Whether the session has ended. */
  readonly isEnded: boolean;
  /** The verifier of the valid ID; empty if the session has ended. */
  readonly verifier: string;
  /** When the record was written, in Unix seconds. */
  readonly lastAccess: number;
  readonly version: string;
}

/** What the store returned for a session, and when it was asked. */
interface CachedResult {
  /** In Unix milliseconds. */
  askedAt: number;
  /** Later calls have greater numbers. */
  order: number;
  revocation: Revocation | undefined;
}

/** The replaced IDs and ended sessions in a versioned store. */
export class Revocations {
  readonly #store: VersionedStore;
  readonly #cacheMs: number;
  readonly #now: () => number;
  readonly #results = new BoundedCache<CachedResult>(CACHED_RESULTS);
  #calls = 0;

  constructor(store: VersionedStore, cacheSeconds: number, now: () => number) {
    this.#store = store;
    this.#cacheMs = cacheSeconds * 1000;
    this.#now = now;
  }

  /** The record of the session with this ID, if there is one. May be `cacheSeconds` old. */
  find(id: string, { signal }: StoreCallOptions): Awaitable<Revocation | undefined> {
    const key = keyOf(id);
    const cached = this.#results.get(key);
    // The absolute difference: a clock that was set back must not extend the life of an entry.
    if (cached !== undefined && Math.abs(this.#now() - cached.askedAt) < this.#cacheMs) {
      return cached.revocation;
    }
    return this.#ask(key, signal);
  }

  /**
   * Makes `newId` the only valid ID of the session, if `id` is valid. Resolves to whether it was.
   *
   * @param known The session's record, as it was read before.
   */
  async replaceId(
    id: string,
    newId: string,
    known: Revocation | undefined,
    options: WriteOptions,
  ): Promise<boolean> {
    const text = VALID_PREFIX + verifierOf(newId);
    const mayWrite = (found: Revocation | undefined) => isValid(id, found);
    return await this.#write(keyOf(id), text, known, mayWrite, options);
  }

  /** Ends the session for good. Resolves to whether it had not ended before. */
  async end(id: string, options: WriteOptions): Promise<boolean> {
    const key = keyOf(id);
    const known = await this.#ask(key, options.signal);
    const mayWrite = (found: Revocation | undefined) => !found?.isEnded;
    // The token tells this call from another one that has ended the session first.
    return await this.#write(key, encodeEnded(newToken()), known, mayWrite, options);
  }

  /** Writes the record, unless the existing one forbids it. Resolves to whether it did. */
  async #write(
    key: string,
    text: string,
    known: Revocation | undefined,
    mayWrite: (found: Revocation | undefined) => boolean,
    options: WriteOptions,
  ): Promise<boolean> {
    const write = { ...options, ttl: options.ttl + TTL_MARGIN };
    let found = known;
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      if (!mayWrite(found)) return false;
      const version: unknown = found === undefined
        ? await this.#store.create(key, text, write)
        : await this.#store.replace(key, text, { ...write, version: found.version });
      if (typeof version === "string") {
        const { lastAccess } = options;
        const revocation = toRevocation({ text, version, lastAccess });
        this.#cache(key, { askedAt: this.#now(), order: ++this.#calls, revocation });
        return true;
      }
      if (version !== undefined && version !== null) throw invalidAnswer();
      found = await this.#ask(key, options.signal);
      // A client that reconnects sends a call again. Then the first one has succeeded.
      if (found?.text === text) return true;
    }
    throw new Error("Cannot note the session's end: others wrote its record every time");
  }

  #ask(key: string, signal: AbortSignal): Awaitable<Revocation | undefined> {
    // Taken before the call, so that a cached result never counts as newer than it is.
    const askedAt = this.#now();
    const order = ++this.#calls;
    return after(this.#store.read(key, { signal }), (record) => {
      const revocation = toRevocation(record);
      this.#cache(key, { askedAt, order, revocation });
      return revocation;
    });
  }

  #cache(key: string, result: CachedResult): void {
    if (this.#cacheMs === 0) return;
    // A read that started before a write may return after it.
    if ((this.#results.get(key)?.order ?? 0) < result.order) this.#results.set(key, result);
  }
}

/** Whether the ID is the valid one. Without a record, a session has had one ID only. */
export function isValid(id: string, found: Revocation | undefined): boolean {
  return found === undefined ||
    (!found.isEnded && isSameVerifier(found.verifier, verifierOf(id)));
}

/** Throws for an invalid record: it must not count as "not revoked". */
function toRevocation(record: StoredRecord | null | undefined): Revocation | undefined {
  if (record === undefined || record === null) return undefined;
  const { text, lastAccess, version } = record;
  if (isEnded(text)) return { text, isEnded: true, verifier: "", lastAccess, version };
  if (typeof text !== "string" || !text.startsWith(VALID_PREFIX)) throw invalidAnswer();
  const verifier = text.slice(VALID_PREFIX.length);
  return { text, isEnded: false, verifier, lastAccess, version };
}

function invalidAnswer(): Error {
  return new Error("Cannot tell whether the session has ended: the store's answer is invalid");
}
