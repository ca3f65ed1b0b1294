/** Every schedule of every pair of requests. Each schedule has a number. */
import { type Choose, endsAll, type Program, type Resend } from "./program.ts";
import { REQUEST_KINDS } from "./requests.ts";
import type { Run } from "./run.ts";

/** A schedule is a sequence of choices, which is a number below this one. */
const SCHEDULES = 2 ** 32;
/** A limit for broken stores, on which two requests may retry again and again. */
const MAX_SCHEDULES = 5000;

/** Runs a program under a schedule. */
export type Runner = (program: Program, choose: Choose) => Promise<Run>;

const KINDS = REQUEST_KINDS.filter(({ isRandomOnly }) => !isRandomOnly);

/** Every pair of kinds, including a kind with itself. Both requests are sent at the start. */
export const PAIRS: readonly Program[] = KINDS.flatMap((first, at) =>
  KINDS.slice(at).flatMap((second) => {
    const plans = [{ kind: first, isEarly: true }, { kind: second, isEarly: true }];
    const program = { plans, isSignedIn: endsAll(plans), isTouchDue: true };
    const isSignIn = program.isSignedIn && plans.some(({ kind }) => kind.namesSubject);
    // The last-access time is then written by touch(), and not together with the cookie's.
    const isRead = plans.some(({ kind }) => kind.name === "reads");
    return [
      program,
      ...isSignIn ? [{ ...program, isSignedIn: false }] : [],
      ...isRead ? [{ ...program, isCookieKept: true }] : [],
    ];
  })
);

const RESENDS: readonly Resend[] = [
  { call: 0, how: "first answer lost" },
  { call: 0, how: "late copy" },
];

/** The pairs again, with one of the requests sending its first write twice. */
export const RESENT_PAIRS: readonly Program[] = PAIRS.flatMap((program) => {
  const { plans: [first, second] } = program;
  return RESENDS.flatMap((resend) => {
    const resent = [{ ...first!, resend }, second!];
    const other = [first!, { ...second!, resend }];
    return (first!.kind === second!.kind ? [resent] : [resent, other])
      .map((plans) => ({ ...program, plans }));
  });
});

/** Runs a program under each of its schedules, which are numbered by their choices. */
export async function* everySchedule(
  program: Program,
  runner: Runner,
  limit = MAX_SCHEDULES,
): AsyncGenerator<{ run: Run; code: number }> {
  let prefix: number[] = [];
  for (let count = 0; count < limit; count++) {
    const taken: Choice[] = [];
    const run = await runner(program, byChoices((at) => prefix[at] ?? 0, taken));
    yield { run, code: encode(taken) };
    // In the next schedule, the last choice that can be another one is the next one.
    const last = taken.findLastIndex(({ index, count }) => index < count - 1);
    if (last === -1) return;
    prefix = taken.slice(0, last + 1).map(({ index }) => index);
    prefix[last]!++;
  }
}

/**
 * The number of a schedule of a pair. It is negative; numbers of random schedules are not.
 *
 * @param pair The index of the pair in {@linkcode PAIRS}, or after its end in
 * {@linkcode RESENT_PAIRS}.
 */
export function pairNumber(pair: number, code: number): number {
  return -1 - (pair * SCHEDULES + code);
}

/** The pair and the schedule of a negative number; undefined if there is no such pair. */
export function numberedPair(number: number): { program: Program; choose: Choose } | undefined {
  const rest = -1 - number;
  const pair = Math.floor(rest / SCHEDULES);
  const program = PAIRS[pair] ?? RESENT_PAIRS[pair - PAIRS.length];
  let code = rest % SCHEDULES;
  const choose = byChoices((_at, count) => {
    const index = code % count;
    code = Math.floor(code / count);
    return index;
  }, []);
  return program && { program, choose };
}

/** A choice between so many requests. */
interface Choice {
  index: number;
  count: number;
}

/** Chooses by `indexAt` when several can go on, and adds the choice to `taken`. */
function byChoices(indexAt: (at: number, count: number) => number, taken: Choice[]): Choose {
  let room = SCHEDULES;
  return (ready) => {
    const count = ready.length;
    if (count === 1 || room < count) return ready[0]!;
    room = Math.floor(room / count);
    const index = indexAt(taken.length, count);
    taken.push({ index, count });
    return ready[index]!;
  };
}

function encode(taken: readonly Choice[]): number {
  return taken.reduceRight((code, { index, count }) => code * count + index, 0);
}
