/**
 * What a store of sessions is: {@linkcode Store}, PAGI's three methods, and
 * {@linkcode VersionedStore}, the five that make sessions race-safe.
 *
 * @module
 */

/** A value, or a promise of it: a store that can answer at once should. */
export type Awaitable<T> = T | Promise<T>;

/** The data of one session as PAGI's stores keep it: the app's keys and the reserved ones. */
export type SessionHash = Record<string, unknown>;

/**
 * PAGI's store. Any object with these three methods works; none of them can be race-safe, since
 * `set` writes whatever was there. The middleware says so once, when it is made, through `onEvent`.
 */
export interface PlainStore {
  /** The session's data, or undefined (or null) when there is none. */
  get(id: string): Awaitable<SessionHash | null | undefined>;
  /** Keeps the data. Resolves to what the client is to present; undefined means the id. */
  set(id: string, data: SessionHash): Awaitable<string | void | undefined>;
  /** Removes the session; says nothing of whether there was one. */
  delete(id: string): Awaitable<unknown>;
  /** Whether `presented` may be an id of this store; if not, the store is not asked. @default {any string that is not empty} */
  accepts?(presented: string): boolean;
}

/** What every call of a {@linkcode VersionedStore} is handed. */
export interface StoreCallOptions {
  /** Aborted when `storeTimeout` has passed and nobody waits for the answer any more. */
  signal: AbortSignal;
}

/** How a record is written. */
export interface WriteOptions extends StoreCallOptions {
  /** When the session was last used, in Unix seconds. Kept beside the text and given back by `read`. */
  lastAccess: number;
  /** Seconds from now for which the record must be kept; it may be removed after that. */
  ttl: number;
  /** Whose session this is, for stores that index sessions by user; undefined removes it from the index. */
  subject?: string;
}

/** How a record is replaced. */
export interface ReplaceOptions extends WriteOptions {
  /** The version that the record must have. */
  version: string;
}

/** How a record's last use is noted. */
export interface TouchOptions extends StoreCallOptions {
  /** The version that the record must have. */
  version: string;
  /** The record's text at that version, for stores that can only write whole records. */
  text: string;
  /** When the session was last used, in Unix seconds. */
  lastAccess: number;
  /** Seconds from now for which the record must be kept. */
  ttl: number;
}

/** How a record is removed. */
export interface DeleteOptions extends StoreCallOptions {
  /** The version that the record must have; undefined for any. */
  version?: string;
}

/** What `read` finds. */
export interface StoredRecord {
  /** The text that was written last. */
  text: string;
  /** Names this state of the record; no later text of it has the same. Opaque to everyone else. */
  version: string;
  /** The `lastAccess` that was written last, in Unix seconds. */
  lastAccess: number;
}

/**
 * A store that makes sessions race-safe. It moves text and never looks into it; each call concerns
 * one record and takes effect as a whole or not at all; of two calls on a record, one comes first
 * for everybody. `docs/store-contract.md` says what each does in every case.
 *
 * A record past its `ttl` is absent to every method. A call that throws or rejects may or may not
 * have taken effect; lifecycle does not repeat it.
 */
export interface VersionedStore {
  /** The record, or undefined when there is none. */
  read(id: string, options: StoreCallOptions): Awaitable<StoredRecord | undefined>;
  /** Writes a record where there is none. The new version, or undefined when there was one. */
  create(id: string, text: string, options: WriteOptions): Awaitable<string | undefined>;
  /** Writes over the record if it has `version`. The new version, or undefined; never inserts. */
  replace(id: string, text: string, options: ReplaceOptions): Awaitable<string | undefined>;
  /** Sets the record's `lastAccess` and `ttl` if it has `version`; whether it did. The text stays. */
  touch(id: string, options: TouchOptions): Awaitable<boolean>;
  /** Removes the record, if it has `version` where one is given; whether it did. */
  delete(id: string, options: DeleteOptions): Awaitable<boolean>;
  /** Whether `presented` may be an id of this store; if not, the store is not asked. @default {64 lowercase hex digits} */
  accepts?(presented: string): boolean;
}

/** What the `store` option takes. */
export type SessionStore = PlainStore | VersionedStore;

/**
 * The base class for stores with PAGI's three methods, PAGI's `Session::Store`. A subclass must
 * implement all of them.
 *
 * @example A store on a Map
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { type SessionHash, Store } from "@pagi/session/store";
 *
 * class MapStore extends Store {
 *   #texts = new Map<string, string>();
 *   override async get(id: string) {
 *     const text = this.#texts.get(id);
 *     return await (text === undefined ? undefined : JSON.parse(text));
 *   }
 *   override async set(id: string, data: SessionHash) {
 *     await this.#texts.set(id, JSON.stringify(data));
 *     return id;
 *   }
 *   override async delete(id: string) {
 *     await this.#texts.delete(id);
 *   }
 * }
 *
 * const store = new MapStore();
 * await store.set("a", { user: 1 });
 * assertEquals(await store.get("a"), { user: 1 });
 * ```
 */
export class Store implements PlainStore {
  /**
   * Finds the session's data.
   *
   * @throws {Error} Unless a subclass overrides it.
   */
  get(_id: string): Promise<SessionHash | undefined> {
    throw unimplemented(this, "get(id)");
  }

  /**
   * Keeps the session's data and resolves to what the client is to present.
   *
   * @throws {Error} Unless a subclass overrides it.
   */
  set(_id: string, _data: SessionHash): Promise<string | void> {
    throw unimplemented(this, "set(id, data)");
  }

  /**
   * Removes the session.
   *
   * @throws {Error} Unless a subclass overrides it.
   */
  delete(_id: string): Promise<unknown> {
    throw unimplemented(this, "delete(id)");
  }
}

function unimplemented(store: Store, method: string): Error {
  return new Error(`Cannot use the store: ${store.constructor.name} must implement ${method}`);
}
