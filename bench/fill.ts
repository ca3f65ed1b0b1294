/** Many sessions in a store at once. */
import { randomBytes } from "node:crypto";
import type { MemoryStore } from "../mod.ts";
import { content, SMALL } from "./scenarios.ts";

/** A store and the ids of its sessions. */
export interface Filled {
  store: MemoryStore;
  ids: string[];
}

const ID_BYTES = 32;
/** In seconds: longer than any measuring. */
const DAY = 86_400;

/** Fills a store past the middleware, which would take a minute for a million. */
export function fill(store: MemoryStore, size: number, ttl = DAY): Filled {
  const { signal } = new AbortController();
  const now = Math.floor(Date.now() / 1000);
  const values = { _created: now, ...content(SMALL) };
  const ids: string[] = [];
  while (ids.length < size) {
    const id = randomBytes(ID_BYTES).toString("hex");
    ids.push(id);
    store.create(id, JSON.stringify(values), { lastAccess: now, ttl, signal });
  }
  return { store, ids };
}
