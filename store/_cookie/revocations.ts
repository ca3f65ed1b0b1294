/**
 * The IDs that are not valid any more, for a `CookieStore`. A versioned store has one record for
 * each session whose ID was replaced or that has ended, under the session's key. It names the
 * verifier of the only valid ID, or says that the session has ended, which is final.
 */
import type { Awaitable } from "../../base/awaitable.ts";
import { keyOf, verifierOf } from "../../base/id.ts";
import { isSameVerifier } from "../../base/record_header.ts";
import { newToken } from "../../base/token.ts";
import { encodeEnded, isEnded } from "../../base/record_text.ts";
import type { StoreCallOptions, StoredRecord, VersionedStore, WriteOptions } from "../store.ts";
import { RevocationRecords } from "./revocation_records.ts";

/** The start of the text that names the verifier of the valid ID, and a lifetime in seconds. */
const VALID_PREFIX = "valid:";

/** The record of a session. */
export interface Revocation extends StoredRecord {
  /** Whether the session has ended. */
  readonly isEnded: boolean;
  /** The verifier of the valid ID; empty if the session has ended. */
  readonly verifier: string;
  /** Seconds for which values of the session can be valid at most; 0 if it has ended. */
  readonly lifetime: number;
}

/** The replaced IDs and ended sessions in a versioned store. */
export class Revocations {
  readonly #records: RevocationRecords<Revocation>;

  constructor(store: VersionedStore, cacheSeconds: number, now: () => number) {
    this.#records = new RevocationRecords(store, cacheSeconds, now, toRevocation);
  }

  /**
   * The record of the session with this ID, if there is one. May be `cacheSeconds` old.
   *
   * @param maxAge The most seconds that it may be old, if that is less.
   */
  find(
    id: string,
    options: StoreCallOptions,
    maxAge?: number,
  ): Awaitable<Revocation | undefined> {
    return this.#records.find(keyOf(id), options, maxAge);
  }

  /**
   * Makes `newId` the only valid ID of the session, if `id` is valid. Resolves to whether it was.
   *
   * @param known The session's record, as it was read before.
   */
  async replaceId(
    id: string,
    newId: string,
    known: Revocation | undefined,
    options: WriteOptions,
  ): Promise<boolean> {
    return await this.#name(id, verifierOf(newId), known, options);
  }

  /**
   * Notes how long values of a session can be valid, before there are values with another lifetime.
   * So a logout at the same time is kept for long enough. Resolves to whether `id` is valid.
   */
  async noteLifetime(
    id: string,
    known: Revocation | undefined,
    options: WriteOptions,
  ): Promise<boolean> {
    const lastAccess = known?.lastAccess ?? options.lastAccess;
    return await this.#name(id, verifierOf(id), known, { ...options, lastAccess });
  }

  async #name(
    id: string,
    verifier: string,
    known: Revocation | undefined,
    options: WriteOptions,
  ): Promise<boolean> {
    const compose = (found: Revocation | undefined) => {
      if (!isValid(id, found)) return undefined;
      const lifetime = Math.ceil(Math.max(options.ttl, found?.lifetime ?? 0));
      return `${VALID_PREFIX}${verifier} ${lifetime}`;
    };
    return await this.#records.write(keyOf(id), known, compose, options);
  }

  /** Ends the session for good. Resolves to whether it had not ended before. */
  async end(id: string, options: WriteOptions): Promise<boolean> {
    const key = keyOf(id);
    const known = await this.#records.ask(key, options);
    // The token tells this call from another one that has ended the session first.
    const text = encodeEnded(newToken());
    const compose = (found: Revocation | undefined) => found?.isEnded ? undefined : text;
    return await this.#records.write(key, known, compose, options);
  }
}

/** Whether the ID is the valid one. Without a record, a session has had one ID only. */
export function isValid(
  id: string,
  found: Pick<Revocation, "isEnded" | "verifier"> | undefined,
): boolean {
  return found === undefined ||
    (!found.isEnded && isSameVerifier(found.verifier, verifierOf(id)));
}

function toRevocation(record: StoredRecord): Revocation | undefined {
  const { text, lastAccess, version } = record;
  if (isEnded(text)) return { text, isEnded: true, verifier: "", lifetime: 0, lastAccess, version };
  if (!text.startsWith(VALID_PREFIX)) return undefined;
  const [verifier, lifetime] = text.slice(VALID_PREFIX.length).split(" ");
  const seconds = Number(lifetime) || 0;
  return { text, isEnded: false, verifier: verifier!, lifetime: seconds, lastAccess, version };
}
