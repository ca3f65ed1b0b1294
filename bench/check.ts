/**
 * `deno task bench:check [--repeat=10] [--runtime=deno] [--processes=4]`: measures what the budgets are
 * about. Ends with 1 if a budget is missed. With `--repeat` it also prints how far the runs differ.
 *
 * @module
 */
import { readOptions } from "./arguments.ts";
import { isMet, limitOf, type Verdict, verdicts } from "./budgets.ts";
import { install } from "./install.ts";
import { differenceOf, showSpread, spreadOf } from "./measure.ts";
import { measureBudgets } from "./results.ts";

/** How far the medians of several runs may differ. */
const MAX_DIFFERENCE = 0.1;

const OPTIONS = ["repeat", "runtime", "processes"] as const;
const { repeat = 1, runtimes, processes } = readOptions(Deno.args, OPTIONS);
await install();
const runs: Verdict[][] = [];
for (let run = 1; run <= repeat; run++) {
  const start = performance.now();
  const found = verdicts(await measureBudgets(runtimes, processes));
  runs.push(found);
  const minutes = (performance.now() - start) / 60_000;
  console.log(`\nRun ${run} of ${repeat}, ${minutes.toFixed(1)} minutes`);
  for (const verdict of found) {
    const { name, measured, unit } = verdict;
    const word = isMet(verdict) ? "met" : "missed";
    console.log(`  ${word.padEnd(6)} ${name}: ${showSpread(measured, unit)}, ${limitOf(verdict)}`);
  }
}
if (repeat > 1) {
  console.log(`\nThe medians of ${repeat} runs: how far the highest is above the lowest`);
  for (const [at, { name, unit }] of runs[0]!.entries()) {
    const medians = spreadOf(runs.map((run) => run[at]!.measured.median));
    const difference = differenceOf(medians);
    const word = difference <= MAX_DIFFERENCE ? "agree" : "differ";
    const percent = (difference * 100).toFixed(0);
    console.log(
      `  ${word.padEnd(6)} ${percent.padStart(3)} % ${name}: ${showSpread(medians, unit)}`,
    );
  }
}
Deno.exit(runs.at(-1)!.every(isMet) ? 0 : 1);
