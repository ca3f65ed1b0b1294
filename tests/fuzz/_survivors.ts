/** Mutations that no test can see, and why. */
export interface Survivor {
  file: string;
  /** The line that is mutated, without its indentation. */
  line: string;
  /** What is done to it. */
  mutation: string;
  why: string;
}

export const SURVIVORS: readonly Survivor[] = [];
