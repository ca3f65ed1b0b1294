/**
 * The races for one mutant: random ones first, then every schedule of every two requests. Prints each
 * broken guarantee with the number of the race that shows it. The exit code is 1 if there are any.
 *
 * It judges the races itself: `simulateRaces` would also look for the shortest schedule of each
 * failure, which takes most of the time.
 *
 * @module
 */
import { MemoryStore } from "../../store/memory.ts";
import { type Guarantee, judge } from "../../testing/races/oracle.ts";
import { randomProgram } from "../../testing/races/program.ts";
import { type Run, run } from "../../testing/races/run.ts";
import { everySchedule, pairNumber, PAIRS, type Runner } from "../../testing/races/schedules.ts";

const RANDOM_RACES = 3000;
/** A batch of random races is finished even if one fails, to report all guarantees that it breaks. */
const BATCH = 250;

let ids = 0;
/** An ID that differs from all others in both halves. */
const newId = () => (++ids).toString(16).padStart(32, "0").repeat(2);
const runner: Runner = (program, choose) => {
  return run(program, choose, { store: new MemoryStore(), newId });
};

/** The first race that breaks each guarantee. */
const broken = new Map<Guarantee, number>();

function note(race: Run, number: number): void {
  for (const { guarantee } of judge(race).violations) {
    if (!broken.has(guarantee)) broken.set(guarantee, number);
  }
}

function exitIfBroken(): void {
  if (broken.size === 0) return;
  for (const [guarantee, number] of broken) console.log(`${guarantee} (number ${number})`);
  Deno.exit(1);
}

for (let number = 0; number < RANDOM_RACES; number++) {
  const { program, choose } = randomProgram(number, undefined);
  note(await runner(program, choose), number);
  if ((number + 1) % BATCH === 0) exitIfBroken();
}
for (const [pair, program] of PAIRS.entries()) {
  for await (const { run, code } of everySchedule(program, runner)) {
    note(run, pairNumber(pair, code));
  }
}
exitIfBroken();
