/** The backend of a store without storage: the client sends the encrypted session itself. */
import { after, type Awaitable } from "../../base/awaitable.ts";
import { isId } from "../../base/id.ts";
import { MAX_ATTEMPTS } from "../../base/limits.ts";
import { decodeTombstone, encodeEmptySession, encodeTombstone } from "../../base/record_text.ts";
import type { OpenedRecord, SealingStore } from "../../store/store.ts";
import {
  type Backend,
  type Expiry,
  type SessionRecord,
  storeError,
  type WriteResult,
} from "./backend.ts";
import type { CallGuard } from "./call_guard.ts";

/** The version of a value that was encrypted but not sent yet, so that no client can send it. */
const UNSENT = "unsent";
/** The version of a session that is known by its ID alone. */
const KNOWN_BY_ID = "";

/**
 * Compares nothing when it seals a value. It only checks whether the value's ID has been replaced.
 */
export class CookieBackend implements Backend {
  readonly isVersioned = false;
  readonly warning =
    "The session travels in its client's cookie: races can lose updates, an older cookie brings " +
    "older data back, and without revocations a copy outlives the logout";
  readonly #store: SealingStore;
  readonly #guard: CallGuard;
  readonly #maxAge: number;
  readonly #name: string | undefined;

  /**
   * @param maxAge Seconds without use after which a session has expired.
   * @param name The name of the cookie or header that carries the values.
   */
  constructor(store: SealingStore, guard: CallGuard, maxAge: number, name: string | undefined) {
    this.#store = store;
    this.#guard = guard;
    this.#maxAge = maxAge;
    this.#name = name;
  }

  /** A sealed value, or an ID: no session can be read by its ID, but it can be ended. */
  accepts(presented: string): boolean {
    return isId(presented) || (this.#store.accepts?.(presented) ?? presented !== "");
  }

  read(presented: string, name = this.#name): Awaitable<SessionRecord | undefined> {
    // Expired for every request that looks for a session, but present for a call that ends one.
    if (isId(presented)) {
      return {
        id: presented,
        text: encodeEmptySession(0),
        version: KNOWN_BY_ID,
        lastAccess: -Infinity,
      };
    }
    const opened = this.#guard.call(
      "read",
      (signal) => this.#store.open(presented, { maxAge: this.#maxAge, name, signal }),
      presented,
    );
    return after(opened, (found: OpenedRecord | null | undefined) => {
      const newId = found && decodeTombstone(found.id, String(found.text));
      if (newId === undefined || newId === null) return found ?? undefined;
      // Under the value that the client sent, because the caller knows nothing else.
      return { ...found!, id: presented, text: encodeTombstone(presented, newId) };
    });
  }

  create(
    id: string,
    text: string,
    expiry: Expiry,
    name?: string,
  ): Awaitable<WriteResult | undefined> {
    return after(this.#seal(id, text, expiry, undefined, name), toWriteResult);
  }

  replace(
    { id, version }: SessionRecord,
    text: string,
    expiry: Expiry,
  ): Awaitable<WriteResult | undefined> {
    return after(this.#seal(id, text, expiry, version), toWriteResult);
  }

  touch({ id, text, version }: SessionRecord, expiry: Expiry): Awaitable<string | undefined> {
    return this.#seal(id, text, expiry, version);
  }

  /** Without revocations, values under the old ID stay valid until they expire. */
  leaveTombstone(
    { id, version }: SessionRecord,
    newId: string,
    expiry: Expiry,
  ): Awaitable<boolean> {
    const tombstone = encodeTombstone(id, newId);
    const left = this.#end(id, tombstone, { version, ...expiry });
    return after(left, (left) => left === undefined || left === tombstone);
  }

  /** Ends the session under its latest ID. Only the store can follow an ID. */
  async delete({ id, version }: SessionRecord): Promise<boolean> {
    if (version === UNSENT) return true;
    // No value that was sealed until now is valid for longer.
    const ttl = Math.ceil(this.#maxAge) + 1;
    let next: string | undefined = id;
    for (let hop = 0; hop < MAX_ATTEMPTS; hop++) {
      const left: string | undefined = await this.#end(next, "", { version, ttl });
      if (left === undefined && version === KNOWN_BY_ID) {
        throw storeError("end", "its client holds it, and the store has no revocations");
      }
      next = decodeTombstone(next, left ?? "");
      if (next === undefined) return true;
    }
    throw storeError("end", "it has had too many ids");
  }

  #seal(
    id: string,
    text: string,
    expiry: Expiry,
    version?: string,
    name = this.#name,
  ): Awaitable<string | undefined> {
    const value = this.#guard.call(
      "save",
      (signal) => this.#store.seal(id, text, { version, name, ...expiry, signal }),
      id,
      text,
    );
    return after(value, (value) => checkText(value, "save"));
  }

  #end(
    id: string,
    text: string,
    options: { version: string } & Partial<Expiry>,
  ): Awaitable<string | undefined> {
    const left = this.#guard.call(
      "end",
      (signal) => this.#store.end?.(id, text, { ...options, signal }),
      id,
      text,
    );
    return after(left, (left) => checkText(left, "end"));
  }
}

function toWriteResult(transport: string | undefined): WriteResult | undefined {
  return transport === undefined ? undefined : { version: UNSENT, transport };
}

function checkText(answer: unknown, operation: string): string | undefined {
  if (answer === undefined || answer === null) return undefined;
  if (typeof answer !== "string") throw storeError(operation, "the store answered with no text");
  return answer;
}
