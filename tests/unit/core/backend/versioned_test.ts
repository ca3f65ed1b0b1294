/** The backend of a versioned store: keys, the end of a session, and what the store may answer. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { MemoryStore, SessionError, type VersionedStore } from "@pagi/session";
import type { SessionRecord } from "../../../../core/backend/backend.ts";
import { openBackend } from "../../../../core/backend/open.ts";
import { type Fault, FaultyStore } from "../../../_kit/faulty_store.ts";

const VERIFIER = "a".repeat(32);
const KEY = "0".repeat(32);
const ID = VERIFIER + KEY;
const NOW = 1_700_000_000;
const EXPIRY = { lastAccess: NOW, ttl: 3600 };
const MARKER = "ended:0123456789ab";

/** Wraps a store, so that it answers with promises, and counts its calls. */
function remote(inner: VersionedStore) {
  const calls: { name: string; args: unknown[] }[] = [];
  const answer = (name: keyof VersionedStore) => (...args: unknown[]) => {
    calls.push({ name, args });
    return Promise.resolve((inner[name] as (...args: unknown[]) => unknown)(...args));
  };
  const store = Object.fromEntries(
    (["read", "create", "replace", "touch", "delete"] as const).map((name) => [name, answer(name)]),
  ) as unknown as VersionedStore;
  return { store, calls, names: () => calls.map(({ name }) => name) };
}

const backendOf = (store: VersionedStore, timeout = 5) => openBackend(store, timeout, 3600);

/** A backend with one record, whose store fails from then on as `fault` says. */
async function faulty(operation: "replace" | "delete", kind: Fault) {
  const store = new FaultyStore(new MemoryStore({ now: () => NOW * 1000 }));
  const backend = backendOf(store, 0.001);
  backend.create(KEY, "text", EXPIRY);
  const record = (await backend.read(KEY))!;
  // The store has answered with a promise.
  Object.assign(backend, { isRemote: true });
  store.calls.length = 0;
  store.fault = { operation, kind };
  return { backend, record, store };
}

Deno.test("an ID consists of a verifier and the key of its record", () => {
  const backend = backendOf(new MemoryStore());
  assertEquals([backend.verifierOf(ID), backend.keyOf(ID)], [VERIFIER, KEY]);
  assertEquals(backend.isVersioned, true);
});

Deno.test("nextId() takes the first half of a generated ID, and keeps the key", () => {
  const backend = backendOf(new MemoryStore());
  assertEquals(backend.nextId(ID, "b".repeat(32) + "c".repeat(32)), "b".repeat(32) + KEY);
});

Deno.test("accepts() asks the store about the whole ID, and otherwise accepts 64 hex digits", () => {
  const { store } = remote(new MemoryStore());
  const backend = backendOf(store);
  assertEquals([ID, KEY, ID.toUpperCase(), ""].map((id) => backend.accepts(id)), [
    true,
    false,
    false,
    false,
  ]);
  const asked: string[] = [];
  const accepts = (presented: string) => asked.push(presented) > 0;
  assert(backendOf({ ...store, accepts }).accepts("any"));
  assertEquals(asked, ["any"]);
});

Deno.test("every call of the store gets the key", async () => {
  const { store, calls } = remote(new MemoryStore());
  const backend = backendOf(store);
  const { version } = (await backend.create(KEY, "1", EXPIRY))!;
  const record: SessionRecord = { key: KEY, text: "1", version, lastAccess: NOW };
  await backend.touch(record, EXPIRY);
  await backend.replace({ ...(await backend.read(KEY))! }, "2", EXPIRY, ID);
  await backend.end((await backend.read(KEY))!, MARKER, NOW);
  await backend.delete(KEY);
  assertEquals(new Set(calls.map(({ args }) => args[0])), new Set([KEY]));
  assertEquals(new Set(calls.map(({ name }) => name)).size, 5);
});

Deno.test("isRemote is true as soon as the store has answered with a promise", async () => {
  const memory = new MemoryStore();
  const local = backendOf(memory);
  local.create(KEY, "text", EXPIRY);
  local.read(KEY);
  assertEquals(local.isRemote, false);
  for (const act of ["read", "create"] as const) {
    const backend = backendOf(remote(memory).store);
    assertEquals(backend.isRemote, false);
    const answer = act === "read" ? backend.read(KEY) : backend.create(KEY, "text", EXPIRY);
    assertEquals(backend.isRemote, true);
    await answer;
  }
});

Deno.test("end() deletes the record when the store answers without a promise", async () => {
  const store = new MemoryStore({ now: () => NOW * 1000 });
  const backend = backendOf(store);
  backend.create(KEY, "text", EXPIRY);
  const record = (await backend.read(KEY))!;
  assertEquals(backend.end({ ...record, version: "other" }, MARKER, NOW), false);
  assertEquals(backend.end(record, MARKER, NOW), true);
  assertEquals([backend.read(KEY), store.size], [undefined, 0]);
});

