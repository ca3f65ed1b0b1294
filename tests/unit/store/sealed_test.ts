import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { MemoryStore, SessionError, SessionMiddleware } from "@pagi/session";
import type { VersionedStore } from "@pagi/session/store";
import { SealedStore } from "../../../store/sealed.ts";
import { countSubtle, failSubtle, withoutCrypto } from "../../_kit/web_crypto.ts";
import { cookieOf, fakeClock, idOf, requestWith } from "../../_kit/helpers.ts";

const SECRET = "a secret of thirty-two bytes or so";
const OLD_SECRET = "another one, which was used before";
const ID = idOf("a");
const TEXT = '{"_created":1,"user":"ada"}';
const { signal } = new AbortController();
const write = { lastAccess: 1, ttl: 60, signal };
const options = { secret: SECRET };

const sealedOn = (inner: VersionedStore, ...secret: string[]) => new SealedStore(inner, { secret });

Deno.test("SealedStore encrypts with AES-256-GCM and a key that HKDF derives from secret and ID", async () => {
  const inner = new MemoryStore();
  const store = new SealedStore(inner, options);
  const version = await store.create(ID, TEXT, write);
  const record = inner.read(ID)!;
  assertEquals([record.version, record.lastAccess], [version, 1]);
  assertEquals(await store.read(ID, { signal }), { text: TEXT, version: version!, lastAccess: 1 });

  const bytes = Uint8Array.fromBase64(record.text, { alphabet: "base64url" });
  assertMatch(record.text, /^[\w-]+$/);
  assertEquals([bytes[0], bytes.length], [1, 1 + 12 + TEXT.length + 16]);
  assertEquals(record.text.length, Math.ceil((29 + TEXT.length) * 4 / 3));
  const utf8 = (text: string) => new TextEncoder().encode(text);
  const salt = utf8("@pagi/session sealed record 1");
  const root = await crypto.subtle.importKey("raw", utf8(SECRET), "HKDF", false, ["deriveKey"]);
  const key = await crypto.subtle.deriveKey(
    { name: "HKDF", hash: "SHA-256", salt, info: utf8(ID) },
    root,
    { name: "AES-GCM", length: 256 },
    false,
    ["decrypt"],
  );
  const algorithm = { name: "AES-GCM", iv: bytes.subarray(1, 13), additionalData: utf8(`1 ${ID}`) };
  const plain = await crypto.subtle.decrypt(algorithm, key, bytes.subarray(13));
  assertEquals(new TextDecoder().decode(plain), TEXT);
});

Deno.test("SealedStore decrypts a record of an earlier release", async () => {
  const inner = new MemoryStore();
  const sealed = "AXOdXQxWWcRfA9HmcNBLpT1kD5do0dcaJAtWtaLigELm5LYPYVEU6w6jz_1MdKxmHfzIam37-S0";
  inner.create(ID, sealed, write);
  const store = new SealedStore(inner, options);
  assertEquals((await store.read(ID, { signal }))?.text, TEXT);
});

Deno.test("SealedStore encrypts each write with a new nonce", async () => {
  const inner = new MemoryStore();
  const store = new SealedStore(inner, options);
  const texts = new Set<string>();
  let version = await store.create(ID, TEXT, write);
  for (let turn = 0; turn < 100; turn++) {
    texts.add(inner.read(ID)!.text.slice(0, 17));
    version = await store.replace(ID, TEXT, { ...write, version: version! });
  }
  assertEquals(texts.size, 100);
});

Deno.test("SealedStore makes every byte of a nonce random, and encrypts an empty text", async () => {
  const inner = new MemoryStore();
  const store = new SealedStore(inner, options);
  const nonces: Uint8Array[] = [];
  for (let at = 0; at < 20; at++) {
    const id = at.toString(16).padStart(64, "0");
    await store.create(id, "", write);
    assertEquals((await store.read(id, { signal }))?.text, "");
    const { text } = inner.read(id)!;
    nonces.push(
      Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => {
        return c.charCodeAt(0);
      }).subarray(1, 13),
    );
  }
  for (let byte = 0; byte < 12; byte++) {
    assert(new Set(nonces.map((nonce) => nonce[byte])).size > 1, `byte ${byte} is always the same`);
  }
});

