/**
 * One face for both kinds of store. Every call goes through a guard: what a store throws becomes
 * ERR_SESSION_STORE, and an answer that does not come within `storeTimeout` is given up.
 */
import { after, type Awaitable, isPromise } from "./_awaitable.ts";
import { decode, encode, encodeTombstone, isReserved } from "./_codec.ts";
import { isId } from "./_id.ts";
import { hasMethods } from "./_options.ts";
import { SessionError } from "./errors.ts";
import type { PlainStore, SessionStore, StoredRecord, VersionedStore } from "./store/store.ts";

/** PAGI's methods. */
export const PLAIN_METHODS = ["get", "set", "delete"] as const;
/** The methods that make a store race-safe. */
export const VERSIONED_METHODS = ["read", "create", "replace", "touch", "delete"] as const;

/** A record and its key. */
export interface KeyedRecord extends StoredRecord {
  id: string;
}

/** When a record was last used and for how long it is kept, in seconds. */
export interface Lifetime {
  lastAccess: number;
  ttl: number;
}

/** A write that was done. */
export interface Written {
  version: string;
  /** What the client is to present from now on. */
  transport: string;
}

/**
 * What lifecycle asks of a store. A method answers at once where the store does; it throws or
 * rejects with ERR_SESSION_STORE when the store fails.
 */
export interface StoreFace {
  /** Whether the store compares versions; without that it promises nothing about races. */
  readonly isVersioned: boolean;
  accepts(presented: string): boolean;
  read(presented: string): Awaitable<KeyedRecord | undefined>;
  create(id: string, text: string, lifetime: Lifetime): Awaitable<Written | undefined>;
  replace(record: KeyedRecord, text: string, lifetime: Lifetime): Awaitable<Written | undefined>;
  touch(record: KeyedRecord, lifetime: Lifetime): Awaitable<string | undefined>;
  /** Makes `record` a dead end that names `newId`. */
  retire(record: KeyedRecord, newId: string, lifetime: Lifetime): Awaitable<boolean>;
  delete(record: KeyedRecord): Awaitable<boolean>;
}

/** The face of `store`. */
export function openStore(store: SessionStore, timeout: number): StoreFace {
  const guard = new Guard(timeout);
  return hasMethods(store, VERSIONED_METHODS)
    ? new VersionedFace(store as VersionedStore, guard)
    : new PlainFace(store as PlainStore, guard);
}

class VersionedFace implements StoreFace {
  readonly isVersioned = true;
  readonly #store: VersionedStore;
  readonly #guard: Guard;

  constructor(store: VersionedStore, guard: Guard) {
    this.#store = store;
    this.#guard = guard;
  }

  accepts(presented: string): boolean {
    return this.#store.accepts?.(presented) ?? isId(presented);
  }

  read(id: string): Awaitable<KeyedRecord | undefined> {
    const found = this.#guard.call("read", (signal) => this.#store.read(id, { signal }));
    return after(found, keyed(id));
  }

  create(id: string, text: string, lifetime: Lifetime): Awaitable<Written | undefined> {
    const version = this.#guard.call(
      "create",
      (signal) => this.#store.create(id, text, { ...lifetime, signal }),
    );
    return after(version, written(id, "create"));
  }

  replace(
    { id, version }: KeyedRecord,
    text: string,
    lifetime: Lifetime,
  ): Awaitable<Written | undefined> {
    const next = this.#guard.call(
      "replace",
      (signal) => this.#store.replace(id, text, { version, ...lifetime, signal }),
    );
    return after(next, written(id, "replace"));
  }

  touch(
    { id, version, text }: KeyedRecord,
    lifetime: Lifetime,
  ): Awaitable<string | undefined> {
    const done = this.#guard.call(
      "touch",
      (signal) => this.#store.touch(id, { version, text, ...lifetime, signal }),
    );
    return after(done, (done) => answer(done, "touch") ? id : undefined);
  }

  retire(record: KeyedRecord, newId: string, lifetime: Lifetime): Awaitable<boolean> {
    const tombstone = encodeTombstone(record.id, newId);
    return after(this.replace(record, tombstone, lifetime), (done) => done !== undefined);
  }

  delete({ id, version }: KeyedRecord): Awaitable<boolean> {
    const done = this.#guard.call(
      "delete",
      (signal) => this.#store.delete(id, { version, signal }),
    );
    return after(done, (done) => answer(done, "delete"));
  }
}

/** PAGI's three methods: nothing is compared, so every write takes. */
class PlainFace implements StoreFace {
  readonly isVersioned = false;
  readonly #store: PlainStore;
  readonly #guard: Guard;

  constructor(store: PlainStore, guard: Guard) {
    this.#store = store;
    this.#guard = guard;
  }

