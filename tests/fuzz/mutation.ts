/**
 * Makes one small mistake after the other in a copy of the sources and sees whether the unit tests
 * notice: `mutation.ts [TARGET or FILE] [SAMPLE] [SEED]`; SAMPLE is how many in a file. A mutation that survives has to be one of
 * `_survivors.ts`, where it is explained, and at least nine of ten have to be found.
 *
 * @module
 */
import { eachAtOnce, failedIn, inCopy, testIn } from "../testing/_copies.ts";
import { mutated, type Mutation, mutationsOf } from "./_operators.ts";
import { Random } from "./_random.ts";
import { SURVIVORS } from "./_survivors.ts";
import { type Target, TARGETS } from "./_targets.ts";

/** The share of mutations that has to be found. */
const LEAST_KILLED = 0.9;
/** How much longer than without a mistake tests may take, which may be an endless loop. */
const PATIENCE = 5;
const LEAST_PATIENCE_MS = 10_000;

const ROOT = new URL("../../", import.meta.url);
const [chosen = "", sample = Infinity, seed = 1] = Deno.args.map((argument, at) =>
  at === 0 ? argument : Number(argument)
) as [string?, number?, number?];

interface Case {
  file: string;
  source: string;
  mutation: Mutation;
  tests: readonly string[];
}

const counts = { killed: 0, explained: 0, survived: 0 };
const cases = casesOf(Object.entries(TARGETS).flatMap(([name, target]) => sourcesOf(name, target)));
if (cases.length === 0) {
  console.error(`There is nothing to mutate in ${chosen}`);
  Deno.exit(2);
}
const patience = await patienceFor([...new Set(cases.flatMap(({ tests }) => tests))]);
await eachAtOnce(cases, judge);

const total = cases.length;
const share = counts.killed / total;
console.log(
  `${total} mutations (seed ${seed}), ${counts.killed} killed: ${(100 * share).toFixed(1)} %; ` +
    `${counts.explained} explained, ${counts.survived} survived`,
);
const isHeld = share >= LEAST_KILLED && counts.survived === 0;
console.log(`mutation: ${isHeld ? "1 passed, 0 failed" : "0 passed, 1 failed"}`);
Deno.exit(isHeld ? 0 : 1);

/** The sources that the command line names: a target's, one of its own, or all. */
function sourcesOf(name: string, { sources, tests }: Target) {
  return sources
    .filter((file) => chosen === "" || chosen === name || chosen === file)
    .map((file) => ({ file, tests }));
}

function casesOf(sources: { file: string; tests: readonly string[] }[]): Case[] {
  return sources.flatMap(({ file, tests }) => {
    const source = Deno.readTextFileSync(new URL(file, ROOT));
    const all = mutationsOf(source).map((mutation) => ({ file, source, mutation, tests }));
    // Each is drawn once: the sample is not of those at the start.
    const random = new Random(seed);
    while (all.length > sample) all.splice(random.below(all.length), 1);
    return all;
  });
}

/** How long the tests take on the sources as they are, which have to pass. */
async function patienceFor(tests: string[]): Promise<number> {
  const startedAt = performance.now();
  const { code, output } = await inCopy(async (directory) => {
    return await testIn(directory, [await together(directory, tests)], 600_000);
  });
  if (code !== 0) throw new Error(`The tests fail without a mistake: ${output}`);
  return Math.max(LEAST_PATIENCE_MS, PATIENCE * (performance.now() - startedAt));
}

/** One module of these tests in a copy: started one by one they take three times as long. */
async function together(directory: string, tests: readonly string[]): Promise<string> {
  const imports = tests.map((test) => `import "./${test}";`);
  await Deno.writeTextFile(`${directory}/mutation.ts`, imports.join("\n"));
  return "mutation.ts";
}

async function judge({ file, source, mutation, tests }: Case): Promise<void> {
  const found = await inCopy(async (directory) => {
    await Deno.writeTextFile(`${directory}/${file}`, mutated(source, mutation));
    const all = await together(directory, tests);
    const args = ["--fail-fast", "--v8-flags=--max-old-space-size=512", all];
    const { code, output } = await testIn(directory, args, patience);
    return code === 0 ? undefined : failedIn(output) ?? "no end, or no start";
  });
  const before = source.slice(0, mutation.start);
  const number = before.split("\n").length;
  const line = source.split("\n")[number - 1]!.trim();
  const where = `${file}:${number} ${mutation.name}`;
  if (found !== undefined) {
    counts.killed++;
    console.log(`killed   ${where}: ${found}`);
    return;
  }
  const explained = SURVIVORS.find((one) =>
    one.file === file && one.line === line && one.mutation === mutation.name
  );
  counts[explained === undefined ? "survived" : "explained"]++;
  console.log(`${explained === undefined ? "SURVIVED" : "explained"} ${where}: ${line}`);
  if (explained !== undefined) console.log(`         ${explained.why}`);
}
