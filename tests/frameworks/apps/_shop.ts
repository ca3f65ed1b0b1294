/** The sessions of the shops that `_meta_cases.ts` visits. Each meta-framework has such a shop. */
import {
  type DeleteOptions,
  MemoryStore,
  type ReplaceOptions,
  SessionMiddleware,
  type StoreCallOptions,
  type StoredRecord,
  type TouchOptions,
  type VersionedStore,
  type WriteOptions,
} from "@pagi/session";

/** The data of a session. */
export interface Data {
  name: string;
  items: string[];
}

/** An asynchronous store, as over a network. It fails for a certain key and for a certain item. */
class ShopStore implements VersionedStore {
  readonly #inner = new MemoryStore();

  async read(id: string, _options: StoreCallOptions): Promise<StoredRecord | undefined> {
    await aMoment();
    // The key is the second half of the ID that a client sends.
    if (id === "d".repeat(32)) throw new Error("connection refused");
    return this.#inner.read(id);
  }
  async create(id: string, text: string, options: WriteOptions): Promise<string | undefined> {
    await failFor(text);
    return this.#inner.create(id, text, options);
  }
  async replace(id: string, text: string, options: ReplaceOptions): Promise<string | undefined> {
    await failFor(text);
    return this.#inner.replace(id, text, options);
  }
  async touch(id: string, options: TouchOptions): Promise<boolean> {
    await aMoment();
    return this.#inner.touch(id, options);
  }
  async delete(id: string, options: DeleteOptions): Promise<boolean> {
    await aMoment();
    return this.#inner.delete(id, options);
  }
}

async function failFor(text: string): Promise<void> {
  await aMoment();
  if (text.includes("store-fails")) throw new Error("connection refused");
}

function aMoment(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 2));
}

/** The shop's sessions. */
export const sessions: SessionMiddleware<Data> = new SessionMiddleware<Data>({
  secret: "a test's secret of 32 bytes or more",
  store: new ShopStore(),
  touchInterval: Number(process.env.TOUCH_INTERVAL ?? 60),
});

/** Rejects with an error of a session, as if that had ended. */
export async function useEndedSession(): Promise<void> {
  await sessions.update("0".repeat(64), () => {});
}

/** Resolves to the late part of a streamed page. */
export async function latePart(): Promise<string> {
  await new Promise((resolve) => setTimeout(resolve, 200));
  return "The late part";
}
