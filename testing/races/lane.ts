/**
 * Lets the simulator decide the order in which concurrent requests proceed. A request waits before
 * each of its steps, such as a store call or a moment in its handler, until the simulator lets it
 * go on.
 */
import type { Awaitable } from "../../store/store.ts";

/**
 * Microtasks after which a request without a waiting step must be waiting for real input or output.
 */
const MICROTASKS = 64;

/** The steps of one request. */
export class Lane {
  readonly #waiting: (() => Promise<void>)[] = [];
  #isDone = false;
  #wake = () => {};

  /** Whether a step is waiting. */
  get isReady(): boolean {
    return this.#waiting.length > 0;
  }

  /** Waits until the simulator allows the next step, then runs `act`. */
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

  /** Starts `work`, which must not reject. Resolves when its first step waits or it is done. */
  async start(work: () => Promise<void>): Promise<void> {
    work().then(() => {
      this.#isDone = true;
      this.#wake();
    });
    await this.#rest(false);
  }

  /** Lets `act` wait for its step, although no request waits for it. */
  append(act: () => Awaitable<unknown>): void {
    this.#isDone = true;
    this.turn(act).catch(() => {});
  }

  /** Runs the waiting step. Resolves when the next step waits or the request is done. */
  async step(): Promise<void> {
    const wasDone = this.#isDone;
    await this.#waiting.shift()!();
    await this.#rest(wasDone);
  }

  async #rest(wasDone: boolean): Promise<void> {
    for (let count = 0; count < MICROTASKS; count++) {
      // A finished request may have left calls running. They start within these microtasks or
      // never.
      if (this.isReady || (this.#isDone && !wasDone)) return;
      await undefined;
    }
    // It may have become ready in the last of them, and would not wake this again.
    if (this.isReady || this.#isDone) return;
    await new Promise<void>((resolve) => this.#wake = resolve);
  }
}
