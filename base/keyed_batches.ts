/** Jobs that would only conflict with each other, carried out in batches, one batch after another. */

/** A job in a batch. The function that carries the batch out settles it. */
export interface Job {
  /** Settles the job with an error. */
  reject(error: unknown): void;
}

/** The batches of one key. */
interface Lane<Item, Left> {
  readonly waiting: Entry<Item, Left>[];
  /** How many batches are done. */
  done: number;
}

/** A job that waits. */
interface Entry<Item, Left> {
  readonly job: Item;
  /** Lets it carry out the next batch; called without an argument when the job is settled. */
  wake(next?: { left: Left | undefined }): void;
}

/**
 * Carries out jobs. All jobs that come for a key in the meantime form the next batch. The first of
 * them carries it out: on some runtimes, the calls of a request are canceled at its end.
 */
export class KeyedBatches<Item extends Job, Left> {
  readonly #lanes = new Map<string, Lane<Item, Left>>();
  readonly #maxJobs: number;
  readonly #maxMs: number;
  readonly #carryOut: (jobs: Item[], left: Left | undefined) => Promise<Left | undefined>;

  /**
   * @param maxJobs The most jobs in one batch.
   * @param maxMs Milliseconds after which a batch counts as lost, because its request was canceled.
   * Its jobs are then carried out again.
   * @param carryOut Carries out a batch and settles its jobs. It gets what the batch before it
   * resolved to. If it rejects, its jobs and those that wait are rejected with the same error.
   */
  constructor(
    maxJobs: number,
    maxMs: number,
    carryOut: (jobs: Item[], left: Left | undefined) => Promise<Left | undefined>,
  ) {
    this.#maxJobs = maxJobs;
    this.#maxMs = maxMs;
    this.#carryOut = carryOut;
  }

  /** Whether a batch is being carried out for the key. */
  isBusy(key: string): boolean {
    return this.#lanes.has(key);
  }

  /** Adds a job. If nothing is carried out for the key, it starts now. */
  add(key: string, job: Item): void {
    const lane = this.#lanes.get(key);
    if (lane !== undefined) this.#wait(key, lane, job);
    else {
      const first = { waiting: [], done: 0 };
      this.#lanes.set(key, first);
      this.#lead(key, first, job, undefined);
    }
  }

  async #wait(key: string, lane: Lane<Item, Left>, job: Item): Promise<void> {
    let entry!: Entry<Item, Left>;
    const woken = new Promise<{ left: Left | undefined } | undefined>((resolve) => {
      entry = { job, wake: resolve };
    });
    lane.waiting.push(entry);
    let done: number;
    do {
      done = lane.done;
      let timer: ReturnType<typeof setTimeout> | undefined;
      // The timer also shows workerd that the request has not come to a standstill.
      const late = new Promise<"late">((resolve) => {
        timer = setTimeout(() => resolve("late"), this.#maxMs);
      });
      const next = await Promise.race([woken, late]);
      clearTimeout(timer);
      if (next === undefined) return;
      if (next !== "late") return await this.#lead(key, lane, job, next.left);
    } while (lane.done !== done);
    this.#close(key, lane);
    const at = lane.waiting.indexOf(entry);
    if (at >= 0) lane.waiting.splice(at, 1);
    this.add(key, job);
  }

  async #lead(
    key: string,
    lane: Lane<Item, Left>,
    first: Item,
    left: Left | undefined,
  ): Promise<void> {
    const others = lane.waiting.splice(0, this.#maxJobs - 1);
    try {
      const after = await this.#carryOut([first, ...others.map(({ job }) => job)], left);
      lane.done++;
      const next = lane.waiting.shift();
      if (next === undefined) this.#close(key, lane);
      else next.wake({ left: after });
    } catch (error) {
      // First, so that a job that is added again does not wait.
      this.#close(key, lane);
      first.reject(error);
      others.push(...lane.waiting.splice(0));
      for (const { job } of others) job.reject(error);
    }
    for (const { wake } of others) wake();
  }

  #close(key: string, lane: Lane<Item, Left>): void {
    if (this.#lanes.get(key) === lane) this.#lanes.delete(key);
  }
}
