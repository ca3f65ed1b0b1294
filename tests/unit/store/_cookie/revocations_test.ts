import { assert, assertEquals, assertMatch, assertNotEquals, assertRejects } from "@std/assert";
import { MemoryStore, type Session, SessionError } from "@pagi/session";
import { keyOf, verifierOf } from "../../../../base/id.ts";
import { isValid, Revocations } from "../../../../store/_cookie/revocations.ts";
import { CookieStore } from "../../../../store/cookie.ts";
import { secret, valueOf } from "../../../_kit/cookie_store.ts";
import { cookieOf, idOf, requestWith } from "../../../_kit/helpers.ts";
import { creating } from "../../../_kit/migration_race.ts";
import { destroy, regenerate, setUp } from "../../../_kit/revocations.ts";

const { signal } = new AbortController();

Deno.test("destroy() is final for every copy at every server", async () => {
  const { visit, load, server, signIn } = setUp();
  const first = await signIn();
  const second = cookieOf(await visit(first, (session) => session.set("n", 1)));
  const other = server();
  assertEquals([await load(first), await other.load(second)], ["ada", "ada"]);
  const logout = await visit(first, destroy);
  assertMatch(logout.headers.get("set-cookie")!, /Max-Age=0/);
  for (const cookie of [first, second]) {
    assertEquals([await load(cookie), await other.load(cookie)], [undefined, undefined]);
    assertEquals(await server().store.get(valueOf(cookie)), undefined);
    // A visitor like any other.
    const response = await other.visit(cookie, (session) => session.set("n", 2));
    assertEquals((await response.json()).user, undefined);
  }
});

Deno.test("a session that never ends leaves no record, and costs one lookup to read and two to write", async () => {
  const { visit, signIn, revocations } = setUp();
  const cookie = await signIn();
  assertEquals([revocations.reads, revocations.size], [0, 0]);
  await visit(cookie);
  assertEquals(revocations.reads, 1);
  await visit(cookie, (session) => session.set("n", 1));
  assertEquals([revocations.reads, revocations.size], [3, 0]);
  await visit("pagi_session=junk");
  await visit(`pagi_session=${idOf("a")}`);
  await visit(`${cookie}A`);
  assertEquals(revocations.reads, 3);
});

Deno.test("the record of a logout expires after the last copy", async () => {
  const { visit, load, signIn, revocations, clock } = setUp({}, { expire: 600 });
  const cookie = await signIn();
  clock.advance(300);
  // The newest copy there can be.
  const copy = cookieOf(await visit(cookie, (session) => session.set("n", 1)));
  await visit(cookie, destroy);
  const [ttl] = revocations.ttls.values();
  // A session may live for `touchInterval`, 30 seconds here, longer than `expire`. A value opens for
  // `expire` and two minutes more, so that its client learns that the session has expired.
  assert(ttl! >= 630 && ttl! <= 630 + 721 + 310, `${ttl}`);
  for (let second = 0; second < 1700; second += 50) {
    assertEquals([await load(cookie), await load(copy)], [undefined, undefined]);
    clock.advance(50);
  }
  revocations.read(idOf("0"));
  assertEquals(revocations.size, 0);
});

Deno.test("regenerate() invalidates the old ID and not the new one", async () => {
  const { visit, load, signIn, server } = setUp();
  const before = await signIn();
  const after = cookieOf(await visit(before, regenerate));
  const other = server();
  assertEquals([await load(before), await other.load(before)], [undefined, undefined]);
  assertEquals([await load(after), await other.load(after)], ["ada", "ada"]);
  // A late request has an empty session that it cannot write to, and no cookie.
  const late = await other.visit(before);
  assertEquals([(await late.json()).user, late.headers.get("set-cookie")], [undefined, null]);
  const write = (session: Session) => session.set("user", "eve");
  const error = await assertRejects(() => other.visit(before, write), SessionError);
  assertEquals(error.code, "ERR_SESSION_INTERRUPTED");
});

