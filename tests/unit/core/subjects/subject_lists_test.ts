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

Deno.test("a list is kept for a week, or for twice as long as its sessions can be alive", async () => {
  for (const [expire, ttl] of [[600, 604_800], [2_592_000, 2 * (2_592_000 + 3600 + 60)]] as const) {
    const { signIn, last } = setUp({ expire });
    await signIn("ada");
    assertEquals(last().ttl, ttl);
  }
});

Deno.test("a list names a session for as long as it is kept itself, and not longer", async () => {
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

Deno.test("a list is tidied at sixteen, of those that were listed more than a minute ago", async () => {
  for (const [seconds, entries] of [[60, 16], [61, 1]] as const) {
    const { sessions, signIn, last, clock } = setUp();
    for (let count = 0; count < 15; count++) await sessions.destroy(idOf(await signIn("ada")));
    clock.advance(seconds);
    await signIn("ada");
    assertEquals(last().entries, entries);
  }
});

Deno.test("a sign-in writes the list once, and once more where it is to be tidied", async () => {
  const { signIn, store } = setUp();
  for (let count = 0; count < 20; count++) await signIn("ada");
  assertEquals(store.kept.length, 21);
});

Deno.test("a sign-in that others always come before is refused in the end", async () => {
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

Deno.test("a list that another's was put upon is damaged", async () => {
  const { sessions, signIn, store, last } = setUp();
  await signIn("ada");
  const ada = last().key;
  await signIn("eve");
  const [{ text }, { version, lastAccess }] = [store.read(last().key)!, store.read(ada)!];
  const { signal } = new AbortController();
  store.replace(ada, text, { version, lastAccess, signal, ttl: 3600 });
  await assertRejects(() => sessions.list("ada"), SessionError, "the list is damaged");
});

Deno.test("sessions.list() marks the one that asks by the id that it had before too", async () => {
  const { sessions, signIn, rotate } = setUp();
  await signIn("ada", "desktop");
  const old = await signIn("ada", "phone");
  const current = await rotate(old);
  for (const id of [idOf(old), idOf(current)]) {
    const marked = (await sessions.list("ada", { current: id })).filter(({ current }) => current);
    assertEquals(marked.map(({ session }) => session.get("device")), ["phone"]);
  }
});

Deno.test("a list is not tidied of those that another secret listed, until they are over", async () => {
  for (const [seconds, entries] of [[4260, 2], [4261, 1]] as const) {
    const { signIn, last, clock, store } = setUp({ secret: "the one before", expire: 600 });
    await signIn("ada");
    const after = setUp({ secret: "another", expire: 600, store, now: clock.now });
    for (let count = 0; count < 14; count++) await after.signIn("ada");
    clock.advance(seconds);
    await after.signIn("ada");
    assertEquals(last().entries, entries);
  }
});

Deno.test("sessions.destroyAll() leaves in the list what stays, and nothing else", async () => {
  for (const entries of [0, 1]) {
    const { sessions, signIn, last } = setUp();
    const cookies = [await signIn("ada"), await signIn("ada"), await signIn("ada")];
    await sessions.destroy(idOf(cookies[0]!));
    const except = entries === 0 ? undefined : idOf(cookies[1]!);
    assertEquals(await sessions.destroyAll("ada", { except }), 2 - entries);
    assertEquals(last().entries, entries);
  }
});

Deno.test("a session that is written to for longer than a list is kept stays in the list", async () => {
  const { answer, devices, signIn, clock } = setUp({ expire: 3600 });
  const cookie = await signIn("ada", "phone");
  for (let hour = 0; hour < 8 * 24; hour++) {
    clock.advance(3600);
    await answer(new Response(), { cookie });
  }
  assertEquals(await devices("ada"), ["phone"]);
});
