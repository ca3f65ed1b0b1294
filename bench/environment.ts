/** What the benchmark runs on, and with. */
import { cpus } from "node:os";
import manifest from "./package.json" with { type: "json" };
import { type Runtime, RUNTIMES, versionOf } from "./runtimes.ts";

/** What it was measured on, and with. */
export interface Environment {
  /** The day, as YYYY-MM-DD. */
  date: string;
  /** What `findCommit` has found. */
  commit?: string;
  /** The machine, in general terms. */
  machine: string;
  runtimes: { [runtime in Runtime]: string };
  /** Programs that are not from npm, those that there are, as they tell their versions. */
  programs: string[];
  packages: { [name: string]: string };
}

const ROOT = new URL("..", import.meta.url);
const NODE_MODULES = new URL("node_modules/", import.meta.url);
const BYTES_PER_GIB = 2 ** 30;
/** What is not from npm. */
const PROGRAMS = ["wrk", "redis-server", "perf"];

/** What is checked out, with "-dirty" where the code is another; undefined without git. */
export async function findCommit(): Promise<string | undefined> {
  const name = await outputOf("git", "describe", "--always");
  // What is read, and what the benchmark itself writes, is not what is measured.
  const changes = await outputOf("git", "status", "--porcelain", "--", "*.ts", "*package.json");
  return name === undefined || changes === undefined ? name : `${name}-dirty`;
}

/** What is installed here, and on what; `commit` as it was when the measuring began. */
export async function findEnvironment(commit: string | undefined): Promise<Environment> {
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
    commit,
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