Deno.test("the old cookie is unknown when regenerate() was more than an hour and two minutes ago", async () => {
  const { visit, load, signIn, clock } = setUp({}, { expire: 20_000 });
  const before = await signIn();
  const after = cookieOf(await visit(before, regenerate));
  const write = (session: Session) => session.set("user", "bob");
  clock.advance(3720);
  const error = await assertRejects(() => visit(before, write), SessionError);
  assertEquals(error.code, "ERR_SESSION_INTERRUPTED");
  clock.advance(1);
  const response = await visit(before, write);
  assertNotEquals(cookieOf(response), before);
  assertEquals([await load(after), await load(cookieOf(response))], ["ada", "bob"]);
});

Deno.test("a session has one record, whatever its IDs, and the last one is the only valid one", async () => {
  const { visit, load, signIn, revocations } = setUp();
  const cookies = [await signIn()];
  const id = (await (await visit(cookies[0])).json()).id;
  for (let at = 0; at < 5; at++) {
    cookies.push(cookieOf(await visit(cookies.at(-1), regenerate)));
    assertEquals(revocations.size, 1);
    const found = await Promise.all(cookies.map(load));
    assertEquals(found, [...Array(at + 1).fill(undefined), "ada"]);
  }
  const { id: last } = await (await visit(cookies.at(-1))).json();
  const [valid] = revocations.read(keyOf(id))!.text.split(" ");
  assertEquals(valid, `valid:${verifierOf(last)}`);
  await visit(cookies.at(-1), destroy);
  assertEquals(revocations.size, 1);
  assertMatch(revocations.read(keyOf(id))!.text, /^ended:[0-9a-f]{12}$/);
});

Deno.test("destroy() ends the session when it was called with an ID from long ago", async () => {
  const { visit, load, signIn } = setUp();
  const cookies = [await signIn()];
  for (let at = 0; at < 4; at++) cookies.push(cookieOf(await visit(cookies[at], regenerate)));
  assertEquals(await load(cookies[4]!), "ada");
  const logout = await visit(cookies[0], destroy);
  assertMatch(logout.headers.get("set-cookie")!, /Max-Age=0/);
  for (const cookie of cookies) assertEquals(await load(cookie), undefined);
});

Deno.test("one ID is valid when many requests regenerate at the same time", async () => {
  const { load, signIn, server, revocations } = setUp();
  const cookie = await signIn();
  const results = await Promise.allSettled(
    Array.from({ length: 20 }, () => server().visit(cookie, regenerate)),
  );
  const won = results.filter((result) => result.status === "fulfilled");
  const lost = results.filter((result) => result.status === "rejected");
  assertEquals([won.length, lost.length], [1, 19]);
  for (const { reason } of lost) assertEquals(reason.code, "ERR_SESSION_INTERRUPTED");
  assertEquals([await load(cookie), await load(cookieOf(won[0]!.value))], [undefined, "ada"]);
  assertEquals(revocations.size, 1);
});

for (const [end, act] of [["destroy", destroy], ["regenerate", regenerate]] as const) {
  Deno.test(`a request during ${end}() is interrupted if it writes, and otherwise sends no cookie`, async () => {
    const { visit, load, signIn, server, clock } = setUp();
    const cookie = await signIn();
    // A touch is due in what only reads.
    clock.advance(100);
    const during = () => server().visit(cookie, act);
    const write = async (session: Session) => {
      await during();
      session.set("user", "eve");
    };
    const error = await assertRejects(() => visit(cookie, write), SessionError);
    assertEquals(error.code, "ERR_SESSION_INTERRUPTED");

    const next = await signIn();
    clock.advance(100);
    const read = await visit(next, () => server().visit(next, act));
    assertEquals([(await read.json()).user, read.headers.get("set-cookie")], ["ada", null]);
    assertEquals([await load(cookie), await load(next)], [undefined, undefined]);
  });
}

