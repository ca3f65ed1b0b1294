/**
 * What the time of a request goes to, in whatever runtime this is: `profile.ts OPTIONS`, as JSON.
 * Writes one line of JSON for each kind of request.
 *
 * @module
 */
import process from "node:process";
import { MemoryStore } from "../mod.ts";
import { pagi, pagiFirstTime } from "./contenders/pagi.ts";
import type { StoreName } from "./contenders/contender.ts";
import { fill } from "./fill.ts";
import { bareLane, laneOf } from "./lanes.ts";
import type { Lane } from "./measure.ts";
import type { Times } from "./profile_groups.ts";
import { type OtherTime, Profiler, SelfTimes } from "./profiler.ts";
import type { Runtime } from "./runtimes.ts";
import { scaleLane } from "./scale_lanes.ts";
import { content, type Scenario, SMALL } from "./scenarios.ts";
import { verify } from "./verify.ts";

/** Where requests are looked at: among a million sessions they are in process, too. */
export type Place = "in process" | "behind a server" | "among a million";

/** A kind of request that is looked at. */
export interface ProfiledRequest {
  place: Place;
  store: StoreName;
  /** Whether each request brings what its server sees for the first time. */
  isSeenFirst?: boolean;
  scenario: Scenario;
}

/** One in a runtime. */
export interface RuntimeRequest extends ProfiledRequest {
  runtime: Runtime;
}

/** One that is looked at in process. */
export interface Profiled extends ProfiledRequest {
  /** Requests in a turn. */
  requests: number;
}

/** What this program is told. */
export interface ProfileOptions {
  profiled: readonly Profiled[];
  /** How often each of the two has its turn. */
  rounds: number;
}

/** What a kind of request came to, in microseconds for a request of the profiled run. */
export interface ProfileResult extends ProfiledRequest {
  isSeenFirst: boolean;
  times: Times;
  /** What stands beside it: the bare handler, or the same request among few sessions. */
  beside: Times;
  others: OtherTime[];
}

/** Who takes turns, and how they are let go of. */
interface Pair {
  lane: Lane;
  beside: Lane;
  close?(): Promise<void> | void;
}

const WARM_UP_ROUNDS = 3;
const FEW = 1000;
const MANY = 1_000_000;

const options: ProfileOptions = JSON.parse(process.argv[2]!);
const profiler = await Profiler.open();

async function profile(profiled: Profiled): Promise<ProfileResult> {
  const { place, store, isSeenFirst = false, scenario, requests } = profiled;
  await profiler.start();
  const { lane, beside, close } = await pairOf(profiled);
  for (let round = 0; round < WARM_UP_ROUNDS; round++) {
    for (const one of [beside, lane]) await run(one, requests);
  }
  await profiler.stop();
  const sums = { lane: new SelfTimes(), beside: new SelfTimes() };
  for (let round = 0; round < options.rounds; round++) {
    const turns = [
      async () => sums.beside.add(await sampled(beside, requests)),
      async () => sums.lane.add(await sampled(lane, requests)),
    ];
    // One's garbage is collected in the other's time: each comes first as often.
    for (const turn of round % 2 === 0 ? turns : turns.reverse()) await turn();
  }
  await close?.();
  const all = options.rounds * requests;
  return {
    place,
    store,
    isSeenFirst,
    scenario,
    times: sums.lane.times(all),
    beside: sums.beside.times(all),
    others: sums.lane.others(all),
  };
}

async function pairOf({ place, store, isSeenFirst, scenario }: Profiled): Promise<Pair> {
  if (place === "among a million") {
    const act = scenario === "write" ? scenario : "read";
    const [few, many] = [FEW, MANY].map((size) =>
      fill(new MemoryStore({ maxSessions: size }), size)
    );
    return { lane: scaleLane("many", many!, act), beside: scaleLane("few", few!, act) };
  }
  const contender = isSeenFirst ? pagiFirstTime : pagi;
  const opened = await contender.open({ store, data: content(SMALL), redisPort: undefined });
  await verify(contender.name, store, opened.apps);
  return {
    lane: (await laneOf("ours", opened, scenario))!,
    beside: await bareLane("bare", opened, scenario),
    close: () => opened.close?.(),
  };
}

async function run(lane: Lane, requests: number): Promise<void> {
  await lane.prepare?.(requests);
  await lane.run(requests);
}

async function sampled(lane: Lane, requests: number) {
  await lane.prepare?.(requests);
  await profiler.start();
  await lane.run(requests);
  return await profiler.stop();
}

for (const profiled of options.profiled) console.log(JSON.stringify(await profile(profiled)));
process.exit();
