/**
 * A request under the simulator's control. It stops at each of its points, a store call or a moment
 * in its handler, and goes on when it is told to: so the order of everything is the simulator's.
 */
import type { Awaitable } from "../../store/store.ts";

/** Microtasks after which a request that has not come to a point must be waiting for something real. */
const MICROTASKS = 64;

/** One request's way through its points. */
export class Lane {
  readonly #waiting: (() => Promise<void>)[] = [];
  #isDone = false;
  #wake = () => {};

  /** Whether it stands at a point. */
  get isReady(): boolean {
    return this.#waiting.length > 0;
  }

  /** A point: waits for its turn, then does `act`. */
  turn<T>(act: () => Awaitable<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#waiting.push(async () => {
        try {
          resolve(await act());
        } catch (error) {
          reject(error);
        }
      });
      this.#wake();
    });
  }

  /** Starts `work`, which must not reject; resolves when it stands at its first point or is done. */
  async start(work: () => Promise<void>): Promise<void> {
    work().then(() => {
      this.#isDone = true;
      this.#wake();
    });
    await this.#rest(false);
  }

  /** Takes one step: resolves when it stands at the next point or is done. */
  async step(): Promise<void> {
    const wasDone = this.#isDone;
    await this.#waiting.shift()!();
    await this.#rest(wasDone);
  }

  async #rest(wasDone: boolean): Promise<void> {
    for (let count = 0; count < MICROTASKS; count++) {
      // What a finished request left running comes to its points within these turns, or never.
      if (this.isReady || (this.#isDone && !wasDone)) return;
      await undefined;
    }
    if (!this.#isDone) await new Promise<void>((resolve) => this.#wake = resolve);
  }
}