Deno.test("destroy() wins over a login that began before it, and ends the session of one that finished", async () => {
  const { visit, load, signIn, server } = setUp();
  const cookie = await signIn();
  const login = (session: Session) =>
    server().visit(cookie, destroy).then(() => session.regenerate());
  const error = await assertRejects(() => visit(cookie, login), SessionError);
  assertEquals([error.code, await load(cookie)], ["ERR_SESSION_INTERRUPTED", undefined]);

  const second = await signIn();
  let rotated = "";
  await visit(second, async (session) => {
    rotated = cookieOf(await server().visit(second, regenerate));
    session.destroy();
  });
  assertEquals([await load(second), await load(rotated)], [undefined, undefined]);
});

Deno.test("sessions.destroy() accepts a cookie's value, an ID, an old ID or a Session", async () => {
  const { visit, load, signIn, sessions, server } = setUp();
  const idIn = async (cookie: string) => (await (await visit(cookie)).json()).id;
  const first = await signIn();
  assertEquals(await sessions.destroy(valueOf(first)), true);
  assertEquals(await load(first), undefined);

  const second = await signIn();
  assertEquals(await sessions.destroy(await idIn(second)), true);
  assertEquals(await load(second), undefined);

  const third = await signIn();
  const oldId = await idIn(third);
  const rotated = cookieOf(await visit(third, regenerate));
  assertEquals(await server().sessions.destroy(oldId), true);
  assertEquals([await load(third), await load(rotated)], [undefined, undefined]);

  const fourth = await signIn();
  const moved = cookieOf(await visit(fourth, regenerate));
  assertEquals(await sessions.destroy(valueOf(fourth)), true);
  assertEquals(await load(moved), undefined);

  const fifth = await signIn();
  await sessions.destroy((await sessions.load(requestWith({ cookie: fifth })))!);
  assertEquals(await load(fifth), undefined);
  // Twice is no error.
  assertEquals(await sessions.destroy(valueOf(fifth)), false);
  assertEquals(await sessions.destroy("nobody's"), false);
});

Deno.test("set(), get() and delete() of CookieStore look up revocations", async () => {
  const { store, revocations } = setUp();
  for (const how of ["by its value", "by its id"]) {
    const id = idOf(how === "by its id" ? "1" : "2");
    const value = await store.set(id, { n: 1 });
    const again = await store.set(id, { n: 2 });
    assertEquals([(await store.get(value))?.n, (await store.get(again))?.n], [1, 2]);
    await store.delete(how === "by its id" ? id : value);
    assertEquals([await store.get(value), await store.get(again)], [undefined, undefined]);
    const error = await assertRejects(() => store.set(id, { n: 3 }), SessionError);
    assertEquals(error.code, "ERR_SESSION_INTERRUPTED");
  }
  await store.delete("junk");
  assertEquals(revocations.size, 2);
});

Deno.test("an ID is refused when no store could save it", async () => {
  const { store, clock } = setUp();
  const alone = new CookieStore({ secret, now: clock.now });
  const value = await alone.set("user-7", { n: 1 });
  assertEquals([await store.get(value), await store.open(value, { signal })], [
    undefined,
    undefined,
  ]);
  const write = { lastAccess: 0, ttl: 1, signal };
  await assertRejects(() => store.set("user-7", {}), TypeError, "64 hex digits");
  await assertRejects(() => store.seal("user-7", "{}", write), TypeError);
  await assertRejects(() => store.end("user-7", { signal }), TypeError);
  await assertRejects(() => store.replaceId("user-7", idOf("1"), { signal }), TypeError);
  await assertRejects(() => store.replaceId(idOf("1"), "user-7", { signal }), TypeError);
});

