/** A session that the server holds, as for a WebSocket, follows its user to new IDs, and no one else. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { Session, SessionError } from "@pagi/session";
import type { Browser, Work } from "../_kit/browser.ts";
import { Client, respond } from "../_kit/client.ts";
import { PLAIN, REVOKING, type Rig, testOn, VERSIONED } from "../_kit/stores.ts";
import { refused } from "../_kit/tabs.ts";

const fill = (session: Session) => session.set("cart", ["apple"]);
const rotate = (session: Session) => session.rotate();
const regenerate = (session: Session) => session.regenerate();
const signIn = (subject: string | undefined) => (session: Session) => session.subject = subject;
const user = (session: Session) => {
  fill(session);
  session.subject = "ada";
};

/** Loads the session of a browser, as a WebSocket does. */
async function hold({ sessions }: Rig, { value }: Browser): Promise<Session> {
  const headers = { cookie: `pagi_session=${value}` };
  return (await sessions.load(new Request("http://localhost/", { headers })))!;
}

/** The session that a PAGI app for WebSockets holds. */
async function holdInApp({ sessions }: Rig, { value }: Browser): Promise<Session> {
  let held: Session | undefined;
  const app = sessions.wrap((scope) => void (held = new Session(scope)));
  await new Client(app, `pagi_session=${value}`).request({ type: "websocket" });
  return held!;
}

/** Writes to a session that the server holds. */
const push = ({ sessions }: Rig, held: Session) =>
  sessions.update(held, (data) => data.pushed = Number(data.pushed ?? 0) + 1);

const HOLDS = { "load()": hold, "a WebSocket's scope": holdInApp };

for (const [how, take] of Object.entries(HOLDS)) {
  for (
    const [who, begin] of Object.entries({ "an anonymous session": fill, "a user's session": user })
  ) {
    testOn(VERSIONED, `${who} from ${how} follows each rotation`, async (rig) => {
      const browser = await rig.start(begin);
      const held = await take(rig, browser);
      for (let time = 1; time <= 12; time++) {
        // Far beyond any grace.
        rig.clock.advance(600);
        await browser.visit(rotate);
        await browser.visit((session) => session.set("time", time));
        const saved = await push(rig, held);
        assertEquals([saved.get("pushed"), saved.id], [time, browser.id]);
      }
      assertEquals(await rig.load(browser.value), { cart: ["apple"], time: 12, pushed: 12 });
    });
  }

  testOn(
    VERSIONED,
    `a user's session from ${how} follows each regeneration with the same subject`,
    async (rig) => {
      const browser = await rig.start(user);
      const held = await take(rig, browser);
      for (let time = 1; time <= 12; time++) {
        rig.clock.advance(600);
        await browser.visit((session) => session.regenerate({ authenticated: time % 2 === 0 }));
        assertEquals((await push(rig, held)).get("pushed"), time);
      }
      assertEquals(await rig.load(browser.value), { cart: ["apple"], pushed: 12 });
    },
  );

  testOn(
    VERSIONED,
    `an anonymous session from ${how} does not follow a regeneration`,
    async (rig) => {
      const browser = await rig.start(fill);
      const held = await take(rig, browser);
      await browser.visit(rotate);
      await push(rig, held);
      await browser.visit(regenerate);
      assertEquals(await refused(push(rig, held)), "ERR_SESSION_INTERRUPTED");
      assertEquals(await rig.load(browser.value), { cart: ["apple"], pushed: 1 });
    },
  );

  for (
    const [change, begin, acts] of [
      ["a login", fill, ["ada"]],
      ["a logout that keeps the session", user, [undefined]],
      ["another user's login", user, ["bob"]],
      ["a logout and a login of the same user", user, [undefined, "ada"]],
      ["another user's login and its own", user, ["bob", "ada"]],
      ["a login and a logout", fill, ["ada", undefined]],
    ] as const
  ) {
    testOn(VERSIONED, `a session from ${how} does not follow ${change}`, async (rig) => {
      const browser = await rig.start(begin);
      const held = await take(rig, browser);
      for (const subject of acts) {
        await browser.visit(signIn(subject));
        assertEquals(await refused(push(rig, held)), "ERR_SESSION_INTERRUPTED");
      }
      await browser.visit(rotate);
      assertEquals(await refused(push(rig, held)), "ERR_SESSION_INTERRUPTED");
      assertEquals(await rig.load(browser.value), { cart: ["apple"] });
    });
  }

  testOn(VERSIONED, `a session from ${how} cannot be written to after its end`, async (rig) => {
    for (
      const end of [
        (browser: Browser) => browser.visit((session) => session.destroy()),
        (browser: Browser) => browser.visit((session) => session.restart().set("new", true)),
        (browser: Browser) => rig.sessions.destroy(browser.id!),
        () => rig.sessions.destroyAll("ada"),
      ]
    ) {
      const browser = await rig.start(user);
      const held = await take(rig, browser);
      await browser.visit(regenerate);
      await end(browser);
      assertEquals(await refused(push(rig, held)), "ERR_SESSION_INTERRUPTED");
    }
  });

  testOn(
    VERSIONED,
    `sessions.destroy() ends the session of ${how} whatever its ID is`,
    async (rig) => {
      const browser = await rig.start(user);
      const held = await take(rig, browser);
      for (const act of [rotate, regenerate, rotate]) await browser.visit(act);
      assertEquals(await rig.sessions.destroy(held), true);
      assertEquals(await rig.load(browser.value), undefined);
      assertEquals(await rig.sessions.destroy(held), false);
    },
  );
}

