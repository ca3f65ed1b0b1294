/** Who is put behind a server, on which store and to do what. */
import { BARE_WITH, BY_HAND, type StoreName, STORES } from "./contenders/contender.ts";
import type { Narrowing } from "./groups.ts";
import { type Runtime, RUNTIMES } from "./runtimes.ts";
import { PAYLOADS, type Scenario, SCENARIOS, SMALL } from "./scenarios.ts";

/** A contender with sessions of one size on one store. */
export interface HttpEntry {
  contender: string;
  framework: string;
  store: StoreName;
  bytes: number;
  acts: readonly Scenario[];
}

interface Row {
  contender: string;
  framework: string;
  store: StoreName;
  acts: readonly Scenario[];
  /** Sizes of sessions; small ones alone where nothing is said. */
  payloads?: readonly number[];
  /** Where it is measured; everywhere where nothing is said. */
  runtimes?: readonly Runtime[];
}

const BOTH = ["read", "write"] as const;
const WITHOUT_NEW_ID = SCENARIOS.filter((act) => act !== "regenerate");
const LARGER = PAYLOADS.filter((bytes) => bytes !== SMALL);
const OURS = { contender: "@pagi/session", framework: "fetch" } as const;
const LEAST = { contender: BY_HAND, framework: "fetch" } as const;
const HONO_SESSIONS = { contender: "hono-sessions", framework: "hono" } as const;
const EXPRESS = { contender: "express-session", framework: "express" } as const;

const ROWS: readonly Row[] = [
  { ...OURS, store: "memory", acts: SCENARIOS },
  { ...LEAST, store: "memory", acts: SCENARIOS },
  // For the budget, where the bare handler's Response is sent by a short way.
  ...Object.values(BARE_WITH).map((contender): Row => ({
    contender,
    framework: "fetch",
    store: "memory",
    acts: ["read"],
    runtimes: ["deno"],
  })),
  { ...HONO_SESSIONS, store: "memory", acts: SCENARIOS },
  {
    contender: "@remix-run/session-middleware",
    framework: "remix",
    store: "memory",
    acts: ["read"],
  },
  // What is made for node:http is at home on Node.
  { ...EXPRESS, store: "memory", acts: ["read"], runtimes: ["node"] },
  {
    contender: "@fastify/session",
    framework: "fastify",
    store: "memory",
    acts: ["read"],
    runtimes: ["node"],
  },
  { ...OURS, store: "memory", acts: BOTH, payloads: LARGER },
  { ...HONO_SESSIONS, store: "memory", acts: BOTH, payloads: LARGER },
  { ...OURS, store: "cookie", acts: SCENARIOS },
  // Sessions without an id have none to be renewed. h3 is left out: of 32 requests that are under way at
  // once it answers none within a turn.
  { contender: "@hono/session", framework: "hono", store: "cookie", acts: WITHOUT_NEW_ID },
  { contender: "iron-session", framework: "fetch", store: "cookie", acts: WITHOUT_NEW_ID },
  { ...OURS, store: "redis", acts: SCENARIOS },
  { ...EXPRESS, store: "redis", acts: SCENARIOS },
  { ...OURS, store: "sqlite", acts: SCENARIOS },
  { ...HONO_SESSIONS, store: "sqlite", acts: SCENARIOS, runtimes: ["bun"] },
  { ...EXPRESS, store: "sqlite", acts: SCENARIOS },
  { ...OURS, store: "redis", acts: BOTH, payloads: LARGER },
  { ...EXPRESS, store: "redis", acts: BOTH, payloads: LARGER },
  { ...OURS, store: "sqlite", acts: BOTH, payloads: LARGER },
  { ...HONO_SESSIONS, store: "sqlite", acts: BOTH, payloads: LARGER, runtimes: ["bun"] },
  { ...EXPRESS, store: "sqlite", acts: BOTH, payloads: LARGER },
];

/**
 * The entries of a run in a runtime, together those that share a store and a size: of too many servers
 * that wait for their turns the system takes memory back.
 */
export function httpEntries(runtime: Runtime, narrowing: Narrowing): HttpEntry[][] {
  const { stores, scenarios, payloads, contenders } = narrowing;
  const found = ROWS.flatMap(({ payloads: sizes = [SMALL], runtimes = RUNTIMES, ...row }) => {
    if (!runtimes.includes(runtime) || !(contenders?.includes(row.contender) ?? true)) return [];
    const acts = row.acts.filter((act) => scenarios?.includes(act) ?? true);
    if (acts.length === 0) return [];
    return sizes.filter((bytes) => payloads?.includes(bytes) ?? true)
      .map((bytes): HttpEntry => ({ ...row, acts, bytes }));
  });
  return STORES.filter((store) => stores?.includes(store) ?? true)
    .flatMap((store) => PAYLOADS.map((bytes) => ({ store, bytes })))
    .map(({ store, bytes }) =>
      found.filter((entry) => entry.store === store && entry.bytes === bytes)
    )
    .filter((group) => group.length > 0);
}
