import {
  assert,
  assertEquals,
  assertFalse,
  assertNotEquals,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { MemoryStore, type MemoryStoreOptions } from "@pagi/session";
import { storeWith, write } from "../../_kit/memory_store.ts";
import { rig } from "../../_kit/subjects.ts";

const { signal } = write;

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

Deno.test("MemoryStore.accepts() takes what has the form of an id, there or not, and no more", async () => {
  const { store } = storeWith();
  const [id, other] = ["ab".repeat(32), "cd".repeat(32)];
  store.create(id.slice(32), "text", write);
  // An app may keep something under another key: no client's cookie leads there.
  await store.set("a", {});
  const almost = [`${id}0`, id.slice(1), id.slice(32), `${id.slice(1)}g`, `g${id.slice(1)}`];
  const presented = [id, other, "", "a", "AB".repeat(32), ...almost];
  assertEquals(presented.filter((one) => store.accepts(one)), [id, other]);
  assertFalse(store.accepts(undefined as never));
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

Deno.test("MemoryStore.touch() gives a new version, so that a replace() from before it fails", () => {
  const { store, create } = storeWith();
  const old = create("a");
  assert(store.touch("a", { ...write, version: old, text: "" }));
  const { version } = store.read("a")!;
  assertNotEquals(version, old);
  assertEquals(store.replace("a", "x", { ...write, version: old }), undefined);
  assertFalse(store.touch("a", { ...write, version: old, text: "" }));
  assert(store.replace("a", "x", { ...write, version }));
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
  const { text, lastAccess } = store.read("a")!;
  assertEquals([text, lastAccess], ["text of a", 9]);
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

/** How a store refers to records of each kind. */
const KINDS = { session: "text", index: "subject:{}" };

Deno.test("MemoryStore drops no session for an index of a subject, and no index for a session", () => {
  for (const [kept, added] of [["session", "index"], ["index", "session"]] as const) {
    const { store, alive } = storeWith({ maxSessions: 3 });
    const ids = ["a", "b", "c"];
    for (const id of ids) store.create(id, KINDS[kept], write);
    for (let i = 0; i < 10; i++) store.create(`${i}`, KINDS[added], write);
    assertEquals(alive(...ids), ids, kept);
    assertEquals(alive("6", "7", "8", "9"), ["7", "8", "9"], added);
    assertEquals(store.size, 6);
    store.clear();
    assertEquals(store.size, 0);
    for (let i = 0; i < 4; i++) store.create(`${i}`, KINDS[kept], write);
    assertEquals(alive("0", "1", "2", "3"), ["1", "2", "3"]);
  }
});

Deno.test("MemoryStore counts a record as what replace() has made of it", () => {
  const { store, alive } = storeWith({ maxSessions: 1 });
  const version = store.create("a", KINDS.session, write)!;
  store.create("index", KINDS.index, write);
  store.replace("a", KINDS.index, { ...write, version });
  // As an index it is the newest, and only one is kept.
  assertEquals(alive("a", "index"), ["a"]);
  store.create("b", KINDS.session, write);
  assertEquals(alive("a", "b"), ["a", "b"]);
});

Deno.test("MemoryStore.maxSessions limits the indexes of a million subjects", () => {
  const { store } = storeWith({ maxSessions: 1000 });
  for (let i = 0; i < 1_000_000; i++) store.create(`${i}`, KINDS.index, write);
  assertEquals(store.size, 1000);
});

Deno.test("MemoryStore keeps every active session when many users come and go", async () => {
  const maxSessions = 1000;
  const { clock, store } = storeWith({ maxSessions });
  const { answer, signIn, subjectOf, sessions } = rig({ store, now: clock.now });
  const active: string[] = [];
  for (let user = 0; user < 100; user++) active.push(await signIn(`active ${user}`));
  for (let user = 0; user < 3000; user++) {
    clock.advance(3);
    await signIn(`other ${user}`);
    await sessions.destroyAll(`other ${user}`);
    // Each active user comes back within the lifetime of the session.
    if (user % 6 === 0) await answer(new Response(), { cookie: active[user / 6 % 100]! });
    assert(store.size <= 2 * maxSessions);
  }
  const subjects = await Promise.all(active.map(subjectOf));
  assertEquals(subjects.filter((one) => one === undefined), []);
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
