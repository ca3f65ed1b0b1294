/** What has been measured, kept in files that git ignores: the report is made from them. */
import { cpus } from "node:os";
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
  soak: ByRuntime<SoakResult>;
  redis?: RedisResult;
  /** Where each of them was measured. */
  environments: Measured[];
}

/** Where something was measured. */
export interface Measured {
  /** The name under which it is kept. */
  name: string;
  environment: Environment;
}

/** What it was measured on, and with. */
export interface Environment {
  /** The day, as YYYY-MM-DD. */
  date: string;
  /** The commit that was checked out, "-dirty" where its code was changed; undefined without git. */
  commit?: string;
  /** The machine, in general terms. */
  machine: string;
  runtimes: { [runtime in Runtime]: string };
  /** Programs that are not from npm, those that there are, as they tell their versions. */
  programs: string[];
  packages: { [name: string]: string };
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
const ROOT = new URL("..", import.meta.url);
const NODE_MODULES = new URL("node_modules/", import.meta.url);
const BYTES_PER_GIB = 2 ** 30;
/** What is not from npm. */
const PROGRAMS = ["wrk", "redis-server", "perf"];

/** When the benchmark starts: what is checked out later was not measured. */
const commit = findCommit();

async function findCommit(): Promise<string | undefined> {
  const name = await outputOf("git", "describe", "--always");
  // What is read, and what the benchmark itself writes, is not what was measured.
  const changes = await outputOf("git", "status", "--porcelain", "--", "*.ts", "*package.json");
  return name === undefined || changes === undefined ? name : `${name}-dirty`;
}

/** Keeps a result under a name. */
export async function save(name: string, result: unknown): Promise<void> {
  const kept: Kept = { format: FORMAT, environment: await findEnvironment(), result };
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

async function read(name: string): Promise<Kept | undefined> {
  try {
    return JSON.parse(await Deno.readTextFile(new URL(`${name}.json`, FOLDER)));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** What is installed here, and on what. */
async function findEnvironment(): Promise<Environment> {
  const runtimes = {} as Environment["runtimes"];
  for (const runtime of RUNTIMES) runtimes[runtime] = await versionOf(runtime);
  const packages: Environment["packages"] = {};
  for (const name of Object.keys(manifest.dependencies)) {
    const file = new URL(`${name}/package.json`, NODE_MODULES);
    packages[name] = JSON.parse(await Deno.readTextFile(file)).version;
  }
  const memory = Math.round(Deno.systemMemoryInfo().total / BYTES_PER_GIB);
  const processors = cpus();
  const machine = `${processors.length} processors (${processors[0]?.model.trim()}), ` +
    `${Deno.build.arch}, ${Deno.build.os}, ${memory} GiB`;
  const programs = await Promise.all(PROGRAMS.map(versionLine));
  return {
    date: new Date().toISOString().slice(0, "YYYY-MM-DD".length),
    commit: await commit,
    machine,
    runtimes,
    programs: programs.filter((line) => line !== undefined),
    packages,
  };
}

/** The beginning of what a program tells of its version; undefined where there is none. */
async function versionLine(program: string): Promise<string | undefined> {
  return /^[^\n[(]*?\d[\w.]*/.exec(await outputOf(program, "--version") ?? "")?.[0];
}

/** What a program writes; undefined where there is none, or it writes nothing. */
async function outputOf(program: string, ...args: string[]): Promise<string | undefined> {
  try {
    const { stdout } = await new Deno.Command(program, { args, cwd: ROOT }).output();
    return new TextDecoder().decode(stdout).trim() || undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
