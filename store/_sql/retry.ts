/**
 * Retries of statements that the database rolled back because they conflicted with others:
 * deadlocks and serialization failures. Such a statement certainly had no effect, so it can be
 * repeated. Every other failure is passed to the caller.
 */

/** How often a statement is run at most. Of those in conflict, one succeeds each time. */
const MAX_LOCK_RETRIES = 50;

/** The result of `run`, which is called again while it fails with an error that `isRetryable`. */
export async function retrying<T>(
  run: () => PromiseLike<T>,
  isRetryable: (error: unknown) => boolean,
): Promise<T> {
  for (let attempt = 1;; attempt++) {
    try {
      return await run();
    } catch (error) {
      if (attempt === MAX_LOCK_RETRIES || !isRetryable(error)) throw error;
    }
  }
}

/** Whether an error has one of `codes` in one of the properties `names`. */
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
