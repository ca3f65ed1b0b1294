import { assert, assertEquals } from "@std/assert";
import { type SessionHash, SessionMiddleware } from "@pagi/session";
import { keyOf, verifierOf } from "../../../../base/id.ts";
import { destroy, nothing, on, PlainStore } from "../../../_kit/store_answers.ts";
import { cookieOf, fakeClock, idOf, NAVIGATION, requestWith } from "../../../_kit/helpers.ts";

Deno.test("an error names the operation when a plain store fails", async () => {
  const store = new PlainStore();
  const { visit, write, refused } = on(store);
  const id = await visit(undefined, write);
  store.broken = "get";
  assertEquals((await refused(id, nothing)).message, "Cannot read the session: the store failed");
  store.broken = "set";
  assertEquals((await refused(id, write)).message, "Cannot save the session: the store failed");
  store.broken = "delete";
  const { cause } = await refused(id, destroy);
  assertEquals((cause as Error).message, "Cannot delete the session: the store failed");
});

Deno.test("get() of a plain store is called for every ID except the empty one", async () => {
  const store = new PlainStore();
  const { visit } = on(store);
  await visit("", nothing);
  await visit("any other", nothing);
  assertEquals(store.calls, ["get"]);
});

Deno.test("a plain store saves a session and ends it", async () => {
  const store = new PlainStore();
  const { clock, visit, write } = on(store);
  const id = (await visit(undefined, write))!;
  await visit(id, write);
  clock.advance(600);
  assertEquals(await visit(id, nothing), undefined);
  const data = {
    _id: id,
    _created: clock.seconds() - 600,
    _last_access: clock.seconds(),
    n: 2,
  };
  assertEquals(store.hashes.get(id), data);
  clock.advance(1801);
  // More than half of Max-Age has passed, so the cookie is sent, and the record says so.
  assertEquals(await visit(id, nothing), id);
  const now = clock.seconds();
  assertEquals(store.hashes.get(id), { ...data, _last_access: now, _sent: now });
  await visit(id, destroy);
  assertEquals(store.hashes.size, 0);
});

Deno.test("session.id is the record's `_id` when the store's key contains the session", async () => {
  const store = new PlainStore();
  const { visit } = on(store);
  const hash = { _id: idOf("1"), _created: 1_700_000_000 };
  store.hashes.set("a sealed value", hash).set("a list", { ...hash, _id: [idOf("1")] as never });
  const seen: unknown[] = [];
  await visit("a sealed value", (session) => seen.push(session.id));
  await visit("a list", (session) => seen.push(session.id));
  assertEquals(seen, [idOf("1"), "a list"]);
});

Deno.test("a record gets its other time when a plain store returns only one", async () => {
  const store = new PlainStore();
  const { visit } = on(store);
  store.hashes.set("made", { _created: 1_700_000_000, n: 1 });
  store.hashes.set("used", { _last_access: 1_700_000_000, n: 2 });
  // Used long ago, and made just now, as one that was copied may be.
  store.hashes.set("over", { _created: 1_700_000_000, _last_access: 1_600_000_000, n: 3 });
  const seen: unknown[] = [];
  for (const id of store.hashes.keys()) {
    await visit(id, (session) => seen.push(session.get("n", 0)));
  }
  assertEquals(seen, [1, 2, 0]);
});

for (
  const [name, hash] of Object.entries<SessionHash>({
    "no time": { n: 1 },
    "a time that is none": { _created: NaN, n: 1 },
    "what JSON cannot carry": { _created: 1_700_000_000, n: 1n },
  })
) {
  Deno.test(`a record of a plain store is corrupt and its client gets a new session when it has ${name}`, async () => {
    const store = new PlainStore();
    const { events, visit } = on(store);
    store.hashes.set("broken", hash);
    await visit("broken", (session) => assertEquals(session.keys(), []));
    assertEquals(events.map(({ type }) => type), ["record-corrupt"]);
  });
}

Deno.test('the reply "OK" of Redis is not sent to the client', async () => {
  const store = new PlainStore();
  const { refused, write, visit } = on(Object.assign(store, { set: () => "OK" }));
  const { code, message } = await refused(undefined, write);
  assertEquals([code, message], [
    "ERR_SESSION_STORE",
    'Cannot save the session: set resolved to "OK", not to what the client is to present',
  ]);
  store.set = () => "a value";
  assertEquals(await visit(undefined, write), "a value");
});

Deno.test("a plain store keeps the time of the sign-in, so that the absolute lifetime starts again", async () => {
  const store = new PlainStore();
  const { clock, sessions, visit, write } = on(store);
  const first = (await visit(undefined, write))!;
  clock.advance(100);
  const id = (await visit(first, (session) => void (session.subject = "ada")))!;
  assertEquals([...store.hashes.keys()], [id]);
  const signedIn = clock.seconds();
  assertEquals(store.hashes.get(id)?._signed_in, signedIn);
  clock.advance(100);
  await visit(id, write);
  assertEquals(store.hashes.get(id)?._signed_in, signedIn);
  const seen = await sessions.load(requestWith({ "x-id": id }));
  assertEquals([seen?.subject, seen?.exists("_signed_in" as never)], ["ada", false]);
});

Deno.test("a new ID in a plain store is new in both halves, and the old one is invalid", async () => {
  for (const act of ["regenerate", "rotate"] as const) {
    const store = new PlainStore();
    const { visit, write } = on(store);
    const id = (await visit(undefined, write))!;
    const next = (await visit(id, (session) => void session[act]()))!;
    assert(verifierOf(next) !== verifierOf(id) && keyOf(next) !== keyOf(id));
    assertEquals([...store.hashes.keys()], [next]);
    assertEquals(store.hashes.get(next)?._id, next);
  }
});

Deno.test("a plain store never rotates by itself: the old ID would be invalid immediately", async () => {
  const store = new PlainStore();
  const clock = fakeClock();
  const sessions = new SessionMiddleware({
    secret: "the secret of the tests: 32 bytes or more",
    store,
    now: clock.now,
    rotateInterval: 60,
  });
  const open = (headers: Record<string, string>, write = false) =>
    sessions.run(requestWith({ ...NAVIGATION, ...headers }), (session) => {
      if (write) session.set("n", 1);
      return new Response();
    });
  const cookie = cookieOf(await open({}, true));
  clock.advance(3000);
  assertEquals(cookieOf(await open({ cookie })), cookie);
});
