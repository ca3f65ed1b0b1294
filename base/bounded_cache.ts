/** What was computed for a text that a client presents, kept for the next time. */

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Values by what was presented: the last ones of a number, and at most twice as many. So many go at a
 * time, since to find the oldest of a Map takes engines up to 5 µs.
 */
export class RecentValues<Value> {
  readonly #count: number;
  #newer = new Map<string, Value>();
  #older = new Map<string, Value>();

  constructor(count: number) {
    this.#count = count;
  }

  get(presented: string): Value | undefined {
    return this.#newer.get(presented) ?? this.#older.get(presented);
  }

  /** For what was cut out of a header, which would keep all of the header in memory. */
  setCopied(presented: string, value: Value): void {
    this.set(decoder.decode(encoder.encode(presented)), value);
  }

  set(text: string, value: Value): void {
    if (this.#newer.size >= this.#count) {
      this.#older = this.#newer;
      this.#newer = new Map();
    }
    this.#newer.set(text, value);
  }

  delete(text: string): void {
    this.#newer.delete(text);
    this.#older.delete(text);
  }
}
