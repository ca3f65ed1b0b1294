/**
 * The contracts of session stores: {@linkcode PlainStore} has the three methods of PAGI,
 * {@linkcode VersionedStore} has the five methods that make sessions race-safe, and
 * {@linkcode SealingStore} keeps each session in the value that its client receives.
 *
 * @module
 */

import type { Awaitable } from "../base/awaitable.ts";

export type { Awaitable };

/** The data of one session in the form of PAGI's stores: the app's keys and the reserved keys. */
export type SessionHash = Record<string, unknown>;

/**
 * A basic store with the three methods of PAGI. Any object with these methods works. No such store
 * is race-safe, because `set` overwrites whatever is there. The middleware reports this once, when
 * it is created, with the event `store-without-guarantees`.
 */
export interface PlainStore {
  /** Returns the session's data; `undefined` or `null` if the session does not exist. */
  get(id: string): Awaitable<SessionHash | null | undefined>;
  /** Stores the data. Returns the value to send to the client; `undefined` means the ID. */
  set(id: string, data: SessionHash): Awaitable<string | void | undefined>;
  /** Deletes the session. The return value is ignored. */
  delete(id: string): Awaitable<unknown>;
  /**
   * Returns whether `presented` can be an ID of this store. If not, the middleware does not call
   * the store.
   *
   * @default {accepts any non-empty string}
   */
  accepts?(presented: string): boolean;
}

/** Options of every call of a {@linkcode VersionedStore}. */
export interface StoreCallOptions {
  /**
   * Is aborted when `storeTimeout` has passed and the middleware no longer waits for the result.
   */
  signal: AbortSignal;
}

/** Options of `create`. */
export interface WriteOptions extends StoreCallOptions {
  /** The last-access time, in Unix seconds. Stored with the text, and returned by `read`. */
  lastAccess: number;
  /** How long the record must be kept, in seconds from now. It expires after that. */
  ttl: number;
}

/** Options of `replace`. */
export interface ReplaceOptions extends WriteOptions {
  /** The version that the record must have. */
  version: string;
}

/** Options of `touch`. */
export interface TouchOptions extends StoreCallOptions {
  /** The version that the record must have. */
  version: string;
  /** The text of the record at that version, for stores that can only write whole records. */
  text: string;
  /** The new last-access time, in Unix seconds. The store keeps a later one. */
  lastAccess: number;
  /** How long the record must be kept, in seconds from now. The store keeps a later expiry. */
  ttl: number;
}

/** Options of `delete`. */
export interface DeleteOptions extends StoreCallOptions {
  /** The version that the record must have; any version if `undefined`. */
  version?: string;
}

/** The result of `read`. */
export interface StoredRecord {
  /** The text that was last written. */
  text: string;
  /**
   * Identifies the current text of the record. No later text under the same key may have the same
   * version. Only the store interprets it.
   */
  version: string;
  /**
   * The last-access time, in Unix seconds: the one that `create` or `replace` wrote, or a later one
   * that a `touch` has written since.
   */
  lastAccess: number;
}

/**
 * A store with compare-and-swap, which makes sessions race-safe. In the five calls, `id` is the
 * session's key: the last 32 hex digits of its ID of 64. The records of the per-user index have keys
 * of 64 hex digits. Texts are opaque: the store must not parse or change them. Each call concerns one key and takes effect as a whole or not at all. A
 * call that starts after another call has returned must observe that call's effect
 * (linearizability). `docs/store-contract.md` says what each method does in every case, and why.
 *
 * `read` and `create` must treat a record whose `ttl` has passed as absent. The other methods may
 * treat it as present or absent. A call that throws or rejects may have taken effect or not. The
 * middleware does not repeat it.
 *
 * @example Compare-and-swap on a Map
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { type StoredRecord, type VersionedStore } from "@pagi/session/store";
 *
 * const records = new Map<string, StoredRecord>();
 * const newVersion = () => crypto.randomUUID();
 *
 * // Returns the record if it has the version.
 * const at = (id: string, version?: string) => {
 *   const record = records.get(id);
 *   return version === undefined || record?.version === version ? record : undefined;
 * };
 *
 * // This example ignores ttl.
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
 *     if (record === undefined) return false;
 *     const later = Math.max(record.lastAccess, lastAccess);
 *     records.set(id, { ...record, version: newVersion(), lastAccess: later });
 *     return true;
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
  /** Returns the record; `undefined` if it does not exist. */
  read(id: string, options: StoreCallOptions): Awaitable<StoredRecord | undefined>;
  /**
   * Creates a record. Returns its version; `undefined` if a record exists, which stays unchanged.
   */
  create(id: string, text: string, options: WriteOptions): Awaitable<string | undefined>;
  /**
   * Replaces the record if it has `version`. Returns the new version; `undefined` if the record
   * does not exist or has another version. Never creates a record.
   */
  replace(id: string, text: string, options: ReplaceOptions): Awaitable<string | undefined>;
  /**
   * Updates `lastAccess` and the expiry of the record if it has `version`, and keeps its text.
   * Returns whether the record had that version. A touch never moves `lastAccess` back and never
   * shortens the record's life: of both times, and of both expiries, the later one counts.
   */
  touch(id: string, options: TouchOptions): Awaitable<boolean>;
  /**
   * Deletes the record. If `version` is given, only a record of that version is deleted. Returns
   * whether it did.
   */
  delete(id: string, options: DeleteOptions): Awaitable<boolean>;
  /**
   * Returns whether `presented`, the whole ID that a client sent, can be an ID of this store. If
   * not, the middleware does not call the store.
   *
   * @default {accepts 64 lowercase hex digits}
   */
  accepts?(presented: string): boolean;
  /**
   * Gives the store a function that reports an event to the app's `onEvent`. The middleware calls it
   * once, and a store that wraps another passes it on. A store may be used by several middlewares,
   * so it may be called several times.
   */
  reportTo?(report: (event: StoreEvent) => void): void;
}

