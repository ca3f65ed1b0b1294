/** Derives a race from a number: its requests, and the order in which they proceed. */
import { Random } from "./random.ts";
import { REQUEST_KINDS, type RequestKind } from "./requests.ts";

/** One request of a program. */
export interface Plan {
  kind: RequestKind;
  /**
   * True if the browser sends the request before anything else happens. Otherwise the browser sends
   * it at its first step, with the cookie that it has by then.
   */
  isEarly: boolean;
}

/** The requests of one browser, and the session that they start from. */
export interface Program {
  plans: readonly Plan[];
  /** Whether the session already belongs to the subject that `destroyAll()` is called for. */
  isSignedIn: boolean;
  /** Whether a request that only reads has to update the last-access time. */
  isTouchDue: boolean;
}

/** Chooses the request that takes the next step; `ready` has the indexes of those that can. */
export type Choose = (ready: readonly number[]) => number;

/** The fewest and the most requests of a race. */
export const REQUESTS = { fewest: 2, most: 6 };

/** The program of this number, and a schedule for it. */
export function randomProgram(
  number: number,
  requests: number | undefined,
): { program: Program; choose: Choose } {
  const random = new Random(number);
  const { fewest, most } = REQUESTS;
  const drawn = fewest + random.below(most - fewest + 1);
  // After a logout little can be lost, so half of all programs have none.
  const isLasting = random.chance(50);
  const kinds = REQUEST_KINDS.filter((kind) => !(isLasting && (kind.destroys || kind.destroysAll)));
  const plans = Array.from({ length: requests ?? drawn }, (): Plan => ({
    kind: random.pick(kinds),
    isEarly: random.chance(70),
  }));
  const isSignedIn = endsAll(plans) && random.chance(70);
  const program = { plans, isSignedIn, isTouchDue: random.chance(75) };
  // Requests that take many steps in a row lead to other races than requests that alternate.
  const persistence = random.pick([0, 50, 85]);
  let last = -1;
  const choose: Choose = (ready) => {
    if (!ready.includes(last) || !random.chance(persistence)) last = random.pick(ready);
    return last;
  };
  return { program, choose };
}

/** Whether one of the requests calls `destroyAll()`. */
export function endsAll(plans: readonly Plan[]): boolean {
  return plans.some(({ kind }) => kind.destroysAll);
}

/** A fixed order of steps. After its end the requests finish one after the other. */
export function inOrder(order: readonly number[]): Choose {
  let at = 0;
  return (ready) => {
    while (at < order.length) {
      const next = order[at++]!;
      if (ready.includes(next)) return next;
    }
    return ready[0]!;
  };
}
