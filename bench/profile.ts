/**
 * What the time of a request goes to, in whatever runtime this is: `profile.ts OPTIONS`, as JSON.
 * Writes one line of JSON for each kind of request.
 *
 * @module
 */
import { type Profiler, Session } from "node:inspector";
import process from "node:process";
import { pagi } from "./contenders/pagi.ts";
import { bareLane, laneOf } from "./lanes.ts";
import type { Lane } from "./measure.ts";
import { type Frame, groupOfFrame, type Times } from "./profile_groups.ts";
import { content, type Scenario, SMALL } from "./scenarios.ts";
import type { StoreName } from "./contenders/contender.ts";
import { verify } from "./verify.ts";

/** A kind of request that is looked at. */
export interface Profiled {
  store: StoreName;
  scenario: Scenario;
  /** Requests in a turn. */
  requests: number;
}

/** What this program is told. */
export interface ProfileOptions {
  profiled: readonly Profiled[];
  /** How often each of the two has its turn. */
  rounds: number;
  intervalMicros: number;
}

/** What a kind of request came to, in microseconds for a request of the profiled run. */
export interface ProfileResult {
  store: StoreName;
  scenario: Scenario;
  ours: Times;
  bare: Times;
  /** The functions of ours that most of "Other" went to: what the table of groups may lack. */
  others: { name: string; time: number }[];
}

const WARM_UP_ROUNDS = 3;
const MOST_OTHERS = 5;
const ROOT = new URL("..", import.meta.url);

const options: ProfileOptions = JSON.parse(process.argv[2]!);
const session = new Session();
session.connect();

function post(method: string, params: object = {}): Promise<unknown> {
  return new Promise((resolve, reject) => {
    session.post(method, params, (error, result) => error ? reject(error) : resolve(result));
  });
}

async function profile({ store, scenario, requests }: Profiled): Promise<ProfileResult> {
  // On from the start: what is compiled while it is off counts to the function around it.
  await post("Profiler.start");
  const opened = await pagi.open({ store, data: content(SMALL), redisPort: undefined });
  await verify(pagi.name, opened.apps);
  const ours = { lane: (await laneOf("ours", opened, scenario))!, sums: new Sums() };
  const bare = { lane: await bareLane("bare", opened, scenario), sums: new Sums() };
  for (let round = 0; round < WARM_UP_ROUNDS; round++) {
    for (const { lane } of [bare, ours]) await lane.run(requests);
  }
  await post("Profiler.stop");
  for (let round = 0; round < options.rounds; round++) {
    // One's garbage is collected in the other's time: each comes first as often.
    const turns = round % 2 === 0 ? [bare, ours] : [ours, bare];
    for (const { lane, sums } of turns) sums.add(await profiled(lane, requests));
  }
  await opened.close?.();
  const all = options.rounds * requests;
  return {
    store,
    scenario,
    ours: ours.sums.times(all),
    bare: bare.sums.times(all),
    others: ours.sums.others(all),
  };
}

async function profiled(lane: Lane, requests: number): Promise<Profiler.Profile> {
  await post("Profiler.start");
  await lane.run(requests);
  const { profile } = await post("Profiler.stop") as Profiler.StopReturnType;
  return profile;
}

/** The self times of all profiles of a lane, by group. */
class Sums {
  readonly #groups = new Map<string, number>();
  readonly #others = new Map<string, number>();

  add({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): void {
    const frames = framesOf(nodes);
    for (const [at, id] of samples.entries()) {
      const frame = frames.get(id)!;
      const group = groupOfFrame(frame);
      if (group === undefined) continue;
      const time = timeDeltas[at] ?? 0;
      increase(this.#groups, group, time);
      if (group === "Other") increase(this.#others, `${frame.name} ${frame.file}`.trim(), time);
    }
  }

  times(requests: number): Times {
    return Object.fromEntries([...this.#groups].map(([group, time]) => [group, time / requests]));
  }

  others(requests: number): ProfileResult["others"] {
    return [...this.#others]
      .map(([name, time]) => ({ name, time: time / requests }))
      .sort((a, b) => b.time - a.time)
      .slice(0, MOST_OTHERS);
  }
}

function increase(sums: Map<string, number>, key: string, by: number): void {
  sums.set(key, (sums.get(key) ?? 0) + by);
}

/** The nodes of a profile by their ids, each with its caller. */
function framesOf(nodes: readonly Profiler.ProfileNode[]): Map<number, Frame> {
  const frames = new Map<number, Frame>();
  for (const { id, callFrame: { functionName: name, url } } of nodes) {
    frames.set(id, { name, file: fileOf(url), caller: undefined });
  }
  for (const { id, children = [] } of nodes) {
    for (const child of children) frames.get(child)!.caller = frames.get(id);
  }
  return frames;
}

/** Runtimes name a file by its path or by its URL. */
function fileOf(url: string): string {
  const path = url.startsWith(ROOT.href) ? url.slice(ROOT.href.length) : url;
  return path.startsWith(ROOT.pathname) ? path.slice(ROOT.pathname.length) : path;
}

await post("Profiler.enable");
await post("Profiler.setSamplingInterval", { interval: options.intervalMicros });
for (const profiled of options.profiled) console.log(JSON.stringify(await profile(profiled)));
process.exit();
