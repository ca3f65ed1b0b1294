/**
 * What the wrappers for data at rest share: `HashedStore` and `SealedStore` stand in front of any
 * versioned store, each other included.
 */
import { isId } from "../base/id.ts";
import { hasMethods } from "../base/check_options.ts";
import { PLAIN_METHODS, VERSIONED_METHODS } from "../base/store_methods.ts";
import type { VersionedStore } from "./store.ts";

/** Refuses what a wrapper cannot stand in front of. */
export function checkInner(owner: string, store: VersionedStore): void {
  if (hasMethods(store, VERSIONED_METHODS)) return;
  const why = hasMethods(store, PLAIN_METHODS)
    ? `its get, set and delete compare no versions, so what ${owner} promised about races ` +
      "would not hold"
    : `it needs the methods ${VERSIONED_METHODS.join(", ")}`;
  throw new TypeError(`Cannot make ${owner}: store must be a VersionedStore: ${why}`);
}

/** Whether `presented` may be an id of what stands behind a wrapper: it judges as if alone. */
export function accepts(store: VersionedStore, presented: string): boolean {
  return store.accepts?.(presented) ?? isId(presented);
}

/**
 * On a store it says that the store takes the client's id beside a key that hides it; in the options
 * of a call it is that id. A store that derives keys from ids has to know the one that is in no dump.
 * It is the same symbol in every copy of this module.
 */
const CLIENT_ID = Symbol.for("@pagi/session client's id");

interface Carrier {
  [CLIENT_ID]?: string;
}

/** Marks a store that takes the client's id. */
export function markTakesId(store: VersionedStore): void {
  Object.defineProperty(store, CLIENT_ID, { value: true });
}

/** Whether a store takes the client's id. */
export function takesId(store: VersionedStore): boolean {
  return Reflect.get(store, CLIENT_ID) === true;
}

/** The client's id in a call under `key`, which is the id itself where nothing hides it. */
export function clientId(options: object, key: string): string {
  return (options as Carrier)[CLIENT_ID] ?? key;
}

/** The options of a call under another key than `id`. */
export function withId<Options extends object>(options: Options, id: string): Options {
  return { ...options, [CLIENT_ID]: clientId(options, id) };
}

/** The options without the client's id, for a store that is not to see it. */
export function withoutId<Options extends object>(options: Options): Options {
  if (!(CLIENT_ID in options)) return options;
  const { [CLIENT_ID]: _, ...rest } = options;
  return rest as Options;
}
