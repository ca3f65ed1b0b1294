/** Runs commands and counts the results of the cases. */
import type { Cases } from "./suite/_kit.ts";
import { tap } from "./suite/_tap.ts";

const DECODER = new TextDecoder();

/** The result of a command. */
export interface Outcome {
  success: boolean;
  stdout: string;
  stderr: string;
}

/** Options of {@linkcode run}. */
export interface RunOptions {
  cwd?: string;
  /** The maximum time in seconds. */
  limit?: number;
}

/** Runs a command to its end. A command that takes too long is killed and fails. */
export async function run(
  [name, ...args]: string[],
  { cwd, limit = 120 }: RunOptions = {},
): Promise<Outcome> {
  const signal = AbortSignal.timeout(limit * 1000);
  const output = await new Deno.Command(name!, { args, cwd, signal, stdin: "null" }).output();
  const stderr = DECODER.decode(output.stderr).trim();
  return {
    success: output.success,
    stdout: DECODER.decode(output.stdout).trim(),
    stderr: signal.aborted ? `${stderr}\nIt did not end within ${limit} seconds` : stderr,
  };
}

/** Runs a command that must succeed, and returns its output. */
export async function must(command: string[], options?: RunOptions): Promise<string> {
  const { success, stdout, stderr } = await run(command, options);
  if (!success) throw new Error(`${command.join(" ")} failed:\n${stdout}\n${stderr}`);
  return stdout;
}

/** Counts the passed and failed cases, and prints the failures of each part. */
export class Tally {
  passed = 0;
  failed = 0;
  skipped = 0;

  /** Runs cases in this process. */
  async run(part: string, cases: Cases): Promise<void> {
    let lines = "";
    for await (const line of tap(cases)) lines += `${line}\n`;
    this.read(part, lines);
  }

  /** Reads the results of cases that ran in another process. */
  read(part: string, lines: string): void {
    const passed = lines.match(/^ok /gm)?.length ?? 0;
    const failed = lines.match(/^not ok /gm)?.length ?? 0;
    const plans = [...lines.matchAll(/^1\.\.(\d+)$/gm)].map(([, count]) => Number(count));
    const planned = plans.reduce((sum, count) => sum + count, 0);
    this.passed += passed;
    this.failed += failed;
    console.log(`${part}: ${passed} passed, ${failed} failed`);
    if (failed > 0) console.log(lines.replace(/^(ok|1\.\.).*\n?/gm, ""));
    if (planned === 0 || passed + failed !== planned) this.fail(part, `it broke off:\n${lines}`);
  }

  /** Counts a failure outside the cases. */
  fail(part: string, why: unknown): void {
    this.failed++;
    console.log(`not ok ${part}: ${why instanceof Error ? why.message : why}`);
  }

  /** Skips a part that this machine cannot run. In CI, that is a failure. */
  skip(part: string, why: string): void {
    if (Deno.env.get("CI")) return this.fail(part, `this has to run in CI, and cannot: ${why}`);
    this.skipped++;
    console.log(`skipped: ${part}: ${why}`);
  }
}
