/** What the benchmark runs on. */
import { cpus } from "node:os";
import manifest from "./package.json" with { type: "json" };
import { NAMES, RUNTIMES, versionOf } from "./runtimes.ts";

/** Packages that are not libraries. */
const TOOLS = /^(@hono\/node-server|bun|esbuild|ioredis|light-my-request|node|redis)$/;

/** One paragraph: the commit, the machine, the runtimes and the versions of the other libraries. */
export async function describeEnvironment(): Promise<string> {
  const memory = Math.round(Deno.systemMemoryInfo().total / 2 ** 30);
  const machine = `${cpus().length} processors (${cpus()[0]?.model.trim()}), ${memory} GiB, ` +
    `${Deno.build.os} on ${Deno.build.arch}`;
  const runtimes = await Promise.all(
    RUNTIMES.map(async (runtime) => `${NAMES[runtime]} ${await versionOf(runtime)}`),
  );
  const libraries = Object.entries(manifest.dependencies)
    .filter(([name]) => !TOOLS.test(name))
    .map(([name, version]) => `${name} ${version}`);
  const day = new Date().toISOString().slice(0, "YYYY-MM-DD".length);
  const place = `on ${day} at ${await findCommit()}, on ${machine}`;
  return `Measured ${place}, with ${runtimes.join(", ")}; ${libraries.join(", ")}.`;
}

/** The commit, and whether the code differs from it. */
async function findCommit(): Promise<string> {
  const name = await git("describe", "--always");
  const changes = await git("status", "--porcelain", "--", "*.ts", "*package.json");
  return `commit ${name || "unknown"}${changes === "" ? "" : ", with changes"}`;
}

async function git(...args: string[]): Promise<string> {
  const cwd = new URL("..", import.meta.url);
  const { stdout } = await new Deno.Command("git", { args, cwd, stderr: "null" }).output();
  return new TextDecoder().decode(stdout).trim();
}
