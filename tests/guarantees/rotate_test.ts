/** `rotate()` gives the same user a new ID, and neither a lost response nor a race signs them out. */
import { assert, assertEquals } from "@std/assert";
import type { Session, VersionedStore } from "@pagi/session";
import { type Browser, FORM, PAGE, POLL } from "../_kit/browser.ts";
import { around, type Rig, testOn, UNVERSIONED, VERSIONED } from "../_kit/stores.ts";
import { refused } from "../_kit/tabs.ts";

const HOUR = 3600;
/** The default of `rotateGrace`, and what is added for clocks that differ. */
const GRACE = 30 + 120;
const EVERY_TEN_MINUTES = { rotateInterval: 600 };
const A_DAY = { expire: 24 * HOUR };
const NO_GRACE = { rotateGrace: 0 };

const fill = (session: Session) => session.set("cart", ["apple"]);
const read = (session: Session) => session.get("cart", undefined);
const write = (session: Session) => session.update("n", (n) => Number(n ?? 0) + 1);
const rotate = (session: Session) => session.rotate();
const regenerate = (session: Session) => session.regenerate();
const destroy = (session: Session) => session.destroy();
const absence = (session: Session) => session.absence;

/** Rotates the ID. Resolves to browsers that have the old and the new ID. */
async function rotated(rig: Rig, browser?: Browser): Promise<{ old: Browser; current: Browser }> {
  const current = browser ?? await rig.start(fill);
  const old = rig.browser(current.value);
  const { cookies } = await current.visit(rotate);
  assertEquals(cookies.length, 1);
  assert(current.value !== old.value);
  return { old, current };
}

/** Counts how many of these values open a session. */
async function validOf(rig: Rig, values: readonly (string | undefined)[]): Promise<number> {
  const found = await Promise.all(values.map((value) => rig.load(value)));
  return found.filter((one) => one !== undefined).length;
}

testOn(VERSIONED, "rotate() keeps the data and sends the new ID", async (rig) => {
  const { current, old } = await rotated(rig);
  assertEquals((await current.visit(read)).value, ["apple"]);
  assertEquals(current.id!.slice(32), old.id!.slice(32));
  assertEquals(rig.records(), 1);
});

for (const [how, work] of Object.entries({ "a write": write, "a touch": read })) {
  testOn(
    VERSIONED,
    `the old ID works two hours after a lost response, and ${how} sends the current one`,
    A_DAY,
    async (rig) => {
      const { old, current } = await rotated(rig);
      // The client has not sent the new ID.
      rig.clock.advance(2 * HOUR);
      const { cookies, id } = await old.visit(work);
      assertEquals([cookies.length, id, old.id], [1, current.id, current.id]);
      assertEquals((await old.visit(read)).value, ["apple"]);
    },
  );
}

testOn(
  VERSIONED,
  "the old ID works as long as the session lives if the client never sends the new one",
  A_DAY,
  async (rig) => {
    const { old, current } = await rotated(rig);
    for (let day = 0; day < 30; day++) {
      rig.clock.advance(20 * HOUR);
      const { value, id } = await old.send((session) => (write(session), read(session)));
      assertEquals([value, id], [["apple"], current.id]);
    }
  },
);

testOn(
  VERSIONED,
  "the old ID works until rotateGrace and two minutes after the client sent the new one",
  async (rig) => {
    const { clock } = rig;
    const { old, current } = await rotated(rig);
    clock.advance(600);
    assertEquals((await old.send(read)).value, ["apple"]);
    clock.advance(10);
    await current.visit(write);
    // A second use of the new ID does not extend the grace.
    clock.advance(100);
    await current.visit(write);
    clock.advance(GRACE - 100);
    assertEquals((await old.send(read)).value, ["apple"]);
    clock.advance(1);
    assertEquals((await old.send(absence)).value, "replaced");
    assertEquals(await refused(old.send(write)), "ERR_SESSION_INTERRUPTED");
    assertEquals(await rig.load(old.value), undefined);
    assertEquals((await current.visit(read)).value, ["apple"]);
  },
);

testOn(VERSIONED, "rotateGrace sets how long the old ID works", NO_GRACE, async (rig) => {
  const { old, current } = await rotated(rig);
  await current.visit(write);
  rig.clock.advance(120);
  assertEquals((await old.send(read)).value, ["apple"]);
  rig.clock.advance(1);
  assertEquals((await old.send(absence)).value, "replaced");
});

