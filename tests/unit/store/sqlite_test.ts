import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { formatRaces, simulateRaces, storeContract } from "../../../testing/store.ts";
import type { SqliteStoreOptions } from "../../../store/sqlite.ts";
import { fakeClock, idOf } from "../../_kit/helpers.ts";
import { open, sqliteStore, storeWith, watched, withChance, write } from "../../_kit/sqlite.ts";

const { signal } = write;

const clock = fakeClock();
const cases = storeContract({
  async open() {
    const store = sqliteStore(new DatabaseSync(":memory:"), { now: clock.now });
    await store.setup();
    return store;
  },
  advance: clock.advance,
});
for (const { name, run } of cases) Deno.test(`SqliteStore keeps the contract: ${name}`, run);

Deno.test("SqliteStore breaks no session in 200 races", async () => {
  using rig = await storeWith();
  const report = await simulateRaces({ open: () => rig.store, runs: 200, exhaustive: false });
  assertEquals(report.failures, [], formatRaces(report));
});

Deno.test("SqliteStore answers at once", async () => {
  using rig = await storeWith();
  const { store } = rig;
  const version = store.create(idOf("a"), "one", write)!;
  assertMatch(version, /^[a-f][0-9a-f]{23}$/);
  assertEquals(store.read(idOf("a")), { text: "one", version, lastAccess: 7 });
  assertEquals(store.touch(idOf("a"), { ...write, version, text: "one" }), true);
  const next = store.replace(idOf("a"), "two", { ...write, ...store.read(idOf("a"))! })!;
  assertEquals(store.delete(idOf("a"), { version: next, signal }), true);
});

Deno.test("SqliteStore gives versions that no client takes for numbers", async () => {
  using rig = await storeWith();
  for (let n = 0; n < 200; n++) {
    const version = await rig.store.create(`a${n}`, "", write);
    assert(Number.isNaN(parseFloat(version!)), version);
  }
});

Deno.test("SqliteStore.touch() gives a new version, so that a replace() from before it fails", async () => {
  using rig = await storeWith();
  const { store } = rig;
  const old = store.create(idOf("a"), "one", write)!;
  assertEquals(store.touch(idOf("a"), { ...write, version: old, text: "one" }), true);
  const { version } = store.read(idOf("a"))!;
  assertMatch(version, /^[0-9a-f]{24}$/);
  assertNotEquals(version, old);
  assertEquals(store.replace(idOf("a"), "two", { ...write, version: old }), undefined);
  assert(store.replace(idOf("a"), "two", { ...write, version }) !== undefined);
});

Deno.test("SqliteStore gives back any string as it was written", async () => {
  using rig = await storeWith();
  const { store } = rig;
  const everyUnit = Array.from({ length: 65_536 }, (_, unit) => String.fromCharCode(unit)).join("");
  const texts = ["", "\0", "a\0b", "\ud800", "\udc00\ud800", '"', '""', '"a"', '"\\u0000"', "\\"];
  for (const text of [...texts, everyUnit, "𝒳".repeat(1_000_000)]) {
    const version = store.create(idOf("a"), text, write)!;
    assert(store.read(idOf("a"))!.text === text, text.slice(0, 20));
    const next = store.replace(idOf("a"), text, { ...write, version });
    assert(store.read(idOf("a"))!.text === text, text.slice(0, 20));
    store.delete(idOf("a"), { version: next, signal });
  }
});

Deno.test("SqliteStore stores ASCII as it is, and everything else in ASCII", async () => {
  using rig = await storeWith();
  const stored = (text: string) => {
    rig.store.create(idOf("a"), text, write);
    const row = rig.database.prepare("SELECT text FROM pagi_sessions").get()!;
    rig.store.delete(idOf("a"));
    return row.text;
  };
  const json = JSON.stringify({ _created: 1, odd: "\0\ud800", list: ["'", "\\", '"'] });
  assertEquals(stored(json), json);
  assertEquals(stored('{"a":"é𝒳"}'), String.raw`"{\"a\":\"\u00e9\ud835\udcb3\"}"`);
});

Deno.test("SqliteStore gives back any lastAccess as it was written", async () => {
  using rig = await storeWith();
  for (const lastAccess of [0, -1, 1_700_000_000.123, Number.MIN_VALUE, Number.MAX_VALUE]) {
    const version = rig.store.create(idOf("a"), "", { ...write, lastAccess })!;
    assertEquals(rig.store.read(idOf("a"))!.lastAccess, lastAccess);
    rig.store.delete(idOf("a"), { version, signal });
  }
});

Deno.test("SqliteStore keeps a record for its ttl to the millisecond", async () => {
  for (const ttl of [60, 0.5, 0.001, 3600, 86_400 * 400]) {
    using rig = await storeWith();
    rig.create("a", ttl);
    rig.clock.advance(ttl);
    assertEquals(rig.store.read(idOf("a"))?.text, "a", `${ttl} s`);
    rig.clock.advance(0.001);
    assertEquals(rig.store.read(idOf("a")), undefined, `${ttl} s`);
  }
});

Deno.test("SqliteStore takes a ttl without an end", async () => {
  using rig = await storeWith();
  rig.create("a", Infinity);
  rig.clock.advance(1e9);
  assertEquals(rig.store.read(idOf("a"))?.text, "a");
});

