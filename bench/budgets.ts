/** The budgets of the design, and whether they are met. */
import { isJudged } from "./http_entries.ts";
import type { Cost, GroupResult } from "./in_process.ts";
import { DUE_READS, serverCostOf } from "./names.ts";
import type { RuntimeRequest } from "./profile.ts";
import type { Results } from "./results.ts";
import { type Runtime, RUNTIMES } from "./runtimes.ts";
import type { ScaleCosts } from "./scale.ts";
import { type Scenario, SMALL } from "./scenarios.ts";
import { BY_HAND, FIRST_TIME, type StoreName } from "./contenders/contender.ts";

/** A budget, and what was measured. */
export interface Verdict {
  /** What it is called in `levels.json`, whoever is measured beside it. */
  id: string;
  name: string;
  /** What is allowed, in words. */
  limit: string;
  /** What was measured, in the same words. */
  measured: string;
  /** What was measured as a multiple of what is allowed: above 1 the budget is broken. */
  level: number;
  /** Whether it was counted, and so has no noise. */
  isCounted?: boolean;
  /** What it is about, where there is a profile of that. */
  request?: RuntimeRequest;
}

/** This library's name among the contenders. */
export const OURS = "@pagi/session";
const PEER = "hono-sessions";

/** What we may add at most, as a part of what another adds. */
const PARTS: { scenario: Scenario; part: number }[] = [
  { scenario: "read", part: 10 },
  { scenario: "write", part: 6 },
  { scenario: "new", part: 3 },
];
const MIN_SHARE = 0.85;
const MICROS = 1e6;
const MAX_OF_RAW = 1.3;
/** Cookies that the server has seen already, and such that it has not. */
const COOKIES = [
  { contender: OURS, seen: "again" },
  { contender: FIRST_TIME, seen: "first" },
] as const;
/** The last is of ten requests: each reads, and the session's use is noted once. */
const MAX_ROUND_TRIPS = { read: 1, write: 2, anonymous: 0, [DUE_READS]: 11 };
const MAX_BYTES = 400;
const MAX_GROWTH = 1.5;
const FEW = 1000;
const MANY = 1_000_000;

/** What takes a fetch handler in each runtime. */
const SERVERS = { deno: "Deno.serve", bun: "Bun.serve", node: "@hono/node-server" } as const;

/** Each budget that something was measured for. */
export function verdicts(results: Results): Verdict[] {
  const ofEach = (judge: (runtime: Runtime, results: Results) => Verdict[]) =>
    RUNTIMES.flatMap((runtime) => judge(runtime, results));
  return [
    ...ofEach(ofPeers),
    ...ofEach(ofServer),
    ...ofEach(ofCookie),
    ...ofRedis(results),
    ...ofEach(ofScale),
  ];
}

/** Whether a budget is met. */
export function isMet({ level }: Verdict): boolean {
  return level <= 1;
}

/** The group for a kind of request, with small sessions. */
export function groupOf(
  groups: readonly GroupResult[] | undefined,
  store: StoreName,
  scenario: Scenario,
  bytes: number = SMALL,
): GroupResult | undefined {
  return groups?.find((group) =>
    group.store === store && group.scenario === scenario && group.bytes === bytes
  );
}

/** Beside hono-sessions on Deno; on the others beside who is the fastest there. */
function ofPeers(runtime: Runtime, { inProcess }: Results): Verdict[] {
  return PARTS.flatMap(({ scenario, part }) => {
    const costs = groupOf(inProcess[runtime], "memory", scenario)?.costs;
    const ours = costs?.[OURS];
    if (costs === undefined || ours === undefined) return [];
    const peers = Object.entries(costs)
      .filter(([name]) => runtime === "deno" ? name === PEER : name !== OURS && name !== BY_HAND)
      .sort(([, a], [, b]) => a.added - b.added);
    const [fastest] = peers;
    if (fastest === undefined) return [];
    const [name, { added }] = fastest;
    const least = costs[BY_HAND];
    const partOf = (cost: Cost) => `1/${(added / cost.added).toFixed(1)}`;
    return [{
      id: `${runtime} ${scenario} beside a peer`,
      name: `${runtime}: ${scenario}, beside ${name}`,
      limit: `at most 1/${part} of what that adds`,
      measured: partOf(ours) + (least === undefined ? "" : `; by hand ${partOf(least)}`),
      level: ours.added * part / added,
      request: { runtime, place: "in process", store: "memory", scenario },
    }];
  });
}

