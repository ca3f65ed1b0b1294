/** Wraps a store so that each call waits for the simulator and is recorded. */
import { decodeHeader, findJson } from "../../base/record_header.ts";
import { isEnded, isSubjectIndex } from "../../base/record_text.ts";
import type { SessionStore } from "../../store/store.ts";
import type { Visit } from "./visit.ts";

/** Calls that find a session. */
const READS = ["read", "get", "open"];
/** Calls that end a session. */
const ENDS = ["delete", "end"];
/** Calls that change a session. */
const CHANGES = ["create", "replace", "set", "seal", "replaceId"];
/** Calls of a `VersionedStore` that a client may send twice. */
const RESENT = ["create", "replace", "touch", "delete"];

/**
 * The store for one request.
 *
 * @param unseen Keys that no other request uses. A call for one of them does not wait.
 */
export function watch(
  store: SessionStore,
  visit: Visit,
  unseen: ReadonlySet<string>,
): SessionStore {
  return new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      // It is synchronous and reads nothing from the store.
      if (name === "accepts") return member.bind(target);
      const watched = new WatchedMethod(target, String(name), member, visit);
      return (...args: unknown[]) => watched.send(args, unseen.has(String(args[0])));
    },
  });
}

/** A call, and when the request made it, in seconds of the race. */
interface Call {
  args: unknown[];
  seconds: number;
}

/** One method of the store, as one request calls it. */
class WatchedMethod {
  readonly #store: SessionStore;
  readonly #name: string;
  // deno-lint-ignore ban-types
  readonly #member: Function;
  readonly #visit: Visit;
  readonly #isVersioned: boolean;

  // deno-lint-ignore ban-types
  constructor(store: SessionStore, name: string, member: Function, visit: Visit) {
    this.#store = store;
    this.#name = name;
    this.#member = member;
    this.#visit = visit;
    this.#isVersioned = "read" in store;
  }

  /** Sends a call to the store, once or twice, and resolves to the answer that arrives. */
  async send(args: unknown[], isUnseen: boolean): Promise<unknown> {
    const { lane, copies, seconds } = this.#visit;
    const call: Call = { args, seconds };
    const carryOut = (note: string) => {
      return isUnseen ? this.#call(call, note) : lane.turn(() => this.#call(call, note));
    };
    switch (this.#resendOf()) {
      case undefined:
        return await carryOut("");
      case "first answer lost":
        await carryOut(", its answer is lost").catch(() => {});
        return await carryOut(" again");
      case "late copy": {
        const answer = await carryOut("");
        copies.append(() => this.#call(call, " once more", true));
        return answer;
      }
    }
  }

  /** How this call reaches the store twice, if it does. */
  #resendOf() {
    if (!this.#isVersioned || !RESENT.includes(this.#name)) return undefined;
    const { resend } = this.#visit.plan;
    return this.#visit.writes++ === resend?.call ? resend.how : undefined;
  }

  /** @param isCopy Whether nobody waits for the answer. */
  async #call(call: Call, note: string, isCopy = false): Promise<unknown> {
    const visit = this.#visit;
    const { args } = call;
    const id = String(args[0]);
    if (visit.answers > 0 && !isCopy) visit.lateCall ??= this.#name;
    try {
      if (visit.isFull && isEnded(args[1])) throw new Error("The store is full");
      const isMarked = await this.#isMarked(args);
      const answer: unknown = await this.#member.apply(this.#store, args);
      const isRefused = this.#isRefusal(answer);
      const time = visit.note(`${this.#name}(id)${isRefused ? " in vain" : ""}${note}`, id);
      if (!isCopy) visit.decidedAt = time;
      if (READS.includes(this.#name)) visit.foundAt ??= time;
      else if (isRefused) visit.isRefused ||= !isCopy;
      else if (!isMarked) this.#record(call, time);
      return answer;
    } catch (error) {
      visit.note(`${this.#name}(id) fails${note}`, id);
      throw error;
    }
  }

  /** Whether the call had no effect. A plain store does not say so: each of its writes succeeds. */
  #isRefusal(answer: unknown): boolean {
    if (this.#name === "seal") return answer === undefined;
    if (this.#name === "replaceId" || this.#name === "end") return answer === false;
    return this.#isVersioned && (answer === undefined || answer === false);
  }

  /** Whether a call removes what an ended session has left. */
  async #isMarked(args: unknown[]): Promise<boolean> {
    if (this.#name !== "delete" || !("read" in this.#store)) return false;
    const { signal } = new AbortController();
    return isEnded((await this.#store.read(String(args[0]), { signal }))?.text);
  }

  /** Records a call that took effect, if it is the first of its kind. */
  #record({ args: [id, text, options], seconds }: Call, time: number): void {
    const visit = this.#visit;
    // A write to the subject index does not change a session.
    if (isSubjectIndex(text)) {
      if (visit.committedAt === undefined) visit.listedAt.push(time);
      return;
    }
    if (ENDS.includes(this.#name) || isEnded(text)) {
      const key = String(id);
      if (!visit.ends.has(key)) visit.ends.set(key, time);
      return;
    }
    if (this.#name === "touch") visit.touchedAt ??= time;
    else if (!CHANGES.includes(this.#name)) return;
    else if (!this.#isVersioned) visit.committedAt = time;
    else if (visit.committedAt === undefined) {
      visit.committedAt = time;
      visit.composedAt = seconds;
      visit.committedId = verifierIn(text) + String(id);
    }
    const { lastAccess } = (this.#name === "touch" ? text : options ?? {}) as {
      lastAccess?: number;
    };
    visit.lastAccess = Math.max(visit.lastAccess, lastAccess ?? 0);
  }
}

/** The first half of a session's ID, which the text of its record has. */
function verifierIn(text: unknown): string {
  return decodeHeader(String(text), findJson(text))?.verifier ?? "";
}
