/**
 * {@linkcode HashedStore}: wraps a store so that its keys are hashes of the session IDs. The stored
 * keys are useless to anyone who reads the store.
 *
 * @module
 */
import type { Awaitable } from "../base/awaitable.ts";
import { sha256 } from "../base/sha256.ts";
import {
  checkInner,
  innerAccepts,
  markWantsClientId,
  wantsClientId,
  withClientId,
} from "./_wrapper.ts";
import { neverAborted, plainDelete, plainGet, plainSet } from "./_plain_methods.ts";
import { BoundedCache } from "../base/bounded_cache.ts";
import type {
  DeleteOptions,
  ReplaceOptions,
  SessionHash,
  StoreCallOptions,
  StoredRecord,
  StoreEvent,
  TouchOptions,
  VersionedStore,
  WriteOptions,
} from "./store.ts";

/** How many keys are cached at least, about 250 bytes each. */
const CACHED_KEYS = 10_000;

/**
 * Wraps a store and replaces each session's key, the last 32 digits of its ID, by its SHA-256, as 64
 * lowercase hex digits: the result of `printf %s "$KEY" | sha256sum`. It does not change the
 * session's data; use `SealedStore` to encrypt it.
 *
 * Anyone who can read the store, a backup or a replica finds no ID that the server would accept:
 *
 * - A session's text contains the other half of its ID, the verifier. The key is missing: it has 128
 *   random bits, so it cannot be guessed from its hash. If a client sends a hash as its ID, the key
 *   in it is hashed again, and no record has that hash.
 * - Behind this store, the key is as secret as the ID. An attacker who also knows the key of a
 *   session can find its record and read the verifier. They know the key if they have any ID that
 *   the session ever had, for example from a log. To prevent it, wrap this store in a `SealedStore`,
 *   which encrypts the verifier with a secret.
 *
 * The index of a user's sessions is stored under a hash of the subject, so a guessed subject can be
 * checked. The IDs in the index are encrypted with the middleware's `secret`, which must not be
 * guessable.
 *
 * Each call computes one digest. The keys of at least the last 10,000 IDs with a record are cached,
 * so a request that reads and writes computes it once, and an active session rarely does. The cache
 * reveals nothing new: requests bring the same IDs into the memory of the process.
 *
 * Sessions that were stored without this wrapper are no longer found. Their clients get new
 * sessions.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { SessionMiddleware } from "@pagi/session";
 * import { HashedStore } from "@pagi/session/store/hashed";
 * import { MemoryStore } from "@pagi/session/store/memory";
 *
 * const inner = new MemoryStore();
 * const store = new HashedStore(inner);
 * const sessions = new SessionMiddleware({
 *   secret: "replace this with: openssl rand -hex 32",
 *   store,
 * });
 * const handler = sessions.handler((_request, session) => {
 *   session.set("user", "ada");
 *   return new Response(session.id);
 * });
 *
 * const id = await (await handler(new Request("http://localhost/"))).text();
 * assertEquals(await inner.get(id), undefined);
 * assertEquals((await store.get(id))?.user, "ada");
 * ```
 */
export class HashedStore implements VersionedStore {
  readonly #store: VersionedStore;
  readonly #innerWantsId: boolean;
  readonly #keys = new BoundedCache<string>(CACHED_KEYS);

  /**
   * Wraps a store. Does not access it yet.
   *
   * @throws {TypeError} If `store` is not a {@linkcode VersionedStore}. A store with only `get`,
   * `set` and `delete` cannot give the guarantees of this class.
   */
  constructor(store: VersionedStore) {
    checkInner("HashedStore", store);
    this.#store = store;
    this.#innerWantsId = wantsClientId(store);
    if (this.#innerWantsId) markWantsClientId(this);
  }

  /** Passes the function on to the wrapped store. */
  reportTo(report: (event: StoreEvent) => void): void {
    this.#store.reportTo?.(report);
  }

  /** Returns whether the wrapped store accepts `presented` as a session ID. */
  accepts(presented: string): boolean {
    return innerAccepts(this.#store, presented);
  }

  /**
   * Resolves to the record; `undefined` if it does not exist.
   *
   * @throws {Error} If the wrapped store fails, with its error.
   */
  read(id: string, options: StoreCallOptions): Awaitable<StoredRecord | undefined> {
    return this.#call(id, options, (key, options) => this.#store.read(key, options));
  }

  /**
   * Creates a record. Resolves to its version; `undefined` if a record exists.
   *
   * @throws {Error} If the wrapped store fails, with its error.
   */
  create(id: string, text: string, options: WriteOptions): Awaitable<string | undefined> {
    return this.#call(id, options, (key, options) => this.#store.create(key, text, options));
  }

  /**
   * Replaces the record if it has the given version. Resolves to the new version; `undefined` if
   * the record does not exist or has another version.
   *
   * @throws {Error} If the wrapped store fails, with its error.
   */
  replace(id: string, text: string, options: ReplaceOptions): Awaitable<string | undefined> {
    return this.#call(id, options, (key, options) => this.#store.replace(key, text, options));
  }

  /**
   * Updates the last-access time and the expiry of the record if it has the given version. Of both
   * times and of both expiries, the later one counts.
   *
   * @throws {Error} If the wrapped store fails, with its error.
   */
  touch(id: string, options: TouchOptions): Awaitable<boolean> {
    return this.#call(id, options, (key, options) => this.#store.touch(key, options));
  }

  /**
   * Deletes the record. If a version is given, only a record of that version is deleted. Without
   * options, this implements PAGI's `delete`: `id` may also be any ID that the session had.
   *
   * @throws {Error} If the wrapped store fails, with its error.
   */
  delete(id: string, options?: Partial<DeleteOptions>): Awaitable<boolean> {
    if (options === undefined) return plainDelete(id, (key) => this.delete(key, neverAborted()));
    const { signal = new AbortController().signal } = options;
    return this.#call(id, { ...options, signal }, (key, options) => {
      return this.#store.delete(key, options);
    });
  }

  /**
   * Implements PAGI's `get`: resolves to the session's data with its reserved keys. Only the current
   * ID of a session finds it.
   */
  get(id: string): Promise<SessionHash | undefined> {
    return plainGet(this, id);
  }

  /**
   * Implements PAGI's `set`: writes the data, overwriting any record, and resolves to the ID, which
   * is the session's only valid ID from now on.
   */
  set(id: string, data: SessionHash): Promise<string> {
    return plainSet(this, id, data, Math.floor(Date.now() / 1000));
  }

  #call<Options extends object, Result>(
    id: string,
    options: Options,
    callInner: (key: string, options: Options) => Awaitable<Result>,
  ): Awaitable<Result> {
    const inner = this.#innerWantsId ? withClientId(options, id) : options;
    const key = this.#keys.get(id);
    return key === undefined ? this.#hashAndCall(id, inner, callInner) : callInner(key, inner);
  }

  async #hashAndCall<Options extends object, Result>(
    id: string,
    options: Options,
    callInner: (key: string, options: Options) => Awaitable<Result>,
  ): Promise<Result> {
    const key = await sha256(id);
    const result = await callInner(key, options);
    // Only IDs with a record: invented IDs must not displace others from the cache.
    if (result) this.#keys.setCopied(id, key);
    return result;
  }
}
