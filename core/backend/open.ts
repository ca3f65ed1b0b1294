/** Picks the backend for a store. */
import { hasMethods } from "../../base/check_options.ts";
import { SEALING_METHODS, VERSIONED_METHODS } from "../../base/store_methods.ts";
import type { PlainStore, SealingStore, SessionStore, VersionedStore } from "../../store/store.ts";
import type { Backend } from "./backend.ts";
import { CallGuard } from "./call_guard.ts";
import { type Carrier, CookieBackend } from "./cookie.ts";
import { PlainBackend } from "./plain.ts";
import { VersionedBackend } from "./versioned.ts";

/**
 * The backend for `store`, by the methods that the store has.
 *
 * @param timeout Seconds that a call of the store may take.
 * @param maxAge Seconds without use after which a session has expired.
 * @param carrier The State that carries the sessions.
 */
export function openBackend(
  store: SessionStore,
  timeout: number,
  maxAge: number,
  carrier: Carrier = {},
): Backend {
  if (hasMethods(store, VERSIONED_METHODS)) {
    return new VersionedBackend(store as VersionedStore, new CallGuard(timeout));
  }
  if (hasMethods(store, SEALING_METHODS)) {
    const cookieStore = store as SealingStore;
    const guard = new CallGuard(cookieStore.isLocal ? Infinity : timeout);
    return new CookieBackend(cookieStore, guard, maxAge, carrier);
  }
  return new PlainBackend(store as PlainStore, new CallGuard(timeout));
}
