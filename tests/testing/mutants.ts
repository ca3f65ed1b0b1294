/**
 * Holds the suite itself to account: copies the sources, breaks one thing in the copy, and demands
 * that the races find it, under the name that it must have. What no race can show a unit test has to.
 *
 * Every mutant is an edit of one text that must be in its file exactly once. `mutants.ts WORD` runs
 * those alone whose names have the word.
 *
 * @module
 */
import { denoIn, eachAtOnce, failedIn, inCopy, testIn } from "./_copies.ts";
import { type Mutant, MUTANTS } from "./_mutants.ts";

const TESTS = [
  "tests/unit/state/cookie_test.ts",
  "tests/unit/data/merge_test.ts",
  "tests/guarantees/no_undone_logins_test.ts",
  "tests/unit/state/states_test.ts",
  "tests/guarantees/cookies_of_sibling_hosts_test.ts",
  "tests/unit/core/subjects/subject_index_test.ts",
  "tests/unit/core/subjects/subject_sessions_test.ts",
  "tests/unit/core/update_test.ts",
  "tests/testing/broken_lifecycles_test.ts",
];
const ALL_TESTS = [...new Set([...TESTS, ...MUTANTS.flatMap(({ tests = [] }) => tests)])];
const TIMEOUT_MS = 120_000;

/** What became of a mutant. */
interface Fate {
  isDead: boolean;
  by: string;
}

const [word = ""] = Deno.args;
const chosen = MUTANTS.filter(({ name }) => name.includes(word));
const counts = { passed: 0, failed: 0 };

function tell(what: string, { isDead, by }: Fate) {
  counts[isDead ? "passed" : "failed"]++;
  console.log(`${isDead ? "ok    " : "FAILED"} ${what} ${by}`);
}

const unbroken = await fateOf(undefined);
tell("the sources as they are", { isDead: !unbroken.isDead, by: unbroken.by });

await eachAtOnce(chosen, async (mutant) => {
  const fate = await fateOf(mutant).catch((error: Error) => ({
    isDead: false,
    by: `could not be made: ${error.message}`,
  }));
  tell(`mutant "${mutant.name}"`, fate);
});
console.log(`mutants: ${counts.passed} passed, ${counts.failed} failed`);
Deno.exit(counts.failed === 0 ? 0 : 1);

/** Copies the sources, breaks them, and runs what has to notice. */
function fateOf(mutant: Mutant | undefined): Promise<Fate> {
  return inCopy(async (directory) => {
    if (mutant !== undefined) await edit(directory, mutant);
    return await judge(directory, mutant);
  });
}

async function edit(directory: string, { file, find, replace }: Mutant): Promise<void> {
  const path = `${directory}/${file}`;
  const parts = (await Deno.readTextFile(path)).split(find);
  if (parts.length !== 2) {
    throw new Error(`${file} has ${parts.length - 1} times what must be there once: ${find}`);
  }
  await Deno.writeTextFile(path, parts.join(replace));
}

/** Runs the races, and where they cannot see it the unit tests. */
async function judge(directory: string, mutant: Mutant | undefined): Promise<Fate> {
  if (mutant === undefined || mutant.by !== "tests") {
    const races = await denoIn(directory, ["run", "tests/testing/_mutant_races.ts"], TIMEOUT_MS);
    const found = races.output.trim().split("\n");
    const named = found.find((line) => line.startsWith(`${mutant?.by} `));
    if (named !== undefined) return { isDead: true, by: `died by ${found.join(", ")}` };
    if (races.code !== 0) return { isDead: false, by: `was found by ${found.join(", ")} instead` };
    if (mutant !== undefined) return { isDead: false, by: `lives; ${mutant.by} must find it` };
  }
  const chosen = mutant === undefined ? ALL_TESTS : mutant.tests ?? TESTS;
  const tests = await testIn(directory, chosen, TIMEOUT_MS);
  if (tests.code === 0) return { isDead: false, by: "pass" };
  const failed = failedIn(tests.output);
  if (failed === undefined) return { isDead: false, by: `stopped the tests: ${tests.output}` };
  return { isDead: true, by: `died by the test "${failed}"` };
}
