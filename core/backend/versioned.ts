/** The backend of a store that can compare and swap. */
import { after, type Awaitable } from "../../base/awaitable.ts";
import { isId } from "../../base/id.ts";
import { encodeTombstone } from "../../base/record_text.ts";
import type { StoredRecord, VersionedStore } from "../../store/store.ts";
import {
  type Backend,
  type Expiry,
  type SessionRecord,
  storeError,
  type WriteResult,
} from "./backend.ts";
import { callError, type CallGuard } from "./call_guard.ts";

/**
 * Compares versions. `read` and `replace`, which most requests come through, call the store without
 * a callback in between.
 */
export class VersionedBackend implements Backend {
  readonly isVersioned = true;
  readonly #store: VersionedStore;
  readonly #guard: CallGuard;

  constructor(store: VersionedStore, guard: CallGuard) {
    this.#store = store;
    this.#guard = guard;
  }

  accepts(presented: string): boolean {
    return this.#store.accepts?.(presented) ?? isId(presented);
  }

  read(id: string): Awaitable<SessionRecord | undefined> {
    const { controller } = this.#guard;
    try {
      const found = this.#store.read(id, { signal: controller.signal });
      const convert = (one: StoredRecord | undefined) => toSessionRecord(id, one);
      return this.#guard.settle(found, controller, "read", convert, id);
    } catch (cause) {
      throw callError("read", cause, id);
    }
  }

  create(
    id: string,
    text: string,
    { lastAccess, ttl }: Expiry,
  ): Awaitable<WriteResult | undefined> {
    const version = this.#guard.call(
      "create",
      (signal) => this.#store.create(id, text, { lastAccess, ttl, signal }),
      id,
      text,
    );
    return after(version, (version) => toWriteResult(id, version, "create"));
  }

  replace(
    { id, version }: SessionRecord,
    text: string,
    { lastAccess, ttl }: Expiry,
  ): Awaitable<WriteResult | undefined> {
    const { controller } = this.#guard;
    const { signal } = controller;
    try {
      const next = this.#store.replace(id, text, { version, lastAccess, ttl, signal });
      const convert = (one: string | undefined) => toWriteResult(id, one, "replace");
      return this.#guard.settle(next, controller, "replace", convert, id, text);
    } catch (cause) {
      throw callError("replace", cause, id, text);
    }
  }

  touch(
    { id, version, text }: SessionRecord,
    { lastAccess, ttl }: Expiry,
  ): Awaitable<string | undefined> {
    const invoke = (signal: AbortSignal) =>
      this.#store.touch(id, { version, text, lastAccess, ttl, signal });
    const isDone = this.#guard.call("touch", invoke, id, text);
    return after(isDone, (isDone) => checkBoolean(isDone, "touch") ? id : undefined);
  }

  leaveTombstone(record: SessionRecord, newId: string, expiry: Expiry): Awaitable<boolean> {
    const written = this.replace(record, encodeTombstone(record.id, newId), expiry);
    return after(written, (written) => written !== undefined);
  }

  delete({ id, version }: SessionRecord): Awaitable<boolean> {
    const isDone = this.#guard.call(
      "delete",
      (signal) => this.#store.delete(id, { version, signal }),
      id,
    );
    return after(isDone, (isDone) => checkBoolean(isDone, "delete"));
  }
}

function toSessionRecord(
  id: string,
  found: StoredRecord | null | undefined,
): SessionRecord | undefined {
  if (found === undefined || found === null) return undefined;
  // An empty text is not a session, so the record is reported as corrupt.
  if (!isComplete(found)) return { id, text: "", version: "", lastAccess: 0 };
  return { id, text: found.text, version: found.version, lastAccess: found.lastAccess };
}

function isComplete({ text, version, lastAccess }: StoredRecord): boolean {
  return typeof text === "string" && isVersion(version) && Number.isFinite(lastAccess);
}

/** The contract asks for strings. Numbers work as well, because they are returned unchanged. */
function isVersion(version: unknown): version is string {
  const type = typeof version;
  return type === "string" || type === "number" || type === "bigint";
}

function toWriteResult(id: string, version: unknown, operation: string): WriteResult | undefined {
  if (version === undefined || version === null) return undefined;
  if (!isVersion(version)) throw storeError(operation, "the store answered with no version");
  return { version, transport: id };
}

function checkBoolean(isDone: unknown, operation: string): boolean {
  if (typeof isDone !== "boolean") {
    throw storeError(operation, "the store answered with neither true nor false");
  }
  return isDone;
}
