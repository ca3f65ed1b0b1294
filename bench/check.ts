/**
 * `deno task bench:check`: whether the budgets are kept, from fewer rounds of what they are about.
 * Ends with 0 when all are met, with 1 when some are missed or could not be measured and none is worse than
 * in the last report by more than noise, and with 2 when one is.
 *
 * @module
 */
import { OURS, verdicts } from "./budgets.ts";
import { BY_HAND, FIRST_TIME } from "./contenders/contender.ts";
import type { Narrowing } from "./groups.ts";
import { install } from "./install.ts";
import { exitCodeOf, loadLevels, printVerdicts } from "./levels.ts";
import { http, inProcess, redis, scale } from "./parts.ts";
import { noResults } from "./results.ts";
import { RUNTIMES } from "./runtimes.ts";
import { SMALL } from "./scenarios.ts";

const ROUNDS = 21;
const SCALE = { rounds: 15, sizes: [1000, 1_000_000], pauses: 0 };
const MEMORY: Narrowing = {
  stores: ["memory"],
  scenarios: ["read", "write", "new"],
  payloads: [SMALL],
};
const COOKIE: Narrowing = {
  stores: ["cookie"],
  scenarios: ["read", "write"],
  payloads: [SMALL],
  contenders: [OURS, FIRST_TIME],
};
const SERVER: Narrowing = {
  stores: ["memory"],
  scenarios: ["read"],
  payloads: [SMALL],
  contenders: [OURS, BY_HAND],
};

await install();
const results = noResults();
for (const runtime of RUNTIMES) {
  results.inProcess[runtime] = [
    ...await inProcess(runtime, MEMORY, ROUNDS),
    ...await inProcess(runtime, COOKIE, ROUNDS),
  ];
  results.http[runtime] = await http(runtime, SERVER);
  results.scale[runtime] = await scale(runtime, SCALE);
}
results.redis = await redis({});
Deno.exit(exitCodeOf(printVerdicts(verdicts(results), await loadLevels())));
