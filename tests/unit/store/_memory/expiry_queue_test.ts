import { assert, assertEquals, assertLess } from "@std/assert";
import { type Expiring, ExpiryQueue } from "../../../../store/_memory/expiry_queue.ts";

interface Item extends Expiring<Item> {
  readonly name: number;
}

let made = 0;
function itemAt(expiresAt: number): Item {
  return { name: made++, expiresAt, bucket: 0, previous: undefined, next: undefined };
}

function queueOf(...times: number[]): { queue: ExpiryQueue<Item>; items: Item[] } {
  const queue = new ExpiryQueue<Item>();
  const items = times.map(itemAt);
  for (const item of items) queue.add(item);
  return { queue, items };
}

/** Takes out all that is due: the times, in the order in which they were found. */
function drain(queue: ExpiryQueue<Item>, now: number): number[] {
  const times: number[] = [];
  for (let item = queue.findDue(now); item !== undefined; item = queue.findDue(now)) {
    times.push(item.expiresAt);
    queue.remove(item);
  }
  return times;
}

/** A time that counts how often it is looked at, and does not let itself be looked at for ever. */
function counting(time: number) {
  let looks = 0;
  const valueOf = () => {
    assertLess(looks++, 1000);
    return time;
  };
  const now = { valueOf } as unknown as number;
  return { now, looks: () => looks };
}

