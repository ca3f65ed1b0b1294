import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { HashedStore, MemoryStore, SealedStore, SessionError } from "@pagi/session";
import { keyOf } from "../../../../base/id.ts";
import { indexKeyOf } from "../../../../core/subjects/subject_index.ts";
import { tap } from "../../../_kit/dump.ts";
import { cookieOf, fakeClock, requestWith } from "../../../_kit/helpers.ts";
import { contentOf, textOf } from "../../../_kit/indexes.ts";
import { idOf, rig, SECRET } from "../../../_kit/subjects.ts";

Deno.test("a session stays listed and its list does not grow when it is used for a long time", async () => {
  const { sessions, signIn, devices, clock, answer, store } = rig({ expire: 600 });
  const cookie = await signIn("ada", "phone");
  const written = await signIn("ada", "tablet");
  for (let minute = 0; minute < 600; minute++) {
    clock.advance(60);
    await answer(new Response(), { cookie, write: minute % 2 === 0 });
    await answer(new Response(), { cookie: written });
  }
  assertEquals(await devices("ada"), ["phone", "tablet"]);
  await signIn("ada", "desktop");
  assertEquals(await devices("ada"), ["desktop", "phone", "tablet"]);
  assertEquals(await sessions.destroyAll("ada"), 3);
  assert(store.size <= 3, `${store.size} records`);
});

Deno.test("a session is listed again once an hour when it is touched", async () => {
  const { store: tapped, dump } = tap(new MemoryStore());
  const { signIn, clock, answer } = rig({ expire: 7200, store: tapped });
  const cookie = await signIn("ada");
  const lists = () => dump.filter((text) => text.startsWith("subject:")).length;
  const before = lists();
  for (let minute = 0; minute < 5; minute++) {
    clock.advance(60);
    await answer(new Response(), { cookie, write: minute % 2 === 0 });
  }
  assertEquals(lists(), before);
  clock.advance(3600);
  await answer(new Response(), { cookie, write: false });
  assert(lists() > before);
});

Deno.test("a list expires when none of its sessions can be active", async () => {
  const { now, advance } = fakeClock();
  const { store, dump } = tap(new MemoryStore({ now }));
  const { sessions, signIn } = rig({ expire: 600, store, now });
  for (let count = 0; count < 200; count++) {
    await signIn("ada");
    advance(60);
  }
  const lists = dump.filter((text) => text.startsWith("subject:"));
  const longest = Math.max(...lists.map((text) => text.split("sealed").length - 1));
  assert(longest <= 32, `${longest} entries`);
  assertEquals((await sessions.list("ada")).length, 10);
});

Deno.test("a dump of the store contains no subject, and no ID when a HashedStore wraps it", async () => {
  const { store, dump } = tap(new MemoryStore());
  const { sessions, signIn, rotate } = rig({ secret: SECRET, store: new HashedStore(store) });
  const cookies = [await signIn("user-7"), await signIn("user-7")];
  cookies.push(await rotate(cookies[0]!));
  await sessions.destroyAll("user-7", { except: idOf(cookies[2]!) });
  assert(dump.some((text) => text.startsWith("subject:")));
  const records = dump.filter((text) => !text.startsWith("s1:"));
  // Neither the complete ID nor the key in it: the text contains the verifier.
  for (const cookie of cookies) assert(!dump.join().includes(keyOf(idOf(cookie))));
  assert(!records.join().includes("user-7"));
});

Deno.test("sessions.destroyAll() works when both wrappers are used, and leaves nothing readable", async () => {
  const { store, dump } = tap(new MemoryStore());
  const sealed = new SealedStore(new HashedStore(store), { secret: SECRET });
  const { sessions, signIn, subjectOf } = rig({ secret: SECRET, store: sealed });
  const [ada, kept] = [await signIn("user-7"), await signIn("user-7")];
  assertEquals(await sessions.destroyAll("user-7", { except: idOf(kept) }), 1);
  assertEquals([await subjectOf(ada), await subjectOf(kept)], [undefined, "user-7"]);
  assert(!/user-7|subject:|"sealed"/.test(dump.join()));
});

