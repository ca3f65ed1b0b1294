/**
 * PAGI's three methods on a versioned store: what `get` and `set` of this package's stores are made
 * of, for programs that use a store by itself. The middleware does not come this way.
 */
import { decodeSession, encodeSession } from "../base/record_text.ts";
import type { SessionHash, VersionedStore } from "./store.ts";

/** How long PAGI's `set` keeps data, which says nothing of it, in seconds: 400 days. */
const HASH_TTL = 400 * 86_400;

/** Nobody gives up here: it is for the caller to wait or not. */
const patient = () => ({ signal: new AbortController().signal });

/** The session's data with its reserved keys; undefined when there is none. */
export async function getHash(store: VersionedStore, id: string): Promise<SessionHash | undefined> {
  const record = await store.read(id, patient());
  const values = record && decodeSession(record.text);
  return values && { _id: id, ...values, _last_access: record!.lastAccess };
}

/**
 * Writes the data whatever was there; resolves to the id.
 *
 * @param now For data without a time, in Unix seconds.
 */
export async function setHash(
  store: VersionedStore,
  id: string,
  data: SessionHash,
  now: number,
): Promise<string> {
  const { _created = now, _last_access: lastAccess = _created, _subject, _codec } = data;
  const text = encodeSession(data, Number(_created), _subject as string | undefined, _codec);
  const write = { lastAccess: Number(lastAccess), ttl: HASH_TTL, ...patient() };
  while (true) {
    const record = await store.read(id, patient());
    const version = record === undefined
      ? await store.create(id, text, write)
      : await store.replace(id, text, { ...write, version: record.version });
    if (version !== undefined) return id;
  }
}
