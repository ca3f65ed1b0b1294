/**
 * Splits a value that is too long for one cookie, and puts its chunks together again.
 *
 * The cookie of the State's name has the first chunk: `COUNT.WRITE.DATA`. The next ones have names
 * that end with `.1`, `.2` and so on, and contain `WRITE.DATA`. WRITE is random and the same in all
 * chunks of one value, so that chunks of two values are never combined. A value that fits into one
 * cookie is not changed.
 */
import { MAX_CANDIDATES, MAX_COOKIE_BYTES } from "../base/limits.ts";
import { newToken, TOKEN_DIGITS } from "../base/token.ts";

/** The most chunks of a value. */
export const MAX_CHUNKS = 9;
/** Characters before the data of a chunk: of the first one, which has two more. */
const HEAD = TOKEN_DIGITS + 3;
const FIRST = new RegExp(`^([2-${MAX_CHUNKS}])\\.([0-9a-f]{${TOKEN_DIGITS}}\\.)(.*)$`);

/** The name of a chunk. */
export function chunkName(name: string, at: number): string {
  return at === 0 ? name : `${name}.${at}`;
}

/** The most characters of a value that these chunks hold in so many bytes of names and values. */
export function capacityOf(name: string, chunks: number, maxBytes: number): number {
  if (chunks === 1) return MAX_COOKIE_BYTES - name.length;
  const overhead = chunkName(name, 1).length + HEAD;
  const spread = Math.min(maxBytes, chunks * MAX_COOKIE_BYTES) - chunks * overhead;
  // A value that fits into one cookie is not spread.
  return Math.max(spread, MAX_COOKIE_BYTES - name.length);
}

/** The values of the cookies that hold a value. */
export function split(name: string, value: string): string[] {
  if (name.length + value.length <= MAX_COOKIE_BYTES) return [value];
  const size = MAX_COOKIE_BYTES - chunkName(name, 1).length - HEAD;
  const count = Math.ceil(value.length / size);
  const write = newToken();
  return Array.from({ length: count }, (_, at) => {
    const data = value.slice(at * size, (at + 1) * size);
    return `${at === 0 ? `${count}.` : ""}${write}.${data}`;
  });
}

/**
 * The values in the cookies of a request. If somebody has added cookies, there may be several
 * assemblies of one value: at most one more than may be tried.
 *
 * @param firsts The values of the cookie that has the first chunk.
 * @param chunksAt Returns the values of the cookies that have another chunk.
 */
export function assemble(
  firsts: readonly string[],
  chunksAt: (at: number) => readonly string[],
): string[] {
  return firsts.flatMap((first) => {
    const [, count, write, start] = FIRST.exec(first) ?? [];
    if (write === undefined) return [first];
    let found = [start!];
    for (let at = 1; at < Number(count); at++) {
      const next = new Set(chunksAt(at).filter((one) => one.startsWith(write)));
      found = found.flatMap((text) => [...next].map((one) => text + one.slice(write.length)))
        .slice(0, MAX_CANDIDATES + 1);
    }
    // Without one of its chunks, it stands for a session that nobody knows.
    return found.length === 0 ? [first] : found;
  });
}
