/** What was computed for an id, kept for its next call. */

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Values by id, a limited number: the oldest goes first. */
export class IdCache<Value> {
  readonly #values = new Map<string, Value>();
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get(id: string): Value | undefined {
    return this.#values.get(id);
  }

  set(id: string, value: Value): void {
    // A copy: an id cut out of a Cookie header would keep all of the header in memory.
    this.#values.set(decoder.decode(encoder.encode(id)), value);
    if (this.#values.size <= this.#limit) return;
    for (const oldest of this.#values.keys()) {
      this.#values.delete(oldest);
      return;
    }
  }

  delete(id: string): void {
    this.#values.delete(id);
  }
}
