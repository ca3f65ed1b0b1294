import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { MemoryStore, type SessionError } from "@pagi/session";
import { keyOf } from "../../../base/id.ts";
import { encodeEmptySession } from "../../../base/record_text.ts";
import { openBackend } from "../../../core/backend/open.ts";
import { CookieStore, type CookieStoreOptions } from "../../../store/cookie.ts";
import { PagiFormat } from "../../../store/_cookie/pagi_format.ts";
import { countSubtle, withoutCrypto } from "../../_kit/web_crypto.ts";
import { secret } from "../../_kit/cookie_store.ts";
import { fakeClock, idOf } from "../../_kit/helpers.ts";

const { signal } = new AbortController();

for (
  const [options, type, why] of [
    [undefined, TypeError, "Cannot make CookieStore: options must be an object"],
    [{}, TypeError, "secret must be a string"],
    [{ secret: [] }, TypeError, "secret must be a string"],
    [{ secret: [secret, 1] }, TypeError, "secret must be a string"],
    [{ secret: "x".repeat(31) }, RangeError, "32 bytes"],
    [{ secret: [secret, "é".repeat(15)] }, RangeError, "32 bytes"],
    [{ secret, purpose: 1 }, TypeError, "purpose"],
    [{ secret, format: "jwt" }, TypeError, "format"],
    [{ secret, now: 1 }, TypeError, "now"],
    [{ secret, revocations: {} }, TypeError, "revocations"],
    [{ secret, revocations: { read() {}, create() {} } }, TypeError, "revocations must be"],
    [{ secret, revocationCache: 1 }, TypeError, "revocationCache needs revocations"],
    [
      { secret, revocations: new MemoryStore(), revocationCache: -1 },
      RangeError,
      "revocationCache must be a number of seconds",
    ],
    [{ secret, format: "pagi", purpose: "session" }, TypeError, "cannot bind a purpose"],
    [{ secret, format: "pagi", revocations: new MemoryStore() }, TypeError, "would not ask"],
    [{ secret, expire: 1 }, TypeError, 'no option "expire"'],
  ] as [CookieStoreOptions, typeof TypeError, string][]
) {
  Deno.test(`new CookieStore() throws a ${type.name}: ${why} (${JSON.stringify(options)})`, () => {
    const error = assertThrows(() => new CookieStore(options), type, why);
    assert(!error.message.includes(secret));
  });
}

Deno.test("new CookieStore() counts a secret's bytes, and copies the list", async () => {
  const secrets = ["é".repeat(16)];
  const store = new CookieStore({ secret: secrets });
  const value = await store.set("a", { n: 1 });
  secrets[0] = secret;
  assertEquals((await store.get(value))?.n, 1);
});

Deno.test("new CookieStore() draws no randomness and does no crypto", async () => {
  await withoutCrypto(() => {
    new CookieStore({ secret: [secret, secret], revocations: new MemoryStore() });
    new CookieStore({ secret, format: "pagi" });
  });
});

Deno.test("CookieStore.set() and get() keep PAGI's hash, by themselves", async () => {
  const clock = fakeClock();
  const store = new CookieStore({ secret, now: clock.now });
  const value = await store.set("a", { user: "Adéle 世", nested: { list: [1] } });
  const now = clock.seconds();
  assertEquals(await store.get(value), {
    _id: "a",
    _created: now,
    user: "Adéle 世",
    nested: { list: [1] },
    _last_access: now,
  });
  const hash = {
    _id: idOf("1"),
    _created: 5,
    _subject: "ada",
    _signed_in: 6,
    n: 1,
    _last_access: 7,
  };
  assertEquals(await store.get(await store.set(idOf("1"), hash)), hash);
  clock.advance(399 * 86_400);
  assertEquals((await store.get(value))?.user, "Adéle 世");
  await store.delete(value);
  clock.advance(2 * 86_400);
  assertEquals(await store.get(value), undefined);
});

Deno.test("CookieStore.set() refuses what JSON cannot carry", async () => {
  for (const format of [undefined, "pagi"] as const) {
    const store = new CookieStore({ secret, format });
    const error = await assertRejects(() => store.set("a", { n: 1n })) as SessionError;
    assertEquals(error.code, "ERR_SESSION_DATA");
  }
  await assertRejects(() => new CookieStore({ secret }).set("", {}), TypeError);
});

