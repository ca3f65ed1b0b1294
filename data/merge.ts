/** Merges what two requests made of one session, key by key. */
import { isReserved, type SessionValues } from "../base/record_text.ts";
import type { DataCodec } from "./codec.ts";
import { isSameJson } from "./json_values.ts";

/** A change of one key that can be applied again to a newer value: see `Session.update`. */
export interface KeyUpdate {
  /** The functions, in the order in which they were called. */
  functions: ((value: unknown) => unknown)[];
  /** The JSON of the value that the first function was given; empty if there was no value. */
  before: string | undefined;
  /** The JSON of the value that the last function returned; empty if it returned none. */
  after: string | undefined;
}

/** A request's changes to its session that the values alone do not show. */
export interface ReplayableUpdates {
  /** Keys that were changed by a function. */
  updates: ReadonlyMap<string, KeyUpdate>;
  /** Whether `clear()` was called: then keys that others added in the meantime are removed too. */
  isCleared: boolean;
}

/**
 * Whether the app's keys differ. The texts are compared first: they are equal for all requests that
 * only read. Another order of keys is not a change.
 */
export function isChanged(baseText: string, mineText: string, codec: DataCodec): boolean {
  if (baseText === mineText) return false;
  if (!mayDifferInOrder(baseText, mineText)) return true;
  const [base, mine] = [codec.toJsonTree(baseText), codec.toJsonTree(mineText)];
  return keysOf(base, mine).some((key) => !isSameJson(base[key], mine[key]));
}

/**
 * Applies the keys that this request changed since `baseText` to what is in the store now. If both
 * changed a key, this request wins, because its commit is the later one. If it changed the key by a
 * function, the function is applied to the newer value instead. Returns JSON with the codec's tags.
 *
 * @param baseText The text that this request loaded.
 * @param mineText The text after this request's changes.
 * @param theirsText The text in the store now.
 */
export function merge(
  baseText: string,
  mineText: string,
  theirsText: string,
  change: ReplayableUpdates,
  codec: DataCodec,
): SessionValues {
  const mine = codec.toJsonTree(mineText);
  if (change.isCleared) return mine;
  const [base, theirs] = [codec.toJsonTree(baseText), codec.toJsonTree(theirsText)];
  for (const key of keysOf(base, mine)) {
    const update = change.updates.get(key);
    if (update !== undefined && canReplay(update, base[key], mine[key])) {
      theirs[key] = codec.replay(key, theirs[key], update.functions);
    } else if (!isSameJson(base[key], mine[key])) {
      theirs[key] = mine[key];
    }
  }
  return theirs;
}

/** Whether keys have the same values in two texts. Those that the first lacks do not count. */
export function areSame(
  keys: ReadonlySet<string>,
  baseText: string,
  theirsText: string,
  codec: DataCodec,
): boolean {
  const [base, theirs] = [codec.toJsonTree(baseText), codec.toJsonTree(theirsText)];
  return [...keys].every((key) => base[key] === undefined || isSameJson(base[key], theirs[key]));
}

/** True if nothing else changed the key, neither before the first function nor after the last. */
function canReplay(update: KeyUpdate, base: unknown, mine: unknown): boolean {
  return update.before === JSON.stringify(base) && update.after === JSON.stringify(mine);
}

function keysOf(a: SessionValues, b: SessionValues): string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((key) => !isReserved(key));
}

/**
 * Whether the texts may differ in the order of keys alone. Then their first difference lies in a
 * key. In every other case the texts need not be parsed to see that something has changed.
 */
function mayDifferInOrder(a: string, b: string): boolean {
  if (a.length !== b.length) return false;
  let at = 0;
  while (a.charCodeAt(at) === b.charCodeAt(at)) at++;
  const quote = a.lastIndexOf('"', at - 1);
  // The quote that opens a key, or one within a key.
  return "{,\\".includes(a.charAt(quote - 1));
}
