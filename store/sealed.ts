/**
 * {@linkcode SealedStore}: wraps a store and encrypts its records. Anyone who reads the store
 * learns nothing about the data of a session.
 *
 * @module
 */
import type { Awaitable } from "../base/awaitable.ts";
import { checkOptions, checkSecrets } from "../base/check_options.ts";
import {
  checkInner,
  clientIdOf,
  innerAccepts,
  markWantsClientId,
  withoutClientId,
} from "./_wrapper.ts";
import { BoundedCache } from "../base/bounded_cache.ts";
import { TextSeal } from "../base/text_seal.ts";
import { neverAborted, plainDelete, plainGet, plainSet } from "./_plain_methods.ts";
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

/** Options of {@linkcode SealedStore}. */
export interface SealedStoreOptions {
  /**
   * Sets the secrets that the keys are derived from, each of at least 32 bytes in UTF-8. The first
   * secret encrypts; all of them can decrypt.
   *
   * To rotate, put the new secret in front. If you restart processes one after the other, first add
   * it at the end in all of them, so that each can decrypt what another one encrypts. A write or a
   * touch encrypts a record with the first secret that was encrypted with another one. Remove the
   * old secret after `expire` has passed.
   */
  secret: string | readonly string[];
}

const MIN_SECRET_BYTES = 32;
/** How many records of old secrets are remembered at least between their read and their touch. */
const REMEMBERED = 2000;
/** A text that is not a session. The middleware reports it with the event `record-corrupt`. */
const CORRUPT = "";

/**
 * Wraps a store and encrypts its texts with AES-256-GCM. Each record has an encryption key of its
 * own, which HKDF derives from the `id` of the record and the secret. No record contains the secret.
 * Without it, a dump, a backup or a replica of the store reveals neither the data of a session nor
 * its ID.
 *
 * It does not hide the number of records, their sizes, their last-access times and their expiry. If
 * someone guesses a subject, they can see whether it has a session index. The `id` of a record is not
 * hidden either: it is the second half of the session's ID, and useless without the first. To hide
 * it, wrap a `HashedStore`: `new SealedStore(new HashedStore(store), { secret })`. The opposite order
 * produces the same records: a `HashedStore` passes the `id` to a `SealedStore` directly behind it.
 * So the encryption key always depends on an `id` that no dump contains.
 *
 * A record is rejected if any bit was changed, if it was encrypted with another secret or for
 * another `id`, or if it was not encrypted at all. Its client gets a new session, and the middleware
 * emits the event `record-corrupt`. This also applies to sessions that were stored without this
 * wrapper. An attacker with write access can still delete a record, restore an older text of the
 * same `id`, or change its expiry.
 *
 * A read decrypts once, and a write or a touch encrypts once. The first call for an `id` derives its
 * encryption key. At least the last 2,000 of these keys are cached. For an invented `id` none is
 * derived. Encryption makes a text one third longer, plus 39 characters.
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
 * assert(!(await hashed.read(id.slice(32), { signal }))?.text.includes("ada"));
 * assertEquals((await store.get(id))?.user, "ada");
 * ```
 */
export class SealedStore implements VersionedStore {
  readonly #store: VersionedStore;
  readonly #seal: TextSeal;
  /** Unseals what old secrets sealed. */
  readonly #oldSeal: TextSeal;
  /** Records that were last read under an old secret, by ID. */
  readonly #outdated = new BoundedCache<Omit<StoredRecord, "text">>(REMEMBERED);

  /**
   * Wraps a store. Does not access it yet, and derives no key.
   *
   * @throws {TypeError} If `store` is not a {@linkcode VersionedStore}, or an option is missing,
   * unknown or of the wrong type. A store with only `get`, `set` and `delete` cannot give the
   * guarantees of this class.
   * @throws {RangeError} If a secret is shorter than 32 bytes.
   */
  constructor(store: VersionedStore, options: SealedStoreOptions) {
    checkInner("SealedStore", store);
    checkOptions("SealedStore", options, ["secret"]);
    const secrets = checkSecrets("SealedStore", options.secret, MIN_SECRET_BYTES);
    this.#store = store;
    this.#seal = new TextSeal(secrets.slice(0, 1));
    this.#oldSeal = new TextSeal(secrets.slice(1));
    markWantsClientId(this);
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
   * Resolves to the record; `undefined` if it does not exist. The text is empty if it cannot be
   * decrypted.
   *
   * @throws {Error} If the wrapped store fails, with its error.
   */
  async read(id: string, options: StoreCallOptions): Promise<StoredRecord | undefined> {
    const record = await this.#store.read(id, withoutClientId(options)) ?? undefined;
    if (record === undefined) return undefined;
    const { text, version, lastAccess } = record;
    const clientId = clientIdOf(options, id);
    const opened = await this.#seal.unseal(clientId, text);
    if (opened !== undefined) return { text: opened, version, lastAccess };
    const outdated = await this.#oldSeal.unseal(clientId, text);
    if (outdated !== undefined) this.#outdated.setCopied(id, { version, lastAccess });
    return { text: outdated ?? CORRUPT, version, lastAccess };
  }

  /**
   * Creates a record. Resolves to its version; `undefined` if a record exists.
   *
   * @throws {Error} If the wrapped store fails, with its error.
   */
  async create(id: string, text: string, options: WriteOptions): Promise<string | undefined> {
    const sealed = await this.#seal.seal(clientIdOf(options, id), text);
    return await this.#store.create(id, sealed, withoutClientId(options));
  }

  /**
   * Replaces the record if it has the given version. Resolves to the new version; `undefined` if
   * the record does not exist or has another version.
   *
   * @throws {Error} If the wrapped store fails, with its error.
   */
  async replace(id: string, text: string, options: ReplaceOptions): Promise<string | undefined> {
    const sealed = await this.#seal.seal(clientIdOf(options, id), text);
    return await this.#store.replace(id, sealed, withoutClientId(options));
  }

  /**
   * Updates the last-access time and the expiry of the record if it has the given version. Of both
   * times and of both expiries, the later one counts. A record that was encrypted with an old
   * secret is encrypted again, and then always expires after the given `ttl`.
   *
   * @throws {Error} If the wrapped store fails, with its error.
   */
  async touch(id: string, options: TouchOptions): Promise<boolean> {
    const text = await this.#seal.seal(clientIdOf(options, id), options.text);
    const { text: _, ...write } = withoutClientId(options);
    const outdated = this.#outdated.get(id);
    if (outdated?.version !== write.version) return await this.#store.touch(id, { ...write, text });
    // Otherwise a session that is only read would need the old secret for its whole life.
    const lastAccess = Math.max(outdated.lastAccess, write.lastAccess);
    const version = await this.#store.replace(id, text, { ...write, lastAccess }) ?? undefined;
    return version !== undefined;
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
    return this.#store.delete(id, withoutClientId({ ...options, signal }));
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
}