testOn(VERSIONED, "a session that update() returned can be updated after a new ID", async (rig) => {
  const browser = await rig.start(user);
  let held = await hold(rig, browser);
  for (let time = 1; time <= 4; time++) {
    await browser.visit(time % 2 === 0 ? rotate : regenerate);
    held = await push(rig, held);
    assertEquals([held.get("pushed"), held.id], [time, browser.id]);
  }
  await browser.visit(signIn("bob"));
  assertEquals(await refused(push(rig, held)), "ERR_SESSION_INTERRUPTED");
});

testOn(VERSIONED, "a session from list() can be read only", async (rig) => {
  const browser = await rig.start(user);
  const [listed] = await rig.sessions.list("ada");
  // It reveals no ID that leads to the session.
  assertEquals(listed!.session.id, undefined);
  assertEquals(listed!.session.get("cart"), ["apple"]);
  await assertRejects(() => rig.sessions.update(listed!.session, () => {}), TypeError);
  assertEquals((await browser.visit((session) => session.subject)).value, "ada");
});

testOn(
  VERSIONED,
  "the session of a request that signs in leads on while its response streams",
  async (rig) => {
    const browser = await rig.start(fill);
    let streaming: Session | undefined;
    const app = rig.sessions.wrap(async (scope, _receive, send) => {
      streaming = new Session(scope);
      streaming.subject = "ada";
      await respond(send);
      await push(rig, streaming);
    });
    const client = new Client(app, `pagi_session=${browser.value}`);
    await client.request();
    assertEquals(await rig.load(client.id), { cart: ["apple"], pushed: 1 });
    await rig.browser(client.id).visit(regenerate);
    assertEquals((await push(rig, streaming!)).get("pushed"), 2);
  },
);

testOn(
  VERSIONED,
  "a new session that a request has saved leads on while its response streams",
  async (rig) => {
    const app = rig.sessions.wrap(async (scope, _receive, send) => {
      const session = new Session(scope).set("cart", []);
      await respond(send);
      await push(rig, session);
    });
    const client = new Client(app);
    await client.request();
    assertEquals(await rig.load(client.id), { cart: [], pushed: 1 });
  },
);

