/** The backend of a store that can compare and swap. */
import { after, type Awaitable, isPromise } from "../../base/awaitable.ts";
import { HALF_DIGITS, isId, keyOf, verifierOf } from "../../base/id.ts";
import { MARKER_TTL } from "../../base/limits.ts";
import type { SessionError } from "../../errors.ts";
import type { StoredRecord, VersionedStore } from "../../store/store.ts";
import {
  type Backend,
  type Expiry,
  type SessionRecord,
  storeError,
  type WriteResult,
} from "./backend.ts";
import { callError, type CallGuard, isDeadlineError } from "./call_guard.ts";

/**
 * Compares versions. `read` and `replace`, which most requests come through, call the store without
 * a callback in between.
 */
export class VersionedBackend implements Backend {
  readonly isVersioned = true;
  readonly isWithClient = false;
  isRemote = false;
  readonly #store: VersionedStore;
  readonly #guard: CallGuard;

  constructor(store: VersionedStore, guard: CallGuard) {
    this.#store = store;
    this.#guard = guard;
  }

  accepts(presented: string): boolean {
    return this.#store.accepts?.(presented) ?? isId(presented);
  }

  keyOf(id: string): string {
    return keyOf(id);
  }

  verifierOf(id: string): string {
    return verifierOf(id);
  }

  nextId(id: string, generated: string): string {
    return generated.slice(0, HALF_DIGITS) + keyOf(id);
  }

  read(key: string): Awaitable<SessionRecord | undefined> {
    const { controller } = this.#guard;
    try {
      const found = this.#store.read(key, { signal: controller.signal });
      const convert = (one: StoredRecord | undefined) => toSessionRecord(key, one);
      if (isPromise(found)) this.isRemote = true;
      return this.#guard.settle(found, controller, "read", convert, key);
    } catch (cause) {
      throw callError("read", cause, key);
    }
  }

  create(
    key: string,
    text: string,
    { lastAccess, ttl }: Expiry,
  ): Awaitable<WriteResult | undefined> {
    const version = this.#guard.call(
      "create",
      (signal) => this.#store.create(key, text, { lastAccess, ttl, signal }),
      key,
      text,
    );
    if (isPromise(version)) this.isRemote = true;
    return after(version, (version) => toWriteResult(version, "create"));
  }

  replace(
    { key, version }: SessionRecord,
    text: string,
    { lastAccess, ttl }: Expiry,
  ): Awaitable<WriteResult | undefined> {
    const { controller } = this.#guard;
    const { signal } = controller;
    try {
      const next = this.#store.replace(key, text, { version, lastAccess, ttl, signal });
      const convert = (one: string | undefined) => toWriteResult(one, "replace");
      return this.#guard.settle(next, controller, "replace", convert, key, text);
    } catch (cause) {
      throw callError("replace", cause, key, text);
    }
  }

  touch(
    { key, version, text }: SessionRecord,
    { lastAccess, ttl }: Expiry,
  ): Awaitable<WriteResult | undefined> {
    const invoke = (signal: AbortSignal) =>
      this.#store.touch(key, { version, text, lastAccess, ttl, signal });
    const isDone = this.#guard.call("touch", invoke, key, text);
    return after(isDone, (isDone) => checkBoolean(isDone, "touch") ? { version } : undefined);
  }

  end(record: SessionRecord, marker: string, now: number): Awaitable<boolean> {
    const { key, version } = record;
    return this.isRemote ? this.#leaveMarker(record, marker, now) : this.#delete(key, version);
  }

  async #leaveMarker(record: SessionRecord, marker: string, now: number): Promise<boolean> {
    try {
      const expiry = { lastAccess: now, ttl: MARKER_TTL };
      return await this.replace(record, marker, expiry) !== undefined;
    } catch (error) {
      if (isDeadlineError(error as SessionError)) throw error;
      // A store that is full refuses to write, but it can still delete.
      return await this.#delete(record.key, record.version);
    }
  }

  delete(key: string): Awaitable<boolean> {
    return this.#delete(key, undefined);
  }

  #delete(key: string, version: string | undefined): Awaitable<boolean> {
    const isDone = this.#guard.call(
      "delete",
      (signal) => this.#store.delete(key, { version, signal }),
      key,
    );
    return after(isDone, (isDone) => checkBoolean(isDone, "delete"));
  }
}

function toSessionRecord(
  key: string,
  found: StoredRecord | null | undefined,
): SessionRecord | undefined {
  if (found === undefined || found === null) return undefined;
  // An empty text is not a session, so the record is reported as corrupt.
  if (!isComplete(found)) return { key, text: "", version: "", lastAccess: 0 };
  return { key, text: found.text, version: found.version, lastAccess: found.lastAccess };
}

function isComplete({ text, version, lastAccess }: StoredRecord): boolean {
  return typeof text === "string" && isVersion(version) && Number.isFinite(lastAccess);
}

/** The contract asks for strings. Numbers work as well, because they are returned unchanged. */
function isVersion(version: unknown): version is string {
  const type = typeof version;
  return type === "string" || type === "number" || type === "bigint";
}

function toWriteResult(version: unknown, operation: string): WriteResult | undefined {
  if (version === undefined || version === null) return undefined;
  if (!isVersion(version)) throw storeError(operation, "the store answered with no version");
  return { version };
}

function checkBoolean(isDone: unknown, operation: string): boolean {
  if (typeof isDone !== "boolean") {
    throw storeError(operation, "the store answered with neither true nor false");
  }
  return isDone;
}
