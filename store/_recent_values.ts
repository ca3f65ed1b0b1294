/** What was computed for a text that a client presents, kept for the next time. */

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Values by what was presented, a limited number: the oldest goes first. */
export class RecentValues<Value> {
  readonly #values = new Map<string, Value>();
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get(presented: string): Value | undefined {
    return this.#values.get(presented);
  }

  /** For what was cut out of a header, which would keep all of the header in memory. */
  setCopied(presented: string, value: Value): void {
    this.set(decoder.decode(encoder.encode(presented)), value);
  }

  set(text: string, value: Value): void {
    this.#values.set(text, value);
    if (this.#values.size <= this.#limit) return;
    for (const oldest of this.#values.keys()) {
      this.#values.delete(oldest);
      return;
    }
  }

  delete(presented: string): void {
    this.#values.delete(presented);
  }
}
