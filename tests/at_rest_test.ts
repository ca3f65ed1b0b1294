import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { MemoryStore } from "@pagi/session";
import type { VersionedStore } from "@pagi/session/store";
import { formatRaces, simulateRaces, storeContract } from "@pagi/session/testing";
import { HashedStore } from "../store/hashed.ts";
import { SealedStore } from "../store/sealed.ts";
import { search, tap, xorIds } from "./_at_rest_dump.ts";
import { SECRET, story, WORDS } from "./_at_rest_story.ts";
import { fakeClock, idOf } from "./_helpers.ts";

const OLD_SECRET = "another one, which was used before";
/** What is in every text before it is sealed, and what it is sealed with. */
const PLAIN = [SECRET, OLD_SECRET, "moved:", "_created", "_subject"];
const { signal } = new AbortController();
const write = { lastAccess: 1, ttl: 60, signal };

/** The wrappers, alone and in each order. */
const WRAPPERS: { [name: string]: (inner: VersionedStore) => VersionedStore } = {
  HashedStore: (inner) => new HashedStore(inner),
  SealedStore: (inner) => new SealedStore(inner, { secret: SECRET }),
  "SealedStore with an old secret": (inner) =>
    new SealedStore(inner, { secret: [SECRET, OLD_SECRET] }),
  "SealedStore before HashedStore": (inner) =>
    new SealedStore(new HashedStore(inner), { secret: SECRET }),
  "HashedStore before SealedStore": (inner) =>
    new HashedStore(new SealedStore(inner, { secret: SECRET })),
};
const hashed = WRAPPERS.HashedStore!;
const sealed = WRAPPERS.SealedStore!;
const BOTH = Object.entries(WRAPPERS).filter(([name]) => name.includes("before"));

for (const [name, wrap] of Object.entries(WRAPPERS)) {
  const clock = fakeClock();
  const cases = storeContract({
    open: () => wrap(new MemoryStore({ now: clock.now })),
    advance: clock.advance,
  });
  Deno.test(`${name} keeps the contract`, async (t) => {
    for (const { name, run } of cases) await t.step(name, run);
  });

  Deno.test(`${name} keeps every guarantee in random schedules`, async () => {
    const open = () => wrap(new MemoryStore());
    const report = await simulateRaces({ open, runs: 1000, exhaustive: false });
    assertEquals(report.failures, [], formatRaces(report));
    assertEquals(report.liveIds, { fewest: 1, most: 1 });
  });
}

Deno.test("both wrappers keep every guarantee on one store of thousands of browsers", async () => {
  const store = WRAPPERS["SealedStore before HashedStore"]!(new MemoryStore());
  const report = await simulateRaces({ open: () => store, runs: 3000, exhaustive: false });
  assertEquals(report.failures, [], formatRaces(report));
});

Deno.test("the search finds ids and words in a plain dump, however they are written", async () => {
  const { store, dump } = tap(new MemoryStore());
  const { all } = await story(store);
  for (const id of all) {
    assertEquals(search(dump, { ids: [id], words: WORDS }), [
      "id 0 as hex",
      "id 0 as bytes",
      "id 0 as the XOR of two values",
      "id 0 as an XOR of any number of hex values",
      ...WORDS.map((word) => `the word ${word}`),
    ]);
  }

  const id = all[0]!;
  const bytes = Uint8Array.fromHex(id);
  const base64url = { alphabet: "base64url", omitPadding: true } as const;
  const [one, other] = [idOf("5"), idOf("3")];
  const disguises = [
    id.toUpperCase(),
    btoa(`x${id}`),
    bytes.toBase64(),
    `id=${bytes.toBase64(base64url)}`,
    Array.from(id).reverse().join(""),
    bytes.toReversed().toBase64(base64url),
    `${one} ${xorIds(one, id)}`,
    `${one} ${Uint8Array.fromHex(xorIds(one, id)).toBase64()}`,
    `${one} ${other} ${xorIds(one, xorIds(other, id))}`,
  ];
  for (const disguise of disguises) {
    assertNotEquals(search([disguise], { ids: [id] }), [], disguise);
    assertEquals(search([disguise], { ids: [idOf("e")], words: ["canary"] }), [], disguise);
  }
  assertEquals(search([btoa("a Canary")], { words: ["canary"] }), ["the word canary"]);
});

