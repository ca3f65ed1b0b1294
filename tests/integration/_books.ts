/** The requests that servers have acknowledged, to compare them with the data that is stored. */

/** A session from its start to its end, whichever IDs it has. */
export class Life {
  /** Its own name, which the app keeps in it. */
  readonly name: string = crypto.randomUUID();
  /** The cookies that it was sent under. The last one is its own; the others were replaced. */
  readonly cookies = new Set<string>();
  /** The keys of the notes that were acknowledged. */
  readonly notes = new Set<string>();
  /** How often counting it up was acknowledged. */
  counted = 0;
  /** How many more times it may have been counted up, because no response came. */
  uncertain = 0;
  /** Whether its end was acknowledged. */
  isEnded = false;
  /** Whether it may have ended, or changed its ID, without a response. */
  isLost = false;
}

/** Counts of requests and of violated promises. */
export interface Balance {
  /** Sessions that were examined. */
  lives: number;
  /** Acknowledged counts. */
  counted: number;
  /** Acknowledged signings-in and -out. */
  signedIn: number;
  signedOut: number;
  /** Responses with 409, with 503 after too many concurrent writes, and with 503 of the store. */
  refused: number;
  busy: number;
  unavailable: number;
  /** Requests without a response. */
  unanswered: number;
  /** Acknowledged counts or notes that are missing. */
  lost: number;
  /** Counts that are stored although they were refused. */
  extra: number;
  /** Sessions that a cookie opened after their acknowledged end. */
  resurrected: number;
  /** Sessions that no request ended and no cookie opens. */
  dead: number;
  /** Sessions that more than one cookie opens. */
  doubled: number;
  /** Descriptions of results that no case expects. */
  strange: Set<string>;
}

/** Returns a balance with only zeros. */
export function blank(): Balance {
  const counts = { lives: 0, counted: 0, signedIn: 0, signedOut: 0 };
  const answers = { refused: 0, busy: 0, unavailable: 0, unanswered: 0 };
  const wrongs = { lost: 0, extra: 0, resurrected: 0, dead: 0, doubled: 0 };
  return { ...counts, ...answers, ...wrongs, strange: new Set() };
}

/** Throws if a promise was violated. */
export function demandBalanced(balance: Balance): void {
  const { lost, extra, resurrected, dead, doubled, strange } = balance;
  if (lost + extra + resurrected + dead + doubled + strange.size === 0) return;
  throw new Error(`A promise was violated: ${format(balance)}; ${[...strange].join("; ")}`);
}

/** Formats a balance on one line. */
export function format({ strange, ...counts }: Balance): string {
  const parts = Object.entries(counts).map(([name, count]) => `${count} ${name}`);
  return `${parts.join(", ")}, ${strange.size} strange`;
}

/** The data of a session. */
export interface Found {
  n: number;
  notes: string[];
}

/** Compares one session with the data that its cookies open. Cookies that open none do not count. */
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
