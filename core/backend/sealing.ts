/** The face of a store whose values are the sessions themselves: what a client presents is opened. */
import { after, type Awaitable } from "../../base/awaitable.ts";
import { decodeTombstone, encodeEmptySession, encodeTombstone } from "../../base/record_text.ts";
import { isId } from "../../base/id.ts";
import type { Guard, KeyedRecord, Lifetime, StoreFace, Written } from "./backend.ts";
import { SessionError } from "../../errors.ts";
import type { OpenedRecord, SealingStore } from "../../store/store.ts";

/** Of what was sealed and has not been sent: nobody can present it. */
const UNSENT = "unsent";
/** Of a session that is known by its id alone. */
const UNOPENED = "";
/** How many ids of one session are followed to the last. */
const MAX_HOPS = 32;

/** Nothing is compared when a value is made; what is compared is whether its id was given up. */
export class SealingFace implements StoreFace {
  readonly isVersioned = false;
  readonly caveat =
    "The session travels in its client's cookie: races can lose updates, an older cookie brings " +
    "older data back, and without revocations a copy outlives the logout";
  readonly #store: SealingStore;
  readonly #guard: Guard;
  readonly #maxAge: number;
  readonly #name: string | undefined;

  constructor(store: SealingStore, guard: Guard, maxAge: number, name: string | undefined) {
    this.#store = store;
    this.#guard = guard;
    this.#maxAge = maxAge;
    this.#name = name;
  }

  /** A value, or an id: nothing can be read by that, but a session can be ended. */
  accepts(presented: string): boolean {
    return isId(presented) || (this.#store.accepts?.(presented) ?? presented !== "");
  }

  read(presented: string, name = this.#name): Awaitable<KeyedRecord | undefined> {
    // Long expired to all that look for a session, and there for what ends one. Costs nothing.
    if (isId(presented)) {
      return {
        id: presented,
        text: encodeEmptySession(0),
        version: UNOPENED,
        lastAccess: -Infinity,
      };
    }
    const opened = this.#call(
      "read",
      (signal) => this.#store.open(presented, { maxAge: this.#maxAge, name, signal }),
      presented,
    );
    return after(opened, (found: OpenedRecord | null | undefined) => {
      const newId = found && decodeTombstone(found.id, String(found.text));
      if (newId === undefined || newId === null) return found ?? undefined;
      // Under what was presented: that is all that a follower knows.
      return { ...found!, id: presented, text: encodeTombstone(presented, newId) };
    });
  }

  create(
    id: string,
    text: string,
    lifetime: Lifetime,
    name?: string,
  ): Awaitable<Written | undefined> {
    return after(this.#seal(id, text, lifetime, undefined, name), written);
  }

  replace(
    { id, version }: KeyedRecord,
    text: string,
    lifetime: Lifetime,
  ): Awaitable<Written | undefined> {
    return after(this.#seal(id, text, lifetime, version), written);
  }

  touch({ id, text, version }: KeyedRecord, lifetime: Lifetime): Awaitable<string | undefined> {
    return this.#seal(id, text, lifetime, version);
  }

  /** Where the store cannot give up an id, the old values live on. */
  retire({ id, version }: KeyedRecord, newId: string, lifetime: Lifetime): Awaitable<boolean> {
    const tombstone = encodeTombstone(id, newId);
    const left = this.#end(id, tombstone, { version, ...lifetime });
    return after(left, (left) => left === undefined || left === tombstone);
  }

  /** Ends the session wherever it has moved: only the store can follow an id. */
  async delete({ id, version }: KeyedRecord): Promise<boolean> {
    if (version === UNSENT) return true;
    // No value of it that was made until now lives longer.
    const ttl = Math.ceil(this.#maxAge) + 1;
    let next: string | undefined = id;
    for (let hop = 0; hop < MAX_HOPS; hop++) {
      const left: string | undefined = await this.#end(next, "", { version, ttl });
      if (left === undefined && version === UNOPENED) {
        throw failed("end", "its client holds it, and the store has no revocations");
      }
      next = decodeTombstone(next, left ?? "");
      if (next === undefined) return true;
    }
    throw failed("end", "it has had too many ids");
  }

  #seal(
    id: string,
    text: string,
    lifetime: Lifetime,
    version?: string,
    name = this.#name,
  ): Awaitable<string | undefined> {
    const value = this.#call(
      "save",
      (signal) => this.#store.seal(id, text, { version, name, ...lifetime, signal }),
      id,
      text,
    );
    return after(value, (value) => textOrNothing(value, "save"));
  }

  #end(
    id: string,
    text: string,
    options: { version: string } & Partial<Lifetime>,
  ): Awaitable<string | undefined> {
    const left = this.#call(
      "end",
      (signal) => this.#store.end?.(id, text, { ...options, signal }),
      id,
      text,
    );
    return after(left, (left) => textOrNothing(left, "end"));
  }

  #call<T>(
    operation: string,
    invoke: (signal: AbortSignal) => Awaitable<T>,
    id: string,
    text?: string,
  ): Awaitable<T> {
    return this.#store.isLocal
      ? this.#guard.callLocal(operation, invoke, id, text)
      : this.#guard.call(operation, invoke, id, text);
  }
}

function written(transport: string | undefined): Written | undefined {
  return transport === undefined ? undefined : { version: UNSENT, transport };
}

function textOrNothing(answer: unknown, operation: string): string | undefined {
  if (answer === undefined || answer === null) return undefined;
  if (typeof answer !== "string") throw failed(operation, "the store answered with no text");
  return answer;
}

function failed(operation: string, why: string): SessionError {
  return new SessionError("ERR_SESSION_STORE", `Cannot ${operation} the session: ${why}`);
}
