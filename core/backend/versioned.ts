/** The backend of a store that can compare and swap. */
import { type Awaitable, isPromise } from "../../base/awaitable.ts";
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

/** Calls the store directly, without callbacks: every request comes this way. */
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
    try {
      const { controller } = this.#guard;
      const found = this.#store.read(id, { signal: controller.signal });
      if (!isPromise(found)) return toSessionRecord(id, found);
      return this.#guard.wait(found, controller, "read", id).then((one) =>
        toSessionRecord(id, one)
      );
    } catch (cause) {
      throw callError("read", cause, [id]);
    }
  }

  create(
    id: string,
    text: string,
    { lastAccess, ttl }: Expiry,
  ): Awaitable<WriteResult | undefined> {
    try {
      const { controller } = this.#guard;
      const version = this.#store.create(id, text, { lastAccess, ttl, signal: controller.signal });
      if (!isPromise(version)) return toWriteResult(id, version, "create");
      const waited = this.#guard.wait(version, controller, "create", id, text);
      return waited.then((one) => toWriteResult(id, one, "create"));
    } catch (cause) {
      throw callError("create", cause, [id, text]);
    }
  }

  replace(
    { id, version }: SessionRecord,
    text: string,
    { lastAccess, ttl }: Expiry,
  ): Awaitable<WriteResult | undefined> {
    try {
      const { controller } = this.#guard;
      const next = this.#store.replace(id, text, {
        version,
        lastAccess,
        ttl,
        signal: controller.signal,
      });
      if (!isPromise(next)) return toWriteResult(id, next, "replace");
      const waited = this.#guard.wait(next, controller, "replace", id, text);
      return waited.then((one) => toWriteResult(id, one, "replace"));
    } catch (cause) {
      throw callError("replace", cause, [id, text]);
    }
  }

  touch(
    { id, version, text }: SessionRecord,
    { lastAccess, ttl }: Expiry,
  ): Awaitable<string | undefined> {
    const result = (isDone: unknown) => checkBoolean(isDone, "touch") ? id : undefined;
    try {
      const { controller } = this.#guard;
      const isDone = this.#store.touch(id, {
        version,
        text,
        lastAccess,
        ttl,
        signal: controller.signal,
      });
      if (!isPromise(isDone)) return result(isDone);
      return this.#guard.wait(isDone, controller, "touch", id, text).then(result);
    } catch (cause) {
      throw callError("touch", cause, [id, text]);
    }
  }

  leaveTombstone(
    record: SessionRecord,
    newId: string,
    expiry: Expiry,
  ): Awaitable<boolean> {
    const written = this.replace(record, encodeTombstone(record.id, newId), expiry);
    return isPromise(written) ? written.then((one) => one !== undefined) : written !== undefined;
  }

  delete({ id, version }: SessionRecord): Awaitable<boolean> {
    try {
      const { controller } = this.#guard;
      const isDone = this.#store.delete(id, { version, signal: controller.signal });
      if (!isPromise(isDone)) return checkBoolean(isDone, "delete");
      return this.#guard.wait(isDone, controller, "delete", id).then((one) =>
        checkBoolean(one, "delete")
      );
    } catch (cause) {
      throw callError("delete", cause, [id]);
    }
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
