/**
 * Writes to a Deno KV file that several processes share. While one process writes, the file is
 * locked, and KV throws in the others instead of waiting. Such a write has had no effect, so it can
 * be retried.
 */

/** How long a write is retried. */
const TIMEOUT_MS = 5000;
/** The longest pause between two attempts. A write takes about a millisecond. */
const MAX_DELAY_MS = 8;

/** The result of `write`, which is retried until no other process writes or the caller gives up. */
export async function retryWhileLocked<T>(
  write: () => Promise<T>,
  options: { signal?: AbortSignal },
): Promise<T> {
  let deadline: number | undefined;
  for (let attempt = 1;; attempt++) {
    try {
      return await write();
    } catch (error) {
      deadline ??= performance.now() + TIMEOUT_MS;
      const isLate = performance.now() > deadline || options.signal?.aborted;
      if (isLate || !isLocked(error)) throw error;
      // The delay is random, so that two processes do not collide again.
      const delay = Math.random() * Math.min(2 ** attempt, MAX_DELAY_MS);
      await new Promise((resolve) => setTimeout(resolve, delay));
    }
  }
}

/** Only the message, which is SQLite's, identifies this error. */
function isLocked(error: unknown): boolean {
  return error instanceof Error && error.message === "database is locked";
}