Deno.test("SealedStore returns any text unchanged, with lone surrogates or a byte order mark too", async () => {
  const store = new SealedStore(new MemoryStore(), options);
  const everyUnit = Array.from({ length: 65_536 }, (_, unit) => String.fromCharCode(unit)).join("");
  for (const text of ["", '"', '"a"', "\ufeffa", "\ud800", "\0", everyUnit, "𝒳".repeat(100_000)]) {
    await store.create(ID, text, write);
    assert((await store.read(ID, { signal }))!.text === text, text.slice(0, 20));
    await store.delete(ID);
  }
});

Deno.test("SealedStore decrypts with every secret in its list and encrypts with the first", async () => {
  const inner = new MemoryStore();
  await sealedOn(inner, OLD_SECRET).create(ID, TEXT, write);
  const rotating = sealedOn(inner, SECRET, OLD_SECRET);
  const { text, version } = (await rotating.read(ID, { signal }))!;
  assertEquals(text, TEXT);
  assertEquals((await sealedOn(inner, SECRET).read(ID, { signal }))?.text, "");

  await rotating.replace(ID, TEXT, { ...write, version });
  assertEquals((await sealedOn(inner, SECRET).read(ID, { signal }))?.text, TEXT);
  assertEquals((await sealedOn(inner, OLD_SECRET).read(ID, { signal }))?.text, "");
  const later = sealedOn(inner, `${SECRET} 3`, `${SECRET} 2`, SECRET);
  assertEquals((await later.read(ID, { signal }))?.text, TEXT);
});

Deno.test("SealedStore no longer needs an old secret after `expire`", async () => {
  const clock = fakeClock();
  const inner = new MemoryStore({ now: clock.now });
  const on = (...secrets: string[]) =>
    new SessionMiddleware({
      secret: "the secret of the tests: 32 bytes or more",
      store: sealedOn(inner, ...secrets),
      now: clock.now,
    });
  const started = await on(OLD_SECRET).run(requestWith(), (session) => {
    session.set("user", "ada");
    return new Response();
  });
  const request = () => requestWith({ cookie: cookieOf(started) });
  // These requests only read.
  const look = async (sessions: SessionMiddleware) =>
    await (await sessions.run(request(), (session) => new Response(session.get("user", "nobody"))))
      .text();
  const rotating = on(SECRET, OLD_SECRET);
  clock.advance(3500);
  assertEquals(await look(rotating), "ada");
  assertEquals(await look(on(SECRET)), "ada");
  clock.advance(3500);
  assertEquals(await look(on(SECRET)), "ada");
  assertEquals(await look(on(OLD_SECRET)), "nobody");
});

Deno.test("SealedStore.touch() passes an encrypted text to a store that writes whole records", async () => {
  for (const secrets of [[SECRET], [SECRET, OLD_SECRET]]) {
    const inner = new MemoryStore();
    const whole: VersionedStore = {
      read: (id) => inner.read(id),
      create: (id, text, options) => inner.create(id, text, options),
      replace: (id, text, options) => inner.replace(id, text, options),
      touch: (id, options) => inner.replace(id, options.text, options) !== undefined,
      delete: (id, options) => inner.delete(id, options),
    };
    const store = sealedOn(whole, ...secrets);
    const version = await store.create(ID, TEXT, write);
    const before = inner.read(ID)!.text;
    const touch = { ...write, text: TEXT, version: version!, lastAccess: 5 };
    assertEquals(await store.touch(ID, touch), true);
    assertEquals(await store.touch(ID, touch), false);
    assertNotEquals(inner.read(ID)!.text, before);
    const { text, lastAccess } = (await store.read(ID, { signal }))!;
    assertEquals([text, lastAccess], [TEXT, 5]);
  }
});