Deno.test("a session can be revoked when it was encrypted before revocations were on", async () => {
  const { load, visit, server } = setUp();
  const before = server({ revocations: undefined });
  const cookie = cookieOf(await before.visit(undefined, (session) => session.set("user", "ada")));
  assertEquals(await load(cookie), "ada");
  await visit(cookie, destroy);
  assertEquals([await load(cookie), await before.load(cookie)], [undefined, "ada"]);
});

const KEY = "0".repeat(32);
const [A, B, C] = ["a", "b", "c"].map((digit) => digit.repeat(32) + KEY) as [
  string,
  string,
  string,
];
const OPTIONS = { lastAccess: 5, ttl: 60, signal };

Deno.test("CookieStore.replaceId() makes values of the old ID open with the time", async () => {
  const { store, server } = setUp();
  const text = 's1:{"_created":1}';
  const times = { lastAccess: 2e9, ttl: 60, signal };
  const [a, b] = [await store.seal(A, text, times), await store.seal(B, text, times)];
  assertEquals((await store.open(a!, { signal }))?.replacedAt, undefined);
  assertEquals(await store.replaceId(A, B, OPTIONS), true);
  for (const one of [store, server().store]) {
    assertEquals((await one.open(a!, { signal }))?.replacedAt, 5);
    const { id, replacedAt } = (await one.open(b!, { signal }))!;
    assertEquals([id, replacedAt], [B, undefined]);
  }
  assertEquals(await store.replaceId(A, C, OPTIONS), false);
  // A value that was opened before is not sealed again, and one that is new is.
  assertEquals(await store.seal(A, text, { ...times, version: "1" }), undefined);
  assert(await store.seal(B, text, { ...times, version: "1" }) !== undefined);
  assertEquals(await new CookieStore({ secret }).replaceId(A, B, OPTIONS), undefined);
});

Deno.test("CookieStore.end() is final under every ID of the session", async () => {
  const { store, server } = setUp();
  const text = 's1:{"_created":1}';
  const times = { lastAccess: 2e9, ttl: 60, signal };
  const values = await Promise.all([A, B].map((id) => store.seal(id, text, times)));
  await store.replaceId(A, B, OPTIONS);
  // Under an ID that is not valid any more, as a late logout has it.
  assertEquals(await server().store.end(A, { signal }), true);
  assertEquals([await store.end(A, { signal }), await store.end(B, { signal })], [false, false]);
  assertEquals(await store.replaceId(B, C, OPTIONS), false);
  for (const value of values) assertEquals(await store.open(value!, { signal }), undefined);
  assertEquals(await store.seal(B, text, { ...times, version: "1" }), undefined);
  assertEquals(await new CookieStore({ secret }).end(A, { signal }), undefined);
});

/** Revocations in a store that notes its calls. */
function recording(store = new MemoryStore({ now: () => 1000 })) {
  const calls: [name: string, id: string, ttl: number | undefined][] = [];
  const noting = new Proxy(store, {
    get(target, name) {
      const member = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      return (...args: [string, ...unknown[]]) => {
        const { ttl } = args.at(-1) as { ttl?: number };
        calls.push([String(name), args[0], ttl]);
        return member.apply(target, args);
      };
    },
  });
  return { calls, store, revocations: new Revocations(noting, 0, () => 1000) };
}

Deno.test("Revocations keeps its records five minutes longer than the session could last", async () => {
  const { calls, revocations } = recording();
  await revocations.replaceId(A, B, undefined, OPTIONS);
  await revocations.end(B, OPTIONS);
  assertEquals(calls, [
    ["create", KEY, 360],
    ["read", KEY, undefined],
    ["replace", KEY, 360],
  ]);
});

