/**
 * Holds the suite itself to account: copies the sources, breaks one thing in the copy, and demands
 * that the races find it, under the name that it must have. What no race can show a unit test has to.
 *
 * Every mutant is an edit of one text that must be in its file exactly once. `mutants.ts WORD` runs
 * those alone whose names have the word.
 *
 * @module
 */
import { type Mutant, MUTANTS } from "./_mutants.ts";

const ROOT = new URL("../../", import.meta.url);
/** What a copy needs: the sources, the races, and the tests that need no permission. */
const FOLDERS = ["", "tests/"];
const TREES = ["state/", "store/", "testing/", "tests/offline/", "tests/testing/"];
const TESTS = [
  "tests/merge_test.ts",
  "tests/rotation_test.ts",
  "tests/subject_index_test.ts",
  "tests/subject_sessions_test.ts",
  "tests/update_test.ts",
  "tests/testing/broken_lifecycles_test.ts",
];
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

const unbroken = await inCopy(undefined);
tell("the sources as they are", { isDead: !unbroken.isDead, by: unbroken.by });

// As many at a time as there are processors: each is a process.
const waiting = [...chosen];
const workers = Array.from({ length: navigator.hardwareConcurrency }, async () => {
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const mutant = next;
    const fate = await inCopy(mutant).catch((error: Error) => ({
      isDead: false,
      by: `could not be made: ${error.message}`,
    }));
    tell(`mutant "${mutant.name}"`, fate);
  }
});
await Promise.all(workers);
console.log(`mutants: ${counts.passed} passed, ${counts.failed} failed`);
Deno.exit(counts.failed === 0 ? 0 : 1);

/** Copies the sources, breaks them, and runs what has to notice. */
async function inCopy(mutant: Mutant | undefined): Promise<Fate> {
  const directory = await Deno.makeTempDir({ prefix: "mutant-" });
  try {
    await copySources(directory);
    if (mutant !== undefined) await edit(directory, mutant);
    return await judge(directory, mutant);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function copySources(directory: string): Promise<void> {
  for (const folder of FOLDERS) await copy(folder, directory, "alone");
  for (const tree of TREES) await copy(tree, directory, "whole");
}

/** Copies a folder's files, and with "whole" the folders in it. */
async function copy(folder: string, directory: string, depth: "alone" | "whole"): Promise<void> {
  await Deno.mkdir(`${directory}/${folder}`, { recursive: true });
  for await (const { name, isFile, isDirectory } of Deno.readDir(new URL(folder, ROOT))) {
    if (isDirectory && depth === "whole") await copy(`${folder}${name}/`, directory, depth);
    if (!isFile || !/\.(ts|json)$/.test(name)) continue;
    await Deno.copyFile(new URL(folder + name, ROOT), `${directory}/${folder}${name}`);
  }
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
  const flags = ["--quiet", "--no-check", "--no-lock"];
  if (mutant === undefined || mutant.by !== "tests") {
    const races = await deno(directory, ["run", ...flags, "tests/testing/_mutant_races.ts"]);
    const found = races.output.trim().split("\n");
    const named = found.find((line) => line.startsWith(`${mutant?.by} `));
    if (named !== undefined) return { isDead: true, by: `died by ${found.join(", ")}` };
    if (races.code !== 0) return { isDead: false, by: `was found by ${found.join(", ")} instead` };
    if (mutant !== undefined) return { isDead: false, by: `lives; ${mutant.by} must find it` };
  }
  const map = ["--import-map", "tests/offline/import_map.json"];
  const tests = await deno(directory, ["test", ...flags, ...map, ...TESTS]);
  if (tests.code === 0) return { isDead: false, by: "pass" };
  // The first that failed: "name ... FAILED (1ms)".
  const failed = /^(.*) \.\.\. FAILED/m.exec(tests.output)?.[1];
  if (failed === undefined) return { isDead: false, by: `stopped the tests: ${tests.output}` };
  return { isDead: true, by: `died by the test "${failed}"` };
}

async function deno(cwd: string, args: string[]): Promise<{ code: number; output: string }> {
  const command = new Deno.Command(Deno.execPath(), {
    args,
    cwd,
    env: { NO_COLOR: "1", DENO_NO_PROMPT: "1" },
    signal: AbortSignal.timeout(TIMEOUT_MS),
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
  const { code, stdout, stderr } = await command.output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, output: out!.trim() === "" ? err! : out! };
}
