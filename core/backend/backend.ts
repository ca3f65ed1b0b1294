/** The interface that the rules use for every kind of store. */
import type { Awaitable } from "../../base/awaitable.ts";
import { SessionError } from "../../errors.ts";
import type { StoredRecord } from "../../store/store.ts";

/** A record and its key. */
export interface SessionRecord extends StoredRecord {
  id: string;
}

/** When a record was last used, in Unix seconds, and how long the store keeps it, in seconds. */
export interface Expiry {
  lastAccess: number;
  ttl: number;
}

/** The result of a write that took effect. */
export interface WriteResult {
  version: string;
  /** The value that the client sends from now on: the ID, or the encrypted session. */
  transport: string;
}

/**
 * The operations that the rules need. If the store answers without a promise, so does every method.
 * If the store fails, a method throws or rejects with `ERR_SESSION_STORE`.
 */
export interface Backend {
  /** Whether the store compares versions. A store that does not gives no guarantees about races. */
  readonly isVersioned: boolean;
  /** The guarantees that the store cannot give, for the operator. */
  readonly warning?: string;
  /**
   * Whether `presented`, which a client sent, may be an ID of this store. If not, no call is made.
   */
  accepts(presented: string): boolean;
  /** @param name The name of the cookie or header that carried the ID, if not the State's. */
  read(presented: string, name?: string): Awaitable<SessionRecord | undefined>;
  /** Writes a record under an ID that is free; `undefined` if it is taken. */
  create(
    id: string,
    text: string,
    expiry: Expiry,
    name?: string,
  ): Awaitable<WriteResult | undefined>;
  /** Replaces this version of a record; `undefined` if it is not there any more. */
  replace(record: SessionRecord, text: string, expiry: Expiry): Awaitable<WriteResult | undefined>;
  /** Updates the last-access time of this version; `undefined` if it is not there any more. */
  touch(record: SessionRecord, expiry: Expiry): Awaitable<string | undefined>;
  /** Replaces this version of a record by a tombstone that names `newId`. */
  leaveTombstone(record: SessionRecord, newId: string, expiry: Expiry): Awaitable<boolean>;
  /** Deletes this version of a record. */
  delete(record: SessionRecord): Awaitable<boolean>;
}

/** The error for a store that failed or returned an invalid value. */
export function storeError(operation: string, why: string, cause?: unknown): SessionError {
  return new SessionError("ERR_SESSION_STORE", `Cannot ${operation} the session: ${why}`, {
    cause,
  });
}
