/** A queue for each key: work that would only conflict with itself runs one after the other. */
export class KeyedQueue {
  readonly #tails = new Map<string, Promise<void>>();
  readonly #maxWaitMs: number;

  /** @param maxWait Seconds after which work starts even if the work before it has not ended. */
  constructor(maxWait: number) {
    this.#maxWaitMs = maxWait * 1000;
  }

  /** Runs `work` when all earlier work with the same key has ended. */
  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const previous = this.#tails.get(key);
    let finish = () => {};
    const tail = new Promise<void>((resolve) => finish = resolve);
    this.#tails.set(key, tail);
    try {
      if (previous !== undefined) await this.#wait(previous);
      return await work();
    } finally {
      finish();
      if (this.#tails.get(key) === tail) this.#tails.delete(key);
    }
  }

  /** Limited in time: work that waits for other work of its own key would never end. */
  async #wait(previous: Promise<void>): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const timeout = new Promise<void>((resolve) => timer = setTimeout(resolve, this.#maxWaitMs));
    await Promise.race([previous, timeout]);
    clearTimeout(timer);
  }
}