Deno.test("sessions.destroyAll() ends a session when another secret listed it", async () => {
  const { store, signIn, clock } = rig({ secret: "the one before" });
  const before = await signIn("ada");
  const after = rig({ secret: "another", store, now: clock.now });
  const mine = await after.signIn("ada");
  for (const ask of ["list", "destroyAll"] as const) {
    const error = await assertRejects(() => after.sessions[ask]("ada"), SessionError);
    assertEquals((error as SessionError).code, "ERR_SESSION_STORE");
    assertStringIncludes((error as Error).message, "under another secret");
  }
  // What it could end it has ended.
  assertEquals(await after.subjectOf(mine), undefined);
  assertEquals(await after.subjectOf(before), "ada");
  // With both secrets all of them are found.
  const both = rig({ secret: ["another", "the one before"], store, now: clock.now });
  assertEquals(await both.sessions.destroyAll("ada"), 1);
  assertEquals(await both.subjectOf(before), undefined);
});

Deno.test("sessions are listed again when the secret has changed", async () => {
  const { store, signIn, clock } = rig({ secret: "the one before", expire: 600 });
  const cookie = await signIn("ada", "phone");
  await signIn("ada", "never used again");
  const after = rig({ secret: "another", store, now: clock.now, expire: 600 });
  for (let minute = 0; minute < 80; minute++) {
    clock.advance(60);
    await after.answer(new Response(), { cookie, write: false });
  }
  assertEquals(await after.devices("ada"), ["phone"]);
});

Deno.test("a list outlives its sessions when expire changes in either direction", async () => {
  for (const [before, after] of [[3600, 86_400], [86_400, 3600]] as const) {
    const old = rig({ expire: before });
    const cookie = await old.signIn("ada", "phone");
    const { store, clock } = old;
    const next = rig({ expire: after, store, now: clock.now });
    for (let hour = 0; hour < 20; hour++) {
      clock.advance(3000);
      await next.answer(new Response(), { cookie, write: false });
      assertEquals(await next.devices("ada"), ["phone"], `${before} to ${after}, ${hour}`);
    }
    assertEquals(await next.sessions.destroyAll("ada"), 1);
    assertEquals(await next.subjectOf(cookie), undefined);
  }
});

Deno.test("a list stays short when its user signs in and out often", async () => {
  const { store: tapped, dump } = tap(new MemoryStore());
  const { sessions, signIn, rotate, clock, events, devices } = rig({ store: tapped });
  let kept = await signIn("ada", "kept");
  for (let count = 0; count < 300; count++) {
    await sessions.destroy(idOf(await signIn("ada", "gone")));
    if (count % 10 === 0) kept = await rotate(kept);
    clock.advance(10);
  }
  const lists = dump.filter((text) => text.startsWith("subject:"));
  const longest = Math.max(...lists.map((text) => text.split("sealed").length - 1));
  assert(longest <= 32, `${longest} entries`);
  assertEquals(await devices("ada"), ["kept"]);
  assertEquals(events, []);
});

Deno.test("pruning keeps an entry when its session is about to be written", async () => {
  const store = new MemoryStore();
  const { signIn, sessions } = rig({ store });
  for (let count = 0; count < 14; count++) await signIn("ada");
  const { create } = MemoryStore.prototype;
  let isFirst = true;
  const slow = Object.assign(Object.create(store), {
    async create(...args: Parameters<MemoryStore["create"]>) {
      // Listed as the fifteenth; the sixteenth comes between, and tidies.
      if (isFirst && args[1].startsWith("s1:")) {
        isFirst = false;
        await signIn("ada");
      }
      return create.apply(store, args);
    },
  });
  for (const name of ["read", "replace", "touch", "delete"] as const) {
    slow[name] = (...args: unknown[]) => (store[name] as (...args: unknown[]) => unknown)(...args);
  }
  await rig({ store: slow }).signIn("ada");
  assertEquals((await sessions.list("ada")).length, 16);
});

