/** Every schedule of every pair of requests, each with a number of its own. */
import { type Choose, endsAll, type Program } from "./program.ts";
import { REQUEST_KINDS } from "./requests.ts";
import type { Run } from "./run.ts";

/** A schedule has one bit for each step at which either could go on, and no more than these. */
const BITS = 32;
const SCHEDULES = 2 ** BITS;
/** Where two requests have more than these, a broken store makes them try again and again. */
const MAX_SCHEDULES = 5000;

/** Runs a program under the schedule that `choose` makes. */
export type Runner = (program: Program, choose: Choose) => Promise<Run>;

/** Every pair of kinds, a kind with itself included, both sent before anything happens. */
export const PAIRS: readonly Program[] = REQUEST_KINDS.flatMap((first, at) =>
  REQUEST_KINDS.slice(at).map((second) => {
    const plans = [{ kind: first, isEarly: true }, { kind: second, isEarly: true }];
    return { plans, isSignedIn: endsAll(plans), isTouchDue: true };
  })
);

/** Runs a program of two requests under every schedule there is; its bits name each. */
export async function* everySchedule(
  program: Program,
  runner: Runner,
): AsyncGenerator<{ run: Run; bits: number }> {
  let prefix: number[] = [];
  for (let count = 0; count < MAX_SCHEDULES; count++) {
    const taken: number[] = [];
    const run = await runner(program, byBits((at) => prefix[at] ?? 0, taken));
    yield { run, bits: taken.reduce((bits, bit, at) => bits + bit * 2 ** at, 0) };
    // The next: the last step at which the first request went on goes to the second.
    const last = taken.lastIndexOf(0);
    if (last === -1) return;
    prefix = [...taken.slice(0, last), 1];
  }
}

/** The number of a pair's schedule; below 0, where no random schedule is. */
export function pairNumber(pair: number, bits: number): number {
  return -1 - (pair * SCHEDULES + bits);
}

/** What the number below 0 stands for; undefined when it stands for nothing. */
export function numberedPair(number: number): { program: Program; choose: Choose } | undefined {
  const rest = -1 - number;
  const program = PAIRS[Math.floor(rest / SCHEDULES)];
  const choose = byBits((at) => Math.floor(rest % SCHEDULES / 2 ** at) % 2, []);
  return program && { program, choose };
}

/** Asks for a bit where both can go on, and writes it down in `taken`. */
function byBits(bitAt: (at: number) => number, taken: number[]): Choose {
  return (ready) => {
    if (ready.length === 1 || taken.length === BITS) return ready[0]!;
    const bit = bitAt(taken.length);
    taken.push(bit);
    return ready[bit]!;
  };
}
