/**
 * Tests the tests: puts one mistake at a time into a copy of the library and demands that a test
 * fails. If a race can show the mistake, the race simulator must report the guarantee that the
 * mutant names. Otherwise one of the mutant's unit tests must fail.
 *
 * `mutants.ts [WORD] [--dry-run]` runs the mutants whose names contain WORD. A dry run only checks
 * that every mutant fits the sources. If no name contains WORD, the exit code is 2.
 *
 * @module
 */
import { failedIn, PackageCopy, packageFiles } from "./_copies.ts";
import { type Edit, editOf, sourcesIn, unknownNames } from "./_edits.ts";
import type { Mutant } from "./_mutant.ts";
import { MUTANTS } from "./_mutants.ts";

/** The unit tests of mutants that name none. */
const TESTS = [
  "tests/unit/state/cookie_test.ts",
  "merge_test.ts",
  "no_lost_updates_test.ts",
  "no_undone_logins_test.ts",
  "no_session_comes_back_test.ts",
  "one_valid_id_test.ts",
  "merges_stop_at_another_user_test.ts",
  "states_test.ts",
  "cookies_of_sibling_hosts_test.ts",
  "subject_index_test.ts",
  "subject_sessions_test.ts",
  "log_out_everywhere_test.ts",
  "update_test.ts",
  "broken_lifecycles_test.ts",
];
const TIMEOUT_MS = 120_000;

/** A mutant that fits the sources. */
interface Case extends Edit {
  mutant: Mutant;
  /** The paths of its unit tests. */
  tests: readonly string[];
}

/** The result for one mutant, or for the unchanged library. */
interface Fate {
  isGood: boolean;
  how: string;
}

const isDryRun = Deno.args.includes("--dry-run");
const [word = ""] = Deno.args.filter((argument) => !argument.startsWith("--"));
const files = await packageFiles();
const counts = { passed: 0, failed: 0 };

const chosen = MUTANTS.filter(({ name }) => name.includes(word));
if (chosen.length === 0) {
  console.error(`mutants: no mutant has a name that contains "${word}"`);
  Deno.exit(2);
}
const cases = await casesOf(chosen);
if (isDryRun) counts.passed = cases.length;
else await runAll(cases);
console.log(`mutants: ${counts.passed} passed, ${counts.failed} failed`);
Deno.exit(counts.failed === 0 && counts.passed > 0 ? 0 : 1);

function report(what: string, { isGood, how }: Fate): void {
  counts[isGood ? "passed" : "failed"]++;
  console.log(`${isGood ? "ok    " : "FAILED"} ${what}: ${how}`);
}

function reportUnfit({ name }: Mutant, why: string): void {
  report(`mutant "${name}"`, { isGood: false, how: `does not fit the sources: ${why}` });
}

/** Makes the mistakes. Reports the mutants that do not fit the sources and leaves them out. */
async function casesOf(mutants: readonly Mutant[]): Promise<Case[]> {
  const sources = sourcesIn(files);
  const fitting: Case[] = [];
  for (const mutant of mutants) {
    try {
      const tests = (mutant.tests ?? TESTS).map(pathOf);
      fitting.push({ mutant, tests, ...editOf(mutant, sources) });
    } catch (error) {
      reportUnfit(mutant, (error as Error).message);
    }
  }
  const unknown = await unknownNames(fitting, files);
  for (const [{ mutant }, message] of unknown) reportUnfit(mutant, message);
  return fitting.filter((one) => !unknown.has(one));
}

/** The path of a test file. If it has moved, its name is enough. */
function pathOf(test: string): string {
  if (files.has(test)) return test;
  const name = test.slice(test.lastIndexOf("/") + 1);
  const paths = [...files.keys()].filter((path) => path.endsWith(`/${name}`));
  if (paths.length !== 1) throw new Error(`${paths.length} test files are called ${name}`);
  return paths[0]!;
}

/** Runs everything on the unchanged library, where nothing may fail, and then on each mutant. */
async function runAll(cases: readonly Case[]): Promise<void> {
  const waiting: (Case | undefined)[] = [undefined, ...cases];
  const workers = Array.from({ length: navigator.hardwareConcurrency }, async () => {
    await using copy = await PackageCopy.make(files);
    while (waiting.length > 0) {
      const next = waiting.shift();
      if (next === undefined) report("the library as it is", await fateOfUnchanged(copy));
      else report(`mutant "${next.mutant.name}"`, await fateOf(next, copy));
    }
  });
  await Promise.all(workers);
}

async function fateOfUnchanged(copy: PackageCopy): Promise<Fate> {
  try {
    const broken = await brokenGuarantees(copy);
    const failed = await failedTest(copy, [...new Set(cases.flatMap(({ tests }) => tests))]);
    const found = failed === undefined ? broken : [...broken, `the test "${failed}"`];
    return { isGood: found.length === 0, how: found.join(", ") || "passes" };
  } catch (error) {
    return { isGood: false, how: (error as Error).message };
  }
}

async function fateOf(
  { mutant: { by }, file, text, tests }: Case,
  copy: PackageCopy,
): Promise<Fate> {
  await copy.write(file, text);
  try {
    if (by === "tests") {
      const failed = await failedTest(copy, tests);
      const how = failed === undefined ? "no test finds it" : `found by the test "${failed}"`;
      return { isGood: failed !== undefined, how };
    }
    const broken = await brokenGuarantees(copy);
    if (broken.length === 0) return { isGood: false, how: `no race finds it; expected ${by}` };
    const isGood = broken.some((line) => line.startsWith(`${by} `));
    const how = `found by ${broken.join(", ")}`;
    return { isGood, how: isGood ? how : `${how}; expected ${by}` };
  } catch (error) {
    return { isGood: false, how: (error as Error).message };
  } finally {
    await copy.restore(file);
  }
}

/** The guarantees that the race simulator finds broken, each with the number of a race. */
async function brokenGuarantees(copy: PackageCopy): Promise<string[]> {
  const script = "tests/mutants/_mutant_races.ts";
  const { code, output } = await copy.deno(
    ["run", "--quiet", "--no-check", "--no-lock", script],
    TIMEOUT_MS,
  );
  if (code === 0) return [];
  const lines = output.trim().split("\n");
  if (lines.every((line) => /^\w+ \(number -?\d+\)$/.test(line))) return lines;
  throw new Error(`the races stopped with code ${code}: ${output}`);
}

/** The name of the first unit test that fails. */
async function failedTest(
  copy: PackageCopy,
  tests: readonly string[],
): Promise<string | undefined> {
  const { code, output } = await copy.test(tests, TIMEOUT_MS);
  if (code === 0) return undefined;
  const name = failedIn(output);
  if (name === undefined) throw new Error(`the tests stopped with code ${code}: ${output}`);
  return name;
}
