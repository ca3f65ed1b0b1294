/** The use of sessions that all apps share, so that the same cases fit them all. */
import {
  type DeleteOptions,
  MemoryStore,
  type ReplaceOptions,
  type Session,
  SessionMiddleware,
  type StoreCallOptions,
  type StoredRecord,
  type TouchOptions,
  type VersionedStore,
  type WriteOptions,
} from "@pagi/session";

/** The data of a session. */
export interface Data {
  visits: number;
  cart: { items: string[] };
  /** Tells the store how to fail when it writes this session. */
  trouble: "fails" | "hangs" | "does not delete";
}

/** An asynchronous store, as over a network. It fails for certain keys and for `trouble`. */
class FailingStore implements VersionedStore {
  readonly #inner = new MemoryStore();
  readonly #kept = new Set<string>();

  async read(id: string, _options: StoreCallOptions): Promise<StoredRecord | undefined> {
    // The key is the second half of the ID that a client sends.
    if (id === "d".repeat(32)) throw new Error("connection refused");
    if (id === "e".repeat(32)) await forever();
    await nextTurn();
    return this.#inner.read(id);
  }
  async create(id: string, text: string, options: WriteOptions): Promise<string | undefined> {
    await this.#fail(id, text);
    return this.#inner.create(id, text, options);
  }
  async replace(id: string, text: string, options: ReplaceOptions): Promise<string | undefined> {
    await this.#fail(id, text);
    return this.#inner.replace(id, text, options);
  }
  async touch(id: string, options: TouchOptions): Promise<boolean> {
    await nextTurn();
    return this.#inner.touch(id, options);
  }
  async delete(id: string, options: DeleteOptions): Promise<boolean> {
    await nextTurn();
    if (this.#kept.has(id)) throw new Error("connection refused");
    return this.#inner.delete(id, options);
  }

  async #fail(id: string, text: string): Promise<void> {
    await nextTurn();
    // A session ends when a marker replaces it, or when it is deleted.
    if (this.#kept.has(id)) throw new Error("connection refused");
    if (text.includes('"trouble":"fails"')) throw new Error("connection refused");
    if (text.includes('"trouble":"hangs"')) await forever();
    if (text.includes('"trouble":"does not delete"')) this.#kept.add(id);
  }
}

/** The app's sessions, in a synchronous or an asynchronous store. */
export const sessions: SessionMiddleware<Data> = new SessionMiddleware<Data>({
  secret: "a test's secret of 32 bytes or more",
  store: globalThis.process?.env.STORE === "memory" ? new MemoryStore() : new FailingStore(),
  storeTimeout: 0.25,
});

/** The work with the session at each path. Returns the text of the response. */
export const work: Record<string, (session: Session<Data>) => string | Promise<string>> = {
  "/visit": (session) => {
    session.update("visits", (visits = 0) => visits + 1);
    return `Visit ${session.get("visits")}`;
  },
  "/read": (session) => `Visits ${session.get("visits", 0)}`,
  "/add": (session) => {
    session.data.cart ??= { items: [] };
    session.data.cart.items.push("tea");
    return session.get("cart").items.join();
  },
  "/login": (session) => {
    session.regenerate();
    return "Welcome";
  },
  "/logout": (session) => {
    session.destroy();
    return "Bye";
  },
  "/interrupted": async (session) => {
    await sessions.destroy(session);
    session.set("visits", 100);
    return "never sent";
  },
  "/sign-in": (session) => {
    session.subject = `user ${crypto.randomUUID()}`;
    return "Welcome";
  },
  "/everywhere": async (session) => {
    await sessions.destroyAll(session.subject!);
    session.set("visits", 100);
    return "Bye";
  },
  "/everywhere-and-on": async (session) => {
    await sessions.destroyAll(session.subject!);
    session.restart().set("visits", 7);
    return "Bye";
  },
  "/save-and-throw": async (session) => {
    session.update("visits", (visits = 0) => visits + 1);
    await session.save();
    throw new Error("boom");
  },
  "/store-fails": (session) => {
    session.set("trouble", "fails");
    return "never sent";
  },
  "/store-hangs": (session) => {
    session.set("trouble", "hangs");
    return "never sent";
  },
  "/store-keeps": (session) => {
    session.set("trouble", "does not delete");
    return "It will";
  },
};

/** The paths of `work`. */
export const paths: string[] = Object.keys(work);

/** The headers of /headers-then-fails, which no error response has. */
export const ownHeaders: Record<string, string> = {
  "etag": '"own"',
  "content-disposition": "attachment",
  "content-language": "de",
  "content-type": "image/png",
  "x-own": "1",
  "set-cookie": "own=1",
};

/** The parts of /stream. The session is committed when the first part is sent. */
export async function* parts(session: Session<Data>): AsyncGenerator<string> {
  yield "one,";
  await nextTurn();
  yield `${session.get("visits")},`;
  await nextTurn();
  yield "three";
}

/** Returns the parts as a stream of bytes. */
export function partsAsStream(session: Session<Data>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const iterator = parts(session);
  return new ReadableStream({
    async pull(controller) {
      const { value, done } = await iterator.next();
      if (done) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
  });
}

/** Returns one server-sent event. */
export function eventOf(session: Session<Data> | undefined): string {
  return `data: Visits ${session?.get("visits", 0) ?? "unknown"}\n\n`;
}

/** Prints the port on which the app listens. */
export function announce(port: number): void {
  console.log(`listening ${port}`);
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1));
}

function forever(): Promise<never> {
  return new Promise(() => {});
}
