/** A queue of records by expiry. Adding and removing a record takes constant time. */

const SECOND_MS = 1000;

/** A value that expires. Its other properties belong to the queue. */
export interface Expiring<T> {
  /** When the value expires, in milliseconds. */
  expiresAt: number;
  /**
   * Its bucket: the second in which `expiresAt` was when the value was queued, or an earlier one.
   */
  bucket: number;
  /** Its neighbours in the bucket. */
  previous: T | undefined;
  next: T | undefined;
}

/**
 * A timing wheel with one bucket for each second in which values expire. A bucket is a linked list
 * through the values themselves. It is due when its second has passed, so up to a second after its
 * values expired.
 *
 * If a value gets more time, it may stay in its bucket: the caller moves it when the bucket is due.
 * Binary heaps and Maps of Sets are slower with many values, and Sets take more memory.
 */
export class ExpiryQueue<T extends Expiring<T>> {
  /** The first value of each bucket. There are no empty buckets. */
  readonly #buckets = new Map<number, T>();
  /** No bucket is lower than this one. */
  #lowest = Infinity;
  #size = 0;

  /** The number of values. */
  get size(): number {
    return this.#size;
  }

  /** Adds a value that is not in the queue. */
  add(record: T): void {
    // NaN counts as expired.
    const bucket = Math.ceil(record.expiresAt / SECOND_MS) || 0;
    const first = this.#buckets.get(bucket);
    record.bucket = bucket;
    record.next = first;
    if (first !== undefined) first.previous = record;
    else if (bucket < this.#lowest) this.#lowest = bucket;
    this.#buckets.set(bucket, record);
    this.#size++;
  }

  /** Removes a value that is in the queue. */
  remove(record: T): void {
    const { bucket, previous, next } = record;
    if (next !== undefined) next.previous = previous;
    if (previous !== undefined) previous.next = next;
    else if (next !== undefined) this.#buckets.set(bucket, next);
    else this.#buckets.delete(bucket);
    record.previous = record.next = undefined;
    this.#size--;
  }

  /**
   * Moves a value to the bucket of its new expiry. Needed immediately if the value got less time.
   */
  move(record: T): void {
    this.remove(record);
    this.add(record);
  }

  /** A value of the first bucket that is due, without removing it; `undefined` if none is due. */
  findDue(now: number): T | undefined {
    for (let steps = 0; this.#lowest * SECOND_MS < now; steps++) {
      const first = this.#buckets.get(this.#lowest);
      if (first !== undefined) return first;
      // Second by second, unless the clock jumped so far that comparing all buckets is faster.
      this.#lowest = steps < this.#buckets.size ? this.#lowest + 1 : this.#findLowest();
    }
    return undefined;
  }

  /** Removes all values. */
  clear(): void {
    this.#buckets.clear();
    this.#size = 0;
  }

  #findLowest(): number {
    let lowest = Infinity;
    for (const bucket of this.#buckets.keys()) lowest = Math.min(lowest, bucket);
    return lowest;
  }
}