Deno.test("SealedStore.touch() encrypts a record of an old secret again, and keeps a later lastAccess", async () => {
  const inner = new MemoryStore();
  await sealedOn(inner, OLD_SECRET).create(ID, TEXT, { ...write, lastAccess: 9 });
  const store = sealedOn(inner, SECRET, OLD_SECRET);
  const { version } = (await store.read(ID, { signal }))!;
  const touch = { ...write, text: TEXT, lastAccess: 5 };
  assertEquals(await store.touch(ID, { ...touch, version: "another" }), false);
  assertEquals(await store.touch(ID, { ...touch, version }), true);
  assertEquals(await store.touch(ID, { ...touch, version }), false);
  const current = (await sealedOn(inner, SECRET).read(ID, { signal }))!;
  assertEquals([current.text, current.lastAccess], [TEXT, 9]);
  // The record is now encrypted with the first secret, so a touch leaves it as it is.
  const { text } = inner.read(ID)!;
  assertEquals(await store.touch(ID, { ...touch, version: current.version }), true);
  assertEquals(inner.read(ID)!.text, text);
});

Deno.test("SealedStore calls crypto once for each read or write, and derives one key for each ID", async () => {
  const inner = new MemoryStore();
  const first = new SealedStore(inner, options);
  const version = await first.create(ID, TEXT, write);
  await first.create(idOf("b"), TEXT, write);
  const store = new SealedStore(inner, options);
  const read = (id = ID) => countSubtle(() => store.read(id, { signal }));
  assertEquals(await read(), { importKey: 1, deriveKey: 1, decrypt: 1 });
  assertEquals(await read(), { decrypt: 1 });
  assertEquals(await read(idOf("b")), { deriveKey: 1, decrypt: 1 });
  assertEquals(
    await countSubtle(() =>
      Promise.all([
        store.replace(ID, TEXT, { ...write, version: version! }),
        store.touch(ID, { ...write, text: TEXT, version: version! }),
        store.delete(ID, { signal, version: "another" }),
      ])
    ),
    { encrypt: 2 },
  );
  assertEquals(await countSubtle(() => store.create(idOf("c"), TEXT, write)), {
    deriveKey: 1,
    encrypt: 1,
  });
  assertEquals(await read(idOf("c")), { decrypt: 1 });
  // Concurrent reads of a new ID wait for one key.
  const fresh = new SealedStore(inner, options);
  const reads = () => Promise.all([1, 2, 3].map(() => fresh.read(ID, { signal })));
  assertEquals(await countSubtle(reads), { importKey: 1, deriveKey: 1, decrypt: 3 });
});

Deno.test("SealedStore tries the key of an old secret when the first one cannot decrypt a record", async () => {
  const inner = new MemoryStore();
  await sealedOn(inner, OLD_SECRET).create(ID, TEXT, write);
  const store = sealedOn(inner, SECRET, OLD_SECRET);
  const read = () => countSubtle(() => store.read(ID, { signal }));
  assertEquals(await read(), { importKey: 2, deriveKey: 2, decrypt: 2 });
  assertEquals(await read(), { decrypt: 2 });
});

Deno.test("SealedStore() calls no crypto, and neither do unknown IDs and malformed records", async () => {
  await withoutCrypto(async () => {
    const inner = new MemoryStore();
    const store = sealedOn(inner, SECRET, OLD_SECRET);
    assertEquals([store.accepts("a"), store.accepts(ID)], [false, true]);
    assertEquals(await store.read(ID, { signal }), undefined);
    assertEquals(await store.delete(ID), false);
    for (const text of ["", TEXT, "AQ", "A".repeat(36), `Ag${"A".repeat(60)}`]) {
      inner.create(ID, text, write);
      assertEquals((await store.read(ID, { signal }))?.text, "");
      inner.delete(ID);
    }
  });
});

