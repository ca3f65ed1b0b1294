/**
 * The plain methods of PAGI, `get` and `set`, on a versioned store. The stores of this package
 * offer them to programs that use a store directly. The middleware does not call them.
 */
import { MAX_COOKIE_AGE } from "../base/limits.ts";
import { fromPlainData, toPlainData } from "../base/record_text.ts";
import type { SessionHash, StoreCallOptions, VersionedStore } from "./store.ts";

/** The options of a call that is never aborted: a program may wait as long as it likes. */
export function neverAborted(): StoreCallOptions {
  return { signal: new AbortController().signal };
}

/** The session's data with its reserved keys; `undefined` if there is no session under `id`. */
export async function plainGet(
  store: VersionedStore,
  id: string,
): Promise<SessionHash | undefined> {
  const record = await store.read(id, neverAborted());
  return record && toPlainData({ id, text: record.text, lastAccess: record.lastAccess });
}

/**
 * Writes the data, whether or not the record exists. Resolves to the ID.
 *
 * @param now The times of data that contains none, in Unix seconds.
 */
export async function plainSet(
  store: VersionedStore,
  id: string,
  data: SessionHash,
  now: number,
): Promise<string> {
  const { _created = now, _last_access: lastAccess = _created } = data;
  const text = fromPlainData(data, Number(_created));
  // PAGI's `set` is given no lifetime. No client can send an ID for longer.
  const write = { lastAccess: Number(lastAccess), ttl: MAX_COOKIE_AGE, ...neverAborted() };
  while (true) {
    const record = await store.read(id, neverAborted());
    const version = record === undefined
      ? await store.create(id, text, write)
      : await store.replace(id, text, { ...write, version: record.version });
    if (version !== undefined) return id;
  }
}

/** Plain data as a record. `defaults` has the ID and the times of data that contains none. */
export function recordFromPlainData(
  data: SessionHash,
  defaults: { id: string; now: number },
): { id: string; text: string; lastAccess: number } {
  const { _id, _created, _last_access } = data;
  const lastAccess = toTime(_last_access) ?? toTime(_created) ?? defaults.now;
  const text = fromPlainData(data, toTime(_created) ?? lastAccess);
  return { id: typeof _id === "string" ? _id : defaults.id, text, lastAccess };
}

/** A time; Perl may have written it as a string. */
function toTime(value: unknown): number | undefined {
  const time = typeof value === "string" && value !== "" ? Number(value) : value;
  return Number.isFinite(time) ? time as number : undefined;
}
