/** From a number to what happens: which requests there are, and who goes on when. */
import { Random } from "./random.ts";
import { REQUEST_KINDS, type RequestKind } from "./requests.ts";

/** One request of a program. */
export interface Plan {
  kind: RequestKind;
  /**
   * Whether the browser sent it before anything else happened; otherwise when its turn comes, with
   * the cookie of that moment.
   */
  isEarly: boolean;
}

/** Some requests of one browser. */
export interface Program {
  plans: readonly Plan[];
  /** Whether the session is that of the subject whose sessions are ended all at once at the start. */
  isSignedIn: boolean;
  /** Whether a request that only reads has to note the session's use. */
  isTouchDue: boolean;
}

/** Says which of the requests that can go on does; `ready` are their places, in order. */
export type Choose = (ready: readonly number[]) => number;

/** The fewest and the most requests at once. */
export const REQUESTS = { fewest: 2, most: 6 };

/** What the number stands for: a program, and a schedule for it. */
export function randomProgram(
  number: number,
  requests: number | undefined,
): { program: Program; choose: Choose } {
  const random = new Random(number);
  const { fewest, most } = REQUESTS;
  const drawn = fewest + random.below(most - fewest + 1);
  // Where somebody logs out little can be lost any more: half of all programs do without.
  const isLasting = random.chance(50);
  const kinds = REQUEST_KINDS.filter((kind) => !(isLasting && (kind.destroys || kind.destroysAll)));
  const plans = Array.from({ length: requests ?? drawn }, (): Plan => ({
    kind: random.pick(kinds),
    isEarly: random.chance(70),
  }));
  const isSignedIn = endsAll(plans) && random.chance(70);
  const program = { plans, isSignedIn, isTouchDue: random.chance(75) };
  // Requests that go on for a while make other races than those that take turns.
  const persistence = random.pick([0, 50, 85]);
  let last = -1;
  const choose: Choose = (ready) => {
    if (!ready.includes(last) || !random.chance(persistence)) last = random.pick(ready);
    return last;
  };
  return { program, choose };
}

/** Whether one of the requests ends all sessions of a subject. */
export function endsAll(plans: readonly Plan[]): boolean {
  return plans.some(({ kind }) => kind.destroysAll);
}

/** A schedule that is written down; when it is used up, the requests finish one after the other. */
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