Deno.test("each attempt to list a session makes an entry of its own", async () => {
  const store = new MemoryStore();
  const { signIn, sessions, subjectOf } = rig({ store });
  const cookie = await signIn("ada");
  const { replace } = MemoryStore.prototype;
  const lists = new Map<string, string>();
  // Two calls are sent twice: the second one of each finds that the record has changed.
  store.replace = function (...args) {
    const version = replace.apply(this, args);
    if (!args[1].startsWith("subject:") || lists.size >= 2) return version;
    lists.set(args[1], args[0]);
    return undefined;
  };
  await signIn("ada");
  const [key] = lists.values();
  const { entries } = JSON.parse(store.read(key!)!.text.slice("subject:".length));
  // An entry that a call has written and that another request has removed must not count.
  assertEquals(new Set(entries.map(({ sealed }: { sealed: string }) => sealed)).size, 4);
  assertEquals((await sessions.list("ada")).length, 2);
  assertEquals([await sessions.destroyAll("ada"), await subjectOf(cookie)], [2, undefined]);
});

Deno.test("a sign-in is listed again when a server whose clock is ahead has removed its entry", async () => {
  const store = new MemoryStore();
  const { signIn, devices, sessions } = rig({ store });
  await signIn("ada", "phone");
  const { create } = MemoryStore.prototype;
  let removed = 0;
  // Between the list and the session's record.
  store.create = function (...args) {
    if (args[1].startsWith("s1:") && ++removed === 1) {
      const index = store.read(key)!;
      const content = contentOf(index.text);
      const text = textOf({ ...content, entries: content.entries.slice(0, -1) });
      const { signal } = new AbortController();
      store.replace(key, text, { ...index, ttl: 3600, signal });
    }
    return create.apply(this, args);
  };
  const key = await indexKeyOf("ada");
  await signIn("ada", "desktop");
  assertEquals([removed, await devices("ada")], [1, ["desktop", "phone"]]);
  assertEquals(await sessions.destroyAll("ada"), 2);
});

Deno.test("a sign-in is refused when its entry was lost before destroyAll() looked for it", async () => {
  const store = new MemoryStore();
  const { signIn, sessions, subjectOf } = rig({ store });
  const kept = await signIn("bob");
  const key = await indexKeyOf("ada");
  const { read } = MemoryStore.prototype;
  const { signal } = new AbortController();
  let reads = 0;
  store.read = function (id, ...options) {
    const record = read.call(this, id, ...options);
    // The second read of the index comes after the session's record was written.
    if (id !== key || record === undefined || ++reads !== 1) return record;
    const text = textOf({ ...contentOf(record.text), entries: [] });
    store.replace(key, text, { ...record, ttl: 3600, signal });
    return (async () => {
      const found = read.call(this, id, ...options);
      await sessions.destroyAll("ada");
      return found;
    })() as never;
  };
  const error = await assertRejects(() => signIn("ada"), SessionError);
  assertEquals([error.code, await sessions.list("ada")], ["ERR_SESSION_INTERRUPTED", []]);
  assertEquals(await subjectOf(kept), "bob");
});

Deno.test("a sign-in that destroyAll() meets is refused, and the session that it came from has ended", async () => {
  for (const isNew of [true, false]) {
    const store = new MemoryStore();
    const { signIn, sessions, subjectOf, answer } = rig({ store });
    const known = isNew ? "" : cookieOf(await answer(new Response()));
    const write = isNew ? "create" : "replace";
    const original = MemoryStore.prototype[write] as (...args: unknown[]) => unknown;
    let meets = 0;
    Object.assign(store, {
      // Between the list and the session's record.
      [write]: async (...args: [string, string, ...unknown[]]) => {
        if (args[1].startsWith("s1:") && ++meets === 1) await sessions.destroyAll("ada");
        return original.apply(store, args);
      },
    });
    const error = await assertRejects(() => signIn("ada", "", known), SessionError);
    assertEquals([error.code, meets], ["ERR_SESSION_INTERRUPTED", 1]);
    assertEquals(await sessions.list("ada"), []);
    if (!isNew) assertEquals([await subjectOf(known), store.size], [undefined, 1]);
    // A second attempt is not refused.
    assertEquals(await subjectOf(await signIn("ada")), "ada");
  }
});

