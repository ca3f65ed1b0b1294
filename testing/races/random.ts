/** Random numbers that are the same on every machine, so that a race can be replayed. */

/** Numbers derived from a seed (mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    // Seeds are consecutive numbers, so they are spread out, including the bits above the 32nd.
    this.#state = Math.imul(seed % 2 ** 32, 0x9e3779b1) ^ Math.floor(seed / 2 ** 32);
  }

  /** An integer from 0 to `limit - 1`. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor(((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32 * limit);
  }

  /** True with a probability of `percent` percent. */
  chance(percent: number): boolean {
    return this.below(100) < percent;
  }

  /** One of `items`. */
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }
}
