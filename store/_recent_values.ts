/** What was computed for a text that a client presents, kept for the next time. */

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Values by what was presented: at least the last half of a limited number, at most all of it. They go
 * half by half, since to find the oldest of a Map takes engines up to 5 µs.
 */
export class RecentValues<Value> {
  readonly #half: number;
  #newer = new Map<string, Value>();
  #older = new Map<string, Value>();

  constructor(limit: number) {
    this.#half = limit / 2;
  }

  get(presented: string): Value | undefined {
    return this.#newer.get(presented) ?? this.#older.get(presented);
  }

  /** For what was cut out of a header, which would keep all of the header in memory. */
  setCopied(presented: string, value: Value): void {
    this.set(decoder.decode(encoder.encode(presented)), value);
  }

  set(text: string, value: Value): void {
    if (this.#newer.size >= this.#half) {
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
