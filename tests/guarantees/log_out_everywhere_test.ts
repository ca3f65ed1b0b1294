/** When `sessions.destroyAll()` resolves, no earlier session of the subject is left or comes back. */
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { MemoryStore, type Session, SessionError, type VersionedStore } from "@pagi/session";
import { fakeClock, requestWith } from "../_kit/helpers.ts";
import { contentOf, isIndex } from "../_kit/indexes.ts";
import { around, testOn, VERSIONED } from "../_kit/stores.ts";
import { rig } from "../_kit/subjects.ts";

Deno.test("destroyAll() ends every session of the subject and no other session", async () => {
  const { sessions, signIn, rotate, subjectOf } = rig();
  const cookies = [await signIn("ada"), await rotate(await signIn("ada")), await signIn("ada")];
  const bob = await signIn("bob");
  assertEquals(await sessions.destroyAll("ada"), 3);
  for (const cookie of cookies) assertEquals(await subjectOf(cookie), undefined);
  assertEquals(await subjectOf(bob), "bob");
  assertEquals(await sessions.list("ada"), []);
  assertEquals(await sessions.destroyAll("ada"), 0);
  assertEquals(await subjectOf(await signIn("ada")), "ada");
});

Deno.test("a request in progress writes nothing when destroyAll() ends its session", async () => {
  const { sessions, signIn, subjectOf, store } = rig();
  const elsewhere = rig({ store }).sessions;
  /** Runs a request whose session another server ends before its handler returns. */
  const during = (cookie: string, act: (session: Session) => void) =>
    sessions.run(requestWith({ cookie }), async (session) => {
      act(session);
      await elsewhere.destroyAll("ada");
      return new Response(session.subject);
    });
  for (
    const act of [
      (session: Session) => session.set("n", 1),
      (session: Session) => session.regenerate(),
    ]
  ) {
    const cookie = await signIn("ada");
    const error = await assertRejects(() => during(cookie, act), SessionError);
    assertEquals((error as SessionError).code, "ERR_SESSION_INTERRUPTED");
    assertEquals(await subjectOf(cookie), undefined);
  }
  const reader = await during(await signIn("ada"), (session) => session.keys());
  assertEquals(reader.headers.get("set-cookie"), null);
  assertEquals(await sessions.list("ada"), []);
  assertEquals(store.size, 1);
});

/** Wraps a store. Before it writes a text that `isMeant`, it waits for `act`. */
function before(inner: MemoryStore, isMeant: (text: string) => boolean, act: () => unknown) {
  return around(inner, async (name, call, [, text]) => {
    if ((name === "create" || name === "replace") && isMeant(text as string)) await act();
    return call();
  });
}

/** Whether a text is that of one of Ada's sessions. */
const isAdas = (text: string) => text.startsWith("s1:") && text.includes('"_subject":"ada"');

Deno.test("a sign-in is refused and leaves no session when destroyAll() runs before its record is stored", async () => {
  for (const kind of ["new", "of another user"]) {
    const clock = fakeClock();
    const inner = new MemoryStore({ now: clock.now });
    const { sessions, signIn, subjectOf } = rig({ store: inner, now: clock.now });
    const cookie = kind === "new" ? "" : await signIn("bob");
    // The session is listed already, but does not have its subject yet.
    const store = before(inner, isAdas, () => sessions.destroyAll("ada"));
    const late = rig({ store, now: clock.now });
    const error = await assertRejects(() => late.signIn("ada", "", cookie), SessionError);
    assertEquals(error.code, "ERR_SESSION_INTERRUPTED");
    // It ends the session that it was made from.
    if (kind !== "new") assertEquals(await subjectOf(cookie), undefined);
    assertEquals([await sessions.list("ada"), await sessions.list("bob")], [[], []]);
    // The lists are left, and for a minute a marker of the end.
    const lists = kind === "new" ? 1 : 2;
    assertEquals(inner.size, lists + 1);
    clock.advance(61);
    await sessions.list("ada");
    assertEquals(inner.size, lists);
  }
});

Deno.test("a sign-in is refused when destroyAll() ends the session of the user who had it before", async () => {
  const inner = new MemoryStore();
  const { sessions, signIn, subjectOf } = rig({ store: inner });
  const cookie = await signIn("bob");
  const store = before(inner, isAdas, () => sessions.destroyAll("bob"));
  const error = await assertRejects(() => rig({ store }).signIn("ada", "", cookie), SessionError);
  // The session was Bob's when it ended.
  assertEquals([error.code, await subjectOf(cookie)], ["ERR_SESSION_INTERRUPTED", undefined]);
  assertEquals(await subjectOf(await signIn("ada")), "ada");
});

Deno.test("destroyAll() can be repeated when it failed halfway", async () => {
  let isDown = false;
  const inner = new MemoryStore();
  const store = new Proxy(inner, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      return (...args: unknown[]) => {
        if (isDown && name === "delete") throw new Error("connection refused");
        return member.apply(target, args);
      };
    },
  });
  const { sessions, signIn, subjectOf } = rig({ store });
  const cookies = [await signIn("ada"), await signIn("ada")];
  isDown = true;
  const error = await assertRejects(() => sessions.destroyAll("ada"), SessionError);
  assertEquals((error as SessionError).code, "ERR_SESSION_STORE");
  isDown = false;
  assertEquals(await subjectOf(cookies[0]!), "ada");
  assertEquals(await sessions.destroyAll("ada"), 2);
  assertEquals(await subjectOf(cookies[0]!), undefined);
});

