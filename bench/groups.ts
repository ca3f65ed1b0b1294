/** What is measured in process, and in which company. */
import { type StoreName, STORES } from "./contenders/contender.ts";
import { PAYLOADS, type Scenario, SCENARIOS, SMALL } from "./scenarios.ts";

/** One kind of request on one kind of store, for all who can do it. */
export interface Group {
  store: StoreName;
  scenario: Scenario;
  /** The size of a session's JSON. */
  bytes: number;
}

/** What a run is narrowed to; all where nothing is said. */
export interface Narrowing {
  stores?: readonly string[];
  scenarios?: readonly string[];
  payloads?: readonly number[];
  contenders?: readonly string[];
}

/** The largest session that a cookie is tried with, in bytes: it holds 4096. */
export const MAX_COOKIE_PAYLOAD = 1024;

/** What costs more the larger a session is. */
const BY_SIZE: readonly Scenario[] = ["read", "write", "new", "regenerate"];

/** The groups of a run: every request on every store, and those by size with larger sessions. */
export function groupsOf({ stores, scenarios, payloads }: Narrowing): Group[] {
  const groups: Group[] = [];
  for (const store of STORES.filter((store) => stores?.includes(store) ?? true)) {
    for (const bytes of PAYLOADS.filter((bytes) => payloads?.includes(bytes) ?? true)) {
      if (store === "cookie" && bytes > MAX_COOKIE_PAYLOAD) continue;
      const those = bytes === SMALL ? SCENARIOS : BY_SIZE;
      for (const scenario of those.filter((one) => scenarios?.includes(one) ?? true)) {
        groups.push({ store, scenario, bytes });
      }
    }
  }
  return groups;
}
