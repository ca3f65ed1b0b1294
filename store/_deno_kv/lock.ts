/**
 * Deno KV in a file that several processes share. While one of them writes, the file is locked for
 * the others' writes, and KV does not wait: it throws. The write has not been made then, so it is
 * made again, a little later.
 */

/** How long a write is tried. */
const PATIENCE_MS = 5000;
/** Two processes under full load meet in about every second write, and each lasts a millisecond. */
const MAX_DELAY_MS = 8;

/** What `write` resolves to, as soon as no other process writes; not longer than the caller waits. */
export async function whenUnlocked<T>(
  write: () => Promise<T>,
  options: { signal?: AbortSignal },
): Promise<T> {
  let deadline: number | undefined;
  for (let attempt = 1;; attempt++) {
    try {
      return await write();
    } catch (error) {
      deadline ??= performance.now() + PATIENCE_MS;
      const isLate = performance.now() > deadline || options.signal?.aborted;
      if (isLate || !isLocked(error)) throw error;
      // Each waits for another while, so that they do not meet again.
      const delay = Math.random() * Math.min(2 ** attempt, MAX_DELAY_MS);
      await new Promise((resolve) => setTimeout(resolve, delay));
    }
  }
}

/** KV tells it by its message alone, which is SQLite's. */
function isLocked(error: unknown): boolean {
  return error instanceof Error && error.message === "database is locked";
}
