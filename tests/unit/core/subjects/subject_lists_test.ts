// What is in a subject's list, for how long, and what it costs.
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { MemoryStore, SessionError, type WriteOptions } from "@pagi/session";
import { keyOf } from "../../../../base/id.ts";
import { fakeClock, requestWith } from "../../../_kit/helpers.ts";
import { contentOf, idsOfOneShard, textOf } from "../../../_kit/indexes.ts";
import { idOf, rig } from "../../../_kit/subjects.ts";

/** A store that notes each list that it is to keep: how many are in it, and for how long. */
class Lists extends MemoryStore {
  readonly kept: { key: string; entries: number; ttl: number }[] = [];
  override create(id: string, text: string, options: WriteOptions) {
    this.#note(id, text, options);
    return super.create(id, text, options);
  }
  override replace(id: string, text: string, options: WriteOptions & { version: string }) {
    this.#note(id, text, options);
    return super.replace(id, text, options);
  }
  #note(key: string, text: string, { ttl }: WriteOptions) {
    if (!text.startsWith("subject:")) return;
    this.kept.push({ key, entries: text.split("sealed").length - 1, ttl });
  }
}

/** Browsers that sign in, on a store that shows their lists. */
function setUp(options: Parameters<typeof rig>[0] = {}) {
  const { clock } = rig();
  const store = new Lists({ now: clock.now });
  const base = rig({ store, now: clock.now, ...options });
  return { ...base, clock, store, last: () => store.kept.at(-1)! };
}

Deno.test("a list's ttl is a week or twice the lifetime of its sessions", async () => {
  const lifetime = 2_592_000 + 60 + 180 + 3600;
  for (const [expire, ttl] of [[600, 604_800], [2_592_000, 2 * lifetime]] as const) {
    const { signIn, last } = setUp({ expire });
    await signIn("ada");
    assertEquals(last().ttl, ttl);
  }
});

Deno.test("an empty list is kept for six minutes, so that nobody brings its generation back", async () => {
  const { sessions, signIn, last } = setUp();
  await sessions.destroy(idOf(await signIn("ada")));
  assertEquals([last().entries, last().ttl], [0, 360]);
  await sessions.destroyAll("bob");
  assertEquals([last().entries, last().ttl], [0, 360]);
});

Deno.test("a sign-in examines the four oldest entries that were not confirmed for long", async () => {
  for (const [seconds, entries] of [[810, 7], [811, 3]] as const) {
    const { signIn, last, clock, store } = setUp({ expire: 600 });
    for (let count = 0; count < 6; count++) {
      const key = keyOf(idOf(await signIn("ada")));
      // As an eviction would.
      store.delete(key, { signal: new AbortController().signal });
    }
    clock.advance(seconds);
    await signIn("ada");
    assertEquals(last().entries, entries);
  }
});

Deno.test("a session whose record is still there keeps its entry, and is examined again later", async () => {
  const { signIn, last, clock } = setUp({ expire: 600 });
  await signIn("ada");
  clock.advance(900);
  await signIn("ada");
  assertEquals(last().entries, 2);
  clock.advance(600);
  await signIn("ada");
  assertEquals(last().entries, 3);
  clock.advance(1);
  await signIn("ada");
  // The first session's was removed.
  assertEquals(last().entries, 3);
});

Deno.test("pruning keeps the newest entry of a session, and no other after three minutes", async () => {
  for (const [seconds, entries] of [[180, 4], [181, 3]] as const) {
    const { signIn, last, clock, store } = setUp();
    await signIn("ada", "phone");
    let isLost = true;
    const { replace } = MemoryStore.prototype;
    // Its answer is lost, so the call is tried again.
    store.replace = function (...args) {
      const version = Lists.prototype.replace.apply(this, args);
      if (!isLost || !args[1].startsWith("subject:")) return version;
      isLost = false;
      return undefined;
    };
    await signIn("ada", "desktop");
    store.replace = replace;
    clock.advance(seconds);
    store.replace = Lists.prototype.replace;
    await signIn("ada", "tablet");
    assertEquals(last().entries, entries);
  }
});

Deno.test("a sign-in writes the list once, also when it prunes the list", async () => {
  const { signIn, store, clock } = setUp();
  for (let count = 0; count < 15; count++) {
    await signIn("ada");
    clock.advance(900);
  }
  assertEquals(store.kept.length, 15);
});

