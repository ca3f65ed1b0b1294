/** Jobs that would only conflict with each other, carried out in batches, one batch after another. */

/** A job in a batch. The function that carries the batch out settles it. */
export interface Job {
  /** Settles the job with an error. */
  reject(error: unknown): void;
}

/** Carries out jobs. All jobs that come for a key in the meantime form the next batch. */
export class KeyedBatches<Item extends Job, Left> {
  /** The jobs that wait, for each key with a batch that is being carried out. */
  readonly #waiting = new Map<string, Item[]>();
  readonly #maxJobs: number;
  readonly #carryOut: (jobs: Item[], left: Left | undefined) => Promise<Left | undefined>;

  /**
   * @param maxJobs The most jobs in one batch.
   * @param carryOut Carries out a batch and settles its jobs. It gets what the batch before it
   * resolved to. It must end: jobs wait for it without a time limit. If it rejects, its jobs and
   * those that wait are rejected with the same error.
   */
  constructor(
    maxJobs: number,
    carryOut: (jobs: Item[], left: Left | undefined) => Promise<Left | undefined>,
  ) {
    this.#maxJobs = maxJobs;
    this.#carryOut = carryOut;
  }

  /** Whether a batch is being carried out for the key. */
  isBusy(key: string): boolean {
    return this.#waiting.has(key);
  }

  /** Adds a job. If nothing is carried out for the key, it starts now. */
  add(key: string, job: Item): void {
    const waiting = this.#waiting.get(key);
    if (waiting === undefined) this.#run(key, job);
    else waiting.push(job);
  }

  async #run(key: string, first: Item): Promise<void> {
    const waiting: Item[] = [];
    this.#waiting.set(key, waiting);
    let jobs = [first];
    let left: Left | undefined;
    try {
      while (jobs.length > 0) {
        left = await this.#carryOut(jobs, left);
        jobs = waiting.splice(0, this.#maxJobs);
      }
      this.#waiting.delete(key);
    } catch (error) {
      // First, so that a job that is added again does not wait.
      this.#waiting.delete(key);
      for (const job of [...jobs, ...waiting]) job.reject(error);
    }
  }
}
