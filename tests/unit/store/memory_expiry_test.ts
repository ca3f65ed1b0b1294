import { assert, assertEquals, assertNotEquals } from "@std/assert";
import type { MemoryStore } from "@pagi/session";
import { ExpiryQueue } from "../../../store/_memory/expiry_queue.ts";
import { storeWith, write } from "../../_kit/memory_store.ts";

/** The queue by which the store's records expire, an empty one to begin with. */
function queueOf(store: MemoryStore): { readonly size: number } {
  const { add } = ExpiryQueue.prototype;
  const queues: { readonly size: number }[] = [];
  ExpiryQueue.prototype.add = function (record) {
    queues.push(this);
    add.call(this, record);
  };
  try {
    store.create("probe", "", write);
  } finally {
    ExpiryQueue.prototype.add = add;
  }
  store.delete("probe");
  assertEquals([queues.length, queues[0]!.size], [1, 0]);
  return queues[0]!;
}

Deno.test("MemoryStore has nothing under the id when the ttl is over, for any method", async () => {
  type Rig = ReturnType<typeof storeWith> & { version: string };
  const calls: ((rig: Rig) => unknown)[] = [
    ({ store }) => store.read("a"),
    ({ store }) => store.get("a"),
    ({ store, version }) => store.replace("a", "x", { ...write, version }),
    ({ store, version }) => store.touch("a", { ...write, version, text: "" }) || undefined,
    ({ store }) => store.delete("a") || undefined,
    ({ create, version }) => create("a") === version || undefined,
  ];
  for (const call of calls) {
    const rig = storeWith();
    const version = rig.create("a", 60);
    rig.clock.advance(60);
    assertEquals(rig.store.read("a")?.version, version);
    rig.clock.advance(0.001);
    assertEquals(await call({ ...rig, version }), undefined, String(call));
    assertEquals(rig.store.size, call === calls.at(-1) ? 1 : 0);
  }
});

Deno.test("MemoryStore drops expired sessions with whatever is called next, a few at a time", () => {
  const { store, create, clock, alive } = storeWith();
  for (let i = 0; i < 500; i++) create(`old${i}`, 10);
  for (let i = 0; i < 500; i++) create(`new${i}`, 1000);
  clock.advance(11);
  const sizes = [store.size];
  while (sizes.length < 600 && sizes.at(-1)! > 500) {
    store.read("nobody");
    sizes.push(store.size);
  }
  assertEquals(sizes.at(-1), 500);
  const steps = sizes.slice(1).map((size, i) => sizes[i]! - size);
  // Each call does some of it, and none does all of it.
  assert(steps.every((step) => step > 0 && step <= 50), String(steps));
  assertEquals(alive("old0", "old499", "new0", "new499"), ["new0", "new499"]);
});

Deno.test("MemoryStore asks the queue for no more than expire, however many sessions there are", () => {
  const { findDue } = ExpiryQueue.prototype;
  let asked = 0;
  ExpiryQueue.prototype.findDue = function (now) {
    asked++;
    return findDue.call(this, now);
  };
  try {
    const { store, create } = storeWith();
    for (let i = 0; i < 10_000; i++) create(`id${i}`);
    asked = 0;
    for (let i = 0; i < 1000; i++) store.read(`id${i}`);
  } finally {
    ExpiryQueue.prototype.findDue = findDue;
  }
  assertEquals(asked, 1000);
});

Deno.test("MemoryStore keeps a session that was prolonged, and drops one that was shortened", () => {
  const { store, create, clock, alive } = storeWith();
  const [a, b] = [create("a", 10), create("b", 1000)];
  assert(store.touch("a", { ...write, version: a, text: "", ttl: 1000 }));
  assert(store.replace("b", "x", { ...write, version: b, ttl: 10 }));
  clock.advance(11);
  assertEquals(alive("a"), ["a"]);
  assertEquals(store.size, 1);
  clock.advance(1000);
  assertEquals(alive("nobody"), []);
  assertEquals(store.size, 0);
});

Deno.test("MemoryStore has no trace of a record in its queue when it is gone, however it went", () => {
  const { store, create, clock } = storeWith({ maxSessions: 3 });
  const queue = queueOf(store);
  const inBoth = () => [store.size, queue.size];
  for (const id of ["a", "b", "c", "d"]) create(id, 1_000_000);
  assertEquals(inBoth(), [3, 3]);
  store.delete("b");
  assertEquals(inBoth(), [2, 2]);
  create("short", 10);
  clock.advance(11);
  store.read("short");
  assertEquals(inBoth(), [2, 2]);
  assert(store.touch("c", { ...write, version: store.read("c")!.version, text: "", ttl: NaN }));
  assertEquals(store.read("c"), undefined);
  assertEquals(inBoth(), [1, 1]);
  store.clear();
  assertEquals(inBoth(), [0, 0]);
});

Deno.test("MemoryStore has the sessions that are there in its queue, and no other, over 50,000 creates when full", () => {
  const { store, create, clock } = storeWith({ maxSessions: 100 });
  const queue = queueOf(store);
  for (let i = 0; i < 50_000; i++) {
    clock.advance(0.1);
    create(`id${i}`, 1 + (i * 7) % 1_000_000);
    if (i % 3 === 0) store.delete(`id${i - i % 50}`);
    assertEquals(queue.size, store.size);
  }
  assertEquals(store.size, 100);
});

Deno.test("MemoryStore has a session in its queue once after 20,000 writes to it", () => {
  const { store, create } = storeWith();
  const queue = queueOf(store);
  let version = create("a", 1_000_000);
  for (let i = 0; i < 20_000; i++) {
    // Longer, shorter, longer, shorter …: a session near the end of its absolute lifetime.
    const ttl = 1_000_000 - i + 2 * (i % 2);
    version = store.replace("a", "x", { ...write, version, ttl })!;
    assertEquals(queue.size, 1);
  }
  assertEquals(store.read("a")!.version, version);
});

Deno.test("MemoryStore has a new session's place free again when only a subject's list is kept", () => {
  const { store, clock } = storeWith({ maxSessions: 1 });
  const queue = queueOf(store);
  store.create("list", "subject:", write);
  store.create("a", "text", write);
  assertEquals([store.size, queue.size], [1, 1]);
  assertNotEquals(store.read("list"), undefined);
  clock.advance(61);
  store.read("nobody");
  assertEquals([store.size, queue.size], [0, 0]);
});

Deno.test("MemoryStore keeps a session for ever when its ttl has no end, and drops it when it has none", () => {
  const { store, create, clock, alive } = storeWith();
  create("ever", Infinity);
  create("short", 10);
  clock.advance(1e9);
  assertEquals(alive("ever", "short"), ["ever"]);
  for (const ttl of [NaN, -1, -Infinity]) create(`ttl ${ttl}`, ttl);
  clock.advance(1);
  assertEquals(alive("ever", "nobody"), ["ever"]);
  assertEquals(store.size, 1);
});

Deno.test("MemoryStore drops expired sessions when the clock has jumped by years, and back", () => {
  const { store, create, clock, alive } = storeWith();
  for (let i = 0; i < 10; i++) create(`a${i}`, 10 + 1000 * i);
  clock.advance(1e9);
  create("late", 10);
  assertEquals(store.size, 1);
  clock.advance(-1e9);
  create("early", 10.5);
  assertEquals(alive("late", "early"), ["late", "early"]);
  clock.advance(11);
  assertEquals(alive("late", "early"), ["late"]);
  clock.advance(1e9);
  assertEquals(alive("nobody"), []);
  assertEquals(store.size, 0);
});