testOn(VERSIONED, "an ID leads to its session only while it is valid", async (rig) => {
  const { sessions, clock } = rig;
  const browser = await rig.start(user);
  const old = browser.id!;
  await browser.visit(rotate);
  const change = () => sessions.update(old, (data) => data.n = 1);
  assertEquals((await change()).id, browser.id);
  await browser.visit((session) => session.set("presented", true));
  clock.advance(151);
  assertEquals(await refused(change()), "ERR_SESSION_INTERRUPTED");
  const second = browser.id!;
  await browser.visit(regenerate);
  const late = () => sessions.update(second, (data) => data.n = 2);
  assertEquals(await refused(late()), "ERR_SESSION_INTERRUPTED");
  assertEquals(await rig.load(browser.value), { cart: ["apple"], n: 1, presented: true });
});

testOn(
  VERSIONED,
  "a change by ID that is in progress follows a rotation, and stops at a regeneration",
  async (rig) => {
    const browser = await rig.start(user);
    for (const [act, isFollowed] of [[rotate, true], [regenerate, false]] as const) {
      const change = rig.sessions.update(browser.id!, async (data) => {
        if (data.time === undefined) await browser.visit((session) => act(session).set("time", 1));
        data.pushed = Number(data.pushed ?? 0) + 1;
      });
      if (isFollowed) assertEquals((await change).get("pushed"), 1);
      else assertEquals(await refused(change), "ERR_SESSION_INTERRUPTED");
      await browser.visit((session) => session.delete("time"));
    }
    assertEquals(await rig.load(browser.value), { cart: ["apple"], pushed: 1 });
  },
);

testOn(VERSIONED, "a change in progress follows a rotation, and stops at a login", async (rig) => {
  const browser = await rig.start(fill);
  const held = await hold(rig, browser);
  let runs = 0;
  const during = (act: (session: Session) => unknown) =>
    rig.sessions.update(held, async (data) => {
      if (runs++ === 0) await browser.visit(act);
      data.pushed = Number(data.pushed ?? 0) + 1;
    });
  await during((session) => session.rotate().set("rotated", true));
  assertEquals([runs, await rig.load(browser.value)], [2, {
    cart: ["apple"],
    rotated: true,
    pushed: 1,
  }]);
  for (const act of [signIn("ada"), regenerate, signIn(undefined)] as Work[]) {
    runs = 0;
    const again = await hold(rig, browser);
    const change = rig.sessions.update(again, async (data) => {
      if (runs++ === 0) await browser.visit(act);
      data.pushed = -1;
    });
    // A regeneration for the same user does not stop the update.
    if (act === regenerate) assertEquals((await change).get("pushed"), -1);
    else await assertRejects(() => change, SessionError);
    await browser.visit((session) => session.set("pushed", 1));
  }
  assertEquals((await rig.load(browser.value))?.pushed, 1);
});

testOn(VERSIONED, "100 pushes and 30 new IDs at the same time lose nothing", async (rig) => {
  const browser = await rig.start(user);
  const held = await hold(rig, browser);
  const pushes = Array.from({ length: 100 }, () => push(rig, held));
  for (let time = 0; time < 30; time++) await browser.visit(time % 2 === 0 ? rotate : regenerate);
  await Promise.all(pushes);
  assertEquals(await rig.load(browser.value), { cart: ["apple"], pushed: 100 });
  assert(rig.records() <= 2);
});

testOn(PLAIN, "a session that the server holds ends with its ID", async (rig) => {
  const browser = await rig.start(user);
  const held = await hold(rig, browser);
  await push(rig, held);
  await browser.visit(rotate);
  assertEquals(await refused(push(rig, held)), "ERR_SESSION_INTERRUPTED");
  assertEquals(await rig.load(browser.value), { cart: ["apple"], pushed: 1 });
});

testOn(
  REVOKING,
  "a session that its client holds cannot be changed by the server, but ended",
  async (rig) => {
    const browser = await rig.start(user);
    const held = await hold(rig, browser);
    await assertRejects(() => push(rig, held), SessionError);
    await browser.visit(regenerate);
    assertEquals(await rig.sessions.destroy(held), true);
    assertEquals(await rig.load(browser.value), undefined);
  },
);
