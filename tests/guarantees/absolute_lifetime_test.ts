/** A session ends `absoluteExpire` after its user signed in, however often it is used. */
import { assertEquals, assertMatch } from "@std/assert";
import type { Session } from "@pagi/session";
import { type Browser, PAGE } from "../_kit/browser.ts";
import { ALL, type Rig, testOn, VERSIONED } from "../_kit/stores.ts";

const LIFE = 8 * 3600;
const OPTIONS = { absoluteExpire: LIFE };
const STEP = 1800;

const fill = (session: Session) => session.set("cart", ["apple"]);
const read = (session: Session) => session.get("cart", undefined);
const signIn = (subject?: string) => (session: Session) => session.subject = subject;
const authenticate = (session: Session) => session.regenerate({ authenticated: true });

/** Uses the session for so many seconds, with the cookie of a client that never forgets it. */
async function use({ clock }: Rig, browser: Browser, seconds: number): Promise<void> {
  browser.ignoresMaxAge = true;
  for (let left = seconds; left > 0; left -= STEP) {
    clock.advance(Math.min(left, STEP));
    await browser.visit(read, PAGE);
  }
}

/** Requires that a session which is used all the time ends after so many seconds. */
async function assertEndsAfter(rig: Rig, browser: Browser, seconds: number): Promise<void> {
  await use(rig, browser, seconds);
  assertEquals((await browser.visit(read)).value, ["apple"], "before the end");
  rig.clock.advance(1);
  assertEquals((await browser.visit(read)).value, undefined, "after the end");
}

testOn(
  ALL,
  "the absolute lifetime counts from the creation while nobody signs in",
  OPTIONS,
  async (rig) => {
    await assertEndsAfter(rig, await rig.start(fill), LIFE);
  },
);

testOn(ALL, "the absolute lifetime starts again at a sign-in", OPTIONS, async (rig) => {
  const browser = await rig.start(fill);
  await use(rig, browser, LIFE - 60);
  await browser.visit(signIn("ada"));
  await assertEndsAfter(rig, browser, LIFE);
});

testOn(
  ALL,
  "the absolute lifetime starts again when another user signs in",
  OPTIONS,
  async (rig) => {
    const browser = await rig.start((session) => (fill(session), signIn("ada")(session)));
    await use(rig, browser, LIFE - 60);
    await browser.visit(signIn("bob"));
    await assertEndsAfter(rig, browser, LIFE);
  },
);

testOn(
  ALL,
  "the absolute lifetime starts again when the same user has authenticated again",
  OPTIONS,
  async (rig) => {
    const browser = await rig.start((session) => (fill(session), signIn("ada")(session)));
    for (let time = 0; time < 3; time++) {
      await use(rig, browser, LIFE - 60);
      const old = rig.browser(browser.value);
      const { cookies } = await browser.visit(authenticate);
      assertEquals(cookies.length, 1);
      assertEquals(await rig.load(old.value), undefined);
    }
    await assertEndsAfter(rig, browser, LIFE);
  },
);

const NO_SIGN_IN: Readonly<Record<string, (session: Session) => unknown>> = {
  "regenerate()": (session) => session.regenerate(),
  "regenerate({ authenticated: false })": (session) => session.regenerate({ authenticated: false }),
  "rotate()": (session) => session.rotate(),
  "the same subject": (session) => session.subject = "ada",
  "no subject": (session) => session.subject = undefined,
  "a write": (session) => session.update("n", (n) => Number(n ?? 0) + 1),
  "a read": (session) => session.keys(),
};

for (const [what, act] of Object.entries(NO_SIGN_IN)) {
  testOn(ALL, `${what} does not extend the absolute lifetime`, OPTIONS, async (rig) => {
    const browser = await rig.start(fill);
    await use(rig, browser, 3600);
    await browser.visit(signIn("ada"));
    await use(rig, browser, LIFE - 2 * STEP);
    await browser.visit(act);
    await assertEndsAfter(rig, browser, 2 * STEP);
  });
}

testOn(
  VERSIONED,
  "sessions.update() does not shorten a session that has been idle and is close to its absolute end",
  { expire: 24 * 3600, absoluteExpire: 12 * 3600 },
  async (rig) => {
    const browser = await rig.start(fill);
    rig.clock.advance(10 * 3600);
    await rig.sessions.update(browser.id!, (data) => data.n = 1);
    rig.clock.advance(2 * 3600);
    assertEquals(await rig.load(browser.value), { cart: ["apple"], n: 1 });
    rig.clock.advance(1);
    assertEquals(await rig.load(browser.value), undefined);
  },
);

testOn(
  VERSIONED,
  "sessions.update() does not extend the absolute lifetime",
  OPTIONS,
  async (rig) => {
    const browser = await rig.start((session) => (fill(session), signIn("ada")(session)));
    await use(rig, browser, LIFE - STEP);
    await rig.sessions.update(browser.id!, (data) => data.n = 1);
    await assertEndsAfter(rig, browser, STEP);
  },
);

testOn(
  VERSIONED,
  "a slow write of before a new sign-in does not bring the old time back",
  OPTIONS,
  async (rig) => {
    const browser = await rig.start((session) => (fill(session), signIn("ada")(session)));
    await use(rig, browser, LIFE - 60);
    // A write under the same ID merges; the time is that of the record.
    await browser.send(async (session) => {
      await browser.visit((other) => other.rotate());
      session.set("slow", 1);
    });
    await browser.send(async (session) => {
      await browser.visit(authenticate);
      session.set("slower", 1);
    }).catch(() => {});
    await assertEndsAfter(rig, browser, LIFE);
  },
);

testOn(ALL, "the cookie does not outlive the absolute lifetime", OPTIONS, async (rig) => {
  const browser = await rig.start(fill);
  await use(rig, browser, LIFE - STEP);
  const maxAge = async (work: (session: Session) => unknown) =>
    (await browser.visit(work, PAGE)).cookies[0]!;
  rig.clock.advance(60);
  assertMatch(await maxAge((session) => session.regenerate()), new RegExp(`Max-Age=${STEP - 60}$`));
  assertMatch(await maxAge(signIn("ada")), /Max-Age=3600$/);
});

testOn(
  ALL,
  "a client gets a new session with a full lifetime after the absolute one",
  OPTIONS,
  async (rig) => {
    const browser = await rig.start(fill);
    await use(rig, browser, LIFE);
    rig.clock.advance(1);
    assertEquals((await browser.visit((session) => session.absence)).value, "expired");
    await browser.visit(fill);
    await assertEndsAfter(rig, browser, LIFE);
  },
);
