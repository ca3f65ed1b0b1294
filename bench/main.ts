/**
 * `deno task bench [PART…] [--runtime=…] [--store=…] [--scenario=…] [--contender=…] [--rounds=N]`.
 *
 * @module
 */
import type { GroupResult, InProcessOptions } from "./in_process.ts";
import { parseArguments } from "./arguments.ts";
import { install } from "./install.ts";
import { results } from "./runtimes.ts";

const { runtimes, narrowing, rounds } = parseArguments(Deno.args);
await install();
const options: InProcessOptions = { ...narrowing, rounds: rounds ?? 21, sliceMs: 15 };
for (const runtime of runtimes) {
  for await (const result of results<GroupResult>(runtime, "in_process.ts", options)) {
    const { store, scenario, bytes, costs } = result;
    console.log(`\n${runtime} · ${store} · ${scenario} · ${bytes} B`);
    for (const [name, { bare, added, quartiles }] of Object.entries(costs)) {
      const [low, high] = quartiles.map((time) => time.toFixed(1));
      console.log(
        `  ${name.padEnd(32)} + ${added.toFixed(2).padStart(8)} µs  (${low}–${high}) ` +
          `over ${bare.toFixed(2)}`,
      );
    }
  }
}