Deno.test("the seventeenth session of a user is added to a shard, and the root is written once more", async () => {
  const { signIn, store } = setUp();
  for (let count = 0; count < 18; count++) await signIn("ada");
  const [root] = store.kept;
  const writes = store.kept.filter(({ key }) => key === root!.key).map(({ entries }) => entries);
  assertEquals(writes, [...Array.from({ length: 16 }, (_, at) => at + 1), 16]);
  assertEquals(store.kept.length, 19);
});

Deno.test("a sign-in fails with a conflict when other requests always write first", async () => {
  const { signIn, store, last } = setUp({ storeTimeout: 0.1 });
  await signIn("ada");
  const { key } = last();
  let tries = 0;
  const { replace } = MemoryStore.prototype;
  store.replace = (id, text, options) => {
    if (id === key) tries++;
    return id === key ? undefined : replace.call(store, id, text, options);
  };
  const { code, message } = await assertRejects(() => signIn("ada"), SessionError);
  assertEquals(code, "ERR_SESSION_CONFLICT");
  assertStringIncludes(message, "for as long as storeTimeout");
  assert(tries > 1);
});

Deno.test("an index is damaged when another subject's index replaced it", async () => {
  const { sessions, signIn, store, last } = setUp();
  await signIn("ada");
  const ada = last().key;
  await signIn("eve");
  const [{ text }, { version, lastAccess }] = [store.read(last().key)!, store.read(ada)!];
  const { signal } = new AbortController();
  store.replace(ada, text, { version, lastAccess, signal, ttl: 3600 });
  await assertRejects(() => sessions.list("ada"), SessionError, "the list is damaged");
});

Deno.test("sessions.list() marks the current session when `current` is its old ID", async () => {
  const { sessions, signIn, rotate } = setUp();
  await signIn("ada", "desktop");
  const old = await signIn("ada", "phone");
  const current = await rotate(old);
  for (const id of [idOf(old), idOf(current)]) {
    const marked = (await sessions.list("ada", { current: id })).filter(({ current }) => current);
    assertEquals(marked.map(({ session }) => session.get("device")), ["phone"]);
  }
});

Deno.test("pruning keeps entries of another secret until they expire", async () => {
  for (const [seconds, entries] of [[1410, 2], [1411, 1]] as const) {
    const { signIn, last, clock, store } = setUp({ secret: "the one before", expire: 600 });
    await signIn("ada");
    const after = setUp({ secret: "another", expire: 600, store, now: clock.now });
    clock.advance(seconds);
    await after.signIn("ada");
    assertEquals(last().entries, entries);
  }
});

Deno.test("a MemoryStore with room for all sessions drops no index of an active one", async () => {
  for (const expire of [600, 3600]) {
    const clock = fakeClock();
    const store = new MemoryStore({ now: clock.now, maxSessions: 100 });
    const { signIn, answer, sessions } = rig({ store, now: clock.now, expire });
    const users = Array.from({ length: 10 }, (_, at) => `user ${at}`);
    const cookies = await Promise.all(users.map((user) => signIn(user)));
    // A session's record is kept for twice `expire` and two minutes, and the index for a week.
    const pause = 2 * expire / 70;
    for (let time = 0; time < 5 * expire; time += pause) {
      clock.advance(pause);
      await signIn(`guest ${time}`);
      for (const cookie of cookies) await answer(new Response(), { cookie, write: false });
    }
    // To list them earlier would be a use of the indexes.
    const listed = await Promise.all(users.map((user) => sessions.list(user)));
    assertEquals(listed.map(({ length }) => length), users.map(() => 1), `${expire}`);
  }
});

Deno.test("an entry counts from now when a clock that is wrong has dated it into the future", async () => {
  const { signIn, last, clock, store, devices } = setUp({ expire: 600 });
  await signIn("ada", "phone");
  const { key } = last();
  const { text, version, lastAccess } = store.read(key)!;
  const content = contentOf(text);
  const entries = content.entries.map((entry) => ({ ...entry, at: entry.at + 1e8 }));
  const { signal } = new AbortController();
  const options = { version, lastAccess: lastAccess + 1e8, ttl: 604_800, signal };
  store.replace(key, textOf({ ...content, entries }), options);
  await signIn("ada", "desktop");
  assertEquals(await devices("ada"), ["desktop", "phone"]);
  clock.advance(7200);
  await signIn("ada");
  assertEquals(last().entries, 1);
});

