/** Merging what two requests made of one session, key by key. */
import { isReserved, isSame, type SessionValues } from "./_codec.ts";

/** A change that can be made again: see `Session.update`. */
export interface KeyUpdate {
  /** The functions, in the order in which they were called. */
  functions: ((value: unknown) => unknown)[];
  /** The JSON of the value that the first was given. */
  before: string | undefined;
  /** The JSON of the value that the last returned. */
  after: string | undefined;
}

/** What a request did that its data alone does not show. */
export interface Intent {
  /** Keys that were changed by a function. */
  updates: ReadonlyMap<string, KeyUpdate>;
  /** Whether `clear()` was called: then keys that others added meanwhile go too. */
  isCleared: boolean;
}

/** Whether the app's keys differ. */
export function isChanged(base: SessionValues, mine: SessionValues): boolean {
  return keysOf(base, mine).some((key) => !isSame(base[key], mine[key]));
}

/**
 * The keys that this request changed since `base`, put upon what stands in the store now. Where
 * both changed a key the last commit, this one, wins; unless the change was a function, which is
 * then applied to the newer value.
 *
 * @param base What this request loaded.
 * @param mine What it has made of that.
 * @param theirs What stands in the store now.
 */
export function merge(
  base: SessionValues,
  mine: SessionValues,
  theirs: SessionValues,
  intent: Intent,
): SessionValues {
  if (intent.isCleared) return mine;
  for (const key of keysOf(base, mine)) {
    const update = intent.updates.get(key);
    if (update !== undefined && canReplay(update, base[key], mine[key])) {
      theirs[key] = update.functions.reduce((value, change) => change(value), theirs[key]);
    } else if (!isSame(base[key], mine[key])) {
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
