/** What has been measured, kept in files that git ignores: the report is made from them. */
import manifest from "./package.json" with { type: "json" };
import type { HttpResult } from "./http.ts";
import type { GroupResult } from "./in_process.ts";
import type { ProfileResult } from "./profile.ts";
import type { RedisResult } from "./redis.ts";
import { type Runtime, RUNTIMES, versionOf } from "./runtimes.ts";
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
  redis?: RedisResult;
  soak?: SoakResult;
  environment?: Environment;
}

/** Where it was measured. */
export interface Environment {
  runtimes: { [runtime in Runtime]: string };
  packages: { [name: string]: string };
  /** The machine, in general terms. */
  machine: string;
}

const FOLDER = new URL("results/", import.meta.url);
const NODE_MODULES = new URL("node_modules/", import.meta.url);
const BYTES_PER_GIB = 2 ** 30;

/** Keeps a result under a name. */
export async function save(name: string, result: unknown): Promise<void> {
  await Deno.mkdir(FOLDER, { recursive: true });
  await Deno.writeTextFile(new URL(`${name}.json`, FOLDER), JSON.stringify(result, undefined, 2));
}

async function load<Result>(name: string): Promise<Result | undefined> {
  try {
    return JSON.parse(await Deno.readTextFile(new URL(`${name}.json`, FOLDER)));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function loadByRuntime<Result>(part: string): Promise<ByRuntime<Result>> {
  const results: ByRuntime<Result> = {};
  for (const runtime of RUNTIMES) results[runtime] = await load<Result>(`${part}-${runtime}`);
  return results;
}

/** All that is kept. */
export async function loadResults(): Promise<Results> {
  return {
    inProcess: await loadByRuntime("in-process"),
    http: await loadByRuntime("http"),
    scale: await loadByRuntime("scale"),
    profile: await loadByRuntime("profile"),
    redis: await load("redis"),
    soak: await load("soak"),
    environment: await load("environment"),
  };
}

/** What is installed here, and on what. */
export async function findEnvironment(): Promise<Environment> {
  const runtimes = {} as Environment["runtimes"];
  for (const runtime of RUNTIMES) runtimes[runtime] = await versionOf(runtime);
  const packages: Environment["packages"] = {};
  for (const name of Object.keys(manifest.dependencies)) {
    const file = new URL(`${name}/package.json`, NODE_MODULES);
    packages[name] = JSON.parse(await Deno.readTextFile(file)).version;
  }
  const memory = Math.round(Deno.systemMemoryInfo().total / BYTES_PER_GIB);
  const { os, arch } = Deno.build;
  const machine = `${navigator.hardwareConcurrency} processors, ${arch}, ${os}, ${memory} GiB`;
  return { runtimes, packages, machine };
}
