/**
 * `deno task bench:check`: whether the budgets are kept, from fewer rounds of what they are about.
 *
 * @module
 */
import { OURS, printVerdicts, verdicts } from "./budgets.ts";
import { BY_HAND } from "./contenders/contender.ts";
import { install } from "./install.ts";
import { http, inProcess, redis, scale } from "./parts.ts";
import type { Results } from "./results.ts";
import { RUNTIMES } from "./runtimes.ts";
import { SMALL } from "./scenarios.ts";

const ROUNDS = 21;
const HTTP_ROUNDS = 3;
const SIZES = [1000, 1_000_000];

await install();
const results: Results = { inProcess: {}, http: {}, scale: {}, profile: {} };
const memory = { stores: ["memory"], scenarios: ["read", "write", "new"], payloads: [SMALL] };
for (const runtime of RUNTIMES) {
  results.inProcess[runtime] = await inProcess(runtime, memory, ROUNDS);
}
const cookie = {
  stores: ["cookie"],
  scenarios: ["read", "write"],
  payloads: [SMALL],
  contenders: [OURS],
};
results.inProcess.deno!.push(...await inProcess("deno", cookie, ROUNDS));
results.http.deno = await http("deno", HTTP_ROUNDS, [OURS, BY_HAND]);
results.redis = await redis({});
results.scale.deno = await scale("deno", ROUNDS, SIZES);
if (!printVerdicts(verdicts(results))) Deno.exit(1);
