/** A session has one record, whatever its ID has been, and any of its IDs leads to its end. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { type Session, SessionError, type VersionedStore } from "@pagi/session";
import { SqliteStore } from "../../store/sqlite.ts";
import type { Browser, Work } from "../_kit/browser.ts";
import {
  ALL,
  around,
  type Call,
  ENDING,
  REVOKING,
  type Rig,
  testOn,
  VERSIONED,
} from "../_kit/stores.ts";
const HALF_AN_HOUR = { expire: 1800 };

const fill = (session: Session) => session.set("cart", ["apple"]);
const signIn = (session: Session) => session.subject = "ada";
const regenerate = (session: Session) => session.regenerate();
const read = (session: Session) => session.get("cart", undefined);

/** Gives a session that is used every 15 minutes new IDs. Resolves to the IDs that it had. */
async function regenerateOften({ clock }: Rig, browser: Browser, times: number): Promise<string[]> {
  const ids = [browser.id!];
  for (let time = 0; time < times; time++) {
    clock.advance(900);
    await browser.visit(regenerate);
    ids.push(browser.id!);
  }
  return ids;
}

testOn(VERSIONED, "a session has one record after 40 regenerations", async (rig) => {
  const browser = await rig.start(fill);
  const ids = await regenerateOften(rig, browser, 40);
  assertEquals([new Set(ids).size, rig.records()], [41, 1]);
  assertEquals((await browser.visit(read)).value, ["apple"]);
  // All IDs have one key, and each has a verifier of its own.
  assertEquals(new Set(ids.map((id) => id.slice(32))).size, 1);
  assertEquals(new Set(ids.map((id) => id.slice(0, 32))).size, 41);
});

testOn(REVOKING, "a session has one record of its IDs after 40 regenerations", async (rig) => {
  const browser = await rig.start(fill);
  await regenerateOften(rig, browser, 40);
  assertEquals(rig.records(), 1);
  assertEquals((await browser.visit(read)).value, ["apple"]);
});

testOn(VERSIONED, "a record stays short after any number of regenerations", async (rig) => {
  const browser = await rig.start(fill);
  let longest = 0;
  const store = around(rig.store as VersionedStore, (name, call, [, text]) => {
    if (name === "replace") longest = Math.max(longest, String(text).length);
    return call();
  });
  const eager = rig.browser(browser.value, rig.server({ store }));
  for (let time = 0; time < 60; time++) {
    rig.clock.advance(1);
    await eager.visit(regenerate);
  }
  // Eight replaced verifiers, 33 write tokens, and the rest.
  assert(longest < 8 * 48 + 33 * 24 + 200, `${longest}`);
  assertEquals(rig.records(), 1);
});

testOn(
  ENDING,
  "sessions.destroy() ends the session by its first ID after 40 regenerations",
  async (rig) => {
    const { sessions, clock, load } = rig;
    const browser = await rig.start(fill);
    const [first] = await regenerateOften(rig, browser, 40);
    // An hour later, in which the session was used.
    for (let quarter = 0; quarter < 4; quarter++) {
      clock.advance(900);
      await browser.visit(read);
    }
    assertEquals(await sessions.destroy(first!), true);
    assertEquals(await load(browser.value), undefined);
    assertEquals(await sessions.destroy(first!), false);
    assertEquals(await sessions.destroy(browser.id!), false);
  },
);

testOn(
  ENDING,
  "sessions.destroy() ends a session with a short life by an ID that leaked an hour ago",
  HALF_AN_HOUR,
  async (rig) => {
    const browser = await rig.start(fill);
    const ids = await regenerateOften(rig, browser, 8);
    const leaked = ids.at(-5)!;
    assertEquals((await browser.visit(read)).value, ["apple"]);
    assertEquals(await rig.sessions.destroy(leaked), true);
    assertEquals(await rig.load(browser.value), undefined);
    assertEquals((await browser.visit(read)).value, undefined);
  },
);

testOn(
  ENDING,
  "one of several sessions.destroy() at the same time finds a session",
  async (rig) => {
    const browser = await rig.start(fill);
    for (const act of [fill, regenerate]) {
      await browser.visit(act);
      const ends = Array.from({ length: 4 }, () => rig.sessions.destroy(browser.id!));
      assertEquals((await Promise.all(ends)).filter(Boolean).length, 1);
      browser.value = undefined;
      await browser.visit(fill);
    }
  },
);

testOn(VERSIONED, "no record is left a minute after the end of a session", async (rig) => {
  const browser = await rig.start(fill);
  await regenerateOften(rig, browser, 3);
  await browser.visit((session) => session.destroy());
  // In stores outside this process, a marker prevents that a late call creates the record again.
  rig.clock.advance(61);
  if (rig.store instanceof SqliteStore) await rig.store.sweep();
  await rig.load("0".repeat(64));
  assertEquals(rig.records(), 0);
});

