/** What has been measured, kept in files that git ignores: the report is made from them. */
import { type Environment, findEnvironment } from "./environment.ts";
import type { HttpResult } from "./http.ts";
import type { GroupResult } from "./in_process.ts";
import type { ProfileResult } from "./profile.ts";
import type { RedisResult } from "./redis.ts";
import { type Runtime, RUNTIMES } from "./runtimes.ts";
import type { ScaleResult } from "./scale.ts";
import type { SoakResult } from "./soak.ts";

/** Something for each runtime in which it was measured. */
export type ByRuntime<Result> = { [runtime in Runtime]?: Result };

/** All that has been measured. */
export interface Results {
  inProcess: ByRuntime<GroupResult[]>;
  http: ByRuntime<HttpResult>;
  scale: ByRuntime<ScaleResult>;
  profile: ByRuntime<ProfileResult[]>;
  soak: ByRuntime<SoakResult>;
  redis?: RedisResult;
  /** Where each of them was measured. */
  environments: Measured[];
}

/** Nothing yet. */
export function noResults(): Results {
  return { inProcess: {}, http: {}, scale: {}, profile: {}, soak: {}, environments: [] };
}

/** What was measured in each runtime, of those in which it was. */
export function entriesOf<Result>(byRuntime: ByRuntime<Result>): [Runtime, Result][] {
  return RUNTIMES.flatMap((runtime): [Runtime, Result][] => {
    const result = byRuntime[runtime];
    return result === undefined ? [] : [[runtime, result]];
  });
}

/** Where something was measured. */
export interface Measured {
  /** The name under which it is kept. */
  name: string;
  environment: Environment;
}

interface Kept {
  /** Not there, or another, in files of another shape. */
  format?: number;
  environment: Environment;
  result: unknown;
}

/** Goes up with each change of what is kept. */
const FORMAT = 2;
const FOLDER = new URL("results/", import.meta.url);
const REPORTED = ["in-process", "http", "scale", "profile"] as const;

/** Keeps a result under a name; `commit` is what was measured. */
export async function save(
  name: string,
  result: unknown,
  commit: string | undefined,
): Promise<void> {
  const kept: Kept = { format: FORMAT, environment: await findEnvironment(commit), result };
  await Deno.mkdir(FOLDER, { recursive: true });
  await Deno.writeTextFile(new URL(`${name}.json`, FOLDER), JSON.stringify(kept, undefined, 2));
}

/** All that is kept. */
export async function loadResults(): Promise<Results> {
  const environments: Measured[] = [];
  const load = async <Result>(name: string): Promise<Result | undefined> => {
    const kept = await read(name);
    if (kept === undefined) return undefined;
    if (kept.format !== FORMAT) {
      console.log(`What is kept of ${name} is of an older benchmark, and is left out`);
      return undefined;
    }
    environments.push({ name, environment: kept.environment });
    return kept.result as Result;
  };
  const loadByRuntime = async <Result>(part: string): Promise<ByRuntime<Result>> => {
    const results: ByRuntime<Result> = {};
    for (const runtime of RUNTIMES) results[runtime] = await load<Result>(`${part}-${runtime}`);
    return results;
  };
  return {
    inProcess: await loadByRuntime("in-process"),
    http: await loadByRuntime("http"),
    scale: await loadByRuntime("scale"),
    profile: await loadByRuntime("profile"),
    soak: await loadByRuntime("soak"),
    redis: await load("redis"),
    environments,
  };
}

/** The parts of a report that nothing is kept of; Redis need not be there, nor a soak have been made. */
export function missingOf({ environments }: Pick<Results, "environments">): string[] {
  const kept = new Set(environments.map(({ name }) => name));
  return REPORTED.flatMap((part) => RUNTIMES.map((runtime) => `${part}-${runtime}`))
    .filter((name) => !kept.has(name));
}

async function read(name: string): Promise<Kept | undefined> {
  try {
    return JSON.parse(await Deno.readTextFile(new URL(`${name}.json`, FOLDER)));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
