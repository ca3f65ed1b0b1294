/** Every schedule of every pair of requests. Each schedule has a number. */
import { type Choose, endsAll, type Program } from "./program.ts";
import { REQUEST_KINDS } from "./requests.ts";
import type { Run } from "./run.ts";

/** A schedule has one bit for each step at which both requests can go on, up to this many bits. */
const BITS = 32;
const SCHEDULES = 2 ** BITS;
/** A limit for broken stores, on which two requests may retry again and again. */
const MAX_SCHEDULES = 5000;

/** Runs a program under a schedule. */
export type Runner = (program: Program, choose: Choose) => Promise<Run>;

/** Every pair of kinds, including a kind with itself. Both requests are sent at the start. */
export const PAIRS: readonly Program[] = REQUEST_KINDS.flatMap((first, at) =>
  REQUEST_KINDS.slice(at).map((second) => {
    const plans = [{ kind: first, isEarly: true }, { kind: second, isEarly: true }];
    return { plans, isSignedIn: endsAll(plans), isTouchDue: true };
  })
);

/**
 * Runs a program of up to two requests under each of its schedules, which are numbered by their
 * bits.
 */
export async function* everySchedule(
  program: Program,
  runner: Runner,
): AsyncGenerator<{ run: Run; bits: number }> {
  let prefix: number[] = [];
  for (let count = 0; count < MAX_SCHEDULES; count++) {
    const taken: number[] = [];
    const run = await runner(program, byBits((at) => prefix[at] ?? 0, taken));
    yield { run, bits: taken.reduce((bits, bit, at) => bits + bit * 2 ** at, 0) };
    // The next schedule gives the last step of the first request to the second one.
    const last = taken.lastIndexOf(0);
    if (last === -1) return;
    prefix = [...taken.slice(0, last), 1];
  }
}

/** The number of a schedule of a pair. It is negative; numbers of random schedules are not. */
export function pairNumber(pair: number, bits: number): number {
  return -1 - (pair * SCHEDULES + bits);
}

/** The pair and the schedule of a negative number; undefined if there is no such pair. */
export function numberedPair(number: number): { program: Program; choose: Choose } | undefined {
  const rest = -1 - number;
  const program = PAIRS[Math.floor(rest / SCHEDULES)];
  const choose = byBits((at) => Math.floor(rest % SCHEDULES / 2 ** at) % 2, []);
  return program && { program, choose };
}

/** Chooses by `bitAt` when both requests can go on, and adds the bit to `taken`. */
function byBits(bitAt: (at: number) => number, taken: number[]): Choose {
  return (ready) => {
    if (ready.length === 1 || taken.length === BITS) return ready[0]!;
    const bit = bitAt(taken.length);
    taken.push(bit);
    return ready[bit]!;
  };
}
