/** A binary heap of records by the time at which they expire: the next to go is always on top. */

/** Something that expires. */
export interface Expiring {
  /** When, in Unix milliseconds. */
  expiresAt: number;
}

/** What was queued and the time that it had then; the record itself may have got more since. */
interface Entry<T> {
  at: number;
  record: T;
}

/** The queue. An entry whose record has been prolonged goes back in when it comes up. */
export class ExpiryQueue<T extends Expiring> {
  #heap: Entry<T>[] = [];

  /** How many entries there are, those of removed records included. */
  get size(): number {
    return this.#heap.length;
  }

  /** Queues a record. */
  add(record: T): void {
    this.#siftUp(this.#heap.length, { at: record.expiresAt, record });
  }

  /** Takes out one entry that is due; undefined when none is. */
  takeDue(now: number): T | undefined {
    const top = this.#heap[0];
    if (top === undefined || top.at >= now) return undefined;
    const last = this.#heap.pop()!;
    if (last !== top) this.#siftDown(last);
    return top.record;
  }

  /** Starts over with these records alone. */
  rebuild(records: Iterable<T>): void {
    this.#heap = Array.from(records, (record) => ({ at: record.expiresAt, record }))
      .sort((a, b) => a.at - b.at);
  }

  /** Puts `entry` in from the bottom: its parents go down until it is in order. */
  #siftUp(at: number, entry: Entry<T>): void {
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = this.#heap[parent]!;
      if (above.at <= entry.at) break;
      this.#heap[at] = above;
      at = parent;
    }
    this.#heap[at] = entry;
  }

  /** Puts `entry` in from the top: the earlier of its children goes up until it is in order. */
  #siftDown(entry: Entry<T>): void {
    const heap = this.#heap;
    let at = 0;
    while (true) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1]!.at < heap[child]!.at) child++;
      if (heap[child]!.at >= entry.at) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = entry;
  }
}
