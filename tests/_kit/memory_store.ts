/** A MemoryStore on a clock that tests move. */
import { MemoryStore, type MemoryStoreOptions } from "@pagi/session";
import { fakeClock } from "./helpers.ts";

const { signal } = new AbortController();
/** The options of a write. */
export const write = { lastAccess: 7, ttl: 60, signal };

/** Creates a MemoryStore with its own clock. */
export function storeWith(options: MemoryStoreOptions = {}) {
  const clock = fakeClock();
  const store = new MemoryStore({ now: clock.now, ...options });
  const create = (id: string, ttl = 60) => store.create(id, `text of ${id}`, { ...write, ttl })!;
  /** Returns which IDs have records. This counts as use. */
  const alive = (...ids: string[]) => ids.filter((id) => store.read(id) !== undefined);
  return { clock, store, create, alive };
}
