import {
  assert,
  assertEquals,
  assertFalse,
  assertLess,
  assertNotEquals,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { MemoryStore, type MemoryStoreOptions } from "@pagi/session";
import { ExpiryQueue } from "../store/_expiry_queue.ts";
import { fakeClock } from "./_helpers.ts";

const { signal } = new AbortController();
const write = { lastAccess: 7, ttl: 60, signal };

function storeWith(options: MemoryStoreOptions = {}) {
  const clock = fakeClock();
  const store = new MemoryStore({ now: clock.now, ...options });
  const create = (id: string, ttl = 60) => store.create(id, `text of ${id}`, { ...write, ttl })!;
  /** Which of the ids are there; asking is a use. */
  const alive = (...ids: string[]) => ids.filter((id) => store.read(id) !== undefined);
  return { clock, store, create, alive };
}

/** Runs `work` and tells how far the store's expiry queue grew, its own count of entries. */
async function longestQueue(work: () => unknown): Promise<number> {
  const { add } = ExpiryQueue.prototype;
  let longest = 0;
  ExpiryQueue.prototype.add = function (record) {
    add.call(this, record);
    longest = Math.max(longest, this.size);
  };
  try {
    await work();
  } finally {
    ExpiryQueue.prototype.add = add;
  }
  return longest;
}

Deno.test("MemoryStore.set() keeps a copy, and get() hands out another", async () => {
  const { store } = storeWith();
  const data = { list: [1], nested: { a: 1 } };
  assertEquals(await store.set("a", data), "a");
  data.list.push(2);
  data.nested.a = 2;
  const first = await store.get("a");
  assertEquals([first!.list, first!.nested], [[1], { a: 1 }]);
  (first!.list as number[]).push(3);
  first!.extra = true;
  const second = await store.get("a");
  assertEquals([second!.list, second!.extra], [[1], undefined]);
});

Deno.test("MemoryStore.set() keeps what JSON keeps", async () => {
  const { store } = storeWith();
  await store.set("a", { when: new Date(0), gone: undefined, nil: null, nan: NaN });
  const { _id, _created, _last_access, ...values } = (await store.get("a"))!;
  assertEquals(values, { when: "1970-01-01T00:00:00.000Z", nil: null, nan: null });
});

Deno.test("MemoryStore.get() gives back PAGI's hash, reserved keys and all", async () => {
  const { store, clock } = storeWith();
  const hash = { _id: "a", _created: 5, _last_access: 6, _subject: "ada", user: 1 };
  await store.set("a", hash);
  assertEquals(await store.get("a"), hash);
  await store.set("b", { user: 2 });
  const now = clock.seconds();
  assertEquals(await store.get("b"), { _id: "b", _created: now, _last_access: now, user: 2 });
  assertEquals(await store.get("c"), undefined);
});

Deno.test("MemoryStore.set() writes over what is there, and delete() removes it", async () => {
  const { store } = storeWith();
  await store.set("a", { n: 1 });
  await store.set("a", { m: 2 });
  assertEquals([(await store.get("a"))!.n, (await store.get("a"))!.m], [undefined, 2]);
  assertEquals(store.size, 1);
  assertEquals([store.delete("a"), store.delete("a")], [true, false]);
  assertEquals(await store.get("a"), undefined);
});

Deno.test("MemoryStore keeps __proto__ and constructor as keys and as ids", async () => {
  const { store } = storeWith();
  const data = JSON.parse('{"__proto__":{"admin":true},"constructor":1}');
  await store.set("__proto__", data);
  const found = (await store.get("__proto__"))!;
  assert(Object.hasOwn(found, "__proto__"));
  assertEquals([found.constructor, found.admin], [1, undefined]);
  assertEquals(await store.get("constructor"), undefined);
});

Deno.test("MemoryStore.read() finds what create() wrote", () => {
  const { store, create } = storeWith();
  const version = create("a");
  assertEquals(store.read("a"), { text: "text of a", version, lastAccess: 7 });
  store.read("a")!.text = "changed";
  assertEquals(store.read("a")!.text, "text of a");
});

Deno.test("MemoryStore.create() writes nothing when the id is taken", () => {
  const { store, create } = storeWith();
  const version = create("a");
  assertEquals(store.create("a", "other", { ...write, lastAccess: 9 }), undefined);
  assertEquals(store.read("a"), { text: "text of a", version, lastAccess: 7 });
});

Deno.test("MemoryStore.replace() writes only at the version, and never inserts", () => {
  const { store, create } = storeWith();
  assertEquals(store.replace("a", "x", { ...write, version: "1" }), undefined);
  const first = create("a");
  const second = store.replace("a", "two", { ...write, lastAccess: 8, version: first })!;
  assertNotEquals(second, first);
  assertEquals(store.replace("a", "three", { ...write, version: first }), undefined);
  assertEquals(store.read("a"), { text: "two", version: second, lastAccess: 8 });
});

Deno.test("MemoryStore.touch() notes the use at the version, and leaves the text", () => {
  const { store, create, clock } = storeWith();
  const version = create("a", 60);
  const touch = { lastAccess: 9, ttl: 60, text: "ignored", signal };
  assertFalse(store.touch("b", { ...touch, version }));
  assertFalse(store.touch("a", { ...touch, version: "other" }));
  assertEquals(store.read("a")!.lastAccess, 7);
  clock.advance(50);
  assert(store.touch("a", { ...touch, version }));
  clock.advance(50);
  assertEquals(store.read("a"), { text: "text of a", version, lastAccess: 9 });
});

Deno.test("MemoryStore.delete() removes only at the version when one is given", () => {
  const { store, create } = storeWith();
  const version = create("a");
  assertFalse(store.delete("a", { version: "other", signal }));
  assertEquals(store.size, 1);
  assert(store.delete("a", { version, signal }));
  assertFalse(store.delete("a", { version, signal }));
  create("b");
  assert(store.delete("b", { version: undefined, signal }));
});

Deno.test("MemoryStore gives no version twice, not even to an id that comes back", () => {
  const { store, create } = storeWith();
  const versions = new Set<string>();
  for (let i = 0; i < 100; i++) {
    const first = create("a");
    const version = store.replace("a", "same", { ...write, version: first })!;
    versions.add(first).add(version);
    if (i % 2 === 0) store.delete("a");
    else store.clear();
    assertEquals(store.replace("a", "x", { ...write, version }), undefined);
  }
  assertEquals(versions.size, 200);
});

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
  const { takeDue } = ExpiryQueue.prototype;
  let taken = 0;
  ExpiryQueue.prototype.takeDue = function (now) {
    taken++;
    return takeDue.call(this, now);
  };
  try {
    const { store, create } = storeWith();
    for (let i = 0; i < 10_000; i++) create(`id${i}`);
    taken = 0;
    for (let i = 0; i < 1000; i++) store.read(`id${i}`);
  } finally {
    ExpiryQueue.prototype.takeDue = takeDue;
  }
  assertLess(taken, 2 * 1000 + 1);
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

Deno.test("MemoryStore drops the least recently used when there are more than maxSessions", () => {
  const { store, create, alive } = storeWith({ maxSessions: 3 });
  const version = { a: create("a"), b: create("b"), c: create("c") };
  store.read("a");
  store.replace("b", "x", { ...write, version: version.b });
  store.touch("c", { ...write, version: version.c, text: "" });
  create("d");
  assertEquals(store.size, 3);
  assertEquals(alive("a"), []);
  store.read("b");
  create("e");
  assertEquals(alive("c"), []);
  assertEquals(alive("d", "b", "e"), ["d", "b", "e"]);
  store.delete("b");
  create("f");
  assertEquals(alive("d", "e", "f"), ["d", "e", "f"]);
});

Deno.test("MemoryStore holds no more than maxSessions over 10,000 creates", () => {
  const { store, create, alive } = storeWith({ maxSessions: 100 });
  for (let i = 0; i < 10_000; i++) create(`id${i}`);
  assertEquals(store.size, 100);
  assertEquals(alive("id9899", "id9900", "id9999"), ["id9900", "id9999"]);
});

Deno.test("MemoryStore.clear() forgets every session, and goes on working", () => {
  const { store, create, alive, clock } = storeWith({ maxSessions: 2 });
  create("a", 10);
  create("b", 20);
  store.clear();
  assertEquals(store.size, 0);
  assertEquals(alive("a", "b"), []);
  for (const id of ["c", "d", "e"]) create(id);
  assertEquals(alive("c", "d", "e"), ["d", "e"]);
  clock.advance(61);
  assertEquals(alive("d", "e"), []);
});

Deno.test("MemoryStore does not let its queue grow over 200,000 creates and deletes", async () => {
  const { store, create } = storeWith();
  const longest = await longestQueue(() => {
    for (let i = 0; i < 200_000; i++) {
      create(`id${i}`, 1_000_000);
      store.delete(`id${i}`);
    }
  });
  assertEquals(store.size, 0);
  assert(longest > 0);
  assertLess(longest, 5000);
});

Deno.test("MemoryStore does not let its queue grow over 20,000 writes to one session", async () => {
  const { store, create } = storeWith();
  let version = create("a", 1_000_000);
  const longest = await longestQueue(() => {
    for (let i = 0; i < 20_000; i++) {
      // Longer, shorter, longer, shorter …: a session near the end of its absolute lifetime.
      const ttl = 1_000_000 - i + 2 * (i % 2);
      version = store.replace("a", "x", { ...write, version, ttl })!;
    }
  });
  assertEquals(store.read("a")!.version, version);
  assertLess(longest, 5000);
});

Deno.test("MemoryStore() throws and names the option when one is wrong", () => {
  const make = (options: unknown) => () => new MemoryStore(options as MemoryStoreOptions);
  for (const maxSessions of [0, -1, 1.5, NaN, Infinity, "10", null]) {
    assertThrows(make({ maxSessions }), RangeError, "maxSessions");
  }
  for (const now of [null, 5, "now", new Date()]) assertThrows(make({ now }), TypeError, "now");
  assertThrows(make({ max: 5 }), TypeError, '"max"');
  assertThrows(make(null), TypeError, "options");
  assertStrictEquals(make({ maxSessions: undefined, now: undefined })().size, 0);
});
