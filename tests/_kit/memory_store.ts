/** What the tests of MemoryStore share: a store on a clock that they move. */
import { MemoryStore, type MemoryStoreOptions } from "@pagi/session";
import { fakeClock } from "./helpers.ts";

const { signal } = new AbortController();
/** What a record is written with. */
export const write = { lastAccess: 7, ttl: 60, signal };

/** A MemoryStore on a clock of its own. */
export function storeWith(options: MemoryStoreOptions = {}) {
  const clock = fakeClock();
  const store = new MemoryStore({ now: clock.now, ...options });
  const create = (id: string, ttl = 60) => store.create(id, `text of ${id}`, { ...write, ttl })!;
  /** Which of the ids are there; asking is a use. */
  const alive = (...ids: string[]) => ids.filter((id) => store.read(id) !== undefined);
  return { clock, store, create, alive };
}
