import { assert, assertEquals, assertFalse } from "@std/assert";
import { MemoryStore, SessionMiddleware } from "@pagi/session";
import { DatabaseSync } from "node:sqlite";
import { DenoKvStore } from "../../../store/deno_kv.ts";
import { HashedStore } from "../../../store/hashed.ts";
import { SealedStore } from "../../../store/sealed.ts";
import { SqliteStore } from "../../../store/sqlite.ts";
import { fakeKv } from "./_fake_kv.ts";
import { cookieOf, requestWith } from "../../_kit/helpers.ts";

const VERIFIER = "0123456789abcdef".repeat(2);
const OTHER = "fedcba9876543210".repeat(2);
const KEY = "ab".repeat(16);
const ID = VERIFIER + KEY;
const { signal } = new AbortController();
const write = { lastAccess: 7, ttl: 60, signal };

const STORES: {
  [name: string]: () => Promise<
    MemoryStore | SqliteStore | DenoKvStore | HashedStore | SealedStore
  >;
} = {
  MemoryStore: () => Promise.resolve(new MemoryStore()),
  async SqliteStore() {
    const store = new SqliteStore(new DatabaseSync(":memory:"));
    await store.setup();
    return store;
  },
  DenoKvStore: () => Promise.resolve(new DenoKvStore(fakeKv())),
  HashedStore: () => Promise.resolve(new HashedStore(new MemoryStore())),
  SealedStore: () =>
    Promise.resolve(
      new SealedStore(new MemoryStore(), {
        secret: "x".repeat(32),
      }),
    ),
};

for (const [name, open] of Object.entries(STORES)) {
  Deno.test(`${name}.set() writes a session under its key, and get() finds it by its ID alone`, async () => {
    const store = await open();
    assertEquals(await store.set(ID, { _created: 5, _last_access: 6, user: "ada" }), ID);
    const record = await store.read(KEY, { signal });
    assertEquals(record?.text, `s1:${VERIFIER}{"_created":5,"user":"ada"}`);
    assertEquals(await store.read(ID, { signal }), undefined);
    const data = { _id: ID, _created: 5, _last_access: 6, user: "ada" };
    assertEquals(await store.get(ID), data);
    assertEquals(await store.get(OTHER + KEY), undefined);
    assertEquals(await store.get(VERIFIER + OTHER), undefined);
  });

  Deno.test(`${name}.set() makes its ID the only valid one`, async () => {
    const store = await open();
    await store.set(ID, { user: "ada" });
    await store.set(OTHER + KEY, { user: "eve" });
    assertEquals(await store.get(ID), undefined);
    assertEquals((await store.get(OTHER + KEY))?.user, "eve");
  });

  Deno.test(`${name}.set() shares sessions with the middleware`, async () => {
    const store = await open();
    const sessions = new SessionMiddleware({
      secret: "the secret of the tests: 32 bytes or more",
      store,
    });
    await store.set(ID, { user: "ada" });
    const request = () => requestWith({ cookie: `pagi_session=${ID}` });
    const response = await sessions.run(request(), (session) => {
      session.set("seen", true);
      return new Response(String(session.get("user")));
    });
    assertEquals(await response.text(), "ada");
    assertEquals((await store.get(ID))?.seen, true);
    const regenerated = await sessions.run(request(), (session) => {
      session.regenerate();
      return new Response();
    });
    const next = cookieOf(regenerated).split("=")[1]!;
    assertEquals(await store.get(ID), undefined);
    assertEquals((await store.get(next))?.user, "ada");
    // Only the last half of an ID counts here: the program decides to end the session.
    assertEquals(await store.delete(ID), true);
    assertEquals(await store.get(next), undefined);
  });

  Deno.test(`${name}.delete() prefers the record under the whole ID`, async () => {
    const store = await open();
    await store.set(ID, { user: "ada" });
    await store.create(ID, 's1:{"_created":5,"user":"eve"}', write);
    assertEquals((await store.get(ID))?.user, "ada");
    assertEquals(await store.delete(ID), true);
    assertEquals((await store.get(ID))?.user, "ada");
    await store.create(ID, 's1:{"_created":5,"user":"eve"}', write);
    assertEquals((await store.get(OTHER + KEY))?.user, undefined);
    assertEquals([await store.delete(ID), await store.delete(ID)], [true, true]);
    assertEquals([await store.delete(ID), await store.get(ID)], [false, undefined]);
  });

  Deno.test(`${name}.get() finds a record that a program wrote under a whole ID`, async () => {
    const store = await open();
    await store.create(ID, 's1:{"_created":5,"user":"eve"}', write);
    await store.set(OTHER + KEY, { user: "ada" });
    assertEquals((await store.get(ID))?.user, "eve");
  });

  Deno.test(`${name}.delete() with options concerns one record only`, async () => {
    const store = await open();
    await store.set(ID, { user: "ada" });
    assertEquals(await store.delete(ID, { signal }), false);
    assertEquals((await store.get(ID))?.user, "ada");
    assertEquals(await store.delete(KEY, { signal }), true);
  });

  Deno.test(`${name} takes an ID of another form as it is`, async () => {
    const store = await open();
    for (const id of ["a", KEY, ID.toUpperCase(), `${ID}0`.slice(1, 64)]) {
      await store.set(id, { user: id });
      assertEquals((await store.get(id))?.user, id);
      assertFalse(await store.read(id, { signal }) === undefined);
      assertEquals([await store.delete(id), await store.delete(id)], [true, false]);
    }
  });
}

Deno.test("set() keeps what the middleware has noted about the session", async () => {
  const store = new MemoryStore();
  const header = `s1:${VERIFIER} r3 u2 ct6s1hc x${OTHER}gt6s1hc z1`;
  const options = { ...write, lastAccess: 6 };
  store.create(KEY, `${header}{"_created":5,"_subject":"ada","n":1}`, options);
  const data = (await store.get(ID))!;
  await store.set(ID, { ...data, n: 2 });
  assertEquals(store.read(KEY)?.text, `${header}{"_created":5,"_subject":"ada","n":2}`);
  await store.set(ID, { ...data, _subject: "eve", _signed_in: 36 });
  assertEquals(
    store.read(KEY)?.text,
    `s1:${VERIFIER} r3 u3 a10 ct6s1hc x${OTHER}gt6s1hc z1{"_created":5,"_subject":"eve","n":1}`,
  );
  await store.set(OTHER + KEY, { _created: 5 });
  assertEquals(store.read(KEY)?.text, `s1:${OTHER}{"_created":5}`);
});

Deno.test("set() overwrites a text that is not a session", async () => {
  const store = new MemoryStore();
  for (const text of ["", "ended:0123", "{}", "s1:"]) {
    store.create(KEY, text, write);
    assertEquals(await store.get(ID), undefined);
    await store.set(ID, { _created: 5 });
    assertEquals(store.read(KEY)?.text, `s1:${VERIFIER}{"_created":5}`);
    assert(store.delete(KEY, { signal }));
  }
});
