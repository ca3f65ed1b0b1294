/**
 * Finds a short schedule that breaks a guarantee: with few requests, steps and switches between
 * them.
 */
import { everySchedule, type Runner } from "./schedules.ts";
import { type Guarantee, judge } from "./oracle.ts";
import { COPY, inOrder, type Plan, type Program } from "./program.ts";
import type { Run } from "./run.ts";

/** How many schedules of two requests are tried. */
const SCHEDULES = 500;

/** The shortest run found that breaks the same guarantee as `failed`. */
export async function shrink(failed: Run, guarantee: Guarantee, runner: Runner): Promise<Run> {
  const breaks = (run: Run) =>
    judge(run).violations.some((violation) => violation.guarantee === guarantee);
  let best = failed;
  const consider = (run: Run) => {
    if (isShorter(run, best) && breaks(run)) best = run;
  };
  // One or two requests have few enough schedules to try them.
  const tried = new Set<string>();
  for (const size of [1, 2]) {
    const chosen = combinations(failed.program.plans, size);
    for (const simplify of [plainProgram, earlyProgram, (program: Program) => program]) {
      for (const plans of chosen) {
        const program = simplify({ ...failed.program, plans });
        const name = JSON.stringify(program);
        if (tried.has(name)) continue;
        tried.add(name);
        for await (const { run } of everySchedule(program, runner, SCHEDULES)) consider(run);
      }
      if (best.program.plans.length === size) return best;
    }
  }
  while (true) {
    const before = best;
    for (const [program, order] of simpler(before)) consider(await runner(program, inOrder(order)));
    if (best === before) return best;
  }
}

/** Simpler variants of a run: without a request, or with one switch less. */
function* simpler({ program, order }: Run): Generator<[Program, number[]]> {
  const { plans } = program;
  for (const left of plans.keys()) {
    const rest = plans.filter((_, at) => at !== left);
    const theirs = order.filter((at) => at % COPY !== left)
      .map((at) => at % COPY > left ? at - 1 : at);
    if (rest.length > 0) yield [{ ...program, plans: rest }, theirs];
  }
  for (const [at, plan] of plans.entries()) {
    for (const simple of [plain(plan), early(plan), ...withoutOne(plan)]) {
      yield [{ ...program, plans: plans.with(at, simple) }, order];
    }
  }
  for (let at = 1; at < order.length; at++) {
    if (order[at] === order[at - 1]) continue;
    // The next step of the request before the switch moves to here, or the step at the switch goes.
    const next = order.indexOf(order[at - 1]!, at);
    if (next !== -1) {
      yield [program, [...order.slice(0, at), order[next]!, ...without(order, next, at)]];
    }
    yield [program, order.toSpliced(at, 1)];
  }
}

/** The circumstances of a request that are not its kind. */
const CIRCUMSTANCES = ["isNavigation", "isLost", "skew", "resend"] as const;

/** The request without any circumstances, sent at the start. */
function plain({ kind }: Plan): Plan {
  return { kind, isEarly: true };
}

function plainProgram({ plans, isSignedIn, isTouchDue }: Program): Program {
  return { plans: plans.map(plain), isSignedIn, isTouchDue };
}

function earlyProgram(program: Program): Program {
  return { ...program, plans: program.plans.map(early) };
}

function early(plan: Plan): Plan {
  return { ...plan, isEarly: true };
}

function withoutOne(plan: Plan): Plan[] {
  return CIRCUMSTANCES.filter((name) => plan[name])
    .map((name) => ({ ...plan, [name]: undefined }));
}

function without(order: number[], left: number, from: number): number[] {
  return order.filter((_, at) => at >= from && at !== left);
}

function isShorter(a: Run, b: Run): boolean {
  const [first, second] = [a, b].map(({ program: { plans }, order }) => [
    plans.length,
    order.length,
    plans.flatMap((plan) => CIRCUMSTANCES.filter((name) => plan[name])).length,
    order.filter((next, at) => next !== order[at - 1]).length,
  ]);
  const differs = first!.findIndex((size, at) => size !== second![at]);
  return differs !== -1 && first![differs]! < second![differs]!;
}

function combinations<T>(items: readonly T[], size: number): T[][] {
  if (size === 0) return [[]];
  return items.flatMap((item, at) =>
    combinations(items.slice(at + 1), size - 1).map((rest) => [item, ...rest])
  );
}
