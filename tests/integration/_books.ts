/** What the servers have acknowledged, so that it can be held against what they have kept. */

/** A session from its start to its end, whatever ids it has meanwhile. */
export class Life {
  /** Its own name, which the app keeps in it. */
  readonly name: string = crypto.randomUUID();
  /** The cookies that it was sent under; the last one is its own, the others were replaced. */
  readonly cookies = new Set<string>();
  /** The keys of the notes that were acknowledged. */
  readonly notes = new Set<string>();
  /** How often counting it up was acknowledged. */
  counted = 0;
  /** How many more times it may have been counted up: nobody answered. */
  uncertain = 0;
  /** Whether its end was acknowledged. */
  isEnded = false;
  /** Whether it may have ended, or changed its id, without an answer. */
  isLost = false;
}

/** What is wrong, counted. */
export interface Balance {
  /** Lives that were looked at. */
  lives: number;
  /** Acknowledged counts. */
  counted: number;
  /** Acknowledged signings-in and -out. */
  signedIn: number;
  signedOut: number;
  /** Answers with 409; with 503 because too many wrote at once; with 503 because the store failed. */
  refused: number;
  busy: number;
  unavailable: number;
  /** Requests without an answer. */
  unanswered: number;
  /** Acknowledged counts or notes that are not there. */
  lost: number;
  /** Counts that are there and were refused. */
  extra: number;
  /** Sessions that were there after their acknowledged end. */
  resurrected: number;
  /** Sessions that nobody ended and no cookie opens. */
  dead: number;
  /** Sessions that more than one cookie opens. */
  doubled: number;
  /** What no case expects. */
  strange: Set<string>;
}

/** A balance of nothing. */
export function blank(): Balance {
  const counts = { lives: 0, counted: 0, signedIn: 0, signedOut: 0 };
  const answers = { refused: 0, busy: 0, unavailable: 0, unanswered: 0 };
  const wrongs = { lost: 0, extra: 0, resurrected: 0, dead: 0, doubled: 0 };
  return { ...counts, ...answers, ...wrongs, strange: new Set() };
}

/** Throws unless nothing is wrong. */
export function demandBalanced(balance: Balance): void {
  const { lost, extra, resurrected, dead, doubled, strange } = balance;
  if (lost + extra + resurrected + dead + doubled + strange.size === 0) return;
  throw new Error(`The books are not balanced: ${format(balance)}; ${[...strange].join("; ")}`);
}

/** A balance on one line. */
export function format({ strange, ...counts }: Balance): string {
  const parts = Object.entries(counts).map(([name, count]) => `${count} ${name}`);
  return `${parts.join(", ")}, ${strange.size} strange`;
}

/** What a session was found to hold. */
export interface Found {
  n: number;
  notes: string[];
}

/** Holds one life against what its cookies open; the cookies that open nothing are left out. */
export function settle(life: Life, opened: Found[], balance: Balance): void {
  balance.lives++;
  balance.counted += life.counted;
  if (life.isEnded) {
    if (opened.length > 0) balance.resurrected++;
    return;
  }
  if (opened.length > 1) balance.doubled++;
  const [found] = opened;
  if (found === undefined) {
    if (!life.isLost) balance.dead++;
    return;
  }
  balance.lost += Math.max(0, life.counted - found.n);
  balance.extra += Math.max(0, found.n - life.counted - life.uncertain);
  const notes = new Set(found.notes);
  for (const note of life.notes) if (!notes.has(note)) balance.lost++;
}
