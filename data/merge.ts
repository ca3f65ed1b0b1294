/** Merging what two requests made of one session, key by key. */
import { isReserved, type SessionValues } from "../base/record_text.ts";
import { isSameJson } from "./json_values.ts";
import type { DataCodec } from "./codec.ts";

/** A change that can be made again: see `Session.update`. */
export interface KeyUpdate {
  /** The functions, in the order in which they were called. */
  functions: ((value: unknown) => unknown)[];
  /** The JSON of the value that the first was given; empty where there is none. */
  before: string | undefined;
  /** The JSON of the value that the last returned; empty where there is none. */
  after: string | undefined;
}

/** What a request did that its data alone does not show. */
export interface Intent {
  /** Keys that were changed by a function. */
  updates: ReadonlyMap<string, KeyUpdate>;
  /** Whether `clear()` was called: then keys that others added meanwhile go too. */
  isCleared: boolean;
}

/**
 * Whether the app's keys differ. Texts first: they are the same for all who only read. Keys in
 * another order are no change.
 */
export function isChanged(base: string, mine: string, codec: DataCodec): boolean {
  if (base === mine) return false;
  if (!mayDifferInOrder(base, mine)) return true;
  const [old, values] = [codec.treeOf(base), codec.treeOf(mine)];
  return keysOf(old, values).some((key) => !isSameJson(old[key], values[key]));
}

/**
 * The keys that this request changed since `base`, put upon what stands in the store now. Where
 * both changed a key the last commit, this one, wins; unless the change was a function, which is
 * then applied to the newer value. Returns JSON, with the codec's tags.
 *
 * @param baseText What this request loaded.
 * @param mineText What it has made of that.
 * @param theirsText What stands in the store now.
 */
export function merge(
  baseText: string,
  mineText: string,
  theirsText: string,
  intent: Intent,
  codec: DataCodec,
): SessionValues {
  const mine = codec.treeOf(mineText);
  if (intent.isCleared) return mine;
  const [base, theirs] = [codec.treeOf(baseText), codec.treeOf(theirsText)];
  for (const key of keysOf(base, mine)) {
    const update = intent.updates.get(key);
    if (update !== undefined && canReplay(update, base[key], mine[key])) {
      theirs[key] = codec.replay(key, theirs[key], update.functions);
    } else if (!isSameJson(base[key], mine[key])) {
      theirs[key] = mine[key];
    }
  }
  return theirs;
}

/** Only if nothing else changed the key: neither before the first function nor after the last. */
function canReplay(update: KeyUpdate, base: unknown, mine: unknown): boolean {
  return update.before === JSON.stringify(base) && update.after === JSON.stringify(mine);
}

function keysOf(a: SessionValues, b: SessionValues): string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((key) => !isReserved(key));
}

/**
 * Whether the order of keys may be all that differs: then the texts part in a key. Without this each has
 * to be parsed to see a change, which is a third of a write.
 */
function mayDifferInOrder(a: string, b: string): boolean {
  if (a.length !== b.length) return false;
  let at = 0;
  while (a.charCodeAt(at) === b.charCodeAt(at)) at++;
  const quote = a.lastIndexOf('"', at - 1);
  // The one that opens a key, or one within it.
  return "{,\\".includes(a.charAt(quote - 1));
}