/** An event that a store reports. It becomes a `SessionEvent`. */
export interface StoreEvent {
  /** The kind of event. `SessionEvent` describes each. */
  type: "statements-unprepared" | "cookie-nearly-full";
  /** A description for people. It contains no ID, secret or session data. */
  message: string;
}

/** Options of `open`. */
export interface OpenOptions extends StoreCallOptions {
  /**
   * The greatest age of a useful value, in seconds. The store may reject older values.
   *
   * @default {Infinity}
   */
  maxAge?: number;
  /**
   * The name of the cookie or header that carried the value. A store that binds values to names
   * must reject a value that was encrypted for another name.
   *
   * @default {undefined, a value that was encrypted without a name}
   */
  name?: string;
}

/** The result of `open`. */
export interface OpenedRecord extends StoredRecord {
  /** The session ID. */
  id: string;
  /** When the ID was replaced, in Unix seconds; `undefined` if it is valid. */
  replacedAt?: number;
}

/** Options of `seal`. */
export interface SealOptions extends WriteOptions {
  /** The version that `open` returned; `undefined` for the first value of a new ID. */
  version?: string;
  /** The name of the cookie or header that will carry the value, as passed to `open` later. */
  name?: string;
  /**
   * The most bytes that the value may have.
   *
   * @default {undefined, as many as one cookie holds}
   */
  maxBytes?: number | undefined;
}

/** Options of `replaceId` and `end`. */
export interface EndOptions extends StoreCallOptions {
  /** The version that `open` returned, if a value was opened. */
  version?: string;
  /**
   * The time of the call, in Unix seconds.
   *
   * @default {now}
   */
  lastAccess?: number;
  /**
   * How long values of the session can be valid at most, in seconds from now.
   *
   * @default {derived from `version`}
   */
  ttl?: number;
}

/** Options of `endAll`. */
export interface EndAllOptions extends EndOptions {
  /**
   * An ID that the session which stays has or once had.
   *
   * @default {undefined, no session stays}
   */
  except?: string;
}

/**
 * A store without storage: the value sent to the client is the encrypted session itself. The
 * middleware uses `open`, `seal`, `replaceId`, `end` and `endAll`, with texts as in a
 * {@linkcode VersionedStore}. It does not use the methods of PAGI. `seal` compares nothing: if two requests write at the same
 * time, the client keeps one of the two values.
 */
export interface SealingStore extends PlainStore {
  /**
   * True if the store never performs I/O. `storeTimeout` then does not apply.
   *
   * @default {false}
   */
  readonly isLocal?: boolean;
  /**
   * Decrypts the session in a value. Returns `undefined` if the value was not encrypted by this
   * store, was changed, or has expired. Client input must never throw. Only the store interprets
   * `version`.
   */
  open(presented: string, options: OpenOptions): Awaitable<OpenedRecord | undefined>;
  /**
   * Encrypts a session to the client's next value; `undefined` if its ID has been replaced or the
   * session has ended since `open`.
   */
  seal(id: string, text: string, options: SealOptions): Awaitable<string | undefined>;
  /**
   * Makes `newId` the only valid ID of the session with the ID `id`: values of the old ID open with
   * `replacedAt` from now on. This includes values that `seal` is just creating. Returns whether the
   * old ID was valid; `undefined` if the store cannot revoke IDs. An ID and its successors have the
   * last 32 digits in common.
   */
  replaceId?(id: string, newId: string, options: EndOptions): Awaitable<boolean | undefined>;
  /**
   * Ends the session that has or had this ID: none of its values opens any more. Returns whether it
   * had not ended before; `undefined` if the store cannot revoke IDs.
   */
  end?(id: string, options: EndOptions): Awaitable<boolean | undefined>;
  /**
   * Ends all sessions whose `session.subject` is `subject`, except one: their values do not open any
   * more. Values that `seal` is creating for other sessions of the subject may end, too. Returns
   * true; `undefined` if the store cannot end sessions.
   */
  endAll?(subject: string, options: EndAllOptions): Awaitable<boolean | undefined>;
}

/** The stores that the `store` option accepts. */
export type SessionStore = PlainStore | VersionedStore | SealingStore;

/**
 * A base class for stores with the three methods of PAGI: PAGI's `Session::Store`. A subclass must
 * implement all three.
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
   * @throws {Error} If the subclass does not override it.
   */
  get(_id: string): Promise<SessionHash | undefined> {
    throw unimplemented(this, "get(id)");
  }

  /**
   * Stores the session's data. Resolves to the value to send to the client; `undefined` means the
   * ID.
   *
   * @throws {Error} If the subclass does not override it.
   */
  set(_id: string, _data: SessionHash): Promise<string | void> {
    throw unimplemented(this, "set(id, data)");
  }

  /**
   * Deletes the session.
   *
   * @throws {Error} If the subclass does not override it.
   */
  delete(_id: string): Promise<unknown> {
    throw unimplemented(this, "delete(id)");
  }
}

function unimplemented(store: Store, method: string): Error {
  return new Error(`Cannot use the store: ${store.constructor.name} must implement ${method}`);
}
