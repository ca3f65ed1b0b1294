/** A deliberate mistake in the library, which a test must find. */
import type { Guarantee } from "../../testing/store.ts";

/** One mistake, and what must find it. */
export interface Mutant {
  name: string;
  /** The code that is replaced, as a pattern of `_code_pattern.ts`, which must match one place. */
  find: string;
  /** Code that must be in the same file, as a pattern, if `find` also matches in other files. */
  beside?: string;
  /** The code with the mistake; `$name` is what the patterns have matched. */
  replace: string;
  /** The guarantee that the race simulator reports as broken, or `tests` if no race shows it. */
  by: Guarantee | "tests";
  /** The file names of the unit tests that must find it, wherever they are below `tests/`. */
  tests?: readonly string[];
}

/** A mistake that no race can show. */
export const mistake = (
  name: string,
  tests: readonly string[],
  edit: Pick<Mutant, "find" | "replace" | "beside">,
): Mutant => ({ name, by: "tests", tests, ...edit });
