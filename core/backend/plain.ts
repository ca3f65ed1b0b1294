/** The face of a store with PAGI's three methods. */
import { fromPlainData, toPlainData } from "../../base/record_text.ts";
import type { Guard, KeyedRecord, Lifetime, StoreFace, Written } from "./backend.ts";
import { SessionError } from "../../errors.ts";
import type { PlainStore } from "../../store/store.ts";

/** Nothing is compared, so every write takes. */
export class PlainFace implements StoreFace {
  readonly isVersioned = false;
  readonly caveat =
    "The store has get, set and delete only: races can lose updates and undo a logout";
  readonly #store: PlainStore;
  readonly #guard: Guard;

  constructor(store: PlainStore, guard: Guard) {
    this.#store = store;
    this.#guard = guard;
  }

  accepts(presented: string): boolean {
    return this.#store.accepts?.(presented) ?? presented !== "";
  }

  async read(presented: string): Promise<KeyedRecord | undefined> {
    const hash = await this.#guard.call("read", () => this.#store.get(presented), presented);
    if (hash === undefined || hash === null) return undefined;
    const lastAccess = Number(hash._last_access ?? hash._created);
    const created = Number(hash._created ?? lastAccess);
    // Where a value is its own session, as in an encrypted cookie, the id is inside.
    const id = typeof hash._id === "string" ? hash._id : presented;
    return { id, text: textOf(hash, created), version: "", lastAccess };
  }

  async create(id: string, text: string, { lastAccess }: Lifetime): Promise<Written> {
    const hash = toPlainData({ id, text, lastAccess })!;
    const transport = await this.#guard.call("save", () => this.#store.set(id, hash), id, text);
    // Redis' own answer, handed on: every client would get the same cookie.
    if (transport === "OK") {
      throw new SessionError(
        "ERR_SESSION_STORE",
        'Cannot save the session: set resolved to "OK", not to what the client is to present',
      );
    }
    return { version: "", transport: typeof transport === "string" ? transport : id };
  }

  replace({ id }: KeyedRecord, text: string, lifetime: Lifetime): Promise<Written> {
    return this.create(id, text, lifetime);
  }

  async touch({ id, text }: KeyedRecord, lifetime: Lifetime): Promise<string> {
    return (await this.create(id, text, lifetime)).transport;
  }

  retire(record: KeyedRecord): Promise<boolean> {
    return this.delete(record);
  }

  async delete({ id }: KeyedRecord): Promise<boolean> {
    await this.#guard.call("delete", () => this.#store.delete(id), id);
    return true;
  }
}

/** The text of a plain store's hash; empty, and so no session, when it cannot be one. */
function textOf(hash: Record<string, unknown>, created: number): string {
  try {
    return fromPlainData(hash, created);
  } catch {
    return "";
  }
}