  accepts(presented: string): boolean {
    return this.#store.accepts?.(presented) ?? presented !== "";
  }

  async read(presented: string): Promise<KeyedRecord | undefined> {
    const hash = await this.#guard.call("read", () => this.#store.get(presented));
    if (hash === undefined || hash === null) return undefined;
    const lastAccess = Number(hash._last_access ?? hash._created);
    const created = Number(hash._created ?? lastAccess);
    // Where a value is its own session, as in an encrypted cookie, the id is inside.
    const id = typeof hash._id === "string" ? hash._id : presented;
    return { id, text: textOf(hash, created), version: "", lastAccess };
  }

  async create(id: string, text: string, { lastAccess }: Lifetime): Promise<Written> {
    const hash = { _id: id, ...decode(text), _last_access: lastAccess };
    const transport = await this.#guard.call("save", () => this.#store.set(id, hash));
    // Redis' own answer, handed on: every client would get the same cookie.
    if (transport === "OK") {
      throw failed("save", 'set resolved to "OK", not to what the client is to present');
    }
    return { version: "", transport: typeof transport === "string" ? transport : id };
  }

  replace({ id }: KeyedRecord, text: string, lifetime: Lifetime): Promise<Written> {
    return this.create(id, text, lifetime);
  }

  async touch({ id, text }: KeyedRecord, lifetime: Lifetime): Promise<string> {
    return (await this.create(id, text, lifetime)).transport;
  }

  retire(record: KeyedRecord): Promise<boolean> {
    return this.delete(record);
  }

  async delete({ id }: KeyedRecord): Promise<boolean> {
    await this.#guard.call("delete", () => this.#store.delete(id));
    return true;
  }
}

/** The text of a plain store's hash; empty, and so no session, when it cannot be one. */
function textOf(hash: Record<string, unknown>, created: number): string {
  if (!Number.isFinite(created)) return "";
  try {
    const values = Object.fromEntries(Object.entries(hash).filter(([key]) => !isReserved(key)));
    return encode(values, created, hash._subject as string | undefined);
  } catch {
    return "";
  }
}

const keyed = (id: string) => (found: StoredRecord | null | undefined) =>
  found === undefined || found === null
    ? undefined
    : { id, text: found.text, version: found.version, lastAccess: found.lastAccess };

const written = (id: string, operation: string) => (version: unknown): Written | undefined => {
  if (version === undefined || version === null) return undefined;
  if (typeof version !== "string") throw failed(operation, "the store answered with no version");
  return { version, transport: id };
};

function answer(done: unknown, operation: string): boolean {
  if (typeof done !== "boolean") {
    throw failed(operation, "the store answered with neither true nor false");
  }
  return done;
}

function failed(operation: string, why: string, cause?: unknown): SessionError {
  return new SessionError("ERR_SESSION_STORE", `Cannot ${operation} the session: ${why}`, {
    cause,
  });
}

function storeError(operation: string, cause: unknown): SessionError {
  if (cause instanceof SessionError) return cause;
  const isLate = cause instanceof DOMException && cause.name === "TimeoutError";
  const why = isLate ? "the store did not answer within storeTimeout" : "the store failed";
  return failed(operation, why, cause);
}

const OPEN = Symbol("open");
/** The longest that a timer can wait, in milliseconds. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Calls a store, and gives up when it throws or takes too long. */
class Guard {
  readonly #timeoutMs: number;
  /** Of a call that was answered at once: nobody has heard of it yet. */
  #unused = new AbortController();

  constructor(timeout: number) {
    this.#timeoutMs = Math.min(timeout * 1000, MAX_TIMER_MS);
  }

  call<T>(operation: string, invoke: (signal: AbortSignal) => Awaitable<T>): Awaitable<T> {
    const controller = this.#unused;
    try {
      const pending = invoke(controller.signal);
      if (!isPromise(pending)) return pending;
      this.#unused = new AbortController();
      return this.#settle(operation, pending, controller);
    } catch (cause) {
      throw storeError(operation, cause);
    }
  }

  async #settle<T>(
    operation: string,
    pending: Promise<T>,
    controller: AbortController,
  ): Promise<T> {
    try {
      // No timer for a promise that is settled already.
      const first = await Promise.race([pending, OPEN]);
      return first === OPEN ? await this.#within(pending, controller) : first as T;
    } catch (cause) {
      throw storeError(operation, cause);
    }
  }

  async #within<T>(pending: Promise<T>, controller: AbortController): Promise<T> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const reason = new DOMException("No answer within storeTimeout", "TimeoutError");
        // First: what the store answers to the abort comes too late.
        reject(reason);
        controller.abort(reason);
      }, this.#timeoutMs);
    });
    try {
      return await Promise.race([pending, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}
