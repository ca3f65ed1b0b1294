/** The interface that the rules use for every kind of store. */
import type { Awaitable } from "../../base/awaitable.ts";
import { SessionError } from "../../errors.ts";
import type { StoredRecord } from "../../store/store.ts";

/** A record and its key. */
export interface SessionRecord extends StoredRecord {
  key: string;
  /**
   * When the ID that led to this record was replaced, in Unix seconds, if the backend knows that
   * without the header.
   */
  replacedAt?: number;
  /** The name of the cookie or header that carries the session, if not the State's. */
  name?: string;
}

/** When a record was last used, in Unix seconds, and how long the store keeps it, in seconds. */
export interface Expiry {
  lastAccess: number;
  ttl: number;
}

/** The result of a write that took effect. */
export interface WriteResult {
  version: string;
  /** The value that the client sends from now on, if it is not the ID. */
  transport?: string;
}

/**
 * The operations that the rules need. If the store answers without a promise, so does every method.
 * If the store fails, a method throws or rejects with `ERR_SESSION_STORE`.
 */
export interface Backend {
  /** Whether the store compares versions. A store that does not gives no guarantees about races. */
  readonly isVersioned: boolean;
  /**
   * Whether the store has answered with a promise. A call to such a store may arrive twice, because
   * a client that reconnects sends it again.
   */
  readonly isRemote: boolean;
  /** Whether the client itself holds the sessions, encrypted. */
  readonly isWithClient: boolean;
  /** The guarantees that the store cannot give, for the operator. */
  readonly warning?: string;
  /**
   * Whether `presented`, which a client sent, may be an ID of this store. If not, no call is made.
   */
  accepts(presented: string): boolean;
  /** The key under which the session with this ID lies. */
  keyOf(id: string): string;
  /** The verifier in an ID; `undefined` if the record's key is the whole ID. */
  verifierOf(id: string): string | undefined;
  /**
   * The ID that a session gets in place of its own.
   *
   * @param generated A new ID, of which it may take a part.
   */
  nextId(id: string, generated: string): string;
  /** @param name The name of the cookie or header that carried the ID, if not the State's. */
  read(key: string, name?: string): Awaitable<SessionRecord | undefined>;
  /** Writes a record under a key that is free; `undefined` if it is taken. */
  create(
    key: string,
    text: string,
    expiry: Expiry,
    name?: string,
  ): Awaitable<WriteResult | undefined>;
  /**
   * Replaces this version of a record; `undefined` if it is not there any more.
   *
   * @param newId The ID that the session gets with this write.
   */
  replace(
    record: SessionRecord,
    text: string,
    expiry: Expiry,
    newId?: string,
  ): Awaitable<WriteResult | undefined>;
  /** Updates the last-access time of this version; `undefined` if it is not there any more. */
  touch(record: SessionRecord, expiry: Expiry): Awaitable<WriteResult | undefined>;
  /**
   * Ends the session if it still has this version. Returns whether it did.
   *
   * @param marker Left under the key for a while, if the store is outside this process.
   */
  end(record: SessionRecord, marker: string, now: number): Awaitable<boolean>;
  /**
   * Ends all sessions of a subject, except one, without knowing them. Resolves to the key of the
   * session that was kept, if there is one. Only a backend without an index of sessions has this
   * method.
   *
   * @throws {TypeError} If the store cannot end sessions.
   */
  endAll?(subject: string, kept: string | undefined): Promise<string | undefined>;
  /** Deletes whatever lies under the key. Returns whether there was anything. */
  delete(key: string): Awaitable<boolean>;
}

/** The error for a store that failed or returned an invalid value. */
export function storeError(operation: string, why: string, cause?: unknown): SessionError {
  return new SessionError("ERR_SESSION_STORE", `Cannot ${operation} the session: ${why}`, {
    cause,
  });
}