testOn(
  VERSIONED,
  "a grace that is longer than an hour does not end when the session is used",
  { ...A_DAY, rotateGrace: 3 * HOUR },
  async (rig) => {
    const { old, current } = await rotated(rig);
    await current.visit(write);
    for (let hour = 0; hour < 3; hour++) {
      rig.clock.advance(HOUR);
      await current.visit(write);
      assertEquals((await old.send(read)).value, ["apple"]);
    }
    rig.clock.advance(120 + 1);
    assertEquals(await rig.load(old.value), undefined);
  },
);

testOn(VERSIONED, "a touch records that the client sent the new ID, with one call", async (rig) => {
  const { clock, calls } = rig;
  const { old, current } = await rotated(rig);
  // Too early for a touch, so the grace does not start yet.
  await current.visit(read);
  clock.advance(60);
  calls.length = 0;
  await current.visit(read);
  assertEquals(calls, ["read", "replace"]);
  clock.advance(GRACE);
  assertEquals((await old.send(read)).value, ["apple"]);
  clock.advance(1);
  assertEquals((await old.send(absence)).value, "replaced");
});

testOn(
  VERSIONED,
  "the next request records that the client sent the new ID if the first one failed to",
  async (rig) => {
    const { clock } = rig;
    const { old, current } = await rotated(rig);
    clock.advance(60);
    let isDown = true;
    const store = around(rig.store as VersionedStore, (name, call) => {
      if (isDown && name === "replace") throw new Error("connection refused");
      return call();
    });
    const failing = rig.browser(current.value, rig.server({ store }));
    await failing.visit(read);
    assertEquals(rig.events, ["touch-failed"]);
    clock.advance(GRACE + 1);
    assertEquals((await old.send(read)).value, ["apple"]);
    isDown = false;
    clock.advance(60);
    await failing.visit(read);
    clock.advance(GRACE + 1);
    assertEquals((await old.send(absence)).value, "replaced");
  },
);

testOn(
  VERSIONED,
  "an update by the server does not count as if the client had sent the new ID",
  async (rig) => {
    const { clock, sessions } = rig;
    const { old, current } = await rotated(rig);
    const headers = { cookie: `pagi_session=${old.value}` };
    const held = (await sessions.load(new Request("http://localhost/", { headers })))!;
    for (const target of [held, current.id!]) await sessions.update(target, (data) => data.m = 1);
    clock.advance(GRACE + 1);
    // The client still has the old ID only.
    const { value, id } = await old.visit((session) => (write(session), read(session)));
    assertEquals([value, id], [["apple"], current.id]);
  },
);

testOn(VERSIONED, "at most two IDs are valid, however often the ID is rotated", async (rig) => {
  const { clock } = rig;
  const browser = await rig.start(fill);
  const values: (string | undefined)[] = [browser.value];
  for (let time = 0; time < 12; time++) {
    clock.advance(5);
    await browser.visit(rotate);
    values.push(browser.value);
    assertEquals(await validOf(rig, values), 2);
    assertEquals(await rig.load(values.at(-2)), { cart: ["apple"] });
    if (time % 3 === 0) await browser.visit(write);
    if (time % 3 === 0) await browser.visit((session) => session.delete("n"));
  }
  assertEquals((await browser.visit(read)).value, ["apple"]);
});

testOn(VERSIONED, "rotate() in grace does not rotate, and sends the current ID", async (rig) => {
  const { old, current } = await rotated(rig);
  const lost = rig.browser(old.value);
  for (const work of [rotate, (session: Session) => session.rotate().set("m", 1)]) {
    const { cookies, id } = await old.send(work, PAGE);
    assertEquals([cookies.length, id], [1, current.id]);
  }
  assertEquals((await lost.visit((session) => session.get("m"))).value, 1);
  assertEquals(lost.value, current.value);
});

testOn(
  VERSIONED,
  "a request in grace is sent nothing if its write or touch has no effect",
  async (rig) => {
    const { old } = await rotated(rig);
    for (const answer of ["nothing", "an error"]) {
      const store = around(rig.store as VersionedStore, (name, call) => {
        if (name === "read") return call();
        if (answer === "an error") throw new Error("connection refused");
        return name === "touch" ? false : undefined;
      });
      const browser = rig.browser(old.value, rig.server({ store }));
      const { value, cookies } = await browser.visit(read, PAGE);
      assertEquals([value, cookies], [["apple"], []], answer);
    }
  },
);

