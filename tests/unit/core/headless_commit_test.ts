import { assertEquals, assertNotEquals, assertRejects, assertStrictEquals } from "@std/assert";
import {
  BearerState,
  CookieState,
  FirstState,
  HeaderState,
  MemoryStore,
  type Session,
  SessionError,
  SessionMiddleware,
} from "@pagi/session";
import { cookieOf, requestWith, rig, SECRET } from "../../_kit/helpers.ts";
import { FaultyStore } from "../../_kit/faulty_store.ts";
import { ALL, ENDING, HOLDING, type Rig, testOn, VERSIONED } from "../../_kit/stores.ts";

type Work = (session: Session) => unknown;

/** Serves a request whose response was sent before the session could be saved. */
async function serveSent({ sessions }: Pick<Rig, "sessions">, work: Work, headers = {}) {
  const open = await sessions.open(requestWith(headers));
  await open.run(() => work(open.session));
  await open.commit();
  return open.session;
}

const cookieHeader = (value: string | undefined) => ({ cookie: `pagi_session=${value}` });
const dropped = ({ events }: Pick<Rig, "events">) =>
  events.filter((type) => type === "headers-dropped").length;

testOn(
  ALL,
  "commit() without headers stores no new session, which no client would get",
  async (rig) => {
    await serveSent(rig, (session) => session.set("n", 1));
    assertEquals([rig.records(), dropped(rig)], [0, 1]);
    await serveSent(rig, (session) => session.subject = "ada");
    assertEquals([rig.records(), dropped(rig)], [0, 2]);
    await serveSent(rig, () => {});
    assertEquals([rig.records(), dropped(rig)], [0, 2]);
  },
);

testOn(
  HOLDING,
  "commit() without headers saves the changes of a session that its client knows",
  async (rig) => {
    const browser = await rig.start((session) => session.set("n", 1));
    await serveSent(rig, (session) => session.set("n", 2), cookieHeader(browser.value));
    assertEquals([await rig.load(browser.value), dropped(rig)], [{ n: 2 }, 0]);
    await serveSent(rig, (session) => session.destroy(), cookieHeader(browser.value));
    assertEquals(await rig.load(browser.value), undefined);
  },
);

testOn(
  HOLDING,
  "commit() without headers leaves the cookie's renewal to the next response",
  async (rig) => {
    const browser = await rig.start((session) => session.set("n", 1));
    rig.clock.advance(2000);
    await serveSent(rig, () => {}, cookieHeader(browser.value));
    assertEquals(dropped(rig), 0);
    const { cookies } = await browser.visit(() => {});
    assertEquals(cookies.length, 1);
  },
);

testOn(VERSIONED, "commit() without headers changes no ID", async (rig) => {
  const works: Record<string, Work> = {
    regenerate: (session) => session.regenerate().set("n", 2),
    "sign in": (session) => void (session.set("n", 2).subject = "ada"),
  };
  for (const [name, work] of Object.entries(works)) {
    const browser = await rig.start((session) => session.set("n", 1));
    const before = dropped(rig);
    await serveSent(rig, work, cookieHeader(browser.value));
    // The attacker who planted the old ID must not get the values for the new one.
    assertEquals(await rig.load(browser.value), { n: 1 }, name);
    assertEquals(dropped(rig), before + 1, name);
    assertEquals((await browser.visit((session) => session.get("n"))).value, 1, name);
  }
});

testOn(
  VERSIONED,
  "commit() without headers saves a session that asks for a rotation under its ID",
  async (rig) => {
    const browser = await rig.start((session) => session.set("n", 1));
    const session = await serveSent(
      rig,
      (session) => session.rotate().set("n", 2),
      cookieHeader(browser.value),
    );
    assertEquals([await rig.load(browser.value), dropped(rig)], [{ n: 2 }, 1]);
    assertEquals(rig.isVersioned && session.id, browser.value);
  },
);

testOn(
  ENDING,
  "commit() without headers signs a user out who leaves or becomes another",
  async (rig) => {
    for (const next of [undefined, "bob"]) {
      const browser = await rig.start((session) => void (session.set("n", 1).subject = "ada"));
      const before = dropped(rig);
      await serveSent(rig, (session) => session.subject = next, cookieHeader(browser.value));
      assertEquals(await rig.load(browser.value), undefined, String(next));
      if (rig.isVersioned) assertEquals(await rig.sessions.list("ada"), []);
      if (rig.isVersioned) assertEquals(await rig.sessions.list("bob"), []);
      assertEquals(dropped(rig), before + 1);
    }
  },
);

