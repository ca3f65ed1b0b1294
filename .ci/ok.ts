/**
 * The gate, `deno task ok`: runs one step after the other, and stops at the first that fails.
 *
 * @module
 */

import config from "../deno.json" with { type: "json" };
import { deno, stdFlags } from "../tests/_std/run.ts";

const chosen = await stdFlags().catch((error: Error) =>
  void console.error(`error: ${error.message}`)
);
const std = chosen ?? [];
const entryPoints = Object.values(config.exports);
const collect = ["--coverage", "--coverage-raw-data-only", "--clean"];
const unpublished = ["tests", ".ci"].map((folder) => {
  return RegExp.escape(new URL(`../${folder}/`, import.meta.url).href);
});
// During development the tree may be dirty. In CI, a step above must not leave files behind.
const dirty = Deno.env.get("CI") ? [] : ["--allow-dirty"];

const steps: [name: string, args: string[]][] = [
  ["format", ["fmt", "--check"]],
  ["lint", ["lint"]],
  ["types", ["check", ...std]],
  // A configuration of its own: deno.json excludes it from the unit tests.
  ["architecture", [
    "test",
    "--config=.ci/architecture.json",
    ...std,
    "--allow-read=.",
    "tests/architecture_test.ts",
  ]],
  ["language", ["run", "--allow-read=.", "--allow-run=git", ".ci/language.ts"]],
  ["choice of @std", [
    "test",
    ...std,
    "--allow-run",
    "--allow-net=127.0.0.1",
    "tests/_std/run_test.ts",
  ]],
  // That each mutant still has a place in the sources; `deno task mutants` runs the tests on them.
  ["mutants fit", [
    "run",
    "--allow-read",
    "--allow-write",
    "--allow-run",
    "tests/mutants/mutants.ts",
    "--dry-run",
  ]],
  ["doc lint", ["doc", "--lint", ...entryPoints]],
  ["doc tests", ["test", ...std, "--parallel", "--doc", "--ignore=tests,bench"]],
  // With the entry points, so that a module which no test loads counts as uncovered.
  ["unit tests", ["test", ...std, "--parallel", ...collect, "tests", ...entryPoints]],
  // The floor is in deno.json.
  ["coverage", ["coverage", `--exclude=${unpublished.join("|")}`, "coverage"]],
  // Only the tests that need no packages: types are checked where the packages are installed.
  ["tests of the benchmark", ["test", "--no-check", "--config=bench/deno.json", "bench"]],
  ["publish dry run", ["publish", "--dry-run", ...dirty]],
];

if (!chosen) {
  console.log(`gate: 0 passed, 1 failed, ${steps.length} skipped`);
  Deno.exit(1);
}
for (const [passed, [name, args]] of steps.entries()) {
  console.log(`\n=== ${name}: deno ${args.join(" ")}`);
  const code = await deno(args);
  if (code !== 0) {
    console.log(`\ndeno task ok stopped: the step "${name}" failed`);
    console.log(`gate: ${passed} passed, 1 failed, ${steps.length - passed - 1} skipped`);
    Deno.exit(code);
  }
}
console.log(`\ngate: ${steps.length} passed, 0 failed, 0 skipped`);
