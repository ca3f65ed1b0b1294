/** Two subjects never share their sessions, whatever texts they are. */
import { assert, assertEquals, assertFalse, assertRejects, assertThrows } from "@std/assert";
import { MemoryStore, SessionMiddleware } from "@pagi/session";
import { keyOf } from "../../base/id.ts";
import { requestWith, SECRET } from "../_kit/helpers.ts";
import { ALL, around, HOLDING, PlainMap, testOn, VERSIONED } from "../_kit/stores.ts";

/** Texts with half of a surrogate pair. UTF-8 would turn each of them into another text. */
const ILL_FORMED = ["\ud800", "\udfff", "ada\ud83d", "\ude00ada", "\ude00\ud83d"];
/** The text that they would share, and others that look alike. */
const WELL_FORMED = [
  "\ufffd",
  "\u00e9",
  "e\u0301",
  "\u0000",
  "a\u0000b",
  "\u{1f600}",
  "é".repeat(9),
];

/** Requires an error that says what to do, and does not reveal the subject. */
function checkError(error: Error, subject: string): void {
  assert(error instanceof TypeError, String(error));
  assert(error.message.includes("well-formed Unicode"), error.message);
  assert(error.message.includes("Use the user's ID"), error.message);
  assertFalse(error.message.includes(subject) || error.message.includes("\ufffd"), error.message);
}

testOn(ALL, "a subject that is not well-formed Unicode is refused", async ({ browser, events }) => {
  for (const subject of ILL_FORMED) {
    const visitor = browser();
    await visitor.visit((session) => {
      checkError(assertThrows(() => session.subject = subject, TypeError), subject);
      // A request that goes on has the session that it had.
      assertEquals(session.subject, undefined);
      session.set("n", 1);
    });
    const write = () => visitor.visit((session) => void (session.data._subject = subject));
    checkError(await assertRejects(write, TypeError), subject);
    assertEquals((await visitor.visit((session) => session.get("n", 0))).value, 1);
  }
  assertEquals(events, []);
});

testOn(VERSIONED, "no call finds the sessions of an ill-formed subject", async ({ sessions }) => {
  for (const subject of ILL_FORMED) {
    for (
      const call of [
        () => sessions.list(subject),
        () => sessions.destroyAll(subject),
        () => sessions.destroyListed(subject, "0".repeat(32)),
      ]
    ) checkError(await assertRejects(call, TypeError), subject);
  }
});

testOn(VERSIONED, "two subjects that look alike have sessions of their own", async (rig) => {
  const { sessions, start } = rig;
  const browsers = new Map<string, Awaited<ReturnType<typeof start>>>();
  for (const subject of WELL_FORMED) {
    browsers.set(subject, await start((session) => session.subject = subject));
  }
  for (const [subject, browser] of browsers) {
    assertEquals((await sessions.list(subject)).length, 1);
    assertEquals((await browser.visit((session) => session.subject)).value, subject);
    assertEquals(await sessions.destroyAll(subject), 1);
    assertEquals((await browser.visit((session) => session.subject)).value, undefined);
  }
});

testOn(VERSIONED, "a subject may be as long as a session may be large", async (rig) => {
  const { sessions, start, browser } = rig;
  const long = "é".repeat(30_000);
  await start((session) => session.subject = long);
  assertEquals((await sessions.list(long)).length, 1);
  assertEquals(await sessions.list(`${long}é`), []);
  assertEquals(await sessions.destroyAll(long), 1);
  const sign = () => browser().visit((session) => session.subject = "é".repeat(500_000));
  const { code } = await assertRejects(sign) as Error & { code?: string };
  assertEquals(code, "ERR_SESSION_TOO_LARGE");
});

Deno.test("a stored session with an ill-formed subject is corrupt, and no user's", async () => {
  for (const late of [false, true]) {
    const inner = new MemoryStore();
    const store = late ? around(inner, async (_name, call) => await call()) : inner;
    const events: string[] = [];
    const sessions = new SessionMiddleware({
      secret: SECRET,
      store,
      onEvent: ({ type }) => void events.push(type),
    });
    const id = "5a".repeat(32);
    const now = Math.floor(Date.now() / 1000);
    const text = `s1:${id.slice(32)}{"_created":${now},"_subject":"\\ud800"}`;
    const { signal } = new AbortController();
    inner.create(keyOf(id), text, { lastAccess: now, ttl: 60, signal });
    assertEquals(await sessions.load(requestWith({ cookie: `pagi_session=${id}` })), undefined);
    assertEquals([events, await sessions.list("\ufffd")], [["record-corrupt"], []]);
    assertEquals(await sessions.destroyAll("\ufffd"), 0);
    assert(inner.read(keyOf(id)) !== undefined);
  }
});

testOn(
  HOLDING,
  "PAGI's set() stores no ill-formed subject that a session could have",
  async (rig) => {
    const { store, sessions } = rig;
    const id = "6b".repeat(32);
    const now = rig.clock.seconds();
    const set = async () =>
      await (store as PlainMap).set(id, { _id: id, _created: now, _subject: "\ud800" });
    if (store instanceof PlainMap) await set();
    else if ("set" in store) checkError(await assertRejects(set, TypeError), "\ud800");
    assertEquals(await sessions.load(requestWith({ cookie: `pagi_session=${id}` })), undefined);
  },
);
