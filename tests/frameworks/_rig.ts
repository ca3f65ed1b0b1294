/** A middleware on an asynchronous store that fails, for tests in one process. */
import {
  type DeleteOptions,
  MemoryStore,
  type ReplaceOptions,
  type SessionEvent,
  SessionMiddleware,
  type StoredRecord,
  type TouchOptions,
  type VersionedStore,
  type WriteOptions,
} from "../../mod.ts";

/** Data with this text cannot be written. */
export const UNWRITABLE = "does not fit";

class SlowStore implements VersionedStore {
  readonly #inner = new MemoryStore();

  get size(): number {
    return this.#inner.size;
  }

  async read(id: string): Promise<StoredRecord | undefined> {
    await Promise.resolve();
    return this.#inner.read(id);
  }

  async create(id: string, text: string, options: WriteOptions): Promise<string | undefined> {
    await this.#check(text);
    return this.#inner.create(id, text, options);
  }

  async replace(id: string, text: string, options: ReplaceOptions): Promise<string | undefined> {
    await this.#check(text);
    return this.#inner.replace(id, text, options);
  }

  async touch(id: string, options: TouchOptions): Promise<boolean> {
    await Promise.resolve();
    return this.#inner.touch(id, options);
  }

  async delete(id: string, options: DeleteOptions): Promise<boolean> {
    await Promise.resolve();
    return this.#inner.delete(id, options);
  }

  async #check(text: string): Promise<void> {
    await Promise.resolve();
    if (text.includes(UNWRITABLE)) throw new Error("connection refused");
  }
}

/** Makes a middleware, and what a test wants to see of it. */
export function rig(key?: string) {
  const events: SessionEvent[] = [];
  const store = new SlowStore();
  const sessions = new SessionMiddleware({
    secret: "a test's secret of 32 bytes or more",
    store,
    key,
    onEvent: (event) => void events.push(event),
  });
  return { sessions, store, events };
}

/** Makes a request. */
export function get(path = "/", headers: Record<string, string> = {}): Request {
  return new Request(`http://localhost${path}`, { headers });
}

/** The cookies that this package has put on a response. */
export function sessionCookies(response: Response): string[] {
  return response.headers.getSetCookie().filter((one) => one.startsWith("pagi_session"));
}

/** The names of these cookies, in order. */
export function cookieNames(response: Response): string[] {
  return sessionCookies(response).map((one) => one.split("=")[0]!).sort();
}
