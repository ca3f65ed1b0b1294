/**
 * {@linkcode SealedStore}: a store whose texts are encrypted, so that nobody who reads it learns what
 * is in a session.
 *
 * @module
 */
import type { Awaitable } from "../base/awaitable.ts";
import { checkOptions, checkSecrets } from "../base/check_options.ts";
import { accepts, checkInner, clientId, markTakesId, withoutId } from "./_wrapper.ts";
import { TextSeal } from "../base/text_seal.ts";
import { plainGet, plainSet } from "./_plain_methods.ts";
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

/** Options of {@linkcode SealedStore}. */
export interface SealedStoreOptions {
  /**
   * What the keys are derived from, together with the ids; of 32 bytes or more in UTF-8. In a list the
   * first seals and all open.
   *
   * To change it, put the new one in front; where processes are restarted one after the other, first
   * at the end in all of them, so that each can open what another seals. While there are several, a
   * touch seals the record anew: when `expire` has passed since then, no live session needs the old.
   */
  secret: string | readonly string[];
}

const MIN_SECRET_BYTES = 32;
/** What lifecycle takes for no session, and says so by an event. */
const CORRUPT = "";

/**
 * Stands in front of a store and encrypts the texts that it keeps, with AES-256-GCM under a key for
 * each id, derived from the id and the secret by HKDF. The secret is in no record: without it a
 * dump, a backup or a replica of the store says nothing of what is in a session, and nothing of
 * where a rotated one has gone.
 *
 * What is not hidden: how many records there are, how long each is, when it was used last and when
 * it expires; and, from whoever guesses the name of a subject, whether it has a list of sessions. Nor
 * are the ids, which are the store's keys; for that, stand it in front of a `HashedStore`:
 * `new SealedStore(new HashedStore(store), { secret })`. The other way round is the same, to the
 * record: a `HashedStore` hands the id on to a `SealedStore` directly behind it, so that the key never
 * depends on what a dump holds and the secret alone.
 *
 * A text that was changed in any bit, sealed under another secret, moved from another id or
 * not sealed at all is no session: its client starts anew, with the event `record-corrupt`. Sessions
 * that were stored before it came are among these. Who can write to the store can still delete a
 * record, put back an older text of the same id, or change when it expires.
 *
 * A read costs one decryption, a write or touch one encryption; the first call for an id derives
 * its key, and at least the last 2,000 are remembered. A made-up id costs nothing. A text becomes a
 * third longer, and 39 letters.
 *
 * @example
 * ```ts
 * import { assert, assertEquals } from "@std/assert";
 * import { SessionMiddleware } from "@pagi/session";
 * import { HashedStore } from "@pagi/session/store/hashed";
 * import { MemoryStore } from "@pagi/session/store/memory";
 * import { SealedStore } from "@pagi/session/store/sealed";
 *
 * const secret = "32 random bytes, say in base64url";
 * const hashed = new HashedStore(new MemoryStore());
 * const store = new SealedStore(hashed, { secret });
 * const sessions = new SessionMiddleware({ secret, store });
 * const handler = sessions.handler((_request, session) => {
 *   session.set("user", "ada");
 *   return new Response(session.id);
 * });
 *
 * const id = await (await handler(new Request("http://localhost/"))).text();
 * const { signal } = new AbortController();
 * assert(!(await hashed.read(id, { signal }))?.text.includes("ada"));
 * assertEquals((await store.get(id))?.user, "ada");
 * ```
 */
export class SealedStore implements VersionedStore {
  readonly #store: VersionedStore;
  readonly #seal: TextSeal;
  readonly #hasOldSecrets: boolean;

  /**
   * Wraps a store; asks it nothing yet, and computes nothing.
   *
   * @throws {TypeError} When `store` is no {@linkcode VersionedStore} (one with `get`, `set` and
   * `delete` alone could not keep what this one promises), or an option is missing, unknown or of the
   * wrong kind.
   * @throws {RangeError} When a secret is shorter than 32 bytes.
   */
  constructor(store: VersionedStore, options: SealedStoreOptions) {
    checkInner("SealedStore", store);
    checkOptions("SealedStore", options, ["secret"]);
    const secrets = checkSecrets("SealedStore", options.secret, MIN_SECRET_BYTES);
    this.#store = store;
    this.#seal = new TextSeal(secrets);
    this.#hasOldSecrets = secrets.length > 1;
    markTakesId(this);
  }

  /** Whether the wrapped store would take `presented` for an id. */
  accepts(presented: string): boolean {
    return accepts(this.#store, presented);
  }

  /**
   * The record, or undefined when there is none. Its text is empty when it does not open.
   *
   * @throws {Error} The wrapped store's own, when it fails.
   */
  async read(id: string, options: StoreCallOptions): Promise<StoredRecord | undefined> {
    const record = await this.#store.read(id, withoutId(options)) ?? undefined;
    if (record === undefined) return undefined;
    const { text, version, lastAccess } = record;
    const opened = await this.#seal.unseal(clientId(options, id), text);
    return { text: opened ?? CORRUPT, version, lastAccess };
  }

  /**
   * Writes a record where there is none.
   *
   * @throws {Error} The wrapped store's own, when it fails.
   */
  async create(id: string, text: string, options: WriteOptions): Promise<string | undefined> {
    const sealed = await this.#seal.seal(clientId(options, id), text);
    return await this.#store.create(id, sealed, withoutId(options));
  }

  /**
   * Writes over the record if it has the version; never inserts.
   *
   * @throws {Error} The wrapped store's own, when it fails.
   */
  async replace(id: string, text: string, options: ReplaceOptions): Promise<string | undefined> {
    const sealed = await this.#seal.seal(clientId(options, id), text);
    return await this.#store.replace(id, sealed, withoutId(options));
  }

  /**
   * Notes the record's use if it has the version.
   *
   * @throws {Error} The wrapped store's own, when it fails.
   */
  async touch(id: string, options: TouchOptions): Promise<boolean> {
    const text = await this.#seal.seal(clientId(options, id), options.text);
    const { text: _, ...write } = withoutId(options);
    if (!this.#hasOldSecrets) return await this.#store.touch(id, { ...write, text });
    // Or a session that is only read would need an old secret for as long as it lives.
    return (await this.#store.replace(id, text, write) ?? undefined) !== undefined;
  }

  /**
   * Removes the record, if it has the version where one is given.
   *
   * @throws {Error} The wrapped store's own, when it fails.
   */
  delete(id: string, options: Partial<DeleteOptions> = {}): Awaitable<boolean> {
    const { signal = new AbortController().signal } = options;
    return this.#store.delete(id, withoutId({ ...options, signal }));
  }

  /** PAGI's `get`: the session's data with its reserved keys. */
  get(id: string): Promise<SessionHash | undefined> {
    return plainGet(this, id);
  }

  /** PAGI's `set`: writes the data whatever was there, and resolves to the id. */
  set(id: string, data: SessionHash): Promise<string> {
    return plainSet(this, id, data, Math.floor(Date.now() / 1000));
  }
}