testOn(
  VERSIONED,
  "a request in grace is sent nothing if the grace has ended when it is answered",
  async (rig) => {
    const { clock } = rig;
    const { old, current } = await rotated(rig);
    for (const work of [read, write]) {
      const { cookies } = await old.send(async (session) => {
        await current.visit((session) => session.set("presented", work.name));
        clock.advance(GRACE + 1);
        work(session);
      }, PAGE);
      assertEquals(cookies, [], work.name);
      // For the next turn.
      await current.visit(rotate);
      old.value = current.value;
      await current.visit(rotate);
    }
    assertEquals((await current.visit((session) => session.get("n"))).value, 1);
  },
);

testOn(VERSIONED, "a write that began before a rotation is merged", async (rig) => {
  const browser = await rig.start(fill);
  const { cookies } = await browser.send(async (session) => {
    await browser.visit((other) => other.rotate().set("other", 1));
    write(session);
  });
  // The browser has received the current ID already.
  assertEquals(cookies, []);
  assertEquals(await rig.load(browser.value), { cart: ["apple"], other: 1, n: 1 });
});

testOn(VERSIONED, "regenerate() ends a grace, under either ID", async (rig) => {
  for (const who of ["old", "current"] as const) {
    const browsers = await rotated(rig);
    const values = [browsers.old.value, browsers.current.value];
    await browsers[who].visit(regenerate);
    assertEquals(await validOf(rig, [...values, browsers[who].value]), 1);
    assertEquals((await browsers[who].visit(read)).value, ["apple"]);
    for (const value of values) {
      assertEquals((await rig.browser(value).visit(absence)).value, "replaced");
    }
  }
});

testOn(
  VERSIONED,
  "a logout with an ID that a rotation has replaced ends the session, in and after its grace",
  async (rig) => {
    for (const seconds of [0, GRACE + 1, HOUR]) {
      const { old, current } = await rotated(rig);
      await current.visit(write);
      rig.clock.advance(seconds);
      await old.visit(destroy);
      assertEquals(await rig.load(current.value), undefined);
    }
  },
);

testOn(
  VERSIONED,
  "an ID counts as replaced for an hour after a long grace, not as unknown",
  A_DAY,
  async (rig) => {
    const { old, current } = await rotated(rig);
    rig.clock.advance(2 * HOUR);
    await current.visit(write);
    for (const seconds of [GRACE + 1, HOUR - GRACE - 1, 120]) {
      rig.clock.advance(seconds);
      assertEquals((await old.send(absence)).value, "replaced");
      assertEquals(await refused(old.send(write)), "ERR_SESSION_INTERRUPTED");
    }
    await old.visit(destroy);
    assertEquals(await rig.load(current.value), undefined);
  },
);

testOn(
  VERSIONED,
  "a logout with an ID that a regeneration has taken out of a long grace ends the session",
  A_DAY,
  async (rig) => {
    const { old, current } = await rotated(rig);
    rig.clock.advance(2 * HOUR);
    // Valid until now.
    assertEquals((await old.send(read)).value, ["apple"]);
    await current.visit(regenerate);
    await current.visit(write);
    await old.visit(destroy);
    assertEquals(await rig.load(current.value), undefined);
  },
);

testOn(VERSIONED, "rotateInterval rotates at navigations only", EVERY_TEN_MINUTES, async (rig) => {
  const { clock } = rig;
  const browser = await rig.start(fill);
  const first = browser.id;
  clock.advance(599);
  for (const kind of [PAGE, POLL, FORM]) await browser.visit(read, kind);
  clock.advance(1);
  for (const kind of [POLL, FORM, { headers: { ...PAGE.headers, "sec-purpose": "prefetch" } }]) {
    await browser.visit(read, kind);
    await browser.visit(write, kind);
    assertEquals(browser.id, first);
  }
  const old = rig.browser(browser.value);
  const { cookies } = await browser.visit(read, PAGE);
  assertEquals(cookies.length, 1);
  assert(browser.id !== first);
  assertEquals((await old.send(read)).value, ["apple"]);

  // Not again until it is due, and not while the earlier ID is valid.
  const second = browser.id;
  clock.advance(599);
  await browser.visit(write, PAGE);
  assertEquals(browser.id, second);
  clock.advance(1);
  await browser.visit(read, PAGE);
  assertEquals(browser.id, second);
  clock.advance(GRACE);
  await browser.visit(read, PAGE);
  assert(browser.id !== second);
  assertEquals((await browser.visit(read)).value, ["apple"]);
});

