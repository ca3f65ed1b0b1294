/** Derives a race from a number: its requests, and the order in which they proceed. */
import { Random } from "./random.ts";
import { REQUEST_KINDS, type RequestKind } from "./requests.ts";

/**
 * A call that reaches the store twice, because a client that reconnects sends it again:
 *
 * - `first answer lost`: the request gets the answer to the second one, and other requests may take
 *   steps between the two.
 * - `late copy`: the request gets the answer to the first one, and the second one arrives at any time
 *   after it.
 */
export interface Resend {
  /** The number of the call among those of the request that write, from 0. */
  call: number;
  how: "first answer lost" | "late copy";
}

/** One request of a program. */
export interface Plan {
  kind: RequestKind;
  /**
   * True if the browser sends the request before anything else happens. Otherwise the browser sends
   * it at its first step, with the cookie that it has by then.
   */
  isEarly: boolean;
  /** Whether the browser opens a page with it. */
  isNavigation?: boolean;
  /** Whether its response never arrives. */
  isLost?: boolean;
  /** Seconds by which the clock of its server is ahead. */
  skew?: number;
  /** The call that reaches the store twice. Without effect if the store has no versions. */
  resend?: Resend;
}

/** The requests of one browser, and the session that they start from. */
export interface Program {
  plans: readonly Plan[];
  /** Whether the session already belongs to the subject that `destroyAll()` is called for. */
  isSignedIn: boolean;
  /** Whether a request that only reads has to update the last-access time. */
  isTouchDue: boolean;
  /** Whether such a request does not send the cookie again. */
  isCookieKept?: boolean;
  /** Whether navigations rotate the ID. */
  isRotating?: boolean;
  /** Whether the sessions are examined only when every grace is over. */
  isExaminedLate?: boolean;
  /**
   * Whether the store has no room for the marker of an ended session, so that the session is
   * deleted. A call that arrives twice can then do harm.
   */
  isFull?: boolean;
  /** Whether the index of the subject that `destroyAll()` is called for has shards. */
  hasShards?: boolean;
}

/**
 * Chooses whose step comes next. `ready` has the indexes of the requests that can take one; the late
 * copy of a request's call has the index of the request plus {@linkcode COPY}.
 */
export type Choose = (ready: readonly number[]) => number;

/** Distinguishes the late copies of calls from the requests, in the order of a race. */
export const COPY = 100;

/** The fewest and the most requests of a race. */
export const REQUESTS = { fewest: 2, most: 6 };

/** Clocks of two servers differ by two minutes at most. */
const SKEWS = [0, 0, 0, 55, -55];

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
  const kinds = isLasting ? REQUEST_KINDS.filter((kind) => !ends(kind)) : REQUEST_KINDS;
  const isFull = random.chance(20);
  const plans = Array.from({ length: requests ?? drawn }, (): Plan => ({
    kind: random.pick(kinds),
    isEarly: random.chance(70),
    isNavigation: random.chance(30),
    isLost: random.chance(10),
    skew: random.pick(SKEWS),
    resend: random.chance(25) && !isFull ? drawResend(random) : undefined,
  }));
  const isSignedIn = endsAll(plans) ? random.chance(70) : random.chance(20);
  const program: Program = {
    plans,
    isSignedIn,
    isTouchDue: random.chance(75),
    isCookieKept: random.chance(50),
    isRotating: random.chance(20),
    isExaminedLate: random.chance(50),
    isFull,
    hasShards: endsAll(plans) && number % 2 === 0,
  };
  return { program, choose: randomOrder(random) };
}

function drawResend(random: Random): Resend {
  const how = random.chance(50) ? "first answer lost" : "late copy";
  return { call: random.pick([0, 0, 1, 2]), how };
}

function randomOrder(random: Random): Choose {
  // Requests that take many steps in a row lead to other races than requests that alternate.
  const persistence = random.pick([0, 50, 85]);
  const areCopiesLast = random.chance(50);
  let last = -1;
  return (ready) => {
    const requests = areCopiesLast ? ready.filter((at) => at < COPY) : [];
    const open = requests.length > 0 ? requests : ready;
    if (!open.includes(last) || !random.chance(persistence)) last = random.pick(open);
    return last;
  };
}

function ends({ destroys, destroysAll, restarts }: RequestKind): boolean {
  return Boolean(destroys || destroysAll || restarts);
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
