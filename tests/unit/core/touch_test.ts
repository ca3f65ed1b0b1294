import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { MemoryStore, Session, SessionError } from "@pagi/session";
import { requestWith, rig } from "../../_kit/helpers.ts";
import { FaultyStore } from "../../_kit/faulty_store.ts";
import { HOLDING, REVOKING, type Rig, testOn, VERSIONED } from "../../_kit/stores.ts";

/** Opens a session, and loads it as a WebSocket does. */
async function connect(rig: Rig, subject?: string) {
  const browser = await rig.start((session) => {
    session.set("n", 1);
    if (subject !== undefined) session.subject = subject;
  });
  return { browser, held: (await load(rig, browser.value))! };
}

const load = ({ sessions }: Rig, value: string | undefined) =>
  sessions.load(requestWith({ cookie: `pagi_session=${value}` }));

testOn(HOLDING, "touch() keeps a session that a connection holds", async (rig) => {
  const { browser, held } = await connect(rig);
  const idle = await connect(rig);
  for (let minutes = 0; minutes < 180; minutes += 5) {
    rig.clock.advance(300);
    assertEquals(await held.touch(), true);
  }
  assertEquals((await load(rig, browser.value))?.get("n"), 1);
  assertEquals(await load(rig, idle.browser.value), undefined);
});

testOn(VERSIONED, "touch() calls the store at most once per touchInterval", async (rig) => {
  const { held } = await connect(rig);
  rig.clock.advance(60);
  rig.calls.length = 0;
  for (let second = 0; second < 59; second++) {
    await Promise.all([held.touch(), held.touch(), held.touch()]);
    rig.clock.advance(1);
  }
  assertEquals(rig.calls, ["read", "touch"]);
  rig.clock.advance(1);
  assertEquals(await held.touch(), true);
  assertEquals(rig.calls, ["read", "touch", "read", "touch"]);
});

testOn(VERSIONED, "touch() does not write if a request has used the session", async (rig) => {
  const { browser, held } = await connect(rig);
  rig.clock.advance(100);
  await browser.visit((session) => session.set("n", 2));
  rig.calls.length = 0;
  assertEquals(await held.touch(), true);
  assertEquals(rig.calls, ["read"]);
});

testOn(VERSIONED, "touch() leaves the data as it was loaded", async (rig) => {
  const { browser, held } = await connect(rig);
  const before = held.data._last_access;
  rig.clock.advance(100);
  await rig.sessions.update(browser.id!, (data) => void (data.n = 2));
  await held.touch();
  assertEquals([held.get("n"), held.data._last_access], [1, before]);
  assertEquals((await load(rig, browser.value))!.data._last_access, rig.clock.seconds());
  assertEquals((await load(rig, browser.value))!.get("n"), 2);
});

testOn(VERSIONED, "touch() resolves to false when the session has ended", async (rig) => {
  const ends: Record<string, (value: string) => unknown> = {
    logout: (value) => rig.browser(value).visit((session) => session.destroy()),
    restart: (value) => rig.browser(value).visit((session) => session.restart().set("n", 2)),
    "destroy()": (value) => rig.sessions.destroy(value),
    "destroyAll()": () => rig.sessions.destroyAll("ada"),
    expiry: () => rig.clock.advance(4000),
  };
  for (const [name, end] of Object.entries(ends)) {
    const { browser, held } = await connect(rig, "ada");
    await end(browser.value!);
    rig.clock.advance(100);
    assertEquals(await held.touch(), false, name);
    assertEquals(await held.touch(), false, name);
  }
});

testOn(VERSIONED, "touch() follows a user, and nobody else", async (rig) => {
  const changes: [boolean, string | undefined, (session: Session) => unknown][] = [
    [true, undefined, (session) => session.rotate()],
    [true, "ada", (session) => session.regenerate()],
    [false, undefined, (session) => session.regenerate()],
    [false, undefined, (session) => session.subject = "eve"],
    [false, "ada", (session) => session.subject = "eve"],
    [false, "ada", (session) => session.subject = undefined],
  ];
  for (const [isFollowed, subject, change] of changes) {
    const { browser, held } = await connect(rig, subject);
    await browser.visit(change);
    rig.clock.advance(100);
    assertEquals(await held.touch(), isFollowed, String(change));
  }
});