/** A small generator of numbers from 0 up to 1, the same for the same seed (mulberry32). */
function random(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What the queue should do, done the slow way: when each item is due, looked through from end to end. */
class Oracle {
  readonly #dueAt = new Map<Item, number>();

  get size(): number {
    return this.#dueAt.size;
  }

  get items(): Item[] {
    return [...this.#dueAt.keys()];
  }

  add(item: Item) {
    const { expiresAt } = item;
    this.#dueAt.set(item, Number.isNaN(expiresAt) ? 0 : Math.ceil(expiresAt / 1000) * 1000);
  }

  remove(item: Item) {
    this.#dueAt.delete(item);
  }

  clear() {
    this.#dueAt.clear();
  }

  /** The items that may be found: those due first. */
  due(now: number): Item[] {
    const first = Math.min(...this.#dueAt.values());
    return first < now ? this.items.filter((item) => this.#dueAt.get(item) === first) : [];
  }
}

Deno.test("ExpiryQueue.findDue() finds nothing when the queue is empty", () => {
  const { queue } = queueOf();
  assertEquals([queue.findDue(Infinity), queue.findDue(NaN), queue.size], [
    undefined,
    undefined,
    0,
  ]);
});

Deno.test("ExpiryQueue.findDue() finds the item itself, only after its time, until it is removed", () => {
  const { queue, items: [item] } = queueOf(10_000);
  assertEquals([queue.findDue(9999), queue.findDue(10_000)], [undefined, undefined]);
  assert(queue.findDue(10_000.5) === item);
  assert(queue.findDue(10_001) === item);
  queue.remove(item!);
  assertEquals([queue.findDue(10_001), queue.size], [undefined, 0]);
});

Deno.test("ExpiryQueue.findDue() finds an item within a second when its time is no whole second", () => {
  for (const time of [9000.001, 9001, 9500, 9999.9]) {
    const { queue, items: [item] } = queueOf(time);
    assertEquals(queue.findDue(10_000), undefined);
    assert(queue.findDue(10_001) === item);
  }
});

Deno.test("ExpiryQueue.findDue() goes by the time that was queued when the item has got more", () => {
  const { queue, items: [a, b] } = queueOf(10_000, 20_000);
  a!.expiresAt = 30_000;
  assert(queue.findDue(15_000) === a);
  queue.move(a!);
  assertEquals(queue.findDue(15_000), undefined);
  assertEquals(drain(queue, 100_000), [b!.expiresAt, a!.expiresAt]);
});

Deno.test("ExpiryQueue.move() makes an item due earlier when it has got less time", () => {
  const { queue, items: [a, b] } = queueOf(10_000, 20_000);
  b!.expiresAt = 5000;
  queue.move(b!);
  assertEquals(queue.size, 2);
  assert(queue.findDue(6000) === b);
  assertEquals(drain(queue, 6000), [5000]);
  assertEquals(drain(queue, 20_000), [a!.expiresAt]);
});

Deno.test("ExpiryQueue.findDue() goes back when the clock does", () => {
  const { queue, items: [old] } = queueOf(50_000, 90_000);
  queue.remove(old!);
  assertEquals(queue.findDue(80_000), undefined);
  queue.add(itemAt(3000));
  assertEquals(queue.findDue(3000), undefined);
  assertEquals(drain(queue, 3001), [3000]);
  assertEquals(drain(queue, 90_001), [90_000]);
});

for (
  const [what, times] of Object.entries({
    "rising": [1, 2, 3, 4, 5, 6, 7],
    "falling": [7, 6, 5, 4, 3, 2, 1],
    "equal": [3, 3, 3, 3],
    "mixed with equals": [5, 1, 5, 3, 1, 9, 3, 5],
    "below zero": [-3, 2, -1, 0, -3, 1],
    "far apart": [7e9, 1, 5e9, -4e9],
    "without an end": [Infinity, 2, -Infinity, 1, Infinity],
    "too large to count on from": [2 ** 60, 2 ** 62, 2 ** 61, 2 ** 60],
  })
) {
  Deno.test(`ExpiryQueue.findDue() finds all in order when the times are ${what}`, () => {
    const { queue } = queueOf(...times.map((seconds) => seconds * 1000));
    assertEquals(queue.size, times.length);
    const order = times.toSorted((a, b) => a - b).map((seconds) => seconds * 1000);
    // What never expires is never due.
    const due = order.filter((time) => time < Infinity);
    assertEquals(drain(queue, Infinity), due);
    assertEquals(queue.size, order.length - due.length);
  });
}

Deno.test("ExpiryQueue.findDue() finds an item at once when its time is no number", () => {
  const { queue, items: [nothing] } = queueOf(NaN, 5000);
  assert(queue.findDue(1) === nothing);
  queue.remove(nothing!);
  assertEquals(queue.findDue(1), undefined);
  assertEquals(drain(queue, 6000), [5000]);
});

Deno.test("ExpiryQueue.remove() leaves the others of the bucket, in whatever order they go", () => {
  const orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
  for (const order of orders) {
    const { queue, items } = queueOf(1000, 1000, 1000);
    const left = new Set(items);
    for (const at of order) {
      queue.remove(items[at]!);
      left.delete(items[at]!);
      assertEquals(queue.size, left.size);
      const found = queue.findDue(2000);
      assert(found === undefined ? left.size === 0 : left.has(found), String(order));
    }
  }
});

Deno.test("ExpiryQueue.remove() lets go of the neighbours, and the item can be queued again", () => {
  const { queue, items: [a, b] } = queueOf(1000, 1000, 1000);
  queue.remove(b!);
  assertEquals([b!.previous, b!.next], [undefined, undefined]);
  b!.expiresAt = 500_000;
  queue.add(b!);
  queue.remove(a!);
  assertEquals(drain(queue, Infinity), [1000, 500_000]);
});

Deno.test("ExpiryQueue.clear() forgets all, and goes on working", () => {
  const { queue } = queueOf(9000, 1000, 5000);
  queue.clear();
  assertEquals([queue.size, queue.findDue(Infinity)], [0, undefined]);
  queue.add(itemAt(7000));
  assertEquals(drain(queue, Infinity), [7000]);
});

Deno.test("ExpiryQueue.findDue() looks at few seconds when the clock jumps, however far", () => {
  for (const jump of [1e6, 1e12, Number.MAX_SAFE_INTEGER, Number.MAX_VALUE, Infinity]) {
    const { queue, items: [first, ...others] } = queueOf(
      ...Array(10).fill(0).map((_, i) => i * 1000),
    );
    for (const item of others) queue.remove(item);
    const last = itemAt(jump / 2);
    queue.add(last);
    queue.remove(first!);
    const { now, looks } = counting(jump);
    assert(queue.findDue(now) === (jump === Infinity ? undefined : last));
    assertLess(looks(), 10);
  }
});

Deno.test("ExpiryQueue.findDue() looks at each second once when they pass one by one", () => {
  const { queue } = queueOf(...Array.from({ length: 1000 }, (_, i) => i * 1000));
  for (let item = queue.findDue(500_000); item; item = queue.findDue(500_000)) queue.remove(item);
  // Buckets that are empty again are not looked at a second time.
  const { now, looks } = counting(500_000);
  for (let i = 0; i < 100; i++) assertEquals(queue.findDue(now), undefined);
  assertEquals(looks(), 100);
});

for (const seed of [1, 2, 3, 4, 5, 6, 7, 8]) {
  Deno.test(`ExpiryQueue does what a search from end to end does, seed ${seed}`, () => {
    const next = random(seed);
    const below = (limit: number) => Math.floor(next() * limit);
    const queue = new ExpiryQueue<Item>();
    const oracle = new Oracle();
    const start = [0, 1_700_000_000_000, -100_000, 0.5][seed % 4]!;
    let now = start;
    const counts = { removed: 0, prolonged: 0, expired: 0 };
    /** Few seconds, so that many share one; and now and then a time from far off. */
    const someTime = () => {
      const odd = [Infinity, NaN, -Infinity, now - 1e6, now + 1e9][below(100)];
      return odd ?? now - 2000 + below(40) * 500 + (below(4) === 0 ? next() : 0);
    };
    const someItem = () => oracle.items[below(oracle.size)];
    /** What a store does with each call: what is over goes, and what has got more time is moved on. */
    const sweep = (most: number) => {
      for (let swept = 0; swept < most; swept++) {
        const due = oracle.due(now);
        const item = queue.findDue(now);
        assert(item === undefined ? due.length === 0 : due.includes(item), "not what is due first");
        if (item === undefined) return;
        oracle.remove(item);
        if (item.expiresAt >= now) {
          queue.move(item);
          oracle.add(item);
          counts.prolonged++;
        } else {
          queue.remove(item);
          counts.expired++;
        }
      }
    };
    for (let step = 0; step < 4000; step++) {
      const dice = below(1000);
      if (dice < 400) {
        const item = itemAt(someTime());
        queue.add(item);
        oracle.add(item);
      } else if (dice < 550) {
        const item = someItem();
        if (item === undefined) continue;
        queue.remove(item);
        oracle.remove(item);
        counts.removed++;
      } else if (dice < 750) {
        const item = someItem();
        if (item === undefined) continue;
        const time = someTime();
        const isEarlier = !(time >= item.expiresAt);
        item.expiresAt = time;
        if (!isEarlier) continue;
        queue.move(item);
        oracle.add(item);
      } else if (dice < 990) {
        now += below(4) * 300;
        sweep(below(8));
      } else if (dice < 994) now += below(1e9);
      else if (dice < 997) now -= below(20_000);
      else if (dice < 999) now = start + below(10_000);
      else {
        queue.clear();
        oracle.clear();
      }
      assertEquals(queue.size, oracle.size);
    }
    for (const [what, count] of Object.entries(counts)) assertLess(20, count, what);
    // And to the end: only what never expires is left.
    now = Number.MAX_VALUE;
    const left = oracle.items.filter(({ expiresAt }) => expiresAt === Infinity).length;
    sweep(Infinity);
    assertEquals(queue.size, left);
    for (const item of oracle.items) {
      assertEquals([item.expiresAt, item.bucket], [Infinity, Infinity]);
    }
  });
}
