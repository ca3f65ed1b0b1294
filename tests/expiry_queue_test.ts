import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { type Expiring, ExpiryQueue } from "../store/_expiry_queue.ts";

/** A small generator of numbers from 0 up to 1, the same for the same seed (mulberry32). */
function random(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What the queue should do, done the slow way: a sorted array of the times that were queued. */
class Oracle {
  #entries: { at: number; record: Expiring }[] = [];

  get size(): number {
    return this.#entries.length;
  }

  add(record: Expiring) {
    this.#entries.push({ at: record.expiresAt, record });
    this.#entries.sort((a, b) => a.at - b.at);
  }

  /** The time of the entry that is due first. */
  due(now: number): number | undefined {
    const first = this.#entries[0];
    return first !== undefined && first.at < now ? first.at : undefined;
  }

  /** Takes out an entry of the record at the earliest time; whether there was one. */
  take(record: Expiring): boolean {
    const earliest = this.#entries[0]?.at;
    const found = this.#entries.findIndex((entry) =>
      entry.record === record && entry.at === earliest
    );
    if (found === -1) return false;
    this.#entries.splice(found, 1);
    return true;
  }

  rebuild(records: Expiring[]) {
    this.#entries = [];
    for (const record of records) this.add(record);
  }
}

function drain(queue: ExpiryQueue<Expiring>, now = Infinity): number[] {
  const times: number[] = [];
  for (let record = queue.takeDue(now); record !== undefined; record = queue.takeDue(now)) {
    times.push(record.expiresAt);
  }
  return times;
}

Deno.test("ExpiryQueue.takeDue() finds nothing when the queue is empty", () => {
  const queue = new ExpiryQueue<Expiring>();
  assertEquals(queue.takeDue(Infinity), undefined);
  assertEquals(queue.size, 0);
});

Deno.test("ExpiryQueue.takeDue() hands out the record itself, once, and only after its time", () => {
  const queue = new ExpiryQueue<Expiring>();
  const record = { expiresAt: 10 };
  queue.add(record);
  assertEquals([queue.takeDue(9), queue.takeDue(10)], [undefined, undefined]);
  assert(queue.takeDue(10.5) === record);
  assertEquals(queue.takeDue(11), undefined);
});

Deno.test("ExpiryQueue.takeDue() goes by the time that was queued when the record's has changed", () => {
  const queue = new ExpiryQueue<Expiring>();
  const [a, b] = [{ expiresAt: 10 }, { expiresAt: 20 }];
  queue.add(a);
  queue.add(b);
  a.expiresAt = 30;
  assert(queue.takeDue(15) === a);
  queue.add(a);
  assertEquals(queue.takeDue(15), undefined);
  assert(queue.takeDue(100) === b);
  assert(queue.takeDue(100) === a);
});

for (
  const [what, times] of Object.entries({
    "rising": [1, 2, 3, 4, 5, 6, 7],
    "falling": [7, 6, 5, 4, 3, 2, 1],
    "equal": [3, 3, 3, 3],
    "mixed with equals": [5, 1, 5, 3, 1, 9, 3, 5],
  })
) {
  Deno.test(`ExpiryQueue.takeDue() hands out in order when the times are ${what}`, () => {
    const queue = new ExpiryQueue<Expiring>();
    for (const expiresAt of times) queue.add({ expiresAt });
    assertEquals(queue.size, times.length);
    assertEquals(drain(queue), times.toSorted((a, b) => a - b));
    assertEquals(queue.size, 0);
  });
}

Deno.test("ExpiryQueue.rebuild() starts over with the records that it is given", () => {
  const queue = new ExpiryQueue<Expiring>();
  for (const expiresAt of [9, 1, 5]) queue.add({ expiresAt });
  queue.rebuild(new Set([{ expiresAt: 4 }, { expiresAt: 2 }, { expiresAt: 8 }]).values());
  assertEquals(queue.size, 3);
  queue.add({ expiresAt: 3 });
  assertEquals(drain(queue, 8), [2, 3, 4]);
  queue.rebuild([]);
  assertEquals([queue.size, queue.takeDue(Infinity)], [0, undefined]);
});

for (const seed of [1, 2, 3, 4, 5]) {
  Deno.test(`ExpiryQueue does what a sorted array does, seed ${seed}`, () => {
    const next = random(seed);
    const below = (limit: number) => Math.floor(next() * limit);
    const queue = new ExpiryQueue<Expiring>();
    const oracle = new Oracle();
    const records: Expiring[] = [];
    let now = 0;
    let taken = 0;
    for (let step = 0; step < 3000; step++) {
      now += below(3);
      const dice = next();
      if (dice < 0.5) {
        // Few times, so that many are equal; some of the records are queued a second time.
        const record = dice < 0.4
          ? { expiresAt: 0 }
          : records[below(records.length)] ?? { expiresAt: 0 };
        record.expiresAt = now - 10 + below(200);
        records.push(record);
        queue.add(record);
        oracle.add(record);
      } else if (dice < 0.99) {
        const due = oracle.due(now);
        const record = queue.takeDue(now);
        assertEquals(record !== undefined, due !== undefined, `step ${step}`);
        if (record !== undefined) {
          assert(oracle.take(record), `step ${step}: not the record that is due first`);
          taken++;
        }
      } else {
        const kept = records.filter(() => next() < 0.1);
        queue.rebuild(kept);
        oracle.rebuild(kept);
      }
      assertEquals(queue.size, oracle.size);
    }
    assert(taken > 200, `only ${taken} were taken`);
    // And to the end, in order.
    for (let left = oracle.size; left > 0; left--) {
      assert(oracle.take(queue.takeDue(Infinity)!));
    }
    assertEquals(queue.takeDue(Infinity), undefined);
  });
}

Deno.test("ExpiryQueue looks at few entries when it has many", () => {
  const next = random(7);
  const size = 2 ** 12;
  let looks = 0;
  // A time that counts how often it is compared: each time it becomes a number.
  const recordAt = (time: number): Expiring => ({
    expiresAt: { valueOf: () => (looks++, time) } as unknown as number,
  });
  const queue = new ExpiryQueue<Expiring>();
  queue.rebuild(Array.from({ length: size }, () => recordAt(next())));
  const limit = 4 * Math.log2(size);
  for (const time of [-1, 0.5, 2]) {
    looks = 0;
    queue.add(recordAt(time));
    assertLessOrEqual(looks, limit);
    looks = 0;
    queue.takeDue(Infinity);
    assert(looks > 0);
    assertLessOrEqual(looks, limit);
  }
});
