/** A Map that can hold a million values without long pauses. */

/**
 * How many Maps the values are spread over. A large Map pauses to move all of its entries whenever
 * it grows or shrinks. Each of these Maps moves only its own entries.
 */
export const SHARDS = 64;

/**
 * Values by ID, spread over many Maps by the last two hex digits of the ID. The server generates
 * these digits, so clients cannot direct all values to one Map. Custom IDs usually differ there,
 * too. If all of them end alike, they share one Map.
 */
export class ShardedMap<Value> {
  readonly #shards = Array.from({ length: SHARDS }, () => new Map<string, Value>());
  #size = 0;

  /** The number of values. */
  get size(): number {
    return this.#size;
  }

  has(id: string): boolean {
    return this.#shardOf(id).has(id);
  }

  get(id: string): Value | undefined {
    return this.#shardOf(id).get(id);
  }

  /** Adds a value under an ID that has none. */
  add(id: string, value: Value): void {
    this.#shardOf(id).set(id, value);
    this.#size++;
  }

  delete(id: string): void {
    if (this.#shardOf(id).delete(id)) this.#size--;
  }

  clear(): void {
    for (const shard of this.#shards) shard.clear();
    this.#size = 0;
  }

  #shardOf(id: string): Map<string, Value> {
    return this.#shards[shardIndex(id)]!;
  }
}

/**
 * The index of the Map for an ID. Random hex digits are spread evenly. Arithmetic on character
 * codes is faster than `parseInt`. `SHARDS` must be a power of two.
 */
export function shardIndex(id: string): number {
  const last = id.length - 1;
  return (digitAt(id, last - 1) * 16 + digitAt(id, last)) & (SHARDS - 1);
}

/** The value of the hex digit at an index; for any other character, some number. */
function digitAt(id: string, at: number): number {
  const unit = id.charCodeAt(at);
  return (unit & 0xf) + (unit >> 6) * 9;
}
