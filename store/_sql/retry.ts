/**
 * Statements that the database has undone because of others at the same time: deadlocks, and
 * transactions that cannot be put in an order. Such a statement is known to have done nothing, so it
 * is made again; any other failure is the caller's.
 */

/** How often a statement is made: of those that meet, one gets through each time. */
const MAX_ATTEMPTS = 50;

/** What `run` resolves to, again as long as it fails with what `isUndone` knows. */
export async function retrying<T>(
  run: () => PromiseLike<T>,
  isUndone: (error: unknown) => boolean,
): Promise<T> {
  for (let attempt = 1;; attempt++) {
    try {
      return await run();
    } catch (error) {
      if (attempt === MAX_ATTEMPTS || !isUndone(error)) throw error;
    }
  }
}

/** Whether one of an error's properties `names` is one of `codes`. */
export function hasCode(
  error: unknown,
  names: readonly string[],
  codes: readonly (string | number)[],
): boolean {
  if (typeof error !== "object" || error === null) return false;
  return names.some((name) =>
    codes.includes((error as Record<string, unknown>)[name] as string | number)
  );
}