Deno.test("SqliteStore asks nothing about what cannot be an id", async () => {
  using rig = await storeWith();
  const { ran, watching } = watched(rig.database);
  const store = sqliteStore(watching);
  ran.length = 0;
  for (const id of ["", " ", "é", "\0", "a\n", "a b", "f".repeat(65)]) {
    assertEquals(store.read(id), undefined);
    assertEquals(store.replace(id, "", { ...write, version: "a" }), undefined);
    assertEquals(store.touch(id, { ...write, version: "a", text: "" }), false);
    assertEquals(store.delete(id), false);
    assertThrows(() => store.create(id, "", write), RangeError, "id");
  }
  assertEquals(ran, []);
});

Deno.test("SqliteStore runs one statement a call, and prepares each once", async () => {
  using rig = await storeWith();
  const { prepared, ran, watching } = watched(rig.database);
  const store = sqliteStore(watching);
  for (const list of [prepared, ran]) list.length = 0;
  await withChance(0.99, () => {
    for (let round = 0; round < 3; round++) {
      const version = store.create(idOf("a"), "", write)!;
      store.read(idOf("a"));
      store.touch(idOf("a"), { ...write, version, text: "" });
      store.replace(idOf("a"), "", { ...write, version });
      store.delete(idOf("a"), { version, signal });
      store.delete(idOf("a"), { signal });
    }
  });
  const once = ["INSERT", "SELECT", "UPDATE", "UPDATE", "DELETE", "DELETE"];
  assertEquals(prepared, once);
  assertEquals(ran, [...once, ...once, ...once]);
});

Deno.test("SqliteStore.set() and get() keep PAGI's hash, and delete() removes it", async () => {
  using rig = await storeWith();
  const { store, clock } = rig;
  const hash = { _id: "a", _created: 5, _last_access: 6, _subject: "ada", user: 1 };
  assertEquals(await store.set("a", hash), "a");
  assertEquals(await store.get("a"), hash);
  await store.set("a", { user: 2 });
  const now = clock.seconds();
  assertEquals(await store.get("a"), { _id: "a", _created: now, _last_access: now, user: 2 });
  clock.advance(399 * 86_400);
  assertEquals((await store.get("a"))?.user, 2);
  assertEquals([store.delete("a"), store.delete("a")], [true, false]);
  assertEquals(await store.get("a"), undefined);
  await assertRejects(() => store.set("", {}), RangeError, "id");
});

Deno.test("SqliteStore passes on what the client throws", () => {
  using rig = open();
  const store = sqliteStore(rig.database);
  assertThrows(() => store.read(idOf("a")), Error, "no such table");
});

Deno.test("SqliteStore throws when the client is one that only looks right", () => {
  const storeOn = (answer: unknown) => {
    const statement = { run: () => answer, get: () => answer };
    const probe = { run: () => ({ changes: 0 }), get: (...values: string[]) => [values.join("")] };
    const prepare = (
      sql: string,
    ) => (sql.includes("FROM") || sql.includes("INTO") ? statement : probe);
    return sqliteStore({ prepare: prepare as never, exec: () => {} });
  };
  for (const answer of [Promise.resolve({ changes: 1 }), undefined, {}]) {
    const create = () => storeOn(answer).create(idOf("a"), "", write);
    assertThrows(create, TypeError, "changes");
  }
  const record = `${idOf("a")} v 1 one`;
  for (const row of [[record], { record }, { a: { b: [new TextEncoder().encode(record)] } }]) {
    assertEquals(storeOn(row).read(idOf("a")), { text: "one", version: "v", lastAccess: 1 });
  }
  for (const row of [[], {}, ["one", "v", 1], { text: "one", accessed: 1 }]) {
    assertThrows(() => storeOn(row).read(idOf("a")), TypeError, "options");
  }
  for (const row of [[`${idOf("b")} v 1 one`], [`${idOf("a")} v nan one`]]) {
    assertThrows(() => storeOn(row).read(idOf("a")), TypeError, "another statement");
  }
});

Deno.test("SqliteStore() draws no randomness", () => {
  using rig = open();
  const { getRandomValues } = crypto;
  crypto.getRandomValues = () => {
    throw new Error("not here");
  };
  try {
    sqliteStore(rig.database);
  } finally {
    crypto.getRandomValues = getRandomValues;
  }
});

Deno.test("SqliteStore() throws and names what is wrong", () => {
  using rig = open();
  for (
    const client of [undefined, null, "sessions.db", {}, { prepare() {} }, () => {}, DatabaseSync]
  ) {
    assertThrows(() => sqliteStore(client as never), TypeError, "node:sqlite");
  }
  const asynchronous = { run() {}, get: () => Promise.reject(new Error("nobody waits for it")) };
  for (const answer of [asynchronous, Promise.resolve(asynchronous)]) {
    const client = { prepare: () => answer, exec() {} };
    assertThrows(() => sqliteStore(client as never), TypeError, "it answers with promises");
  }
  const make = (options: unknown) => () => sqliteStore(rig.database, options as SqliteStoreOptions);
  const names = ["", "a b", 'a"b', "a;", "a.b.c", ".a", "a.", "1a", "ä", "a\n", "a".repeat(49), 5];
  for (const table of [...names, null]) assertThrows(make({ table }), TypeError, "table");
  for (const synchronous of ["normal", "OFF", true, null]) {
    assertThrows(make({ synchronous }), TypeError, "synchronous");
  }
  for (const sweep of [null, 5, "no"]) assertThrows(make({ sweep }), TypeError, "sweep");
  for (const now of [null, 5, "now"]) assertThrows(make({ now }), TypeError, "now");
  assertThrows(make({ tabel: "a" }), TypeError, '"tabel"');
  assertThrows(make(null), TypeError, "options");
  make({ table: undefined, synchronous: undefined, now: undefined })();
});
