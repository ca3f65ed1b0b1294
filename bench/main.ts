/**
 * `deno task bench`: measures everything and writes RESULTS.md. With options it measures a part and
 * only prints it; README.md lists them.
 *
 * @module
 */
import { readOptions } from "./arguments.ts";
import { LIBRARIES } from "./contenders/all.ts";
import { describeEnvironment } from "./environment.ts";
import { install } from "./install.ts";
import { showSpread } from "./measure.ts";
import { startRedis } from "./redis_server.ts";
import { report } from "./report.ts";
import {
  type BudgetResults,
  measureBudgets,
  measureImports,
  measureLibraries,
  type Ratio,
} from "./results.ts";
import { NAMES } from "./runtimes.ts";

/** Each compiles the same code in its own way, so the median of several counts. */
const PROCESSES = 4;

const OPTIONS = ["processes", "runtime", "store", "scenario", "library"] as const;
const options = readOptions(Deno.args, OPTIONS);
const { processes = PROCESSES, runtimes, stores, scenarios } = options;
await install();
await using redis = await startRedis();
if (redis === undefined) console.log("Redis is left out: redis-server is not installed");

let budgets: BudgetResults | undefined;
if (Deno.args.every((arg) => arg.startsWith("--processes="))) {
  console.log("Measuring every budgeted ratio …");
  budgets = await measureBudgets(runtimes, processes);
}
const libraries: Ratio[] = [];
for (const runtime of runtimes) {
  for (const store of stores.filter((store) => store !== "redis" || redis !== undefined)) {
    for (const scenario of scenarios) {
      const group = { runtime, store, scenario };
      // No ratio is measured twice.
      const measured = budgets?.ratios.filter((one) =>
        one.runtime === runtime && one.store === store && one.scenario === scenario
      ).map((one) => one.beside);
      const contenders = (options.libraries ?? LIBRARIES)
        .filter((name) => !measured?.includes(name));
      const access = { contenders, redisPort: redis?.port };
      for (const ratio of await measureLibraries(group, processes, access)) {
        const name = `${NAMES[runtime]}, ${store}, ${scenario}, ÷ ${ratio.beside}`;
        console.log(`${name}: ${showSpread(ratio.ratio)}`);
        libraries.push(ratio);
      }
    }
  }
}
if (budgets !== undefined) {
  const imports = [];
  for (const runtime of runtimes) imports.push(...await measureImports(runtime));
  const file = new URL("RESULTS.md", import.meta.url);
  const text = report({ budgets, libraries, imports }, await describeEnvironment());
  await Deno.writeTextFile(file, text);
  console.log("\nWritten: bench/RESULTS.md");
}
