/** The backend of a store without storage: the client sends the encrypted session itself. */
import { after, type Awaitable } from "../../base/awaitable.ts";
import { HALF_DIGITS, isId, keyOf } from "../../base/id.ts";
import { MAX_COOKIE_AGE } from "../../base/limits.ts";
import type { SessionState } from "../../state/state.ts";
import type { OpenedRecord, SealingStore } from "../../store/store.ts";
import {
  type Backend,
  type Expiry,
  type SessionRecord,
  storeError,
  type WriteResult,
} from "./backend.ts";
import type { CallGuard } from "./call_guard.ts";

/** The properties of a State that decide how values are sealed. */
export type Carrier = Pick<SessionState, "name" | "maxValueBytes">;

/** The version of a value that was encrypted but not sent yet, so that no client can send it. */
const UNSENT = "unsent";
/** The version of a session that is known by its ID alone. */
const KNOWN_BY_ID = "";

/**
 * Compares nothing when it seals a value. It only checks whether the value's ID has been replaced.
 */
export class CookieBackend implements Backend {
  readonly isVersioned = false;
  readonly isRemote = false;
  readonly isWithClient = true;
  readonly warning =
    "The session travels in its client's cookie: races can lose updates, an older cookie brings " +
    "older data back, and without revocations a copy outlives the logout";
  readonly #store: SealingStore;
  readonly #guard: CallGuard;
  readonly #maxAge: number;
  readonly #name: string | undefined;
  readonly #maxBytes: number | undefined;

  /**
   * @param maxAge Seconds without use after which a session without a lifetime of its own has expired.
   * @param carrier The State that carries the values.
   */
  constructor(store: SealingStore, guard: CallGuard, maxAge: number, carrier: Carrier) {
    this.#store = store;
    this.#guard = guard;
    this.#maxAge = maxAge;
    this.#name = carrier.name;
    this.#maxBytes = carrier.maxValueBytes;
  }

  /** A sealed value, or an ID: no session can be read by its ID, but it can be ended. */
  accepts(presented: string): boolean {
    return isId(presented) || (this.#store.accepts?.(presented) ?? presented !== "");
  }

  keyOf(id: string): string {
    return id;
  }

  verifierOf(): undefined {
    return undefined;
  }

  nextId(id: string, generated: string): string {
    return isId(id) && isId(generated) ? generated.slice(0, HALF_DIGITS) + keyOf(id) : generated;
  }

  read(presented: string, name = this.#name): Awaitable<SessionRecord | undefined> {
    if (isId(presented)) return undefined;
    const opened = this.#guard.call(
      "read",
      // A session may have a longer lifetime than the middleware's sessions. It decides by itself.
      (signal) => this.#store.open(presented, { maxAge: MAX_COOKIE_AGE, name, signal }),
      presented,
    );
    return after(opened, (found: OpenedRecord | null | undefined) => {
      if (found === undefined || found === null) return undefined;
      const { id, text, version, lastAccess, replacedAt } = found;
      return { key: id, text, version, lastAccess, replacedAt };
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
    record: SessionRecord,
    text: string,
    expiry: Expiry,
    newId?: string,
  ): Awaitable<WriteResult | undefined> {
    if (newId !== undefined) return this.#replaceId(record, text, expiry, newId);
    const { key, version, name } = record;
    return after(this.#seal(key, text, expiry, version, name), toWriteResult);
  }

  /** Without revocations, values under the old ID stay valid until they expire. */
  async #replaceId(
    { key, version, name }: SessionRecord,
    text: string,
    expiry: Expiry,
    newId: string,
  ): Promise<WriteResult | undefined> {
    // First the value, which may be too large. Nobody has it until the old ID has been replaced.
    const transport = await this.#seal(newId, text, expiry, undefined, name);
    const isReplaced = await this.#guard.call(
      "save",
      (signal) => this.#store.replaceId?.(key, newId, { version, ...expiry, signal }),
      key,
      newId + text,
    );
    return checkAnswer(isReplaced, "save") === false ? undefined : toWriteResult(transport);
  }

  touch(
    { key, text, version, name }: SessionRecord,
    expiry: Expiry,
  ): Awaitable<WriteResult | undefined> {
    return after(this.#seal(key, text, expiry, version, name), toWriteResult);
  }

  end({ key, version }: SessionRecord): Promise<boolean> {
    return this.#end(key, version);
  }

  /** @param id An ID, or a value under the State's name. */
  async delete(id: string): Promise<boolean> {
    if (isId(id)) return await this.#end(id, KNOWN_BY_ID);
    const record = await this.read(id);
    return record !== undefined && await this.#end(record.key, KNOWN_BY_ID);
  }

  /** @param kept An ID that the session which stays has or had, or a value under the State's name. */
  async endAll(subject: string, kept: string | undefined): Promise<string | undefined> {
    const except = kept === undefined || isId(kept) ? kept : (await this.read(kept))?.key;
    const isEnded = checkAnswer(
      await this.#guard.call(
        "end",
        (signal) => this.#store.endAll?.(subject, { except, ttl: MAX_COOKIE_AGE, signal }),
        subject,
      ),
      "end",
    );
    if (isEnded === undefined) {
      throw new TypeError(
        "Cannot end the sessions of a subject: their clients hold them. Set the option " +
          "revocations of the CookieStore, so that it can note their end",
      );
    }
    return except;
  }

  async #end(id: string, version: string): Promise<boolean> {
    // A session that is known by its ID alone may have any lifetime.
    const ttl = version === KNOWN_BY_ID ? MAX_COOKIE_AGE : Math.ceil(this.#maxAge) + 1;
    const isEnded = checkAnswer(
      await this.#guard.call(
        "end",
        (signal) => this.#store.end?.(id, { version, ttl, signal }),
        id,
      ),
      "end",
    );
    if (isEnded === undefined && version === KNOWN_BY_ID) {
      throw storeError("end", "its client holds it, and the store has no revocations");
    }
    return isEnded ?? true;
  }

  #seal(
    id: string,
    text: string,
    expiry: Expiry,
    version?: string,
    name = this.#name,
  ): Awaitable<string | undefined> {
    const maxBytes = this.#maxBytes;
    const value = this.#guard.call(
      "save",
      (signal) => this.#store.seal(id, text, { version, name, maxBytes, ...expiry, signal }),
      id,
      text,
    );
    return after(value, (value) => checkText(value, "save"));
  }
}

function toWriteResult(transport: string | undefined): WriteResult | undefined {
  return transport === undefined ? undefined : { version: UNSENT, transport };
}

function checkAnswer(answer: unknown, operation: string): boolean | undefined {
  if (answer === undefined || answer === null) return undefined;
  if (typeof answer !== "boolean") {
    throw storeError(operation, "the store answered with neither true nor false");
  }
  return answer;
}

function checkText(answer: unknown, operation: string): string | undefined {
  if (answer === undefined || answer === null) return undefined;
  if (typeof answer !== "string") throw storeError(operation, "the store answered with no text");
  return answer;
}
