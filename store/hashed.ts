/**
 * {@linkcode HashedStore}: a store whose keys are hashes of the ids, so that nobody who reads it can
 * use what he finds there.
 *
 * @module
 */
import type { Awaitable } from "../base/awaitable.ts";
import { sha256 } from "../base/sha256.ts";
import { accepts, checkInner, markTakesId, takesId, withId } from "./_wrapper.ts";
import { plainGet, plainSet } from "./_plain_methods.ts";
import { BoundedCache } from "../base/bounded_cache.ts";
import type {
  DeleteOptions,
  ReplaceOptions,
  SessionHash,
  StoreCallOptions,
  StoredRecord,
  TouchOptions,
  VersionedStore,
  WriteOptions,
} from "./store.ts";

/** How many ids' keys are remembered at least, some 250 bytes each; twice as many at most. */
const REMEMBERED = 10_000;

/**
 * Stands in front of a store, whose keys are then the SHA-256 of the ids: 64 lowercase hex digits,
 * `printf %s "$ID" | sha256sum`. The session's data it leaves as it is; that is what `SealedStore` is for.
 *
 * Who reads the store, a backup or a replica of it finds no id that a server would take:
 *
 * - An id has 256 random bits, so its hash tells nothing that could be tried out. A hash that is
 *   presented as an id is hashed once more, and is the key of nothing.
 * - The text that a rotation leaves under an old id is the old id XOR the new one. Of the n + 1 ids
 *   of a session that was rotated n times, its texts hold n such differences, and every XOR of any
 *   of them is a difference of two ids again, never an id. Any value of the live one fits
 *   all of them equally well: 256 bits stay unknown. The hashes only tell whether a guess is right.
 * - Who has an old id as well, from a log or because he planted it, can follow these texts to the
 *   live one: here as in any store whose records name the new id for the server to find. A
 *   `SealedStore` in front ends that: the texts are then sealed under a secret.
 *
 * The list of a subject's sessions is kept under a hash of the subject, which can be tried out, and
 * names the ids sealed under the middleware's `secret`: that has to be one that nobody guesses.
 *
 * A call costs one digest. The keys of at least the last 10,000 ids that had a record are remembered,
 * so a request that reads and writes pays it once, and an active session hardly ever; those ids are
 * in this process's memory anyway, where requests bring them.
 *
 * Sessions that were stored before it came are not found any more: their clients start anew.
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
 * const sessions = new SessionMiddleware({ secret: "change me", store });
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
  readonly #takesId: boolean;
  readonly #keys = new BoundedCache<string>(REMEMBERED);

  /**
   * Wraps a store; asks it nothing yet.
   *
   * @throws {TypeError} When `store` is no {@linkcode VersionedStore}: one with `get`, `set` and
   * `delete` alone could not keep what this one promises.
   */
  constructor(store: VersionedStore) {
    checkInner("HashedStore", store);
    this.#store = store;
    this.#takesId = takesId(store);
    if (this.#takesId) markTakesId(this);
  }

  /** Whether the wrapped store would take `presented` for an id. */
  accepts(presented: string): boolean {
    return accepts(this.#store, presented);
  }

  /**
   * The record, or undefined when there is none.
   *
   * @throws {Error} The wrapped store's own, when it fails.
   */
  read(id: string, options: StoreCallOptions): Awaitable<StoredRecord | undefined> {
    return this.#call(id, options, (key, options) => this.#store.read(key, options));
  }

  /**
   * Writes a record where there is none.
   *
   * @throws {Error} The wrapped store's own, when it fails.
   */
  create(id: string, text: string, options: WriteOptions): Awaitable<string | undefined> {
    return this.#call(id, options, (key, options) => this.#store.create(key, text, options));
  }

  /**
   * Writes over the record if it has the version; never inserts.
   *
   * @throws {Error} The wrapped store's own, when it fails.
   */
  replace(id: string, text: string, options: ReplaceOptions): Awaitable<string | undefined> {
    return this.#call(id, options, (key, options) => this.#store.replace(key, text, options));
  }

  /**
   * Notes the record's use if it has the version.
   *
   * @throws {Error} The wrapped store's own, when it fails.
   */
  touch(id: string, options: TouchOptions): Awaitable<boolean> {
    return this.#call(id, options, (key, options) => this.#store.touch(key, options));
  }

  /**
   * Removes the record, if it has the version where one is given.
   *
   * @throws {Error} The wrapped store's own, when it fails.
   */
  delete(id: string, options: Partial<DeleteOptions> = {}): Awaitable<boolean> {
    const { signal = new AbortController().signal } = options;
    return this.#call(id, { ...options, signal }, (key, options) => {
      return this.#store.delete(key, options);
    });
  }

  /** PAGI's `get`: the session's data with its reserved keys. */
  get(id: string): Promise<SessionHash | undefined> {
    return plainGet(this, id);
  }

  /** PAGI's `set`: writes the data whatever was there, and resolves to the id. */
  set(id: string, data: SessionHash): Promise<string> {
    return plainSet(this, id, data, Math.floor(Date.now() / 1000));
  }

  #call<Options extends object, Answer>(
    id: string,
    options: Options,
    ask: (key: string, options: Options) => Awaitable<Answer>,
  ): Awaitable<Answer> {
    const inner = this.#takesId ? withId(options, id) : options;
    const known = this.#keys.get(id);
    return known === undefined ? this.#callAnew(id, inner, ask) : ask(known, inner);
  }

  async #callAnew<Options extends object, Answer>(
    id: string,
    options: Options,
    ask: (key: string, options: Options) => Awaitable<Answer>,
  ): Promise<Answer> {
    const key = await sha256(id);
    const answer = await ask(key, options);
    // Only what has a record: made-up ids push nobody's out.
    if (answer) this.#keys.setCopied(id, key);
    return answer;
  }
}
