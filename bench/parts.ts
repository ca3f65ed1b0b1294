/** The parts of the benchmark, each in a process of its own, or several. */
import type { Narrowing } from "./groups.ts";
import { type HttpResult, measureHttp } from "./http.ts";
import type { GroupResult, InProcessOptions } from "./in_process.ts";
import { GC_FLAGS } from "./memory.ts";
import { onOneProcessor } from "./one_processor.ts";
import type { Profiled, ProfileOptions, ProfileResult } from "./profile.ts";
import { profileServer } from "./profile_server.ts";
import { startRedis } from "./redis_server.ts";
import type { RedisOptions, RedisResult } from "./redis.ts";
import { results, type Runtime } from "./runtimes.ts";
import type { ScaleOptions, ScaleResult } from "./scale.ts";
import { printGroup, printHttp, printProfile, printRedis, printScale } from "./tables.ts";

const ROUNDS = 41;
const SLICE_MS = 8;
const HTTP_ROUNDS = 5;
const SIZES = [1, 1000, 100_000, 1_000_000];
const PAUSES = 5;
/** As many requests in each turn as take about as long. */
const PROFILED: readonly Profiled[] = [
  { place: "in process", store: "memory", scenario: "read", requests: 20_000 },
  { place: "in process", store: "memory", scenario: "write", requests: 20_000 },
  { place: "in process", store: "memory", scenario: "new", requests: 20_000 },
  { place: "in process", store: "cookie", scenario: "read", requests: 20_000 },
  { place: "in process", store: "cookie", scenario: "write", requests: 4000 },
  { place: "in process", store: "cookie", isSeenFirst: true, scenario: "read", requests: 4000 },
  { place: "in process", store: "cookie", isSeenFirst: true, scenario: "write", requests: 2000 },
  { place: "among a million", store: "memory", scenario: "read", requests: 20_000 },
  { place: "among a million", store: "memory", scenario: "write", requests: 20_000 },
];
const PROFILED_BEHIND_SERVER = ["read", "write"] as const;
const PROFILE_ROUNDS = 8;
const SERVER_PROFILE_ROUNDS = 3;

/** Requests to handlers in one process, as they are measured. */
export async function inProcess(
  runtime: Runtime,
  narrowing: Narrowing,
  rounds = ROUNDS,
): Promise<GroupResult[]> {
  await using redis = await startRedis();
  if (redis === undefined) console.log("There is no Redis: its store is left out");
  const options: InProcessOptions = {
    ...narrowing,
    rounds,
    sliceMs: SLICE_MS,
    redisPort: redis?.port,
  };
  const groups: GroupResult[] = [];
  for await (const group of results<GroupResult>(runtime, "in_process.ts", options)) {
    printGroup(runtime, group);
    groups.push(group);
  }
  return groups;
}

/** Servers under load. */
export async function http(
  runtime: Runtime,
  narrowing: Narrowing,
  rounds = HTTP_ROUNDS,
): Promise<HttpResult> {
  const result = await measureHttp(runtime, narrowing, rounds);
  printHttp(runtime, result);
  return result;
}

/** Many sessions in memory. */
export async function scale(
  runtime: Runtime,
  { rounds = ROUNDS, sizes = SIZES, pauses = PAUSES }: Partial<ScaleOptions> = {},
): Promise<ScaleResult> {
  const options: ScaleOptions = { sizes, rounds, pauses, sliceMs: SLICE_MS };
  const flags = GC_FLAGS[runtime];
  const result = await only(results<ScaleResult>(runtime, "scale.ts", options, { flags }));
  if (result === undefined) throw new Error(`scale.ts in ${runtime} has written nothing`);
  printScale(runtime, result);
  return result;
}

/** What the time of a request goes to. */
export async function profile(
  runtime: Runtime,
  { stores, scenarios }: Narrowing,
  rounds = PROFILE_ROUNDS,
): Promise<ProfileResult[]> {
  const isIn = (store: string, scenario: string) =>
    (stores?.includes(store) ?? true) && (scenarios?.includes(scenario) ?? true);
  const options: ProfileOptions = {
    profiled: PROFILED.filter(({ store, scenario }) => isIn(store, scenario)),
    rounds,
  };
  const through = await onOneProcessor();
  if (through.length === 0) {
    console.log("There is no taskset: system calls look longer than they are");
  }
  const found: ProfileResult[] = [];
  const all = results<ProfileResult>(runtime, "profile.ts", options, { through });
  for await (const result of all) {
    printProfile(runtime, result);
    found.push(result);
  }
  const behindServer = PROFILED_BEHIND_SERVER.filter((scenario) => isIn("memory", scenario));
  const served = await profileServer(runtime, behindServer, SERVER_PROFILE_ROUNDS);
  for (const result of served) printProfile(runtime, result);
  return [...found, ...served];
}

/** Round trips to Redis and, if it is to be under load, servers that share one. */
export async function redis(options: RedisOptions): Promise<RedisResult | undefined> {
  const result = await only(results<RedisResult>("deno", "redis.ts", options));
  if (result !== undefined) printRedis(result);
  else console.log("\nThere is no Redis: neither redis-server to start, nor one that is up");
  return result;
}

/** The last one; all are waited for, or the program would be cut off. */
async function only<Result>(all: AsyncIterable<Result>): Promise<Result | undefined> {
  let last: Result | undefined;
  for await (const result of all) last = result;
  return last;
}
