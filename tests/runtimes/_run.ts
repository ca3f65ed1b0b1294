/** Runs commands, and notes what came of the cases. */
import type { Cases } from "./suite/_kit.ts";
import { tap } from "./suite/_tap.ts";

const DECODER = new TextDecoder();

/** What a command came to. */
export interface Outcome {
  success: boolean;
  stdout: string;
  stderr: string;
}

/** How a command is run. */
export interface RunOptions {
  cwd?: string;
  /** Seconds that it may take at most. */
  limit?: number;
}

/** Runs a command to its end. One that takes too long is killed, and failed. */
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

/** Runs a command that has to succeed; what it said. */
export async function must(command: string[], options?: RunOptions): Promise<string> {
  const { success, stdout, stderr } = await run(command, options);
  if (!success) throw new Error(`${command.join(" ")} failed:\n${stdout}\n${stderr}`);
  return stdout;
}

/** Counts what passed and failed, and prints each part's failures as they come. */
export class Tally {
  passed = 0;
  failed = 0;
  skipped = 0;

  /** Runs cases here. */
  async run(part: string, cases: Cases): Promise<void> {
    let lines = "";
    for await (const line of tap(cases)) lines += `${line}\n`;
    this.read(part, lines);
  }

  /** Reads what cases came to that ran elsewhere. */
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

  /** Notes a failure that is none of a case. */
  fail(part: string, why: unknown): void {
    this.failed++;
    console.log(`not ok ${part}: ${why instanceof Error ? why.message : why}`);
  }

  /** Notes what cannot be had on this machine. In CI nothing is skipped. */
  skip(part: string, why: string): void {
    if (Deno.env.get("CI")) return this.fail(part, `this has to run in CI, and cannot: ${why}`);
    this.skipped++;
    console.log(`skipped: ${part}: ${why}`);
  }
}