for (
  const [how, act] of Object.entries<Work>({ "regenerate()": regenerate, "a new subject": signIn })
) {
  testOn(ALL, `${how} fails if generateId does not make a new ID`, async (rig) => {
    // A plain store keeps records under whole IDs, so that the second half may differ, too.
    const constant = rig.isVersioned || rig.isWithClient ? 32 : 64;
    let count = 0;
    const generateId = () => "a".repeat(constant).padEnd(64, String(count++));
    const browser = rig.browser(undefined, rig.server({ generateId }));
    await browser.visit(fill);
    const { value } = browser;
    await assertRejects(() => browser.visit(act), TypeError, "generateId");
    assertEquals([browser.value, await rig.load(value)], [value, { cart: ["apple"] }]);
  });
}

testOn(VERSIONED, "restart() begins a session with a record of its own", async (rig) => {
  const { sessions, load } = rig;
  const browser = await rig.start(fill);
  const [old, value] = [browser.id!, browser.value];
  // A slow request writes to the session that ends in the meantime.
  const slow = browser.send(async (session) => {
    await browser.visit((other) => other.restart().set("new", true));
    session.set("slow", true);
  });
  await assertRejects(() => slow, SessionError);
  assert(browser.id!.slice(32) !== old.slice(32));
  assertEquals([await load(value), await load(browser.value)], [undefined, { new: true }]);
  assertEquals(await sessions.destroy(old), false);
  assertEquals(await load(browser.value), { new: true });
});

testOn(VERSIONED, "sessions.destroy() tells an expired session from an active one", async (rig) => {
  const [one, other] = [await rig.start(fill), await rig.start(fill)];
  rig.clock.advance(3660);
  assertEquals(await rig.sessions.destroy(one.id!), true);
  rig.clock.advance(1);
  // Its record is still there.
  assertEquals(await rig.sessions.destroy(other.id!), false);
});

testOn(VERSIONED, "a sign-in that fails leaves no session in the user's index", async (rig) => {
  const { sessions, start } = rig;
  let fault: Call | undefined;
  const store = around(rig.store as VersionedStore, (name, call, [, text]) => {
    const isSession = String(text).startsWith("s1:");
    if (name === fault && isSession) throw new Error("connection refused");
    return call();
  });
  const failing = rig.server({ store });
  const attempt = async (how: string, act: () => Promise<unknown>) => {
    await assertRejects(act, SessionError);
    assertEquals(await sessions.list("ada"), [], how);
  };

  fault = "create";
  await attempt("a new session", () => rig.browser(undefined, failing).visit(signIn));
  const anonymous = await start(fill);
  const bob = await start((session) => session.subject = "bob");
  fault = "replace";
  for (const browser of [anonymous, bob]) {
    const other = rig.browser(browser.value, failing);
    await attempt("an earlier session", () => other.visit(signIn));
  }
  // Another request gives the session a new ID first, or ends it.
  for (const act of [regenerate, (session: Session) => session.destroy()]) {
    const browser = await start(fill);
    await attempt(String(act), () =>
      browser.send(async (session) => {
        await browser.visit(act);
        signIn(session);
      }));
  }
  assertEquals((await sessions.list("bob")).length, 1);
  assertEquals(await sessions.destroyAll("ada"), 0);
  assertEquals((await anonymous.visit(read)).value, ["apple"]);
  assertEquals((await bob.visit((session) => session.subject)).value, "bob");
});

testOn(VERSIONED, "each operation makes few calls to the store", async (rig) => {
  const { calls, clock, sessions } = rig;
  const counts: Record<string, number> = {};
  const measure = async (what: string, act: () => Promise<unknown>) => {
    calls.length = 0;
    await act();
    counts[what] = calls.length;
  };
  const visitor = await rig.start(fill);
  const late = rig.browser(visitor.value);
  await measure("a read", () => visitor.visit(read));
  await measure("a write", () => visitor.visit((session) => session.set("n", 1)));
  await measure("a regeneration", () => visitor.visit(regenerate));
  await measure("a login", () => visitor.visit(signIn));
  await measure("a write of a user", () => visitor.visit((session) => session.set("n", 2)));
  await measure("a regeneration of a user", () => visitor.visit(regenerate));
  await measure("another user's login", () => visitor.visit((session) => session.subject = "bob"));

  const old = rig.browser(visitor.value);
  await measure("a rotation", () => visitor.visit((session) => session.rotate()));
  await measure("the first read under a new ID", () => visitor.visit(read));
  await measure("a read in grace", () => old.visit(read));
  clock.advance(60);
  await measure("a touch", () => visitor.visit(read));
  await measure("a late read", () => late.visit(read));
  await measure("a logout", () => visitor.visit((session) => session.destroy()));
  await measure("a request without an ID", () => rig.browser().visit(read));

  const other = await rig.start(fill);
  await other.visit(regenerate);
  await measure("sessions.destroy()", () => sessions.destroy(other.id!));
  assert(counts["sessions.destroy()"]! <= 2);
  delete counts["sessions.destroy()"];
  assertEquals(counts, {
    "a read": 1,
    "a write": 2,
    "a regeneration": 2,
    "a login": 5,
    "a write of a user": 2,
    "a regeneration of a user": 2,
    // To remove it from the index of the user before, it reads that, then changes it.
    "another user's login": 8,
    "a rotation": 2,
    "the first read under a new ID": 1,
    "a read in grace": 2,
    "a touch": 2,
    "a late read": 1,
    "a logout": 4,
    "a request without an ID": 0,
  });
});