Deno.test("HashedStore hands on nothing that an id can be made of", async () => {
  const { store, dump } = tap(new MemoryStore());
  const { all } = await story(hashed(store));
  // The chain of one browser and both rotations of another, written once or more.
  const tombstones = new Set(dump.filter((text) => text.startsWith("moved:")));
  assert(all.length >= 13 && tombstones.size >= 9, `${all.length}, ${tombstones.size}`);
  assertEquals(search(dump, { ids: all }), []);
});

Deno.test("SealedStore hands on no data, no name and no way from one id to the next", async () => {
  const { store, dump } = tap(new MemoryStore());
  const { all } = await story(sealed(store));
  assertEquals(search(dump, { words: [...WORDS, ...PLAIN] }), []);
  // The ids are its keys, and that is all that is known of them.
  const rest = dump.filter((text) => !all.includes(text));
  assertEquals(search(rest, { ids: all }), []);
});

for (const [name, wrap] of BOTH) {
  Deno.test(`${name} hands on neither ids nor data`, async () => {
    const { store, dump } = tap(new MemoryStore());
    const { all } = await story(wrap(store));
    assertEquals(search(dump, { ids: all, words: [...WORDS, ...PLAIN] }), []);
    // All that there is: keys, sealed texts, versions, times, and the names of arguments and options.
    const isExpected = /^([\da-f]{64}|[\w-]{50,}|\d+)$/;
    const names = ["signal", "lastAccess", "ttl", "version", "text", "length"];
    const rest = dump.filter((text) => !isExpected.test(text) && !names.includes(text));
    assertEquals(rest, []);
  });
}

Deno.test("an old id and a dump give the live one, unless a SealedStore is in front", async () => {
  const hashing = tap(new MemoryStore());
  const { first } = await story(hashed(hashing.store));
  const [old, live] = first.slice(-2);
  assertNotEquals(search([...hashing.dump, old!], { ids: [live!] }), []);
  for (const [, wrap] of BOTH) {
    const { store, dump } = tap(new MemoryStore());
    const { first } = await story(wrap(store));
    const [old, live] = first.slice(-2);
    assertEquals(search([...dump, old!], { ids: [live!] }), []);
  }
});

Deno.test("a key from a dump is no id, whichever wrapper hides it", async () => {
  for (const wrap of [hashed, ...BOTH.map(([, wrap]) => wrap)]) {
    const { store, dump } = tap(new MemoryStore());
    const wrapped = wrap(store);
    await wrapped.create(idOf("a"), '{"_created":1}', write);
    const key = dump.find((text) => /^[\da-f]{64}$/.test(text))!;
    assertNotEquals(key, idOf("a"));
    assertEquals(await wrapped.read(key, { signal }), undefined);
    assertEquals(await wrapped.delete(key, { signal }), false);
  }
});

Deno.test("the two orders of the wrappers are the same, to the record", async () => {
  const inner = new MemoryStore();
  const [[, one], [, other]] = BOTH as [typeof BOTH[0], typeof BOTH[0]];
  const id = idOf("a");
  let version = await one(inner).create(id, "first", write);
  assertEquals((await other(inner).read(id, { signal }))?.text, "first");
  version = await other(inner).replace(id, "second", { ...write, version: version! });
  assertEquals((await one(inner).read(id, { signal }))?.text, "second");
  assert(await other(inner).touch(id, { ...write, version: version!, text: "second" }));
  assert(await one(inner).delete(id, { version, signal }));
  assertEquals(inner.size, 0);
});

Deno.test("the key of a sealed text depends on the id and never on what a dump holds alone", async () => {
  for (const [, wrap] of BOTH) {
    const inner = new MemoryStore();
    const { store, dump } = tap(inner);
    await wrap(store).create(idOf("a"), "text", write);
    const key = dump.find((text) => /^[\da-f]{64}$/.test(text))!;
    // With the secret, but without the id.
    const record = await sealed(inner).read(key, { signal });
    assertEquals(record?.text, "");
  }
});