testOn(VERSIONED, "touch() proves nothing about the ID that the client has", {
  rotateGrace: 0,
}, async (rig) => {
  const { browser, held } = await connect(rig);
  // The response with the new ID is lost.
  await rig.browser(browser.value).visit((session) => session.rotate());
  for (let i = 0; i < 5; i++) {
    rig.clock.advance(100);
    assertEquals(await held.touch(), true);
  }
  assertEquals((await load(rig, browser.value))?.get("n"), 1);
});

testOn(
  VERSIONED,
  "touch() does not extend the absolute lifetime",
  { absoluteExpire: 7200 },
  async (rig) => {
    const { held } = await connect(rig);
    let last = true;
    for (let minutes = 0; minutes < 125; minutes += 5) {
      rig.clock.advance(300);
      last = await held.touch();
    }
    assertEquals(last, false);
  },
);

testOn(VERSIONED, "touch() and writes at the same time lose nothing", async (rig) => {
  const { browser, held } = await connect(rig);
  for (let round = 0; round < 20; round++) {
    rig.clock.advance(61);
    const update = rig.sessions.update(browser.id!, (data) => void (data.n = Number(data.n) + 1));
    const [isActive] = await Promise.all([held.touch(), update]);
    assertEquals(isActive, true);
  }
  const loaded = (await load(rig, browser.value))!;
  assertEquals([loaded.get("n"), loaded.data._last_access], [21, rig.clock.seconds()]);
});

testOn(HOLDING, "touch() works for a response that streams", async (rig) => {
  let streaming: Session | undefined;
  const browser = await rig.start((session) => session.set("n", 1));
  await browser.visit(async (session) => {
    streaming = session;
    assertEquals(await session.touch(), true);
  });
  for (let minutes = 0; minutes < 120; minutes += 5) {
    rig.clock.advance(300);
    assertEquals(await streaming!.touch(), true);
  }
  assertEquals((await load(rig, browser.value))?.get("n"), 1);
});

testOn(HOLDING, "touch() resolves to false if there is no session", async (rig) => {
  const { value: inRequest } = await rig.browser().visit((session) => session.touch());
  assertEquals(inRequest, false);
  let used: Session | undefined;
  await rig.browser().visit((session) => void (used = session));
  assertEquals(await used!.touch(), false);
  const app = rig.sessions.wrap(async (scope) => {
    assertEquals(await new Session(scope).touch(), false);
  });
  await app({ type: "websocket", headers: [] }, () => Promise.reject(), () => Promise.resolve());
});

testOn(REVOKING, "touch() cannot extend a session that lies at its client", async (rig) => {
  const { held } = await connect(rig);
  const error = await assertRejects(() => held.touch(), SessionError, "only a response");
  assertEquals(error.code, "ERR_SESSION_STORE");
});

for (const operation of ["read", "touch"] as const) {
  for (const kind of ["throws", "rejects", "fails after it was applied"] as const) {
    Deno.test(`touch() rejects if ${operation} ${kind}, and works again afterward`, async () => {
      const store = new FaultyStore(new MemoryStore());
      const { sessions, clock } = rig({ store: store as never });
      const open = await sessions.open(requestWith());
      const cookie = `pagi_session=${await open.session.set("n", 1).save()}`;
      const held = (await sessions.load(requestWith({ cookie })))!;
      clock.advance(100);
      store.fault = { operation, kind };
      const error = await assertRejects(() => held.touch(), SessionError);
      assertEquals(error.code, "ERR_SESSION_STORE");
      store.fault = undefined;
      assertEquals(await held.touch(), true);
    });
  }
}

Deno.test("touch() of a test's own data resolves to true, and takes no callback", async () => {
  const session = Session.fromData({});
  assertEquals(await session.touch(), true);
  const touch = session.touch as (callback: () => void) => unknown;
  assertThrows(() => touch.call(session, () => {}), TypeError, "callback");
});
