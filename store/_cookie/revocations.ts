/**
 * What makes the end of a sealed session final: a record in a versioned store under each id that has
 * been given up. It is written once and never changed: it is the tombstone that names the session's
 * next id, or says that the session has ended. So the ids of a session, from first to last, are one
 * chain, whoever races whom, and at most the last one is alive.
 */
import { after, type Awaitable } from "../../base/awaitable.ts";
import type { StoreCallOptions, StoredRecord, VersionedStore, WriteOptions } from "../store.ts";

/** The text under the id of a session that has ended. */
const ENDED = "ended";
/** How many answers are kept. */
const MAX_ANSWERS = 10_000;
/** How often an end is tried against records that expire in between. */
const MAX_ATTEMPTS = 4;
/** For values that were sealed while their id was given up, and clocks that differ, in seconds. */
const TTL_MARGIN = 300;

/** What stands under an id that has been given up. */
export interface Revocation {
  /** What its values open as; empty when they do not open. */
  text: string;
  /** When it was given up, in Unix seconds. */
  lastAccess: number;
}

/** What was answered, and when it was asked, in milliseconds. */
interface Answer {
  askedAt: number;
  revocation: Revocation | undefined;
}

/** The ids that have been given up. */
export class Revocations {
  readonly #store: VersionedStore;
  readonly #cacheMs: number;
  readonly #now: () => number;
  readonly #answers = new Map<string, Answer>();

  constructor(store: VersionedStore, cacheSeconds: number, now: () => number) {
    this.#store = store;
    this.#cacheMs = cacheSeconds * 1000;
    this.#now = now;
  }

  /** What stands under `id`; undefined while it is alive, as far as `revocationCache` lets us know. */
  find(id: string, { signal }: StoreCallOptions): Awaitable<Revocation | undefined> {
    const known = this.#answers.get(id);
    // Either way: a clock that was set back must not make an old answer young.
    if (known !== undefined && Math.abs(this.#now() - known.askedAt) < this.#cacheMs) {
      return known.revocation;
    }
    return this.#ask(id, signal);
  }

  /** Gives up `id`. What stands there from now on: `text`, unless it had been given up before. */
  async end(id: string, text: string, options: WriteOptions): Promise<string> {
    const written = { ...options, ttl: options.ttl + TTL_MARGIN };
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const askedAt = this.#now();
      const version: unknown = await this.#store.create(id, text || ENDED, written);
      if (typeof version === "string") {
        this.#remember(id, { askedAt, revocation: { text, lastAccess: options.lastAccess } });
        return text;
      }
      if (version !== undefined && version !== null) throw nonsense();
      const before = await this.#ask(id, options.signal);
      if (before !== undefined) return before.text;
    }
    throw new Error("Cannot note the session's end: the store has a record and does not show it");
  }

  #ask(id: string, signal: AbortSignal): Awaitable<Revocation | undefined> {
    // Before it is asked: an answer is as old as its question.
    const askedAt = this.#now();
    return after(this.#store.read(id, { signal }), (record) => {
      const revocation = examine(record);
      this.#remember(id, { askedAt, revocation });
      return revocation;
    });
  }

  #remember(id: string, answer: Answer): void {
    if (this.#cacheMs === 0) return;
    // What was given up stays so: an answer from before it may come later.
    if (answer.revocation === undefined && this.#answers.get(id)?.revocation !== undefined) return;
    this.#answers.delete(id);
    this.#answers.set(id, answer);
    if (this.#answers.size > MAX_ANSWERS) this.#answers.delete(this.#answers.keys().next().value!);
  }
}

/** Whatever this is, it must not be taken for "alive". */
function examine(record: StoredRecord | null | undefined): Revocation | undefined {
  if (record === undefined || record === null) return undefined;
  const { text, lastAccess } = record;
  if (typeof text !== "string") throw nonsense();
  return { text: text === ENDED ? "" : text, lastAccess };
}

function nonsense(): Error {
  return new Error("Cannot tell whether the session has ended: the store's answer is none");
}