Deno.test("SealedStore caches the keys of a limited number of IDs", async () => {
  const store = new SealedStore(new MemoryStore(), options);
  await store.create(ID, TEXT, write);
  const create = (made: number) => store.create(made.toString(16).padStart(64, "0"), TEXT, write);
  for (let made = 0; made < 1999; made++) await create(made);
  assertEquals(await countSubtle(() => store.read(ID, { signal })), { decrypt: 1 });
  // The cache holds twice as many at most.
  for (let made = 1999; made < 4000; made++) await create(made);
  assertEquals(await countSubtle(() => store.read(ID, { signal })), { deriveKey: 1, decrypt: 1 });
});

Deno.test("SealedStore throws while crypto fails, and works again afterward", async () => {
  const inner = new MemoryStore();
  const key = ID.slice(32);
  await new SealedStore(inner, options).create(key, TEXT, write);
  const store = new SealedStore(inner, options);
  const sessions = new SessionMiddleware({
    secret: "the secret of the tests: 32 bytes or more",
    store,
  });
  for (const method of ["importKey", "deriveKey"]) {
    await failSubtle(method, async () => {
      await assertRejects(() => store.read(key, { signal }), Error, "out of order");
      const request = requestWith({ cookie: `pagi_session=${ID}` });
      const error = await assertRejects(() => sessions.load(request), SessionError);
      assertEquals(error.code, "ERR_SESSION_STORE");
    });
  }
  await failSubtle("encrypt", async () => {
    await assertRejects(() => store.create(idOf("b"), TEXT, write), Error, "out of order");
  });
  assertEquals(inner.size, 1);
  assertEquals((await store.read(key, { signal }))?.text, TEXT);
});

Deno.test("SealedStore.accepts() returns what the inner store returns", () => {
  const inner = Object.assign(new MemoryStore(), { accepts: (id: string) => id === "a" });
  const store = new SealedStore(inner, options);
  assertEquals([store.accepts("a"), store.accepts(ID)], [true, false]);
});

Deno.test("SealedStore() throws when its secret or its inner store is unusable", () => {
  const inner = new MemoryStore();
  const refuse = (options: unknown, error: typeof TypeError | typeof RangeError, why: string) => {
    const { message } = assertThrows(() => new SealedStore(inner, options as never), error, why);
    assert(!message.includes("short"), message);
  };
  refuse(undefined, TypeError, "options");
  refuse({}, TypeError, "secret");
  refuse({ secret: [] }, TypeError, "secret");
  refuse({ secret: 5 }, TypeError, "secret");
  refuse({ secret: [SECRET, undefined] }, TypeError, "secret");
  refuse({ secret: SECRET, secrets: [] }, TypeError, "Cannot make SealedStore: there is no option");
  refuse({ secret: "" }, RangeError, "Cannot make SealedStore: secret must have 32 bytes");
  refuse({ secret: "a short one" }, RangeError, "32 bytes");
  refuse(
    { secret: "x".repeat(31) },
    RangeError,
    "32 bytes",
  );
  refuse({ secret: [SECRET, "a short one"] }, RangeError, "32 bytes");
  new SealedStore(inner, { secret: "ä".repeat(16) });
  new SealedStore(inner, { secret: "x".repeat(32) });

  const plain = { get: () => undefined, set: () => undefined, delete: () => undefined };
  assertThrows(
    () => new SealedStore(plain as never, options),
    TypeError,
    "Cannot make SealedStore: store must be a VersionedStore: its get, set and delete compare no",
  );
  assertThrows(() => new SealedStore(undefined as never, options), TypeError, "read, create");
});

Deno.test("SealedStore ignores later changes to the array of its secrets", async () => {
  const secret = [SECRET];
  const inner = new MemoryStore();
  const store = new SealedStore(inner, { secret });
  secret[0] = OLD_SECRET;
  await store.create(ID, TEXT, write);
  assertEquals((await sealedOn(inner, SECRET).read(ID, { signal }))?.text, TEXT);
});
