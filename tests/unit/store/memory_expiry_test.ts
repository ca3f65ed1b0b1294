import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { Random } from "../../../testing/races/random.ts";
import { storeWith, write } from "../../_kit/memory_store.ts";

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

Deno.test("MemoryStore removes expired sessions after a record was deleted that was to be checked next", () => {
  for (let calls = 0; calls < 6; calls++) {
    const { store, create, clock } = storeWith();
    create("before", 10);
    create("deleted", 10);
    create("behind", 1000);
    // After some number of calls, the record that is deleted is the one to be checked next.
    for (let call = 0; call < calls; call++) store.read("nobody");
    assert(store.delete("deleted", {}));
    clock.advance(11);
    store.read("nobody");
    assert(store.delete("behind", {}));
    create("last", 10);
    clock.advance(11);
    for (let call = 0; call < 5; call++) store.read("nobody");
    assertEquals(store.size, 0);
  }
});

Deno.test("MemoryStore removes expired sessions behind others that live longer", () => {
  const { store, create, clock } = storeWith();
  for (let i = 0; i < 100; i++) create(`remembered${i}`, 1_000_000);
  for (let i = 0; i < 1000; i++) create(`short${i}`, i % 3 === 0 ? 10 : 20);
  clock.advance(21);
  let calls = 0;
  while (store.size > 100 && calls < 1000) {
    store.read("nobody");
    calls++;
  }
  assertEquals(store.size, 100);
  // One walk through all records suffices.
  assert(calls <= 600, `${calls} calls`);
});

Deno.test("MemoryStore removes expired sessions soon when old indexes of subjects are kept", () => {
  const { store, create, clock } = storeWith();
  for (let i = 0; i < 100; i++) store.create(`index${i}`, "subject:", { ...write, ttl: 1_000_000 });
  for (let i = 0; i < 100; i++) create(`session${i}`, 10);
  clock.advance(11);
  for (let calls = 0; calls < 20; calls++) store.read("nobody");
  assertEquals(store.size, 100);
  assertNotEquals(store.read("index0"), undefined);
});

for (const seed of [1, 2, 3]) {
  Deno.test(`MemoryStore keeps exactly what a Map with lifetimes keeps, seed ${seed}`, () => {
    const { store, clock } = storeWith();
    const random = new Random(seed);
    const expected = new Map<string, { version: string; expiresAt: number }>();
    let largest = 0;
    for (let step = 0; step < 20_000; step++) {
      clock.advance(random.below(3));
      const now = clock.now();
      const id = `id${random.below(300)}`;
      const known = expected.get(id);
      const isAlive = known !== undefined && known.expiresAt >= now;
      const ttl = [1, 10, 100, 1000, 100_000][random.below(5)]!;
      const options = { ...write, ttl };
      const expiresAt = now + ttl * 1000;
      switch (random.below(5)) {
        case 0: {
          const version = store.create(id, "text", options);
          assertEquals(version === undefined, isAlive);
          if (version !== undefined) expected.set(id, { version, expiresAt });
          break;
        }
        case 1: {
          const version = isAlive ? known.version : "0";
          const next = store.replace(id, "text", { ...options, version });
          assertEquals(next !== undefined, isAlive);
          if (next !== undefined) expected.set(id, { version: next, expiresAt });
          break;
        }
        case 2: {
          const version = isAlive ? known.version : "0";
          assertEquals(store.touch(id, { ...options, text: "", version }), isAlive);
          if (isAlive) {
            const { version } = store.read(id)!;
            expected.set(id, { version, expiresAt: Math.max(known.expiresAt, expiresAt) });
          }
          break;
        }
        case 3:
          assertEquals(store.delete(id), isAlive);
          expected.delete(id);
          break;
        default:
          assertEquals(store.read(id) !== undefined, isAlive);
      }
      largest = Math.max(largest, store.size);
    }
    assert(largest <= 300, `${largest} records`);
    const alive = () => [...expected.values()].filter((one) => one.expiresAt >= clock.now()).length;
    for (let calls = 0; calls < 300; calls++) store.read("nobody");
    assertEquals(store.size, alive());
    clock.advance(1e9);
    for (let calls = 0; calls < 300; calls++) store.read("nobody");
    assertEquals(store.size, 0);
  });
}

Deno.test("MemoryStore holds no more than maxSessions over 50,000 creates of all lifetimes", () => {
  const { store, create, clock } = storeWith({ maxSessions: 100 });
  for (let i = 0; i < 50_000; i++) {
    clock.advance(0.1);
    create(`id${i}`, 1 + (i * 7) % 1_000_000);
    if (i % 3 === 0) store.delete(`id${i - i % 50}`);
    assert(store.size <= 100);
  }
  assertEquals(store.size, 100);
});

Deno.test("MemoryStore removes expired indexes of subjects when only sessions are used", () => {
  const { store, create, clock } = storeWith();
  for (let i = 0; i < 100; i++) {
    const ttl = i % 2 === 0 ? 10 : 1_000_000;
    store.create(`index${i}`, "subject:", { ...write, ttl });
  }
  create("session", 1_000_000);
  clock.advance(11);
  for (let calls = 0; calls < 150; calls++) store.read("session");
  assertEquals(store.size, 51);
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