Deno.test("Revocations.replaceId() writes nothing when the ID is known not to be valid", async () => {
  const { calls, revocations } = recording();
  await revocations.replaceId(A, B, undefined, OPTIONS);
  const found = await revocations.find(A, OPTIONS);
  calls.length = 0;
  assertEquals(await revocations.replaceId(A, C, found, OPTIONS), false);
  assertEquals(calls, []);
  // A known record may be too old: the one in the store decides.
  assertEquals(await revocations.replaceId(A, C, undefined, OPTIONS), false);
  assertEquals(calls.map(([name]) => name), ["create", "read"]);
  assertEquals(await revocations.replaceId(B, C, undefined, OPTIONS), true);
});

Deno.test("Revocations recognizes a call that has arrived twice", async () => {
  const store = new MemoryStore({ now: () => 1000 });
  const twice = Object.assign(Object.create(null), {
    read: (id: string) => store.read(id),
    create(...call: Parameters<MemoryStore["create"]>) {
      store.create(...call);
      return store.create(...call);
    },
    replace(...call: Parameters<MemoryStore["replace"]>) {
      store.replace(...call);
      return store.replace(...call);
    },
  });
  const revocations = new Revocations(twice, 0, () => 1000);
  assertEquals(await revocations.replaceId(A, B, undefined, OPTIONS), true);
  const found = await revocations.find(B, OPTIONS);
  assertEquals(await revocations.replaceId(B, C, found, OPTIONS), true);
  assertEquals(await revocations.end(C, OPTIONS), true);
  assertEquals(await revocations.end(C, OPTIONS), false);
});

Deno.test("Revocations.end() wins over changes of the ID that come first every time but the last", async () => {
  const { store, revocations } = recording();
  await revocations.replaceId(A, B, undefined, OPTIONS);
  const { replace } = store;
  let lost = 0;
  store.replace = (id, text, options) => {
    if (!text.startsWith("ended:") || ++lost > 30) return replace.call(store, id, text, options);
    const { version } = store.read(id)!;
    replace.call(store, id, `valid:${"0".repeat(32)}`, { ...options, version });
    return replace.call(store, id, text, options);
  };
  assertEquals(await revocations.end(B, OPTIONS), true);
  assertEquals([lost, (await revocations.find(B, OPTIONS))?.isEnded], [31, true]);
});

Deno.test("Revocations gives up when the store neither writes nor returns a record", async () => {
  let tried = 0;
  const deaf = creating(new MemoryStore(), () => void tried++);
  const error = [Error, "others wrote its record every time"] as const;
  await assertRejects(() => new Revocations(deaf, 0, Date.now).end(A, OPTIONS), ...error);
  assertEquals(tried, 32);
});

Deno.test("Revocations rejects an invalid answer: it must not count as a valid ID", async () => {
  const error = [Error, "answer is invalid"] as const;
  const mad = new Revocations(creating(new MemoryStore(), () => 5 as never), 0, Date.now);
  await assertRejects(() => mad.end(A, OPTIONS), ...error);
  await assertRejects(() => mad.replaceId(A, B, undefined, OPTIONS), ...error);
  for (const text of ["", "valid", "Ended:", "ended", 's1:{"_created":1}', 5, undefined]) {
    const store = Object.assign(new MemoryStore(), {
      read: () => ({ text: text as string, version: "1", lastAccess: 1 }),
    });
    const revocations = new Revocations(store, 0, Date.now);
    await assertRejects(async () => await revocations.find(A, OPTIONS), ...error);
    await assertRejects(() => revocations.end(A, OPTIONS), ...error);
  }
});

Deno.test("isValid() is true for the only valid ID, and without a record for every one", () => {
  const record = { text: "", lastAccess: 1, version: "1" };
  const valid = { ...record, isEnded: false, verifier: verifierOf(A) };
  assertEquals([A, B, KEY].map((id) => isValid(id, valid)), [true, false, false]);
  assertEquals([A, B].map((id) => isValid(id, undefined)), [true, true]);
  const ended = { ...record, isEnded: true, verifier: "" };
  // The key alone has an empty verifier, as the record has.
  assertEquals([A, KEY].map((id) => isValid(id, ended)), [false, false]);
});
