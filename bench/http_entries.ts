/** Who is put behind a server, on which store and to do what. */
import { BARE_WITH, BY_HAND, FIRST_TIME, type StoreName, STORES } from "./contenders/contender.ts";
import { MAX_COOKIE_PAYLOAD, type Narrowing } from "./groups.ts";
import { type Runtime, RUNTIMES } from "./runtimes.ts";
import { PAYLOADS, type Scenario, SCENARIOS, SMALL } from "./scenarios.ts";

/** One kind of request to a contender with sessions of one size on one store. */
export interface HttpEntry {
  contender: string;
  framework: string;
  store: StoreName;
  bytes: number;
  act: Scenario;
  /** How many sessions the requests go round, where it is not as many as everybody's. */
  sessions?: number;
  /** How long a turn goes, where it is longer than everybody's; it needs no lead-in then. */
  turnMs?: number;
}

/** Whether there is a budget for it behind a server. */
export function isJudged({ store, bytes, act }: HttpEntry): boolean {
  return store === "memory" && bytes === SMALL && act === "read";
}

interface Row extends Omit<HttpEntry, "bytes" | "act"> {
  acts: readonly Scenario[];
  /** Sizes of sessions; small ones alone where nothing is said. */
  payloads?: readonly number[];
  /** Where it is measured; everywhere where nothing is said. */
  runtimes?: readonly Runtime[];
}

const BOTH = ["read", "write"] as const;
const WITHOUT_NEW_ID = SCENARIOS.filter((act) => act !== "regenerate");
const LARGER = PAYLOADS.filter((bytes) => bytes !== SMALL);
const IN_COOKIE = PAYLOADS.filter((bytes) => bytes <= MAX_COOKIE_PAYLOAD);
const OURS = { contender: "@pagi/session", framework: "fetch" } as const;
const LEAST = { contender: BY_HAND, framework: "fetch" } as const;
const HONO_SESSIONS = { contender: "hono-sessions", framework: "hono" } as const;
const EXPRESS = { contender: "express-session", framework: "express" } as const;
/** More than a server remembers: each has been forgotten when it comes again. */
const SEEN_FIRST = { contender: FIRST_TIME, framework: "fetch", sessions: 2048 } as const;
/** Twelve times and more what h3 takes for the requests that are under way at once, which it answers together. */
const H3_TURN_MS = 2500;

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
    acts: SCENARIOS,
  },
  { ...EXPRESS, store: "memory", acts: SCENARIOS },
  { contender: "@fastify/session", framework: "fastify", store: "memory", acts: SCENARIOS },
  { ...OURS, store: "memory", acts: BOTH, payloads: LARGER },
  { ...HONO_SESSIONS, store: "memory", acts: BOTH, payloads: LARGER },
  { ...OURS, store: "cookie", acts: SCENARIOS },
  // Sessions without an id have none to be renewed.
  { contender: "@hono/session", framework: "hono", store: "cookie", acts: WITHOUT_NEW_ID },
  { contender: "iron-session", framework: "fetch", store: "cookie", acts: WITHOUT_NEW_ID },
  { contender: "h3", framework: "h3", store: "cookie", acts: BOTH, turnMs: H3_TURN_MS },
  { ...OURS, store: "cookie", acts: BOTH, payloads: [MAX_COOKIE_PAYLOAD] },
  { ...SEEN_FIRST, store: "cookie", acts: BOTH, payloads: IN_COOKIE },
  {
    contender: "@hono/session",
    framework: "hono",
    store: "cookie",
    acts: BOTH,
    payloads: [MAX_COOKIE_PAYLOAD],
  },
  {
    contender: "iron-session",
    framework: "fetch",
    store: "cookie",
    acts: BOTH,
    payloads: [MAX_COOKIE_PAYLOAD],
  },
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
 * The entries of a run in a runtime, together those that do the same on the same store: they take turns,
 * and of more servers than that the system takes memory back while they wait.
 */
export function httpEntries(runtime: Runtime, narrowing: Narrowing): HttpEntry[][] {
  const { stores, scenarios, payloads, contenders } = narrowing;
  const found = ROWS
    .filter(({ contender, runtimes = RUNTIMES }) =>
      runtimes.includes(runtime) && (contenders?.includes(contender) ?? true)
    )
    .flatMap(({ payloads: sizes = [SMALL], runtimes: _, acts, ...row }) =>
      sizes.flatMap((bytes) => acts.map((act): HttpEntry => ({ ...row, bytes, act })))
    );
  const groups: HttpEntry[][] = [];
  for (const store of STORES.filter((store) => stores?.includes(store) ?? true)) {
    for (const bytes of PAYLOADS.filter((bytes) => payloads?.includes(bytes) ?? true)) {
      for (const act of SCENARIOS.filter((act) => scenarios?.includes(act) ?? true)) {
        groups.push(
          found.filter((entry) =>
            entry.store === store && entry.bytes === bytes && entry.act === act
          ),
        );
      }
    }
  }
  return groups.filter((group) => group.length > 0);
}