Deno.test("a sign-in succeeds and emits an event when the list cannot be pruned", async () => {
  const store = new MemoryStore();
  const { signIn, devices, clock, events } = rig({ store, expire: 600 });
  const old = [
    keyOf(idOf(await signIn("ada", "tablet"))),
    keyOf(idOf(await signIn("ada", "desktop"))),
  ];
  clock.advance(900);
  const { read } = MemoryStore.prototype;
  store.read = function (id, ...options) {
    if (old.includes(id)) throw new Error("connection refused");
    return read.call(this, id, ...options);
  };
  await signIn("ada", "phone");
  assertEquals(events, ["cleanup-failed"]);
  store.read = read;
  assertEquals(await devices("ada"), ["phone"]);
});

Deno.test("a logout succeeds and emits an event when the list cannot be changed", async () => {
  const store = new MemoryStore();
  const { signIn, sessions, subjectOf, events } = rig({ store });
  const cookie = await signIn("ada", "phone");
  const { replace } = MemoryStore.prototype;
  store.replace = function (...args) {
    if (args[1].startsWith("subject:")) throw new Error("connection refused");
    return replace.apply(this, args);
  };
  assertEquals(await sessions.destroy(idOf(cookie)), true);
  assertEquals([events, await subjectOf(cookie)], [["cleanup-failed"], undefined]);
});

Deno.test("a full MemoryStore evicts sessions before it evicts a list", async () => {
  const { sessions, signIn, answer, subjectOf } = rig({
    store: new MemoryStore({ maxSessions: 10 }),
  });
  const cookie = await signIn("ada");
  for (let visitor = 0; visitor < 50; visitor++) {
    await answer(new Response());
    assertEquals(await subjectOf(cookie), "ada");
  }
  assertEquals(await sessions.destroyAll("ada"), 1);
  assertEquals(await subjectOf(cookie), undefined);
});

Deno.test("a damaged list is an error and not an empty list", async () => {
  const { now, advance } = fakeClock();
  const { store, dump } = tap(new MemoryStore({ now }));
  const { sessions, signIn, events } = rig({ store, expire: 600, now });
  await signIn("ada");
  const options = { signal: new AbortController().signal, lastAccess: 0, ttl: 3600 };
  const { text, version } = (await store.read(listKey(dump), options))!;
  await store.replace(listKey(dump), text.slice(0, 20), { ...options, version });
  await assertRejects(() => sessions.destroyAll("ada"), SessionError, "the list is damaged");
  await signIn("ada");
  await assertRejects(() => sessions.list("ada"), SessionError, "the list is damaged");
  assert(events.includes("record-corrupt"));
  // Whoever was in it and is still there has been listed again by then.
  advance(1410);
  await assertRejects(() => sessions.list("ada"), SessionError, "the list is damaged");
  advance(1);
  assertEquals(await sessions.destroyAll("ada"), 0);
});

Deno.test("a user whose list is damaged can sign in, and it is reported once", async () => {
  const { store, dump } = tap(new MemoryStore());
  const { signIn, subjectOf, events } = rig({ store });
  await signIn("ada");
  const options = { signal: new AbortController().signal, lastAccess: 0, ttl: 3600 };
  const { version } = (await store.read(listKey(dump), options))!;
  await store.replace(listKey(dump), "subject:{}", { ...options, version });
  for (let count = 0; count < 3; count++) {
    assertEquals(await subjectOf(await signIn("ada")), "ada");
    assertEquals(events, ["record-corrupt"]);
  }
});

Deno.test("a list's key is treated as an unknown ID when a client sends it", async () => {
  const { store, dump } = tap(new MemoryStore());
  const { sessions, signIn, events, devices } = rig({ store });
  await signIn("ada", "phone");
  const key = listKey(dump);
  assertMatch(key, /^[0-9a-f]{64}$/);
  assertEquals(await sessions.load(requestWith({ cookie: `pagi_session=${key}` })), undefined);
  await sessions.destroy(key);
  await assertRejects(() => sessions.update(key, () => {}), SessionError, "no session has this ID");
  assertEquals(events, []);
  assertEquals(await devices("ada"), ["phone"]);
});

/** The key of the first list that a store was handed. */
function listKey(dump: readonly string[]): string {
  return dump[dump.findIndex((text) => text.startsWith("subject:")) - 2]!;
}
