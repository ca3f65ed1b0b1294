/**
 * The plain methods of PAGI, `get`, `set` and `delete`, on a versioned store. The stores of this
 * package offer them to programs that use a store directly. The middleware does not call them.
 *
 * Programs name a session by its whole ID, and its record lies under the last half, the key. An ID
 * of another form is the key of the record itself.
 */
import { after, type Awaitable } from "../base/awaitable.ts";
import { isId, keyOf, verifierOf } from "../base/id.ts";
import { MAX_COOKIE_AGE } from "../base/limits.ts";
import {
  decodeHeader,
  encodeHeader,
  findJson,
  isSameVerifier,
  type RecordHeader,
} from "../base/record_header.ts";
import { fromPlainData, toPlainData } from "../base/record_text.ts";
import type { SessionHash, StoreCallOptions, VersionedStore } from "./store.ts";

/** The options of a call that is never aborted: a program may wait as long as it likes. */
export function neverAborted(): StoreCallOptions {
  return { signal: new AbortController().signal };
}

/** The session's data with its reserved keys; `undefined` if no session has this ID now. */
export async function plainGet(
  store: VersionedStore,
  id: string,
): Promise<SessionHash | undefined> {
  let record = isId(id) ? await store.read(keyOf(id), neverAborted()) : undefined;
  // The first half of the ID must be right, too. Otherwise the key alone would open the session.
  if (!hasVerifier(record?.text, verifierOf(id))) record = await store.read(id, neverAborted());
  return record && toPlainData({ id, text: record.text, lastAccess: record.lastAccess });
}

/**
 * Writes the data, whether or not the record exists. Resolves to the ID. If another ID of the same
 * session was valid before, it no longer is.
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
  const [verifier, key] = isId(id) ? [verifierOf(id), keyOf(id)] : ["", id];
  const text = fromPlainData(data, Number(_created), verifier);
  // PAGI's `set` is given no lifetime. No client can send an ID for longer.
  const write = { lastAccess: Number(lastAccess), ttl: MAX_COOKIE_AGE, ...neverAborted() };
  while (true) {
    const record = await store.read(key, neverAborted());
    const version = record === undefined
      ? await store.create(key, text, write)
      : await store.replace(key, withHeaderOf(record.text, text), {
        ...write,
        version: record.version,
      });
    if (version !== undefined) return id;
  }
}

/**
 * Deletes the record under `id`, or else the session that has or had this ID. Returns a promise
 * only if `deleteKey` does.
 */
export function plainDelete(
  id: string,
  deleteKey: (key: string) => Awaitable<boolean>,
): Awaitable<boolean> {
  return after(deleteKey(id), (isDone) => isDone || (isId(id) && deleteKey(keyOf(id))));
}

/** The header of a session's text; `undefined` if the text is not a session. */
function headerOf(text: string | undefined): RecordHeader | undefined {
  const end = findJson(text);
  return end < 0 ? undefined : decodeHeader(text!, end);
}

function hasVerifier(text: string | undefined, verifier: string): boolean {
  const header = headerOf(text);
  return header !== undefined && isSameVerifier(header.verifier, verifier);
}

/**
 * `text` with the header of `old`, if both have the same verifier: what the middleware has noted
 * about the session stays true.
 */
function withHeaderOf(old: string, text: string): string {
  const [from, to] = [headerOf(old), headerOf(text)!];
  if (from === undefined || !isSameVerifier(from.verifier, to.verifier)) return text;
  const [before, now] = [old, text].map((text) => toPlainData({ id: "", text, lastAccess: 0 }));
  // A request that still has the earlier user's data must not write them to this user's session.
  const subjectChanges = from.subjectChanges + (before?._subject === now?._subject ? 0 : 1);
  const header = { ...from, subjectChanges, signedInAt: to.signedInAt };
  return encodeHeader(header) + text.slice(findJson(text));
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
