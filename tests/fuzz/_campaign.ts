/** What a campaign is: many cases made from one number, so that each can be made again. */

/** One property of the library, tried on cases that nobody thought of. */
export interface Campaign {
  /** What the command line calls it. */
  readonly name: string;
  /** How many cases the long run tries, and how many CI does; 0 leaves it out there. */
  readonly counts: { readonly long: number; readonly brief: number };
  /**
   * Tries `count` cases made from `seed`. Resolves to what was seen, in some words; rejects with
   * the first case that fails.
   */
  run(count: number, seed: number): string | Promise<string>;
}

/** A case that failed, with all that is needed to see it again. */
export function failure(what: string, details: Record<string, unknown>): Error {
  const lines = Object.entries(details).map(([name, value]) => `  ${name}: ${Deno.inspect(value)}`);
  return new Error([what, ...lines].join("\n"));
}
