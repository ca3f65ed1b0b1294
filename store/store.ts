/**
 * What a store of sessions is: {@linkcode Store}, PAGI's three methods;
 * {@linkcode VersionedStore}, the five that make sessions race-safe; and {@linkcode SealingStore},
 * whose values are the sessions themselves.
 *
 * @module
 */

import type { Awaitable } from "../base/awaitable.ts";

export type { Awaitable };

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
  /**
   * Whether `presented` may be an id of this store; if not, the store is not asked.
   *
   * @default {any string that is not empty}
   */
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
  /** Seconds from now for which the record must be kept; after that it may go. */
  ttl: number;
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
 * A store that makes sessions race-safe. It moves text and never looks into it. Each call concerns
 * one key and takes effect as a whole or not at all, and whoever calls after an answer sees its
 * effect. `docs/store-contract.md` says what each method does in every case, and why.
 *
 * A record past its `ttl` is absent to `read` and `create`; the others may take it either way. A
 * call that throws or rejects may or may not have taken effect; it is not made again.
 *
 * @example Compare-and-swap on a Map
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { type StoredRecord, type VersionedStore } from "@pagi/session/store";
 *
 * const records = new Map<string, StoredRecord>();
 * const newVersion = () => crypto.randomUUID();
 *
 * // The record, if it has the version.
 * const at = (id: string, version?: string) => {
 *   const record = records.get(id);
 *   return version === undefined || record?.version === version ? record : undefined;
 * };
 *
 * // What it leaves out: ttl.
 * const store: VersionedStore = {
 *   read: (id) => records.get(id),
 *   create(id, text, { lastAccess }) {
 *     if (records.has(id)) return undefined;
 *     const version = newVersion();
 *     records.set(id, { text, version, lastAccess });
 *     return version;
 *   },
 *   replace(id, text, { version, lastAccess }) {
 *     if (at(id, version) === undefined) return undefined;
 *     const next = newVersion();
 *     records.set(id, { text, version: next, lastAccess });
 *     return next;
 *   },
 *   touch(id, { version, lastAccess }) {
 *     const record = at(id, version);
 *     if (record !== undefined) records.set(id, { ...record, lastAccess });
 *     return record !== undefined;
 *   },
 *   delete: (id, { version }) => at(id, version) !== undefined && records.delete(id),
 * };
 *
 * const { signal } = new AbortController();
 * const version = await store.create("a", "one", { lastAccess: 0, ttl: 60, signal });
 * assertEquals(await store.replace("a", "two", { version: "old", lastAccess: 0, ttl: 60, signal }), undefined);
 * assertEquals((await store.read("a", { signal }))?.version, version);
 * ```
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
  /**
   * Whether `presented` may be an id of this store; if not, the store is not asked.
   *
   * @default {64 lowercase hex digits}
   */
  accepts?(presented: string): boolean;
}

/** How a value is opened. */
export interface OpenOptions extends StoreCallOptions {
  /**
   * Seconds that a value can be of use at most; an older one need not be opened.
   *
   * @default {Infinity}
   */
  maxAge?: number;
  /**
   * What the value was carried under. One that was sealed for another name does not open, where the
   * store can bind it.
   *
   * @default {undefined, a value that was sealed for no name}
   */
  name?: string;
}

/** What `open` finds. */
export interface OpenedRecord extends StoredRecord {
  /** The session's id. */
  id: string;
}

/** How a value is made. */
export interface SealOptions extends WriteOptions {
  /** The version that `open` gave; undefined for the first value under a new id. */
  version?: string;
  /** What the value is to be carried under, as `open` will be told. */
  name?: string;
}

/** How an id is given up. */
export interface EndOptions extends StoreCallOptions {
  /** The version that `open` gave, where a value was opened. */
  version?: string;
  /**
   * When it is given up, in Unix seconds.
   *
   * @default {now}
   */
  lastAccess?: number;
  /**
   * Seconds from now for which a value of the id can live at most.
   *
   * @default {as `version` says}
   */
  ttl?: number;
}

/**
 * A store that keeps nothing: what the client is given is the session itself, sealed. The middleware
 * moves text in and out as with a {@linkcode VersionedStore}, and does not use PAGI's methods. Nothing
 * is compared when a value is made, so that of two at once the client keeps one.
 */
export interface SealingStore extends PlainStore {
  /**
   * Whether it asks nobody, so that `storeTimeout` is of no use.
   *
   * @default {false}
   */
  readonly isLocal?: boolean;
  /**
   * The session in a value; undefined for whatever was not sealed here, or has expired. What a
   * client presents never throws. `version` is the store's own note on the value.
   */
  open(presented: string, options: OpenOptions): Awaitable<OpenedRecord | undefined>;
  /** What the client is to present from now on; undefined when the id has been given up meanwhile. */
  seal(id: string, text: string, options: SealOptions): Awaitable<string | undefined>;
  /**
   * Gives up an id: from now on its values open as `text`, those included that are being made, or
   * not at all where `text` is empty. Only the first such call for an id counts: resolves to the text
   * that stands, or to undefined when the store cannot do this.
   */
  end?(id: string, text: string, options: EndOptions): Awaitable<string | undefined>;
}

/** What the `store` option takes. */
export type SessionStore = PlainStore | VersionedStore | SealingStore;

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
