/** A cache that forgets the oldest entries, for what was computed from a text that clients send. */

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Keeps at least the last `capacity` entries and at most twice as many. It drops a whole generation
 * of entries at a time, because engines are slow at finding the oldest entry of a large Map.
 */
export class BoundedCache<Value> {
  readonly #capacity: number;
  #newer = new Map<string, Value>();
  #older = new Map<string, Value>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get(key: string): Value | undefined {
    return this.#newer.get(key) ?? this.#older.get(key);
  }

  set(key: string, value: Value): void {
    if (this.#newer.size >= this.#capacity) {
      this.#older = this.#newer;
      this.#newer = new Map();
    }
    this.#newer.set(key, value);
  }

  /** Stores a copy of the key: a slice of a header would keep the whole header in memory. */
  setCopied(key: string, value: Value): void {
    this.set(decoder.decode(encoder.encode(key)), value);
  }

  delete(key: string): void {
    this.#newer.delete(key);
    this.#older.delete(key);
  }
}