Deno.test("CookieStore.open() gives the text as it was sealed, with its own note", async () => {
  const clock = fakeClock();
  const store = new CookieStore({ secret, now: clock.now });
  const lastAccess = clock.seconds() - 10;
  const text = 's1: r5{"_created":1,"a":[1, 2]}';
  const value = await store.seal(idOf("2"), text, { lastAccess, ttl: 60, signal });
  const opened = await store.open(value!, { signal });
  assertEquals(opened, { id: idOf("2"), text, lastAccess, version: "70" });
  clock.advance(60);
  assertEquals((await store.open(value!, { signal }))?.text, text);
  clock.advance(1);
  assertEquals(await store.open(value!, { signal }), undefined);
});

Deno.test("openStore() tells a sealing store by what it can do, and what to say of it", async () => {
  class MySeal {
    open() {
      return undefined;
    }
    seal() {
      return 42 as unknown as string;
    }
    get() {
      return undefined;
    }
    set() {}
    delete() {}
  }
  const backend = openBackend(new MySeal(), 5, Infinity);
  assertEquals(backend.isVersioned, false);
  assertMatch(backend.warning!, /client's cookie.*copy outlives the logout/);
  assertEquals([backend.accepts("anything"), backend.accepts("")], [true, false]);
  assertEquals(await backend.read("anything"), undefined);
  const lifetime = { lastAccess: 0, ttl: 1 };
  // What is no text is no answer.
  const error = assertThrows(() => backend.create("a", "{}", lifetime)) as SessionError;
  assertEquals(error.code, "ERR_SESSION_STORE");
  // Without `end` nothing is compared, and nothing is final.
  const record = { key: idOf("1"), text: "", version: "1", lastAccess: 0 };
  assertEquals(await backend.end(record, "ended:", 0), true);
  assertMatch(
    openBackend({ get: () => undefined, set() {}, delete() {} }, 5, Infinity).warning!,
    /get, set and/,
  );
  assertEquals(openBackend(new MemoryStore(), 5, Infinity).warning, undefined);
});

Deno.test("CookieStore.seal() takes as much as fits beside the cookie's name, or beside a long one", async () => {
  const write = { lastAccess: Math.floor(Date.now() / 1000), ttl: 60, signal };
  for (const [revocations, length] of [[undefined, 2994], [new MemoryStore(), 2947]] as const) {
    const store = new CookieStore({ secret, revocations });
    const value = await store.seal(idOf("a"), "x".repeat(length), write);
    assertEquals(value?.length, revocations ? 4032 : 4095);
    const error = await assertRejects(() => store.seal(idOf("a"), "x".repeat(length + 1), write));
    assertEquals((error as SessionError).code, "ERR_SESSION_TOO_LARGE");
    assertEquals(store.isLocal, revocations === undefined);
  }
});

Deno.test("CookieStore.seal() gives a value its lifetime, to the second", async () => {
  const clock = fakeClock();
  const store = new CookieStore({ secret, now: clock.now });
  const text = encodeEmptySession(1);
  const value = await store.seal(idOf("a"), text, { lastAccess: clock.seconds(), ttl: 60, signal });
  assertEquals([store.accepts(value!), store.accepts("junk")], [true, false]);
  assertEquals(store.accepts(undefined as never), false);
  clock.advance(60);
  assertEquals((await store.open(value!, { signal }))?.text, text);
  clock.advance(1);
  assertEquals(await store.open(value!, { signal }), undefined);
});

Deno.test('CookieStore with format "pagi" seals as PAGI does', async () => {
  const store = new CookieStore({ secret, format: "pagi" });
  const value = await store.set("a", { n: 1 });
  const pagi = new PagiFormat({ secrets: [secret], maxSize: 4095, now: Date.now });
  assertEquals((await pagi.decryptPlain(value))?.n, 1);
});

Deno.test("CookieStore.delete() notes the end now, and does nothing where none is noted", async () => {
  const clock = fakeClock();
  const revocations = new MemoryStore({ now: clock.now });
  const store = new CookieStore({ secret, revocations, now: clock.now });
  await store.delete(await store.set(idOf("a"), { n: 1 }));
  const { text, lastAccess } = revocations.read(keyOf(idOf("a")))!;
  assertEquals([text.startsWith("ended:"), lastAccess], [true, clock.seconds()]);
  const alone = new CookieStore({ secret });
  const value = await alone.set(idOf("a"), { n: 1 });
  assertEquals(await countSubtle(() => alone.delete(value)), {});
});