testOn(
  VERSIONED,
  "commit() without headers ends a session that is restarted, and stores no other",
  async (rig) => {
    const browser = await rig.start((session) => session.set("n", 1));
    await serveSent(rig, (session) => session.restart().set("n", 2), cookieHeader(browser.value));
    assertEquals([await rig.load(browser.value), rig.records() <= 1, dropped(rig)], [
      undefined,
      true,
      1,
    ]);
    await serveSent(rig, (session) => session.restart(), cookieHeader(browser.value));
  },
);

testOn(ALL, "commit() without headers keeps what save() has saved", async (rig) => {
  let presented: string | undefined;
  await serveSent(rig, async (session) => {
    // The app may have sent it in the body.
    presented = await session.set("n", 1).save();
  });
  assertEquals([await rig.load(presented), dropped(rig)], [{ n: 1 }, 1]);
});

Deno.test("commit() without headers saves a session whose ID the app itself sends", async () => {
  for (const state of [new BearerState(), new FirstState(new CookieState(), new BearerState())]) {
    const made = rig({ state });
    const session = await serveSent(made, (session) => session.set("n", 1));
    assertEquals([made.store.size, made.events], [1, []]);
    const headers = { authorization: `Bearer ${session.id}` };
    const changed = await serveSent(made, (session) => session.regenerate().set("n", 2), headers);
    assertNotEquals(changed.id, headers.authorization.slice(7));
    assertEquals(made.events, []);
    const loaded = await made.sessions.load(
      requestWith({ authorization: `Bearer ${changed.id}` }),
    );
    assertEquals(loaded?.get("n"), 2);
  }
});

Deno.test("commit() without headers stores no session whose ID a header would carry", async () => {
  const state = new HeaderState({ headerName: "X-Session", emit: "X-Session" });
  const made = rig({ state });
  await serveSent(made, (session) => session.set("n", 1));
  assertEquals([made.store.size, made.events], [0, ["headers-dropped"]]);
});

Deno.test("commit() without headers says what was not stored, and why", async () => {
  const messages: string[] = [];
  const sessions = new SessionMiddleware({
    secret: SECRET,
    onEvent: ({ message }) => void messages.push(message),
  });
  const session = await serveSent({ sessions }, (session) => session.set("n", 1));
  assertEquals(messages, [
    "A new session was not stored: its ID could not be put on a response that was sent already. " +
    "Write to the session in an earlier request",
  ]);
  assertEquals([session.absence, await session.touch()], ["none", false]);
});

Deno.test("run() stores no new session if the response is an immutable 101", async () => {
  const made = rig();
  const immutable = () =>
    Object.defineProperty(Response.redirect("http://a/"), "status", { value: 101 });
  await made.answer(immutable());
  assertEquals([made.store.size, made.events], [0, ["headers-dropped"]]);
  const cookie = await made.signIn();
  await made.answer(immutable(), { cookie });
  assertEquals((await made.sessions.load(requestWith({ cookie })))?.get("n"), 2);
  assertEquals(made.events.length, 1);
  const mutable = Object.defineProperty(new Response(null), "status", { value: 101 });
  assertEquals(cookieOf(await made.answer(mutable)).length > 0, true);
});

Deno.test("commit() returns the pending promise when it is called again", async () => {
  for (const fails of [false, true]) {
    const store = new FaultyStore(new MemoryStore());
    const { sessions } = rig({ store: store as never });
    if (fails) store.fault = { operation: "create", kind: "rejects" };
    const open = await sessions.open(requestWith());
    open.session.set("n", 1);
    const headers = new Headers();
    const first = open.commit(headers);
    const second = open.commit(headers);
    if (fails) await assertRejects(async () => await first, SessionError);
    else await first;
    assertStrictEquals(second, first);
    // An error response passes.
    assertEquals(open.commit(headers), undefined);
    assertEquals(headers.getSetCookie().length, fails ? 0 : 1);
  }
});
