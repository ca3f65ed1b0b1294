/**
 * Which code a process runs, by Linux's perf, for a server whose runtime cannot tell: samples of its
 * processor time, by the file that the code was loaded from.
 */
import { COMPILED, type GroupName, RUNTIME, SERVER, type Times } from "./profile_groups.ts";

/** Samples a second; not a round number, or it would keep step with what comes as often. */
const FREQUENCY = 1499;
/** A line of its report: a part in a hundred, and a file. */
const LINE = /^\s*([\d.]+)%\s*;(.+)$/gm;

/** Whether there is a perf, and it may look at processes. */
export async function hasPerf(): Promise<boolean> {
  try {
    // Without leave to look at the kernel it would count the system's time to the program.
    await perf(["record", "--event=cpu-clock:k", "--output=/dev/null", "--", "true"]);
    return true;
  } catch {
    return false;
  }
}

/**
 * What of a process's own time in the next milliseconds goes to which group, as parts of 1.
 *
 * @throws {Error} When perf fails.
 */
export async function partsOfCode(pid: number, ms: number): Promise<Times> {
  const file = await Deno.makeTempFile();
  try {
    const period = ["--", "sleep", String(ms / 1000)];
    const options = [
      "--event=cpu-clock",
      `--freq=${FREQUENCY}`,
      `--output=${file}`,
      `--pid=${pid}`,
    ];
    await perf(["record", ...options, ...period]);
    const report = await perf(["report", `--input=${file}`, "--sort=dso", "--field-separator=;"]);
    const parts: Times = {};
    for (const [, percent, code] of report.matchAll(LINE)) {
      const group = groupOfCode(code!.trim());
      parts[group] = (parts[group] ?? 0) + Number(percent) / 100;
    }
    if (Object.keys(parts).length === 0) throw new Error(`perf has seen nothing of ${pid}`);
    return parts;
  } finally {
    await Deno.remove(file);
  }
}

function groupOfCode(file: string): GroupName {
  // What was compiled at run time lies in no file.
  if (/^(\[JIT\]|\[unknown\]|\/\/anon|anon|perf-\d+\.map)/.test(file)) return COMPILED;
  return /^(bun|node|deno)(\.exe)?$/.test(file) ? RUNTIME : SERVER;
}

async function perf(args: string[]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command("perf", { args }).output();
  if (code === 0) return new TextDecoder().decode(stdout);
  throw new Error(`perf ${args[0]} ended with ${code}: ${new TextDecoder().decode(stderr)}`);
}
