/**
 * `deno task bench:soak [REQUESTS]`: whether memory stays where it is over millions of requests, in each
 * runtime, and whether anything is left that keeps the process alive.
 *
 * @module
 */
import type { ChurnMark, ChurnOptions } from "./churn.ts";
import { findCommit } from "./environment.ts";
import { install } from "./install.ts";
import { GC_FLAGS, mebibytes } from "./memory.ts";
import { save } from "./results.ts";
import { command, lines, type Runtime, RUNTIMES } from "./runtimes.ts";

/** What the report says of it. */
export interface SoakResult {
  marks: ChurnMark[];
  /** After how many milliseconds the process has ended; undefined when it did not by itself. */
  endedAfterMs?: number;
}

const REQUESTS = 10_000_000;
/** With fewer the first sessions have not expired yet, and their number still grows. */
const MIN_REQUESTS = 200_000;
const MARKS = 10;
/** What may have grown by how much from the second mark to the last: the first still warms up. */
const LIMITS = [
  { what: "heap", maxGrowth: 1.05, slackBytes: 2 ** 20 },
  // The collector gives back what it has no use for when it likes.
  { what: "resident", maxGrowth: 1.2, slackBytes: 2 ** 24 },
] as const;
/** For how long the process may take to end by itself when it is done. */
const PATIENCE_MS = 2000;

async function soak(runtime: Runtime, requests: number): Promise<SoakResult> {
  const options: ChurnOptions = { requests, marks: MARKS };
  const process = command(runtime, "churn.ts", options, { flags: GC_FLAGS[runtime] }).spawn();
  const marks: ChurnMark[] = [];
  for await (const line of lines(process.stdout)) {
    const mark: ChurnMark = JSON.parse(line);
    const { done, heap, resident, sessions } = mark;
    const memory = `heap ${mebibytes(heap)}, process ${mebibytes(resident)}`;
    console.log(`${runtime}, ${done} requests: ${memory}, ${sessions} sessions`);
    marks.push(mark);
    if (marks.length === MARKS) break;
  }
  const finishedAt = performance.now();
  let isKeptAlive = false;
  const patience = setTimeout(() => {
    isKeptAlive = true;
    process.kill("SIGKILL");
  }, PATIENCE_MS);
  const { code } = await process.status;
  clearTimeout(patience);
  if (isKeptAlive) return { marks };
  if (code !== 0) throw new Error(`churn.ts in ${runtime} ended with ${code}`);
  return { marks, endedAfterMs: performance.now() - finishedAt };
}

/** What of it must not be. */
function failuresOf({ marks, endedAfterMs }: SoakResult): string[] {
  const [, second] = marks;
  const last = marks.at(-1)!;
  const grown = LIMITS.filter(({ what, maxGrowth, slackBytes }) =>
    last[what] > second![what] * maxGrowth + slackBytes
  );
  return [
    ...grown.map(({ what }) => `Memory has grown: ${what}`),
    ...(endedAfterMs === undefined ? ["Something has kept the process alive"] : []),
  ];
}

const requests = Number(Deno.args[0] ?? REQUESTS);
if (!Number.isInteger(requests) || requests < MIN_REQUESTS) {
  throw new RangeError(
    `Cannot soak: the number of requests must be a whole number from ${MIN_REQUESTS} up`,
  );
}
await install();
const commit = await findCommit();
const failures: string[] = [];
for (const runtime of RUNTIMES) {
  const result = await soak(runtime, requests);
  await save(`soak-${runtime}`, result, commit);
  const those = failuresOf(result);
  failures.push(...those.map((failure) => `${runtime}: ${failure}`));
  if (those.length > 0) continue;
  const lingered = result.endedAfterMs!.toFixed(0);
  console.log(
    `${runtime}: steady; the process ended by itself, ${lingered} ms after its last request`,
  );
}
for (const failure of failures) console.log(failure);
if (failures.length > 0) Deno.exit(1);
