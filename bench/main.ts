/**
 * `deno task bench [PART…] [--OPTION=VALUE,…]`: README.md beside this says what there is.
 *
 * @module
 */
import { parseArguments, type Part } from "./arguments.ts";
import { verdicts } from "./budgets.ts";
import { findCommit } from "./environment.ts";
import { install } from "./install.ts";
import { loadLevels, printVerdicts } from "./levels.ts";
import { http, inProcess, profile, redis, scale } from "./parts.ts";
import { writeReport } from "./report.ts";
import { loadResults, missingOf, save } from "./results.ts";
import type { Runtime } from "./runtimes.ts";

const REDIS_SECONDS = 3;

const { parts, runtimes, narrowing, isNarrowed, rounds } = parseArguments(Deno.args);
// Now: what is checked out while it runs is not what is measured.
const commit = await findCommit();
const keep = async (name: string, result: unknown) => {
  // What was measured of a part of it must not stand for all.
  if (!isNarrowed) await save(name, result, commit);
};

/** The parts that are measured in each runtime. */
const MEASURES: { [part in Part]?: (runtime: Runtime) => Promise<unknown> } = {
  "in-process": (runtime) => inProcess(runtime, narrowing, rounds),
  http: (runtime) => http(runtime, narrowing, rounds),
  scale: (runtime) => scale(runtime, { rounds }),
  profile: (runtime) => profile(runtime, narrowing, rounds),
};

if (parts.some((part) => part !== "report")) await install();
for (const part of parts) {
  for (const runtime of runtimes) {
    const result = await MEASURES[part]?.(runtime);
    if (result !== undefined) await keep(`${part}-${runtime}`, result);
  }
  if (part !== "redis") continue;
  const result = await redis({ seconds: REDIS_SECONDS });
  if (result !== undefined) await keep("redis", result);
}
if (!isNarrowed) {
  const results = await loadResults();
  printVerdicts(verdicts(results), await loadLevels());
  const missing = missingOf(results);
  if (missing.length === 0) {
    await writeReport(results);
    console.log("\nWritten: RESULTS.md, chart.svg and levels.json in bench");
  } else console.log(`\nNo report is written: nothing is kept of ${missing.join(", ")}`);
}
