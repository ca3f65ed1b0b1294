/** Work on many items, a few of them at the same time. */

/** How many calls of a store run at the same time on behalf of one caller. */
const CONCURRENT = 16;

/**
 * Calls `work` for each item, at most 16 at the same time. Resolves to the results in the order of
 * the items. Rejects when one call rejects; items that have not begun by then are left out.
 */
export async function mapConcurrently<T, Result>(
  items: readonly T[],
  work: (item: T) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  let next = 0;
  const workUntilDone = async () => {
    while (next < items.length) {
      const at = next++;
      try {
        results[at] = await work(items[at]!);
      } catch (error) {
        next = items.length;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: CONCURRENT }, workUntilDone));
  return results;
}