testOn(
  VERSIONED,
  "a client that receives no new ID is not rotated again and again",
  EVERY_TEN_MINUTES,
  async (rig) => {
    const browser = await rig.start(fill);
    browser.ignoresMaxAge = true;
    const ids = new Set<string>();
    for (let visit = 0; visit < 20; visit++) {
      rig.clock.advance(1200);
      const { id, value } = await browser.send(read, PAGE);
      assertEquals(value, ["apple"]);
      ids.add(id!);
    }
    assertEquals(ids.size, 1);
    assertEquals(rig.records(), 1);
  },
);

testOn(
  VERSIONED,
  "two tabs that rotate at the same time lose nothing and sign nobody out",
  EVERY_TEN_MINUTES,
  async (rig) => {
    const { clock } = rig;
    for (let round = 0; round < 20; round++) {
      const browser = await rig.start(fill);
      clock.advance(700);
      // Explicit in every other round; else because it is due.
      const tab = (key: string) => (session: Session) => {
        if (round % 2 === 0) session.rotate();
        if (round % 4 < 2) session.set(key, round);
      };
      const before = browser.value;
      const replies = await Promise.all(["a", "b", "c"].map((key) => browser.send(tab(key), PAGE)));
      if (round % 3 === 0) replies.reverse();
      const sent = replies.filter(({ cookies }) => cookies.length > 0);
      assert(sent.length > 0, `round ${round}`);
      for (const reply of replies) browser.receive(reply);
      assert(browser.value !== before);
      const expected = round % 4 < 2
        ? { cart: ["apple"], a: round, b: round, c: round }
        : { cart: ["apple"] };
      assertEquals(await rig.load(browser.value), expected, `round ${round}`);
      // Whichever of the responses has arrived.
      for (const { id } of sent) assertEquals(await rig.load(id), expected);
      assertEquals(await rig.load(before), expected);
      const { value } = await browser.visit(read);
      assertEquals(value, ["apple"]);
    }
  },
);

testOn(
  VERSIONED,
  "an automatic rotation that loses a race is dropped, and the request succeeds",
  EVERY_TEN_MINUTES,
  async (rig) => {
    const browser = await rig.start(fill);
    rig.clock.advance(700);
    const { value, cookies } = await browser.send(async (session) => {
      await browser.visit(write);
      return session.get("cart");
    }, PAGE);
    assertEquals([value, cookies], [["apple"], []]);
    assertEquals(await rig.load(browser.value), { cart: ["apple"], n: 1 });
  },
);

testOn(
  VERSIONED,
  "a browser that sends the old and the new cookie has one session",
  async (rig) => {
    const { old, current } = await rotated(rig);
    for (const pair of [[old, current], [current, old]]) {
      const cookie = pair.map(({ value }) => `pagi_session=${value}`).join("; ");
      const headers = { ...PAGE.headers, cookie };
      const found = await rig.sessions.load(new Request("http://localhost/", { headers }));
      assertEquals([found?.id, found?.get("cart")], [current.id, ["apple"]]);
    }
    assertEquals(rig.events, []);
    // It knows the current ID, so it is not sent again.
    rig.calls.length = 0;
    const both = rig.browser(`${old.value}; pagi_session=${current.value}`);
    assertEquals([(await both.visit(read, PAGE)).cookies, rig.calls], [[], ["read", "read"]]);
  },
);

testOn(
  UNVERSIONED,
  "rotate() ends the old ID where the store cannot keep it valid",
  async (rig) => {
    const { old, current } = await rotated(rig);
    assertEquals(await rig.load(old.value), undefined);
    assertEquals(await rig.load(current.value), { cart: ["apple"] });
    assertEquals((await current.visit(read)).value, ["apple"]);
  },
);

testOn(
  UNVERSIONED,
  "rotateInterval does nothing where a lost response would sign the user out",
  EVERY_TEN_MINUTES,
  async (rig) => {
    const browser = await rig.start(fill);
    const { id } = browser;
    rig.clock.advance(700);
    await browser.visit(read, PAGE);
    assertEquals([browser.id, (await browser.visit(read)).value], [id, ["apple"]]);
  },
);
