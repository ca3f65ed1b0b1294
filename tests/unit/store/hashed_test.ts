import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { MemoryStore, SessionMiddleware } from "@pagi/session";
import { createHash } from "node:crypto";
import { HashedStore } from "../../../store/hashed.ts";
import { countSubtle, failSubtle, withoutCrypto } from "../../_kit/web_crypto.ts";
import { idOf, requestWith } from "../../_kit/helpers.ts";

const ID = idOf("a");
const { signal } = new AbortController();
const write = { lastAccess: 1, ttl: 60, signal };

/** Ids that nobody has. */
const idNumber = (number: number) => number.toString(16).padStart(64, "0");

Deno.test("HashedStore keeps a record under the SHA-256 of its id, in hex", async () => {
  const inner = new MemoryStore();
  const store = new HashedStore(inner);
  for (const id of [ID, idNumber(7), "short", "Ωμέγα"]) {
    const version = await store.create(id, id, write);
    const key = createHash("sha256").update(id).digest("hex");
    assertMatch(key, /^[0-9a-f]{64}$/);
    assertEquals(inner.read(key), { text: id, version: version!, lastAccess: 1 });
    assertEquals(inner.read(id), undefined);
  }
});

Deno.test("HashedStore.accepts() judges an id as the store behind it would, without crypto", async () => {
  await withoutCrypto(() => {
    const plain = new HashedStore(new MemoryStore());
    const presented = ["", "a", "A".repeat(64), ID, `${ID}a`, "\0", "é".repeat(64)];
    assertEquals(presented.filter((id) => plain.accepts(id)), [ID]);
    const inner = Object.assign(new MemoryStore(), {
      accepts: (presented: string) => presented.startsWith("a"),
    });
    const judged = new HashedStore(new HashedStore(inner));
    assertEquals(presented.filter((id) => judged.accepts(id)), ["a", ID, `${ID}a`]);
  });
});

Deno.test("HashedStore() does no crypto, and sessions without a client cost none", async () => {
  await withoutCrypto(async () => {
    const store = new HashedStore(new MemoryStore());
    const sessions = new SessionMiddleware({
      secret: "the secret of the tests: 32 bytes or more",
      store,
      generateId: () => ID,
    });
    for (const cookie of ["", "pagi_session=junk", `pagi_session=${"A".repeat(64)}`]) {
      assertEquals(await sessions.load(requestWith({ cookie })), undefined);
    }
  });
});

Deno.test("HashedStore digests an id once, as long as it has a record", async () => {
  const store = new HashedStore(new MemoryStore());
  const version = await store.create(ID, "a", write);
  const other = new HashedStore(store);
  const calls = await countSubtle(async () => {
    await store.read(ID, { signal });
    await store.touch(ID, { ...write, text: "a", version: version! });
    await store.replace(ID, "b", { ...write, version: version! });
    await store.read(ID, { signal });
  });
  assertEquals(calls, {});
  assertEquals(await countSubtle(() => other.read(ID, { signal })), { digest: 2 });
  assertEquals(await countSubtle(() => store.read(idNumber(1), { signal })), { digest: 1 });
  assertEquals(await countSubtle(() => store.read(idNumber(1), { signal })), { digest: 1 });
});

Deno.test("HashedStore answers at once about an id that it knows, where the store behind it does", async () => {
  const store = new HashedStore(new MemoryStore());
  const version = await store.create(ID, "a", write);
  assertEquals(store.read(ID, { signal }), { text: "a", version: version!, lastAccess: 1 });
});

Deno.test("HashedStore remembers a limited number of ids, and made-up ones push none out", async () => {
  const store = new HashedStore(new MemoryStore());
  await store.create(ID, "a", write);
  for (let made = 0; made < 10_001; made++) await store.read(idNumber(made), { signal });
  assertEquals(await countSubtle(() => store.read(ID, { signal })), {});
  for (let made = 0; made < 9_999; made++) await store.create(idNumber(made), "a", write);
  assertEquals(await countSubtle(() => store.read(ID, { signal })), {});
  // Twice as many at most.
  for (let made = 9_999; made < 20_000; made++) await store.create(idNumber(made), "a", write);
  assertEquals(await countSubtle(() => store.read(ID, { signal })), { digest: 1 });
  assertEquals((await store.read(idNumber(5), { signal }))?.text, "a");
});

Deno.test("HashedStore() refuses a store that compares no versions, and says why", () => {
  const plain = { get: () => undefined, set: () => undefined, delete: () => undefined };
  const error = assertThrows(() => new HashedStore(plain as never), TypeError);
  assertEquals(
    error.message,
    "Cannot make HashedStore: store must be a VersionedStore: its get, set and delete compare no " +
      "versions, so what HashedStore promised about races would not hold",
  );
  for (const store of [undefined, null, "redis://localhost", {}, { read() {}, create() {} }]) {
    assertThrows(() => new HashedStore(store as never), TypeError, "read, create, replace");
  }
});

Deno.test("HashedStore fails where the digest fails, and not for ever", async () => {
  const store = new HashedStore(new MemoryStore());
  await failSubtle("digest", async () => {
    await assertRejects(async () => await store.read(ID, { signal }), Error, "out of order");
    await assertRejects(async () => await store.create(ID, "a", write), Error, "out of order");
  });
  assert(await store.create(ID, "a", write) !== undefined);
});
