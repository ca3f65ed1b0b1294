/**
 * The gate, `deno task ok`: one step after the other, to the first that fails.
 *
 * @module
 */

import config from "../deno.json" with { type: "json" };
import { deno, stdFlags } from "../tests/_std/run.ts";

const std = await stdFlags();
const entryPoints = Object.values(config.exports);
const collect = ["--coverage", "--coverage-raw-data-only", "--clean"];
const unpublished = ["tests", ".ci"].map((folder) => {
  return RegExp.escape(new URL(`../${folder}/`, import.meta.url).href);
});
// While working the tree is dirty; in CI that would mean that a step above left files behind.
const dirty = Deno.env.get("CI") ? [] : ["--allow-dirty"];

const steps: [name: string, args: string[]][] = [
  ["format", ["fmt", "--check"]],
  ["lint", ["lint"]],
  ["types", ["check", ...std]],
  ["architecture", ["test", ...std, "--allow-read=.", "tests/architecture_test.ts"]],
  ["language", ["run", "--allow-read=.", "--allow-run=git", ".ci/language.ts"]],
  ["doc lint", ["doc", "--lint", ...entryPoints]],
  ["doc tests", ["test", ...std, "--doc", "--ignore=tests,bench"]],
  // With the entry points, so that a module which no test loads counts as uncovered.
  ["unit tests", ["test", ...std, ...collect, "tests", ...entryPoints]],
  // The floor is in deno.json.
  ["coverage", ["coverage", `--exclude=${unpublished.join("|")}`, "coverage"]],
  // Of what needs none of its packages: their types are checked where they are installed.
  ["tests of the benchmark", ["test", "--no-check", "--config=bench/deno.json", "bench"]],
  ["publish dry run", ["publish", "--dry-run", ...dirty]],
];

for (const [passed, [name, args]] of steps.entries()) {
  console.log(`\n=== ${name}: deno ${args.join(" ")}`);
  const code = await deno(args);
  if (code !== 0) {
    console.log(`\ndeno task ok stopped: the step "${name}" failed`);
    console.log(`gate: ${passed} passed, 1 failed, ${steps.length - passed - 1} skipped`);
    Deno.exit(code);
  }
}
console.log(`\ngate: ${steps.length} passed, 0 failed`);