Deno.test("a session is ended before its entry is dropped when a list has no room at all", async () => {
  const generateId = idsOfOneShard("ada");
  const set = setUp({ expire: 86_400, generateId });
  const { signIn, sessions, subjectOf, events, clock, last, store } = set;
  const cookies: string[] = [];
  // 16 in the root, 16 in a shard of the first level, the others in one of the second.
  for (let count = 0; count < 16 + 16 + 256; count++) cookies.push(await signIn("ada"));
  assertEquals([events, last().entries], [[], 256]);
  // It fits into the 64 KiB of Deno KV, also as the base64 of a SealedStore.
  assert(store.read(last().key)!.text.length * 4 / 3 < 60_000);
  clock.advance(300);
  // Its entry is the oldest of the shard, but it is in use.
  const oldest = cookies[32]!;
  await sessions.run(requestWith({ cookie: oldest }), () => new Response());
  assertEquals(await subjectOf(await signIn("ada")), "ada");
  assertEquals([events, last().entries], [["subject-full"], 256]);
  assertEquals(await subjectOf(oldest), "ada");
  const ended: number[] = [];
  for (const [at, cookie] of cookies.entries()) {
    if (await subjectOf(cookie) === undefined) ended.push(at);
  }
  assertEquals(ended, [33]);
  assertEquals((await sessions.list("ada")).length, 288);
  // When others have signed out, there is room.
  for (const cookie of cookies.slice(34, 40)) await sessions.destroy(idOf(cookie));
  await signIn("ada");
  assertEquals(events, ["subject-full"]);
  assertEquals(await sessions.destroyAll("ada"), 283);
});

Deno.test("a damaged shard is an error and not an empty one", async () => {
  const { signIn, sessions, store, last, events, subjectOf } = setUp();
  const cookies: string[] = [];
  for (let count = 0; count < 20; count++) cookies.push(await signIn("ada"));
  const { key } = last();
  const { version, lastAccess } = store.read(key)!;
  const { signal } = new AbortController();
  store.replace(key, "subject:{}", { version, lastAccess, signal, ttl: 3600 });
  await assertRejects(() => sessions.list("ada"), SessionError, "the list is damaged");
  await assertRejects(() => sessions.destroyAll("ada"), SessionError, "the list is damaged");
  assert(events.includes("record-corrupt"));
  // The others have ended.
  assertEquals(await subjectOf(cookies[0]!), undefined);
});

Deno.test("a damaged root hides no shard", async () => {
  const { signIn, sessions, store, events, subjectOf, clock } = setUp({ expire: 600 });
  const cookies: string[] = [];
  for (let count = 0; count < 40; count++) cookies.push(await signIn("ada"));
  const { key } = store.kept[0]!;
  const { version, lastAccess } = store.read(key)!;
  const { signal } = new AbortController();
  store.replace(key, "subject:?", { version, lastAccess, signal, ttl: 3600 });
  await assertRejects(() => sessions.destroyAll("ada"), SessionError, "the list is damaged");
  assert(events.includes("record-corrupt"));
  // Only those in the root are lost.
  const left = await Promise.all(cookies.map(subjectOf));
  assertEquals(left.filter((subject) => subject === "ada").length, 16);
  clock.advance(7200);
  assertEquals(await sessions.destroyAll("ada"), 0);
});

Deno.test("the root outlives its shards when it is only read", async () => {
  const { signIn, answer, store, clock, devices } = setUp();
  for (let count = 0; count < 20; count++) await signIn("ada", "old");
  const cookie = await signIn("ada", "phone");
  const { key } = store.kept[0]!;
  const writes = () => store.kept.filter((list) => list.key === key).length;
  const useFor = async (days: number) => {
    for (let time = 0; time < days * 86_400; time += 3500) {
      clock.advance(3500);
      await answer(new Response(), { cookie, write: false });
    }
  };
  // By then the entries of the others are removed.
  await useFor(1);
  const before = writes();
  await useFor(30);
  assertEquals([await devices("ada"), writes()], [["phone"], before]);
});

Deno.test("sessions.destroyAll() keeps only the entry of the session that it keeps", async () => {
  for (const entries of [0, 1]) {
    const { sessions, signIn, last } = setUp();
    const cookies = [await signIn("ada"), await signIn("ada"), await signIn("ada")];
    await sessions.destroy(idOf(cookies[0]!));
    const except = entries === 0 ? undefined : idOf(cookies[1]!);
    assertEquals(await sessions.destroyAll("ada", { except }), 2 - entries);
    assertEquals(last().entries, entries);
  }
});

Deno.test("a session stays listed when it is written to for longer than a list's ttl", async () => {
  const { answer, devices, signIn, clock } = setUp({ expire: 3600 });
  const cookie = await signIn("ada", "phone");
  for (let hour = 0; hour < 8 * 24; hour++) {
    clock.advance(3600);
    await answer(new Response(), { cookie });
  }
  assertEquals(await devices("ada"), ["phone"]);
});
