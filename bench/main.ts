/**
 * `deno task bench`: measures everything and writes RESULTS.md. With options it measures a part and
 * only prints it; README.md lists them.
 *
 * @module
 */
import { readOptions } from "./arguments.ts";
import { OURS } from "./contenders/contender.ts";
import { describeEnvironment } from "./environment.ts";
import { install } from "./install.ts";
import { showSpread } from "./measure.ts";
import { startRedis } from "./redis_server.ts";
import { report } from "./report.ts";
import {
  measureBudgets,
  measureImports,
  measureRatios,
  measureServer,
  PROCESSES,
  type Ratio,
  type Results,
} from "./results.ts";
import { NAMES, RUNTIMES } from "./runtimes.ts";

const EFFORT = { slices: 30, sliceMs: 4 };
/** New sessions stay: a slice has to include the garbage collections that they cause. */
const EFFORT_NEW = { slices: 12, sliceMs: 16 };

const OPTIONS = ["processes", "runtime", "store", "scenario", "contender"] as const;
const options = readOptions(Deno.args, OPTIONS);
const { processes = PROCESSES, runtimes, stores, scenarios, contenders } = options;
await install();
await using redis = await startRedis();
if (redis === undefined) console.log("Redis is left out: redis-server is not installed");

const libraries: Ratio[] = [];
for (const runtime of runtimes) {
  for (const store of stores.filter((store) => store !== "redis" || redis !== undefined)) {
    for (const scenario of scenarios) {
      const effort = { ...scenario === "new" ? EFFORT_NEW : EFFORT, processes };
      const names = contenders && [OURS, ...contenders];
      const group = { runtime, store, scenario };
      const options = { contenders: names, redisPort: redis?.port };
      for (const ratio of await measureRatios(group, effort, options)) {
        const name = `${NAMES[runtime]}, ${store}, ${scenario}, ÷ ${ratio.beside}`;
        console.log(`${name}: ${showSpread(ratio.ratio)}`);
        libraries.push(ratio);
      }
    }
  }
}
if (Deno.args.every((arg) => arg.startsWith("--processes="))) {
  const servers: Results["servers"] = [];
  const imports: Results["imports"] = [];
  for (const runtime of RUNTIMES) {
    for (const scenario of ["write", "new"] as const) {
      servers.push(await measureServer(runtime, scenario, processes));
    }
    imports.push(...await measureImports(runtime));
  }
  const budgets = await measureBudgets(RUNTIMES, processes);
  const results: Results = { libraries, servers, imports, budgets };
  const file = new URL("RESULTS.md", import.meta.url);
  await Deno.writeTextFile(file, report(results, await describeEnvironment()));
  console.log("\nWritten: bench/RESULTS.md");
}
