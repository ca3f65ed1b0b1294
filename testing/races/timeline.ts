/** The steps of a race, and the time that passes with them. */

/** Something that happened in a race. */
export interface Step {
  /** The letter of the request. */
  me: string;
  /** The event in words. */
  what: string;
  /** The ID, key or cookie value that it was about. */
  id: string | undefined;
  /** Seconds since the start of the race. */
  seconds: number;
}

/**
 * Each step takes a second, so that uses of a session have different times. After this many steps
 * the clock stands still, because requests do not take minutes by themselves.
 */
const MAX_TICKS = 50;

/** Counts the steps. The time follows from them alone, so that a race can be replayed. */
export class Timeline {
  readonly steps: Step[] = [];
  readonly #startedAt = Math.floor(Date.now() / 1000);
  #skipped = 0;

  /** Seconds since the start of the race. */
  get seconds(): number {
    return Math.min(this.steps.length, MAX_TICKS) + this.#skipped;
  }

  /** Unix milliseconds, on a clock that is ahead by `skew` seconds. */
  now(skew = 0): number {
    return (this.#startedAt + this.seconds + skew) * 1000;
  }

  /** Seconds since the start of the race at this time, in Unix seconds. */
  since(unixSeconds: number): number {
    return unixSeconds - this.#startedAt;
  }

  /** Lets time pass in which nothing happens. */
  skip(seconds: number): void {
    this.#skipped += seconds;
  }

  /** Records a step; returns its number. */
  note(me: string, what: string, id?: string): number {
    return this.steps.push({ me, what, id, seconds: this.seconds });
  }
}