testOn(
  VERSIONED,
  "destroyAll() ends every session of a user, whatever their IDs are now",
  async (rig) => {
    const { sessions, start, load, clock } = rig;
    const signIn = () => start((session) => session.subject = "ada");
    const browsers = [await signIn(), await signIn(), await signIn()];
    for (let hour = 0; hour < 3; hour++) {
      clock.advance(3000);
      await browsers[0]!.visit((session) => session.regenerate());
      await browsers[1]!.visit((session) => session.rotate());
      await browsers[2]!.visit((session) => session.set("hour", hour));
    }
    assertEquals((await sessions.list("ada")).length, 3);
    assertEquals(await sessions.destroyAll("ada", { except: browsers[1]!.id }), 2);
    for (const at of [0, 2]) assertEquals(await load(browsers[at]!.value), undefined);
    assertEquals((await browsers[1]!.visit((session) => session.subject)).value, "ada");
    assertEquals(await sessions.destroyAll("ada"), 1);
    assertEquals([await load(browsers[1]!.value), await sessions.list("ada")], [undefined, []]);
  },
);

/** Refuses to write the texts that `isRefused`, as a store without memory does. */
function full(inner: MemoryStore, isRefused: (text: string) => boolean): VersionedStore {
  return around(inner, async (name, call, [, text]) => {
    const isWrite = name === "create" || name === "replace";
    if (isWrite && isRefused(text as string)) throw new Error("out of memory");
    return await call();
  });
}

Deno.test("destroyAll() ends every session when the store has no memory until some have ended", async () => {
  const inner = new MemoryStore();
  let isFull = false;
  // A store that is full has room again when something was deleted.
  const remove = inner.delete.bind(inner);
  inner.delete = (...args) => {
    isFull = false;
    return remove(...args);
  };
  const { sessions, signIn, subjectOf } = rig({ store: full(inner, () => isFull) });
  const cookies = [await signIn("ada"), await signIn("ada"), await signIn("ada")];
  isFull = true;
  assertEquals(await sessions.destroyAll("ada"), 3);
  for (const cookie of cookies) assertEquals(await subjectOf(cookie), undefined);
  assertEquals(await sessions.list("ada"), []);
});

Deno.test("destroyAll() succeeds when all sessions have ended and only their entries cannot be removed", async () => {
  const inner = new MemoryStore();
  let isFull = false;
  // It can write a new generation, but not a list without entries.
  const isRefused = (text: string) =>
    isFull && isIndex(text) && contentOf(text).entries.length === 0;
  const { sessions, signIn, subjectOf, events } = rig({ store: full(inner, isRefused) });
  const cookies = [await signIn("ada"), await signIn("ada"), await signIn("ada")];
  isFull = true;
  assertEquals(await sessions.destroyAll("ada"), 3);
  for (const cookie of cookies) assertEquals(await subjectOf(cookie), undefined);
  assertEquals([await sessions.list("ada"), events], [[], ["cleanup-failed"]]);
  isFull = false;
  assertEquals(await sessions.destroyAll("ada"), 0);
});

Deno.test("destroyAll() ends every session and rejects when the store has no memory at all", async () => {
  const inner = new MemoryStore();
  let isFull = false;
  const { sessions, signIn, subjectOf } = rig({ store: full(inner, () => isFull) });
  const cookies = [await signIn("ada"), await signIn("ada")];
  isFull = true;
  // A sign-in that is in progress could not be refused.
  const error = await assertRejects(() => sessions.destroyAll("ada"), SessionError);
  assertEquals(error.code, "ERR_SESSION_STORE");
  assertMatch(error.message, /: 0 of those listed remain,/);
  for (const cookie of cookies) assertEquals(await subjectOf(cookie), undefined);
  isFull = false;
  assertEquals([await sessions.list("ada"), await sessions.destroyAll("ada")], [[], 0]);
});

Deno.test("destroyAll() says how many sessions remain when the store is full and some cannot be ended", async () => {
  const inner = new MemoryStore();
  let isBroken = false;
  const { sessions, signIn, subjectOf } = rig({ store: full(inner, () => isBroken) });
  const cookies = [await signIn("ada"), await signIn("ada"), await signIn("ada")];
  const remove = inner.delete.bind(inner);
  let calls = 0;
  inner.delete = (...args) => {
    if (isBroken && ++calls > 1) throw new Error("connection refused");
    return remove(...args);
  };
  isBroken = true;
  const { message } = await assertRejects(() => sessions.destroyAll("ada"), SessionError);
  assertMatch(message, /: 2 of those listed remain,/);
  isBroken = false;
  const left = await Promise.all(cookies.map(subjectOf));
  assertEquals(left.filter((subject) => subject === "ada").length, 2);
  assertEquals(await sessions.destroyAll("ada"), 2);
});
