/**
 * The common part of the wrappers that protect data at rest. `HashedStore` and `SealedStore` can
 * wrap any versioned store, including each other.
 */
import { isId } from "../base/id.ts";
import { hasMethods, optionError } from "../base/check_options.ts";
import { PLAIN_METHODS, VERSIONED_METHODS } from "../base/store_methods.ts";
import type { VersionedStore } from "./store.ts";

/**
 * Requires a store that can be wrapped.
 *
 * @throws {TypeError} If it is not a versioned store.
 */
export function checkInner(owner: string, store: VersionedStore): void {
  if (hasMethods(store, VERSIONED_METHODS)) return;
  const why = hasMethods(store, PLAIN_METHODS)
    ? `its get, set and delete compare no versions, so what ${owner} promised about races ` +
      "would not hold"
    : `it needs the methods ${VERSIONED_METHODS.join(", ")}`;
  throw optionError(owner, `store must be a VersionedStore: ${why}`);
}

/**
 * Whether the wrapped store accepts `presented` as a session ID. A wrapper changes nothing about
 * that.
 */
export function innerAccepts(store: VersionedStore, presented: string): boolean {
  return store.accepts?.(presented) ?? isId(presented);
}

/**
 * As a property of a store: the store wants the ID that the first wrapper was called with, in
 * addition to a key that hides it. As a property of a call's options: that ID. A store that encrypts
 * must derive its keys from the ID that no dump contains. Every copy of this module uses the same
 * symbol.
 */
const CLIENT_ID = Symbol.for("@pagi/session client's id");

interface WithClientId {
  [CLIENT_ID]?: string;
}

/** Marks a store that wants the client's ID. */
export function markWantsClientId(store: VersionedStore): void {
  Object.defineProperty(store, CLIENT_ID, { value: true });
}

/** Whether a store wants the client's ID. */
export function wantsClientId(store: VersionedStore): boolean {
  return Reflect.get(store, CLIENT_ID) === true;
}

/** The client's ID in a call for `key`. If no wrapper hides the ID, it is the key itself. */
export function clientIdOf(options: object, key: string): string {
  return (options as WithClientId)[CLIENT_ID] ?? key;
}

/** The options for a call under a key that hides `id`. */
export function withClientId<Options extends object>(options: Options, id: string): Options {
  return { ...options, [CLIENT_ID]: clientIdOf(options, id) };
}

/** The options without the client's ID, for a store that must not receive it. */
export function withoutClientId<Options extends object>(options: Options): Options {
  if (!(CLIENT_ID in options)) return options;
  const { [CLIENT_ID]: _, ...rest } = options;
  return rest as Options;
}
