import { assert, assertEquals, assertMatch, assertNotEquals, assertRejects } from "@std/assert";
import { MemoryStore, type Session, SessionError } from "@pagi/session";
import { Revocations } from "../../../../store/_cookie/revocations.ts";
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
  assert(ttl! >= 600 && ttl! <= 600 + 310, `${ttl}`);
  for (let second = 0; second < 1000; second += 50) {
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

Deno.test("the old cookie is unknown when regenerate() was more than a minute ago", async () => {
  const { visit, signIn, clock } = setUp();
  const before = await signIn();
  await visit(before, regenerate);
  clock.advance(61);
  const response = await visit(before, (session) => session.set("user", "bob"));
  assertNotEquals(cookieOf(response), before);
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
  // What the others had sealed was never sent: there is nothing to give up.
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
  await sessions.destroy(valueOf(first));
  assertEquals(await load(first), undefined);

  const second = await signIn();
  await sessions.destroy(await idIn(second));
  assertEquals(await load(second), undefined);

  const third = await signIn();
  const oldId = await idIn(third);
  const rotated = cookieOf(await visit(third, regenerate));
  await server().sessions.destroy(oldId);
  assertEquals([await load(third), await load(rotated)], [undefined, undefined]);

  const fourth = await signIn();
  const moved = cookieOf(await visit(fourth, regenerate));
  await sessions.destroy(valueOf(fourth));
  assertEquals(await load(moved), undefined);

  const fifth = await signIn();
  await sessions.destroy((await sessions.load(requestWith({ cookie: fifth })))!);
  assertEquals(await load(fifth), undefined);
  // Twice is no error.
  await sessions.destroy(valueOf(fifth));
  await sessions.destroy("nobody's");
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
  await assertRejects(() => store.end("user-7", "", { signal }), TypeError);
});

Deno.test("a session can be revoked when it was encrypted before revocations were on", async () => {
  const { load, visit, server } = setUp();
  const before = server({ revocations: undefined });
  const cookie = cookieOf(await before.visit(undefined, (session) => session.set("user", "ada")));
  assertEquals(await load(cookie), "ada");
  await visit(cookie, destroy);
  assertEquals([await load(cookie), await before.load(cookie)], [undefined, "ada"]);
});

Deno.test("CookieStore.end() keeps the first text when it is called again", async () => {
  const { store, server } = setUp();
  const id = idOf("3");
  const value = (await store.seal(id, "text", { lastAccess: 2e9, ttl: 60, signal }))!;
  assertEquals(await store.end(id, "gone to b", { lastAccess: 5, signal }), "gone to b");
  assertEquals(await server().store.end(id, "", { signal }), "gone to b");
  assertEquals(await server().store.end(id, "gone to c", { signal }), "gone to b");
  const { text, lastAccess } = (await store.open(value, { signal }))!;
  assertEquals([text, lastAccess], ["gone to b", 5]);
  assertEquals(await new CookieStore({ secret }).end(id, "", { signal }), undefined);
});

Deno.test("Revocations.end() keeps its record five minutes longer than the session could last", async () => {
  const inner = new MemoryStore({ now: () => 1000 });
  const ttls: number[] = [];
  const noting = creating(inner, (id, text, options) => {
    ttls.push(options.ttl);
    return inner.create(id, text, options);
  });
  const ended = new Revocations(noting, 0, () => 1000);
  assertEquals(await ended.end(idOf("a"), "", { lastAccess: 1, ttl: 60, signal }), "");
  assertEquals([inner.read(idOf("a"))?.text, ttls], ["ended", [360]]);
  assertEquals(await ended.end(idOf("a"), "moved", { lastAccess: 1, ttl: 60, signal }), "");
  assertEquals(await ended.find(idOf("a"), { signal }), { text: "", lastAccess: 1 });
});

Deno.test("Revocations.end() gives up when the store neither writes nor returns a record", async () => {
  let tried = 0;
  const deaf = creating(new MemoryStore(), () => void tried++);
  const ended = new Revocations(deaf, 0, Date.now);
  const options = { lastAccess: 1, ttl: 60, signal };
  await assertRejects(() => ended.end(idOf("a"), "", options), Error, "does not show it");
  assertEquals(tried, 4);
  const mad = new Revocations(creating(deaf, () => 5 as never), 0, Date.now);
  await assertRejects(() => mad.end(idOf("a"), "", options), Error, "answer is none");
});
