/** A campaign runs many cases that all derive from one number, the seed, so that it can be repeated. */

/** Checks one property of the library on many generated cases. */
export interface Campaign {
  /** The name on the command line. */
  readonly name: string;
  /** The number of cases in the long run and in the brief run of CI; 0 leaves the campaign out. */
  readonly counts: { readonly long: number; readonly brief: number };
  /**
   * Tries `count` cases derived from `seed`. Resolves to a summary; rejects with the first case that
   * fails.
   */
  run(count: number, seed: number): string | Promise<string>;
}

/** The error for a case that failed, with everything that is needed to reproduce it. */
export function failure(what: string, details: Record<string, unknown>): Error {
  const lines = Object.entries(details).map(([name, value]) => `  ${name}: ${Deno.inspect(value)}`);
  return new Error([what, ...lines].join("\n"));
}
