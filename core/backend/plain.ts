/** The backend of a store with PAGI's three methods. */
import { fromPlainData, type SessionValues, toPlainData } from "../../base/record_text.ts";
import type { PlainStore } from "../../store/store.ts";
import {
  type Backend,
  type Expiry,
  type SessionRecord,
  storeError,
  type WriteResult,
} from "./backend.ts";
import type { CallGuard } from "./call_guard.ts";

/** Compares nothing, so every write takes effect. */
export class PlainBackend implements Backend {
  readonly isVersioned = false;
  readonly isRemote = false;
  readonly isWithClient = false;
  readonly warning =
    "The store has get, set and delete only: races can lose updates and undo a logout";
  readonly #store: PlainStore;
  readonly #guard: CallGuard;

  constructor(store: PlainStore, guard: CallGuard) {
    this.#store = store;
    this.#guard = guard;
  }

  accepts(presented: string): boolean {
    return this.#store.accepts?.(presented) ?? presented !== "";
  }

  keyOf(id: string): string {
    return id;
  }

  verifierOf(): undefined {
    return undefined;
  }

  nextId(_id: string, generated: string): string {
    return generated;
  }

  async read(presented: string): Promise<SessionRecord | undefined> {
    const data = await this.#guard.call("read", () => this.#store.get(presented), presented);
    if (data === undefined || data === null) return undefined;
    const lastAccess = Number(data._last_access ?? data._created);
    const created = Number(data._created ?? lastAccess);
    // If the client sent the session itself, as in an encrypted cookie, the ID is part of the data.
    const key = typeof data._id === "string" ? data._id : presented;
    return { key, text: textOf(data, created), version: "", lastAccess };
  }

  async create(id: string, text: string, { lastAccess }: Expiry): Promise<WriteResult> {
    const data = toPlainData({ id, text, lastAccess })!;
    const transport = await this.#guard.call("save", () => this.#store.set(id, data), id, text);
    // The reply of Redis, returned by mistake: every client would get the same cookie.
    if (transport === "OK") {
      throw storeError("save", 'set resolved to "OK", not to what the client is to present');
    }
    return { version: "", transport: typeof transport === "string" ? transport : id };
  }

  async replace(
    { key }: SessionRecord,
    text: string,
    expiry: Expiry,
    newId = key,
  ): Promise<WriteResult> {
    const written = await this.create(newId, text, expiry);
    if (newId !== key) await this.delete(key);
    return written;
  }

  touch({ key, text }: SessionRecord, expiry: Expiry): Promise<WriteResult> {
    return this.create(key, text, expiry);
  }

  end({ key }: SessionRecord): Promise<boolean> {
    return this.delete(key);
  }

  async delete(id: string): Promise<boolean> {
    await this.#guard.call("delete", () => this.#store.delete(id), id);
    return true;
  }
}

/** The text of plain data. Empty if it is not valid, which is not the text of a session. */
function textOf(data: SessionValues, created: number): string {
  try {
    return fromPlainData(data, created);
  } catch {
    return "";
  }
}
