// What is in a subject's list, for how long, and what it costs.
import { assertEquals, assertRejects } from "@std/assert";
import { MemoryStore, SessionError, type WriteOptions } from "@pagi/session";
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
  for (
    const [expire, ttl] of [[600, 604_800], [2_592_000, 2 * (2_592_000 + 60 + 3600 + 180)]] as const
  ) {
    const { signIn, last } = setUp({ expire });
    await signIn("ada");
    assertEquals(last().ttl, ttl);
  }
});

Deno.test("a list has an entry as long as its session's record exists", async () => {
  for (const [seconds, entries] of [[604_800, 2], [604_801, 1]] as const) {
    const { signIn, last, clock, store } = setUp({ expire: 600 });
    await signIn("ada");
    // As where a server with a longer `expire` wrote it last.
    const { key } = last();
    const { text, version, lastAccess } = store.read(key)!;
    const { signal } = new AbortController();
    store.replace(key, text, { version, lastAccess, signal, ttl: 1e6 });
    clock.advance(seconds);
    await signIn("ada");
    assertEquals(last().entries, entries);
  }
});

Deno.test("a list is pruned when it has sixteen entries, of those older than three minutes", async () => {
  for (const [seconds, entries] of [[180, 16], [181, 1]] as const) {
    const { sessions, signIn, last, clock } = setUp();
    for (let count = 0; count < 15; count++) await sessions.destroy(idOf(await signIn("ada")));
    clock.advance(seconds);
    await signIn("ada");
    assertEquals(last().entries, entries);
  }
});

Deno.test("pruning keeps the newest entry of a session that is used for long, and no other", async () => {
  const { answer, devices, signIn, last, clock } = setUp({ expire: 86_400 });
  const cookie = await signIn("ada", "phone");
  for (let hour = 0; hour < 14; hour++) {
    clock.advance(3600);
    await answer(new Response(), { cookie });
  }
  assertEquals([last().entries, await devices("ada")], [15, ["phone"]]);
  clock.advance(181);
  await signIn("ada", "desktop");
  assertEquals([last().entries, await devices("ada")], [2, ["desktop", "phone"]]);
});

Deno.test("a sign-in writes the list once, and again when it prunes the list", async () => {
  const { signIn, store } = setUp();
  for (let count = 0; count < 20; count++) await signIn("ada");
  assertEquals(store.kept.length, 21);
});

Deno.test("a sign-in fails with a conflict when other requests always write first", async () => {
  const { signIn, store, last } = setUp();
  await signIn("ada");
  const { key } = last();
  let tries = 0;
  const { replace } = MemoryStore.prototype;
  store.replace = (id, text, options) => {
    if (id === key) tries++;
    return id === key ? undefined : replace.call(store, id, text, options);
  };
  const { code, message } = await assertRejects(() => signIn("ada"), SessionError);
  assertEquals([code, message, tries], [
    "ERR_SESSION_CONFLICT",
    "Cannot save the session: others came first 32 times",
    32,
  ]);
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
  for (const [seconds, entries] of [[4410, 2], [4411, 1]] as const) {
    const { signIn, last, clock, store } = setUp({ secret: "the one before", expire: 600 });
    await signIn("ada");
    const after = setUp({ secret: "another", expire: 600, store, now: clock.now });
    for (let count = 0; count < 14; count++) await after.signIn("ada");
    clock.advance(seconds);
    await after.signIn("ada");
    assertEquals(last().entries, entries);
  }
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