Deno.test("end() leaves the marker for a minute when the store answers with promises", async () => {
  let now = NOW * 1000;
  const memory = new MemoryStore({ now: () => now });
  const { store, calls } = remote(memory);
  const backend = backendOf(store);
  await backend.create(KEY, "text", EXPIRY);
  const record = (await backend.read(KEY))!;
  calls.length = 0;
  assertEquals(await backend.end({ ...record, version: "other" }, MARKER, NOW + 5), false);
  assertEquals(await backend.end(record, MARKER, NOW + 5), true);
  assertEquals(calls.map(({ name }) => name), ["replace", "replace"]);
  const { text, lastAccess } = memory.read(KEY)!;
  assertEquals([text, lastAccess], [MARKER, NOW + 5]);
  // Until then, a create() that arrives late finds the key taken.
  now += 59_000;
  assertEquals(await backend.create(KEY, "late", EXPIRY), undefined);
  now += 2_000;
  assert(await backend.create(KEY, "late", EXPIRY) !== undefined);
});

for (const kind of ["throws", "rejects", "gives an invalid answer"] satisfies Fault[]) {
  Deno.test(`end() deletes the record when a store that is full ${kind}`, async () => {
    const { backend, record, store } = await faulty("replace", kind);
    assertEquals(await backend.end({ ...record, version: "other" }, MARKER, NOW), false);
    assertEquals(await backend.end(record, MARKER, NOW), true);
    assertEquals(store.calls, ["replace", "delete", "replace", "delete"]);
    assertEquals(store.inner.read(KEY), undefined);
  });
}

Deno.test("end() rejects and deletes nothing when the store does not answer in time", async () => {
  const { backend, record, store } = await faulty("replace", "never settles");
  const error = await assertRejects(
    () => Promise.resolve(backend.end(record, MARKER, NOW)),
    SessionError,
  );
  assertEquals(
    error.message,
    "Cannot replace the session: the store did not answer within storeTimeout",
  );
  // A second call would take as long, and a late one could still end a newer record.
  assertEquals(store.calls, ["replace"]);
});

Deno.test("end() rejects when the store can neither write nor delete", async () => {
  const { backend, record, store } = await faulty("replace", "throws");
  store.delete = () => {
    throw new Error("boom");
  };
  const error = await assertRejects(
    () => Promise.resolve(backend.end(record, MARKER, NOW)),
    SessionError,
  );
  assertEquals(error.message, "Cannot delete the session: the store failed");
});

Deno.test("delete() deletes any version and says whether there was one", () => {
  const backend = backendOf(new MemoryStore());
  backend.create(KEY, "text", EXPIRY);
  assertEquals([backend.delete(KEY), backend.delete(KEY)], [true, false]);
});

Deno.test("touch() says whether the record still had the version", () => {
  const store = new MemoryStore();
  const backend = backendOf(store);
  backend.create(KEY, "text", EXPIRY);
  const record = backend.read(KEY) as SessionRecord;
  assertEquals(backend.touch({ ...record, version: "other" }, EXPIRY), undefined);
  assert(backend.touch(record, { ...EXPIRY, lastAccess: NOW + 5 }) !== undefined);
  assertEquals(store.read(KEY)?.lastAccess, NOW + 5);
});

Deno.test("read() returns an empty text when the store's record is incomplete", () => {
  const whole = { text: "text", version: "1", lastAccess: NOW };
  const incomplete = [{ text: 5 }, { version: undefined }, { version: {} }, { lastAccess: NaN }];
  for (const part of [...incomplete, { lastAccess: "1" }]) {
    const store = Object.assign(new MemoryStore(), {
      read: () => ({ ...whole, ...part }) as never,
    });
    assertEquals(backendOf(store).read(KEY), { key: KEY, text: "", version: "", lastAccess: 0 });
  }
  for (const none of [undefined, null]) {
    const store = Object.assign(new MemoryStore(), { read: () => none as undefined });
    assertEquals(backendOf(store).read(KEY), undefined);
  }
});

Deno.test("a write throws when the store answers with no version", () => {
  for (const answer of [{}, true, [], Symbol("1")]) {
    const store = Object.assign(new MemoryStore(), {
      create: () => answer as never,
      replace: () => answer as never,
    });
    const backend = backendOf(store);
    const record = { key: KEY, text: "text", version: "1", lastAccess: NOW };
    for (
      const write of [
        () => backend.create(KEY, "", EXPIRY),
        () => backend.replace(record, "", EXPIRY),
      ]
    ) {
      assertThrows(write, SessionError, "the store answered with no version");
    }
  }
});
