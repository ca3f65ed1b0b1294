/**
 * One face for every kind of store. Every call goes through a guard: what a store throws becomes
 * ERR_SESSION_STORE, and an answer that does not come within `storeTimeout` is given up.
 */
import { after, type Awaitable, isPromise } from "../../base/awaitable.ts";
import { withoutQuotations } from "./redact_error.ts";
import { encodeTombstone } from "../../base/record_text.ts";
import { isId } from "../../base/id.ts";
import { SEALING_METHODS, VERSIONED_METHODS } from "../../base/store_methods.ts";
import { hasMethods } from "../../base/check_options.ts";
import { PlainFace } from "./plain.ts";
import { SealingFace } from "./sealing.ts";
import { SessionError } from "../../errors.ts";
import type {
  PlainStore,
  SealingStore,
  SessionStore,
  StoredRecord,
  VersionedStore,
} from "../../store/store.ts";

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
  /** What the store cannot promise, for whoever runs it. */
  readonly caveat?: string;
  accepts(presented: string): boolean;
  /** `name` is what the client presents it under, where that is not the face's. */
  read(presented: string, name?: string): Awaitable<KeyedRecord | undefined>;
  create(
    id: string,
    text: string,
    lifetime: Lifetime,
    name?: string,
  ): Awaitable<Written | undefined>;
  replace(record: KeyedRecord, text: string, lifetime: Lifetime): Awaitable<Written | undefined>;
  touch(record: KeyedRecord, lifetime: Lifetime): Awaitable<string | undefined>;
  /** Makes `record` a dead end that names `newId`. */
  retire(record: KeyedRecord, newId: string, lifetime: Lifetime): Awaitable<boolean>;
  delete(record: KeyedRecord): Awaitable<boolean>;
}

/**
 * The face of `store`.
 *
 * @param timeout Seconds that the store may take for an answer.
 * @param maxAge Seconds without a use after which a session is of no interest any more.
 * @param name What clients present their sessions under.
 */
export function openStore(
  store: SessionStore,
  timeout: number,
  maxAge: number,
  name?: string,
): StoreFace {
  const guard = new Guard(timeout);
  if (hasMethods(store, VERSIONED_METHODS)) {
    return new VersionedFace(store as VersionedStore, guard);
  }
  if (hasMethods(store, SEALING_METHODS)) {
    return new SealingFace(store as SealingStore, guard, maxAge, name);
  }
  return new PlainFace(store as PlainStore, guard);
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
    const found = this.#guard.call("read", (signal) => this.#store.read(id, { signal }), id);
    return isPromise(found) ? found.then((one) => keyed(id, one)) : keyed(id, found);
  }

  create(id: string, text: string, { lastAccess, ttl }: Lifetime): Awaitable<Written | undefined> {
    const version = this.#guard.call(
      "create",
      (signal) => this.#store.create(id, text, { lastAccess, ttl, signal }),
      id,
      text,
    );
    return after(version, written(id, "create"));
  }

  replace(
    { id, version }: KeyedRecord,
    text: string,
    { lastAccess, ttl }: Lifetime,
  ): Awaitable<Written | undefined> {
    const next = this.#guard.call(
      "replace",
      (signal) => this.#store.replace(id, text, { version, lastAccess, ttl, signal }),
      id,
      text,
    );
    return after(next, written(id, "replace"));
  }

  touch(
    { id, version, text }: KeyedRecord,
    { lastAccess, ttl }: Lifetime,
  ): Awaitable<string | undefined> {
    const done = this.#guard.call(
      "touch",
      (signal) => this.#store.touch(id, { version, text, lastAccess, ttl, signal }),
      id,
      text,
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
      id,
    );
    return after(done, (done) => answer(done, "delete"));
  }
}

function keyed(id: string, found: StoredRecord | null | undefined): KeyedRecord | undefined {
  if (found === undefined || found === null) return undefined;
  // No text of a session, so it is treated as a corrupt record, with the event.
  if (!isWhole(found)) return { id, text: "", version: "", lastAccess: 0 };
  return { id, text: found.text, version: found.version, lastAccess: found.lastAccess };
}

/** Strings by contract; a number can serve as well, and it goes back as it came. */
function isVersion(version: unknown): version is string {
  const type = typeof version;
  return type === "string" || type === "number" || type === "bigint";
}

function isWhole({ text, version, lastAccess }: StoredRecord): boolean {
  return typeof text === "string" && isVersion(version) && Number.isFinite(lastAccess);
}

const written = (id: string, operation: string) => (version: unknown): Written | undefined => {
  if (version === undefined || version === null) return undefined;
  if (!isVersion(version)) throw failed(operation, "the store answered with no version");
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

function storeError(operation: string, cause: unknown, quotable: string[]): SessionError {
  if (cause instanceof SessionError) return cause;
  return failed(operation, "the store failed", withoutQuotations(cause, quotable));
}

const OPEN = Symbol("open");
/** The longest that a timer can wait, in milliseconds. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Calls a store, and gives up when it throws or takes too long. */
export class Guard {
  readonly #timeoutMs: number;
  /** Of a call that was answered at once: nobody has heard of it yet. */
  #unused = new AbortController();

  constructor(timeout: number) {
    this.#timeoutMs = Math.min(timeout * 1000, MAX_TIMER_MS);
  }

  /** `id` and `text` are what the call is about, and no error may tell. */
  call<T>(
    operation: string,
    invoke: (signal: AbortSignal) => Awaitable<T>,
    id: string,
    text = "",
  ): Awaitable<T> {
    const controller = this.#unused;
    try {
      const pending = invoke(controller.signal);
      if (!isPromise(pending)) return pending;
      this.#unused = new AbortController();
      // Once: there are promises that start their work each time they are waited for.
      return this.#settle(operation, Promise.resolve(pending), controller, [id, text]);
    } catch (cause) {
      throw storeError(operation, cause, [id, text]);
    }
  }

  /** Calls a store that asks nobody: it needs no timer, which is 3 µs. */
  callLocal<T>(
    operation: string,
    invoke: (signal: AbortSignal) => Awaitable<T>,
    id: string,
    text = "",
  ): Awaitable<T> {
    const fail = (cause: unknown) => {
      throw storeError(operation, cause, [id, text]);
    };
    try {
      const pending = invoke(this.#unused.signal);
      return isPromise(pending) ? Promise.resolve(pending).catch(fail) : pending;
    } catch (cause) {
      return fail(cause);
    }
  }

  async #settle<T>(
    operation: string,
    pending: Promise<T>,
    controller: AbortController,
    quotable: string[],
  ): Promise<T> {
    try {
      // No timer for a promise that is settled already.
      const first = await Promise.race([pending, OPEN]);
      return first === OPEN ? await this.#within(operation, pending, controller) : first as T;
    } catch (cause) {
      throw storeError(operation, cause, quotable);
    }
  }

  async #within<T>(
    operation: string,
    pending: Promise<T>,
    controller: AbortController,
  ): Promise<T> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const reason = new DOMException("No answer within storeTimeout", "TimeoutError");
        // First: what the store answers to the abort comes too late.
        reject(failed(operation, "the store did not answer within storeTimeout", reason));
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
