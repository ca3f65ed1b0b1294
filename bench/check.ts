/**
 * `deno task bench:check [--repeat=10] [--runtime=deno] [--processes=3]`: measures every budgeted
 * ratio. Ends with 1 if a budget is missed. With `--repeat` it also prints, as a Markdown table, how
 * far the runs differ.
 *
 * @module
 */
import { readOptions } from "./arguments.ts";
import { isMet, limitOf, type Verdict, verdicts } from "./budgets.ts";
import { install } from "./install.ts";
import { differenceOf, showSpread, spreadOf } from "./measure.ts";
import { byRuntime } from "./report.ts";
import { measureBudgets } from "./results.ts";
import { NAMES } from "./runtimes.ts";

/** How far the medians of several runs may differ. */
const MAX_DIFFERENCE = 0.1;
/** Fewer than for the report, so that the check takes few minutes. */
const PROCESSES = 3;

const OPTIONS = ["repeat", "runtime", "processes"] as const;
const { repeat = 1, runtimes, processes = PROCESSES } = readOptions(Deno.args, OPTIONS);
await install();
const runs: Verdict[][] = [];
for (let run = 1; run <= repeat; run++) {
  const start = performance.now();
  const found = verdicts(await measureBudgets(runtimes, processes));
  runs.push(found);
  const minutes = (performance.now() - start) / 60_000;
  console.log(`\nRun ${run} of ${repeat}, ${minutes.toFixed(1)} minutes`);
  for (const verdict of found) {
    const { runtime, name, measured, unit } = verdict;
    const word = isMet(verdict) ? "met" : "missed";
    const place = runtime === undefined ? "" : `${NAMES[runtime]}: `;
    const value = showSpread(measured, unit);
    console.log(`  ${word.padEnd(6)} ${place}${name}: ${value}, ${limitOf(verdict)}`);
  }
}
if (repeat > 1) {
  console.log(`\nSpread of the medians over ${repeat} runs; ✗ marks more than 10 %.\n`);
  console.log(byRuntime("budget", runs[0]!, (verdict, at) => {
    const difference = differenceOf(spreadOf(runs.map((run) => run[at]!.measured.median)));
    const mark = difference <= MAX_DIFFERENCE ? "" : " ✗";
    return [limitOf(verdict), `${(difference * 100).toFixed(0)} %${mark}`];
  }));
}
Deno.exit(runs.at(-1)!.every(isMet) ? 0 : 1);
