/** How large a session may be. */
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { SessionError, SessionMiddleware } from "@pagi/session";
import { refused, setUp } from "../../_kit/tabs.ts";

const TEXT = '{"_created":1700000000,"n":0,"a":1,"b":1}';
const SMALL = { maxBytes: 100, now: () => 1_700_000_000_000 };
/** What `,"k":""` takes beside its letters. */
const ROOM = SMALL.maxBytes - TEXT.length - 7;

Deno.test("maxBytes throws when it is not a number from 0 up", () => {
  for (const maxBytes of [-1, NaN, Infinity, "1" as never]) {
    assertThrows(
      () =>
        new SessionMiddleware({ secret: "the secret of the tests: 32 bytes or more", maxBytes }),
      RangeError,
      "maxBytes",
    );
  }
});

Deno.test("a session is saved when its UTF-8 takes at most maxBytes", async () => {
  for (const [letter, bytes] of [["x", 1], ["é", 2], ["€", 3], ["😀", 4]] as const) {
    const { tab, stored } = await setUp(SMALL);
    const fits = letter.repeat(Math.floor(ROOM / bytes)) + "x".repeat(ROOM % bytes);
    const { cookies } = await tab((session) => session.set("k", fits));
    assertEquals([cookies, (await stored()).k], [[], fits]);
    const before = await stored();
    const { code, message, headers } = await assertRejects(
      () => tab((session) => session.set("k", fits + "x").regenerate()),
      SessionError,
    );
    assertEquals([code, headers], ["ERR_SESSION_TOO_LARGE", []]);
    assertEquals(message, "Cannot save the session: it has 101 bytes, and maxBytes is 100");
    assertEquals(await stored(), before);
  }
});

Deno.test("maxBytes is 65,536 when it is not set", async () => {
  const { tab, stored } = await setUp({ now: SMALL.now });
  const room = 65_536 - TEXT.length - 7;
  await tab((session) => session.set("k", "x".repeat(room)));
  assertEquals((await stored()).k, "x".repeat(room));
  const larger = tab((session) => session.set("k", "x".repeat(room + 1)));
  assertEquals(await refused(larger), "ERR_SESSION_TOO_LARGE");
});

Deno.test("a new session is neither saved nor sent when it is too large", async () => {
  const { sessions, store } = await setUp(SMALL);
  const request = sessions.run(new Request("http://localhost/"), (session) => {
    session.set("k", "x".repeat(100));
    return new Response();
  });
  assertEquals([await refused(request), store.size], ["ERR_SESSION_TOO_LARGE", 1]);
});

Deno.test("a merge is refused when each change fits and both together do not", async () => {
  const { tab, stored } = await setUp(SMALL);
  for (const rotates of [false, true]) {
    const { store } = { store: await stored() };
    const merged = tab(async (session) => {
      session.set("mine", "x".repeat(30));
      if (rotates) session.regenerate();
      await tab((other) => other.set("k", "y".repeat(ROOM)));
    });
    assertEquals(await refused(merged), "ERR_SESSION_TOO_LARGE");
    assertEquals(await stored(), { ...store, k: "y".repeat(ROOM) });
    await tab((session) => session.delete("k"));
  }
});

Deno.test("sessions.update() throws when the session gets too large", async () => {
  const { sessions, stored, id } = await setUp(SMALL);
  const large = sessions.update(id, (data) => void (data.k = "x".repeat(ROOM + 1)));
  assertEquals(await refused(large), "ERR_SESSION_TOO_LARGE");
  assertEquals(await stored(), { n: 0, a: 1, b: 1 });
  await sessions.update(id, (data) => void (data.k = "x".repeat(ROOM)));
  assertEquals((await stored()).k, "x".repeat(ROOM));
});

Deno.test("a session can be read, renewed, reduced and ended when it is too large already", async () => {
  const { store, tab, stored, cookie } = await setUp();
  await tab((session) => session.set("k", "x".repeat(200)));
  const strict = new SessionMiddleware({
    secret: "the secret of the tests: 32 bytes or more",
    store,
    maxBytes: 100,
  });
  const visit = (act: (session: import("@pagi/session").Session) => unknown) =>
    strict.run(new Request("http://localhost/", { headers: { cookie } }), (session) => {
      act(session);
      return new Response();
    });
  await visit((session) => session.data);
  assertEquals(await refused(visit((session) => session.set("n", 2))), "ERR_SESSION_TOO_LARGE");
  await visit((session) => session.delete("k"));
  assertEquals(await stored(), { n: 0, a: 1, b: 1 });
});
