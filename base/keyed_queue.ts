/** Turns: those who would only get in each other's way go one after the other. */
export class Turns {
  readonly #last = new Map<string, Promise<void>>();
  readonly #patienceMs: number;

  /** @param patience Seconds after which one goes on though the one before has not come back. */
  constructor(patience: number) {
    this.#patienceMs = patience * 1000;
  }

  /** Does `work` when all who came before with the same key are done. */
  async take<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key);
    let finish = () => {};
    const mine = new Promise<void>((resolve) => finish = resolve);
    this.#last.set(key, mine);
    try {
      if (before !== undefined) await this.#wait(before);
      return await work();
    } finally {
      finish();
      if (this.#last.get(key) === mine) this.#last.delete(key);
    }
  }

  /** Not for ever: work that waits for a turn of its own key would never be done. */
  async #wait(before: Promise<void>): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const enough = new Promise<void>((resolve) => timer = setTimeout(resolve, this.#patienceMs));
    await Promise.race([before, enough]);
    clearTimeout(timer);
  }
}
