import { assert, assertEquals, assertRejects } from "@std/assert";
import { MemoryStore } from "@pagi/session";
import { storeContract } from "@pagi/session/testing/store";
import { HashedStore } from "../../../store/hashed.ts";
import { SealedStore } from "../../../store/sealed.ts";
import { search, tap } from "../../_kit/dump.ts";
import { SECRET } from "../../_kit/at_rest_story.ts";
import { BOTH, sealed, WRAPPERS } from "../../_kit/at_rest_wrappers.ts";
import { fakeClock, idOf } from "../../_kit/helpers.ts";
import { creating } from "../../_kit/migration_race.ts";

const { signal } = new AbortController();
const write = { lastAccess: 1, ttl: 60, signal };

for (const [name, wrap] of Object.entries(WRAPPERS)) {
  const clock = fakeClock();
  const cases = storeContract({
    open: () => wrap(new MemoryStore({ now: clock.now })),
    advance: clock.advance,
  });
  Deno.test(`${name} keeps the contract`, async (t) => {
    for (const { name, run } of cases) await t.step(name, run);
  });
}

Deno.test("the two orders of the wrappers are the same, to the record", async () => {
  const inner = new MemoryStore();
  const [[, one], [, other]] = BOTH as [typeof BOTH[0], typeof BOTH[0]];
  const id = idOf("a");
  let version = await one(inner).create(id, "first", write);
  assertEquals((await other(inner).read(id, { signal }))?.text, "first");
  version = await other(inner).replace(id, "second", { ...write, version: version! });
  assertEquals((await one(inner).read(id, { signal }))?.text, "second");
  assert(await other(inner).touch(id, { ...write, version: version!, text: "second" }));
  const touched = await one(inner).read(id, { signal });
  assert(await one(inner).delete(id, { version: touched?.version, signal }));
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
    });
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
    const store = wrap(new MemoryStore());
    assertEquals(await store.set("a", { user: "ada", _created: 5 }), "a");
    await store.set("a", { user: "eve", _created: 5 });
    const { user, _id, _created, _last_access } = (await store.get("a"))!;
    assertEquals([user, _id, _created, _last_access], ["eve", "a", 5, 5]);
    assertEquals([await store.delete("a"), await store.delete("a")], [true, false]);
    assertEquals(await store.get("a"), undefined);
  }
});

Deno.test("PAGI's set() through a wrapper counts from now, and keeps data for 400 days", async () => {
  for (const wrap of Object.values(WRAPPERS)) {
    const ttls: number[] = [];
    const inner = new MemoryStore();
    const store = wrap(creating(inner, (id, text, options) => {
      ttls.push(options.ttl);
      return inner.create(id, text, options);
    }));
    const before = Math.floor(Date.now() / 1000);
    await store.set("a", { user: "ada" });
    const { _created, _last_access } = (await store.get("a"))!;
    assertEquals([ttls, _last_access], [[34_560_000], _created]);
    assert(Number(_created) >= before && Number(_created) <= Date.now() / 1000, String(_created));
  }
});

Deno.test("a wrapper takes the client's id by a symbol that every copy of this package knows", () => {
  const known = Symbol.for("@pagi/session client's id");
  const store = WRAPPERS.SealedStore!(new MemoryStore());
  assertEquals(Reflect.get(store, known), true);
});