function ofServer(runtime: Runtime, { http }: Results): Verdict[] {
  const judged = http[runtime]?.servers.filter(isJudged) ?? [];
  const readsOf = (name: string) => judged.find(({ contender }) => contender === name);
  const ours = readsOf(OURS);
  const least = readsOf(BY_HAND);
  if (ours === undefined) return [];
  // Where nothing but the server's own thread limits them.
  const allowed = MICROS / ours.barePerSecond * (1 / MIN_SHARE - 1);
  return [{
    id: `${runtime} server`,
    name: `${runtime}: requests a second that read a session, behind ${SERVERS[runtime]}`,
    limit: `at least ${MIN_SHARE * 100} % of the bare handler's, which leaves ${
      allowed.toFixed(1)
    } µs`,
    measured: serverCostOf(ours) + (least === undefined ? "" : `; by hand ${serverCostOf(least)}`),
    level: MIN_SHARE / ours.share,
    request: { runtime, place: "behind a server", store: "memory", scenario: "read" },
  }];
}

function ofCookie(runtime: Runtime, { inProcess }: Results): Verdict[] {
  return COOKIES.flatMap(({ contender, seen }) =>
    (["read", "write"] as const).flatMap((scenario) => {
      const group = groupOf(inProcess[runtime], "cookie", scenario);
      const ours = group?.costs[contender];
      if (group?.raw === undefined || ours === undefined) return [];
      const times = (raw: number) => `${(ours.added / raw).toFixed(2)} ×`;
      const { alone, inHandler } = group.raw;
      return [{
        id: `${runtime} cookie ${seen} ${scenario}`,
        name:
          `${runtime}: encrypted cookie seen ${seen}, ${scenario}, beside the cryptography alone`,
        limit: `at most ${MAX_OF_RAW} ×`,
        measured: `${times(alone)}; of it in a bare handler ${times(inHandler)}`,
        level: ours.added / alone / MAX_OF_RAW,
        request: {
          runtime,
          place: "in process",
          store: "cookie",
          isSeenFirst: contender === FIRST_TIME,
          scenario,
        },
      }];
    })
  );
}

function ofRedis({ redis }: Results): Verdict[] {
  if (redis === undefined) return [];
  const counted = Object.entries(MAX_ROUND_TRIPS).filter(([one]) => one in redis.roundTrips);
  return counted.map(([request, max]) => ({
    id: `redis ${request}`,
    name: `Redis: round trips, ${request}`,
    limit: `at most ${max}`,
    measured: String(redis.roundTrips[request]),
    // One more of both: a budget of none has no multiple.
    level: (redis.roundTrips[request]! + 1) / (max + 1),
    isCounted: true,
  }));
}

function ofScale(runtime: Runtime, { scale }: Results): Verdict[] {
  const result = scale[runtime];
  if (result === undefined) return [];
  const bytes: Verdict = {
    id: `${runtime} bytes`,
    name: `${runtime}: bytes of memory for a session beside its data`,
    limit: `at most ${MAX_BYTES}`,
    measured: result.bytesBeside.toFixed(0),
    level: result.bytesBeside / MAX_BYTES,
  };
  return [
    bytes,
    ...(["read", "write"] as const).flatMap((act) => ofGrowth(runtime, act, result[act])),
  ];
}

function ofGrowth(
  runtime: Runtime,
  act: "read" | "write",
  { bare, ours, byHand }: ScaleCosts,
): Verdict[] {
  const added = growthOf(ours);
  const whole = growthOf(ours, bare);
  if (added === undefined || whole === undefined) return [];
  const limit = `at most ${MAX_GROWTH} ×`;
  const times = (ratio: number | undefined) => `${ratio?.toFixed(2)} ×`;
  const request = { runtime, place: "among a million", store: "memory", scenario: act } as const;
  return [{
    id: `${runtime} million ${act} added`,
    name: `${runtime}: ${act}, what a session adds with 1,000,000 beside 1,000`,
    limit,
    measured: `${times(added)}; by hand ${times(growthOf(byHand))}`,
    level: added / MAX_GROWTH,
    request,
  }, {
    id: `${runtime} million ${act} whole`,
    name: `${runtime}: ${act}, the whole request with 1,000,000 beside 1,000`,
    limit,
    measured: times(whole),
    level: whole / MAX_GROWTH,
    request,
  }];
}

/** How many times as much a request costs with many sessions as with few, `bare` of it included. */
function growthOf(costs: { [size: number]: number }, bare = 0): number | undefined {
  const { [FEW]: few, [MANY]: many } = costs;
  return few === undefined || many === undefined ? undefined : (bare + many) / (bare + few);
}