Deno.test("wrappers around wrappers hand the id to the SealedStore behind them all", async () => {
  const inner = new MemoryStore();
  const { store, dump } = tap(inner);
  const deep = new HashedStore(new HashedStore(new SealedStore(store, { secret: SECRET })));
  const other = new SealedStore(new HashedStore(new HashedStore(inner)), { secret: SECRET });
  await deep.create(idOf("a"), "text", write);
  assertEquals((await other.read(idOf("a"), { signal }))?.text, "text");
  assertEquals(search(dump, { ids: [idOf("a")], words: ["text!"] }), []);
});

Deno.test("wrappers pass on the signal and whatever other options there are, and no more", async () => {
  for (const [name, wrap] of Object.entries(WRAPPERS)) {
    const seen: unknown[] = [];
    const note = ({ text: _, ...options }: object & { text?: string }) => {
      assertEquals(Object.getOwnPropertySymbols(options), []);
      assert((options as typeof write).signal === signal, name);
      seen.push({ ...options });
      return undefined;
    };
    const store = wrap({
      read: (_id, options) => note(options),
      create: (_id, _text, options) => note(options),
      replace: (_id, _text, options) => note(options),
      touch: (_id, options) => note(options) ?? false,
      delete: (_id, options) => note(options) ?? false,
    });
    const more = { ...write, version: "1", isExtra: true };
    await store.read(idOf("a"), { signal });
    await store.create(idOf("a"), "a", write);
    await store.replace(idOf("a"), "a", more);
    await store.touch(idOf("a"), { ...more, text: "a" });
    await store.delete(idOf("a"), { signal, version: "1" });
    assertEquals(seen, [{ signal }, write, more, more, { signal, version: "1" }], name);
  }
});

Deno.test("wrappers take null for an answer, and hand on a signal where PAGI's delete() has none", async () => {
  const signals: unknown[] = [];
  const nothing = () => null as never;
  for (const wrap of Object.values(WRAPPERS)) {
    const store = wrap({
      read: nothing,
      create: nothing,
      replace: nothing,
      touch: () => false,
      delete: (_id, { signal }) => signals.push(signal) > 0,
    }) as HashedStore | SealedStore;
    assertEquals(await store.get(idOf("a")) ?? undefined, undefined);
    assertEquals(await store.read(idOf("a"), { signal }) ?? undefined, undefined);
    assertEquals(await store.delete(idOf("a")), true);
  }
  assert(signals.length === 5 && signals.every((signal) => signal instanceof AbortSignal));
});

Deno.test("wrappers pass on what the store answers and how it fails", async () => {
  const failure = new Error("connection refused");
  const fail = () => {
    throw failure;
  };
  const reject = () => Promise.reject(failure);
  for (const [name, wrap] of Object.entries(WRAPPERS)) {
    for (const call of [fail, reject]) {
      const store = wrap({ read: call, create: call, replace: call, touch: call, delete: call });
      for (let turn = 0; turn < 2; turn++) {
        const calls = [
          async () => await store.read(idOf("a"), { signal }),
          async () => await store.create(idOf("a"), "a", write),
          async () => await store.replace(idOf("a"), "a", { ...write, version: "1" }),
          async () => await store.touch(idOf("a"), { ...write, version: "1", text: "a" }),
          async () => await store.delete(idOf("a"), { signal }),
        ];
        for (const call of calls) assertEquals(await assertRejects(call), failure, name);
      }
    }
  }
});

Deno.test("wrappers keep PAGI's get(), set() and delete()", async () => {
  for (const wrap of Object.values(WRAPPERS)) {
    const store = wrap(new MemoryStore()) as HashedStore | SealedStore;
    assertEquals(await store.set("a", { user: "ada", _created: 5 }), "a");
    await store.set("a", { user: "eve", _created: 5 });
    const { user, _id, _created, _last_access } = (await store.get("a"))!;
    assertEquals([user, _id, _created, _last_access], ["eve", "a", 5, 5]);
    assertEquals([await store.delete("a"), await store.delete("a")], [true, false]);
    assertEquals(await store.get("a"), undefined);
  }
});
