/** The budgets of the design, and whether they are met. */
import type { Cost, GroupResult } from "./in_process.ts";
import type { Results } from "./results.ts";
import { type Runtime, RUNTIMES } from "./runtimes.ts";
import { type Scenario, SMALL } from "./scenarios.ts";
import { BY_HAND, type StoreName } from "./contenders/contender.ts";

/** A budget, and what was measured. */
export interface Verdict {
  name: string;
  /** What is allowed, in words. */
  limit: string;
  /** What was measured, in the same words. */
  measured: string;
  isMet: boolean;
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
const MAX_OF_RAW = 1.3;
const MAX_ROUND_TRIPS = { read: 1, write: 2, anonymous: 0 } as const;
const MAX_BYTES = 400;
const MAX_GROWTH = 1.5;
const FEW = 1000;
const MANY = 1_000_000;

/** Each budget that something was measured for. */
export function verdicts(results: Results): Verdict[] {
  return [
    ...RUNTIMES.flatMap((runtime) => ofPeers(runtime, results)),
    ...ofServer(results),
    ...ofCookie(results),
    ...ofRedis(results),
    ...ofScale(results),
  ];
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
      name: `${runtime}: ${scenario}, beside ${name}`,
      limit: `at most 1/${part} of what that adds`,
      measured: partOf(ours) + (least === undefined ? "" : `; by hand ${partOf(least)}`),
      isMet: ours.added * part <= added,
    }];
  });
}

function ofServer({ http }: Results): Verdict[] {
  const readsOf = (name: string) =>
    http.deno?.servers.find(({ contender, act }) => contender === name && act === "read");
  const ours = readsOf(OURS);
  const least = readsOf(BY_HAND);
  const percent = (share: number) => `${(share * 100).toFixed(0)} %`;
  return ours === undefined ? [] : [{
    name: "deno: requests a second that read a session, behind Deno.serve",
    limit: `at least ${percent(MIN_SHARE)} of the bare handler's`,
    measured: percent(ours.share) +
      (least === undefined ? "" : `; by hand ${percent(least.share)}`),
    isMet: ours.share >= MIN_SHARE,
  }];
}

function ofCookie({ inProcess }: Results): Verdict[] {
  return (["read", "write"] as const).flatMap((scenario) => {
    const group = groupOf(inProcess.deno, "cookie", scenario);
    const ours = group?.costs[OURS];
    if (group?.raw === undefined || ours === undefined) return [];
    const times = (raw: number) => `${(ours.added / raw).toFixed(2)} ×`;
    return [{
      name: `deno: encrypted cookie, ${scenario}, beside the cryptography alone`,
      limit: `at most ${MAX_OF_RAW} ×`,
      measured: `${times(group.raw.alone)}; of it in a bare handler ${times(group.raw.inHandler)}`,
      isMet: ours.added <= MAX_OF_RAW * group.raw.alone,
    }];
  });
}

function ofRedis({ redis }: Results): Verdict[] {
  if (redis === undefined) return [];
  return Object.entries(MAX_ROUND_TRIPS).map(([request, max]) => ({
    name: `Redis: round trips, ${request}`,
    limit: `at most ${max}`,
    measured: String(redis.roundTrips[request]),
    isMet: redis.roundTrips[request]! <= max,
  }));
}

function ofScale({ scale }: Results): Verdict[] {
  if (scale.deno === undefined) return [];
  const { bytesBeside } = scale.deno;
  const found: Verdict[] = [{
    name: "deno: bytes of memory for a session beside its data",
    limit: `at most ${MAX_BYTES}`,
    measured: bytesBeside.toFixed(0),
    isMet: bytesBeside <= MAX_BYTES,
  }];
  for (const act of ["read", "write"] as const) {
    const { bare, ours, byHand } = scale.deno[act];
    const growth = growthOf(ours);
    if (growth === undefined) continue;
    const times = (ratio: number | undefined) => `${ratio?.toFixed(2)} ×`;
    found.push({
      name: `deno: ${act}, what a session adds with 1,000,000 beside 1,000`,
      limit: `at most ${MAX_GROWTH} ×`,
      measured: `${times(growth)}; by hand ${times(growthOf(byHand))}`,
      isMet: growth <= MAX_GROWTH,
    });
    const whole = growthOf(ours, bare)!;
    found.push({
      name: `deno: ${act}, the whole request with 1,000,000 beside 1,000`,
      limit: `at most ${MAX_GROWTH} ×`,
      measured: times(whole),
      isMet: whole <= MAX_GROWTH,
    });
  }
  return found;
}

/** How many times as much a request costs with many sessions as with few, `bare` of it included. */
function growthOf(costs: { [size: number]: number }, bare = 0): number | undefined {
  const { [FEW]: few, [MANY]: many } = costs;
  return few === undefined || many === undefined ? undefined : (bare + many) / (bare + few);
}

/** Shows the verdicts; whether all budgets are met. */
export function printVerdicts(found: readonly Verdict[]): boolean {
  console.log("\nBudgets");
  for (const { name, limit, measured, isMet } of found) {
    console.log(`  ${isMet ? "met   " : "BROKEN"} ${name}: ${measured} (budget: ${limit})`);
  }
  return found.length > 0 && found.every(({ isMet }) => isMet);
}
