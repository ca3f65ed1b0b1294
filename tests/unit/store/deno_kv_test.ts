import {
  assert,
  assertEquals,
  assertNotEquals,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { SessionError } from "@pagi/session";
import { type DenoKv, type DenoKvAtomic, DenoKvStore } from "../../../store/deno_kv.ts";
import { storeContract } from "../../../testing/store.ts";
import { fakeKv } from "./_fake_kv.ts";
import { fakeClock, idOf } from "../../_kit/helpers.ts";

// What Deno KV makes of these calls is tested on Deno KV, in tests/integration.

const ID = idOf("a");
const { signal } = new AbortController();
const write = { lastAccess: 1, ttl: 60, signal };
const STAMP = "0".repeat(20);
/** The version of a record that was written at time 0 with the times of `write`. */
const VERSION = `${STAMP} 1 60000`;

const clock = fakeClock();
const cases = storeContract({
  open: () => new DenoKvStore(fakeKv(), { now: clock.now }),
  advance: clock.advance,
});
for (const { name, run } of cases) {
  // A value of KV has 64 KiB at most.
  if (!name.endsWith("100 KiB")) Deno.test(`DenoKvStore keeps the contract: ${name}`, run);
}

Deno.test("DenoKvStore.touch() gives a new version, so that a replace() from before it fails", async () => {
  const store = new DenoKvStore(fakeKv());
  const old = (await store.create(ID, "one", write))!;
  assertEquals(await store.touch(ID, { ...write, version: old, text: "one" }), true);
  const { version } = (await store.read(ID, { signal }))!;
  assertNotEquals(version, old);
  assertEquals(await store.replace(ID, "two", { ...write, version: old }), undefined);
  assert(await store.replace(ID, "two", { ...write, version }) !== undefined);
});

Deno.test("DenoKvStore expires by the clock that reads, and a touch by a slow clock shortens nothing", async () => {
  const kv = fakeKv();
  const at = (ms: number) => new DenoKvStore(kv, { now: () => ms });
  const version = (await at(0).create(ID, "one", { ...write, ttl: 60 }))!;
  assertEquals((await at(60_000).read(ID, { signal }))?.text, "one");
  assertEquals(await at(60_001).read(ID, { signal }), undefined);
  assertEquals(await at(60_000).create(ID, "two", write), undefined);
  assert(await at(-3_600_000).touch(ID, { ...write, version, text: "one" }));
  assertEquals((await at(60_000).read(ID, { signal }))?.text, "one");
  // Counted from the last access, because this clock is behind that.
  assert(await at(61_001).create(ID, "two", write) !== undefined);
});

Deno.test("DenoKvStore.replace() by a clock two hours behind lets other clocks find the record", async () => {
  const kv = fakeKv();
  const at = (seconds: number) => new DenoKvStore(kv, { now: () => seconds * 1000 });
  const used = { lastAccess: 10_000, ttl: 600, signal };
  const version = (await at(10_000).create(ID, "one", used))!;
  assert(await at(2800).replace(ID, "two", { ...used, version }) !== undefined);
  assertEquals((await at(10_600).read(ID, { signal }))?.text, "two");
  assertEquals(await at(10_601).read(ID, { signal }), undefined);
});

/** The shape of a KV whose commits do what `commit` does. */
function shape(commit: DenoKvAtomic["commit"]): DenoKv {
  const atomic: DenoKvAtomic = {
    check: () => atomic,
    set: () => atomic,
    delete: () => atomic,
    commit,
  };
  return {
    get: () => Promise.reject(new Error("not to be asked")),
    atomic: () => atomic,
  };
}

Deno.test("DenoKvStore() refuses what is no KV", () => {
  for (const kv of [undefined, null, "kv.db", {}, { get() {} }, Promise.resolve(shape)]) {
    assertThrows(() => new DenoKvStore(kv as never), TypeError, "Deno.openKv()");
  }
});

Deno.test("DenoKvStore() refuses options that are unknown or of the wrong kind", () => {
  const kv = shape(() => Promise.reject());
  assertThrows(() => new DenoKvStore(kv, { prefx: [] } as never), TypeError, "prefx");
  for (const prefix of ["a", [null], [{}]]) {
    assertThrows(() => new DenoKvStore(kv, { prefix: prefix as never }), TypeError, "prefix");
  }
  assertThrows(() => new DenoKvStore(kv, { now: 1 as never }), TypeError, "now");
  new DenoKvStore(kv, { prefix: ["a", 1, 2n, true, new Uint8Array(1)] });
});

Deno.test("DenoKvStore refuses what is too large before it asks KV, and says both sizes", async () => {
  const store = new DenoKvStore(shape(() => Promise.reject(new Error("not to be asked"))), {
    now: () => 0,
  });
  // Three bytes each; in front of it `1 60000` and a newline.
  const text = "€".repeat(21_900);
  const attempts = [
    () => store.create(ID, text, write),
    () => store.replace(ID, text, { ...write, version: VERSION }),
    () => store.touch(ID, { ...write, version: VERSION, text }),
  ];
  for (const attempt of attempts) {
    const error = await assertRejects(attempt, SessionError);
    assertEquals(error.code, "ERR_SESSION_TOO_LARGE");
    assertStringIncludes(error.message, `${8 + 65_700} bytes`);
    assertStringIncludes(error.message, "65536");
    assert(!error.message.includes(ID) && !error.message.includes("€"));
  }
});

Deno.test("DenoKvStore asks nobody about a version that cannot be one", async () => {
  const store = new DenoKvStore(shape(() => Promise.reject(new Error("not to be asked"))));
  for (const version of ["", "no such version", STAMP, `0${VERSION}`, `${VERSION} 0`]) {
    assertEquals(await store.replace(ID, "{}", { ...write, version }), undefined);
    assertEquals(await store.touch(ID, { ...write, version, text: "{}" }), false);
    assertEquals(await store.delete(ID, { version }), false);
  }
});

Deno.test("DenoKvStore writes again when another process had the file locked", async () => {
  let commits = 0;
  const store = new DenoKvStore(
    shape(() => {
      if (++commits % 3 !== 0) return Promise.reject(new TypeError("database is locked"));
      return Promise.resolve({ ok: true, versionstamp: STAMP });
    }),
    { now: () => 0 },
  );
  assertEquals(await store.create(ID, "{}", write), VERSION);
  assertEquals(commits, 3);
  assertEquals(await store.delete(ID, { version: VERSION }), true);
  assertEquals(commits, 6);
});

Deno.test("DenoKvStore.touch() keeps the later of both times and expiries, and reads nothing", async () => {
  const written: [value: string, expireIn: number][] = [];
  const kv = shape(() => Promise.resolve({ ok: true, versionstamp: STAMP }));
  const atomic: DenoKvAtomic = {
    ...kv.atomic(),
    check: () => atomic,
    set(_key, value, { expireIn }) {
      written.push([new TextDecoder().decode(value as Uint8Array), expireIn]);
      return atomic;
    },
  };
  const store = new DenoKvStore({ ...kv, atomic: () => atomic }, { now: () => 10_000 });
  for (const [lastAccess, ttl] of [[5, 60], [0, 60], [5, 20], [0, 20]] as const) {
    const touch = { signal, version: VERSION, text: "{}", lastAccess, ttl };
    assertEquals(await store.touch(ID, touch), true);
  }
  assertEquals(written, [
    ["5 70000\n{}", 60_000],
    ["1 70000\n{}", 60_000],
    ["5 60000\n{}", 50_000],
    ["1 60000\n{}", 50_000],
  ]);
});

Deno.test("DenoKvStore does not write again when nobody waits any more", async () => {
  const controller = new AbortController();
  let commits = 0;
  const store = new DenoKvStore(shape(() => {
    if (++commits === 2) controller.abort();
    return Promise.reject(new TypeError("database is locked"));
  }));
  const attempt = () => store.create(ID, "{}", { ...write, signal: controller.signal });
  await assertRejects(attempt, TypeError, "locked");
  assertEquals(commits, 2);
});

Deno.test("DenoKvStore passes on KV's other errors at once", async () => {
  const failure = new Error("disk I/O error");
  const store = new DenoKvStore(shape(() => Promise.reject(failure)));
  assertStrictEquals(await assertRejects(() => store.create(ID, "{}", write)), failure);
  await assertRejects(() => store.read(ID, { signal }), Error, "not to be asked");
});
