/** A user's index has one entry for each active session, and room for any number of them. */
import { assert, assertEquals } from "@std/assert";
import type { Session, SessionOptions, VersionedStore } from "@pagi/session";
import type { Browser } from "../_kit/browser.ts";
import { countEntries, watchIndexes } from "../_kit/indexes.ts";
import { around, type Rig, testOn, VERSIONED } from "../_kit/stores.ts";

const DAY = 86_400;
const signIn = (session: Session) => session.subject = "ada";

/** Browsers on a store whose indexes are watched. */
function watched(rig: Rig, options: Partial<SessionOptions> = {}) {
  const index = watchIndexes(rig.store as VersionedStore);
  const sessions = rig.server({ store: index.store, ...options });
  const open = async (work = signIn) => {
    const browser = rig.browser(undefined, sessions);
    // It sends the cookie until the server does not know it any more.
    browser.ignoresMaxAge = true;
    await browser.visit(work);
    return browser;
  };
  const openMany = async (count: number) => {
    const browsers: Browser[] = [];
    for (let at = 0; at < count; at++) browsers.push(await open());
    return browsers;
  };
  return { index, sessions, open, openMany };
}

for (const devices of [3, 10]) {
  testOn(VERSIONED, `${devices} devices in use for three weeks have an entry each`, async (rig) => {
    const { index, sessions, openMany } = watched(rig);
    const browsers = await openMany(devices);
    for (let time = 0; time < 21 * DAY; time += 1000) {
      rig.clock.advance(1000);
      // Each device has a rhythm of its own.
      for (const [at, browser] of browsers.entries()) {
        if (time / 1000 % (at % 3 + 1) === 0) await browser.visit(({ subject }) => subject);
      }
      if (time % DAY === 0) {
        assertEquals(await index.entries(), devices);
        assertEquals((await sessions.list("ada")).length, devices);
      }
    }
    const ids = browsers.map(({ id }) => id!);
    assertEquals(await countEntries(index, "ada", ids), ids.map(() => 1));
    assertEquals(await sessions.destroyAll("ada"), devices);
    assertEquals(await index.entries(), 0);
  });
}

testOn(VERSIONED, "a session that ends leaves no entry", async (rig) => {
  const { index, sessions, open } = watched(rig);
  const kept = await open();
  const ends: Record<string, (browser: Browser) => unknown> = {
    "session.destroy()": (browser) => browser.visit((session) => session.destroy()),
    "session.restart()": (browser) => browser.visit((session) => void session.restart()),
    "sessions.destroy()": (browser) => sessions.destroy(browser.id!),
    "no subject any more": (browser) => browser.visit((session) => session.subject = undefined),
    async "sessions.destroyListed()"(browser) {
      const listed = await sessions.list("ada", { current: browser.id! });
      const { hash } = listed.find(({ current }) => current)!;
      assertEquals(await sessions.destroyListed("ada", hash), true);
    },
  };
  for (const [how, end] of Object.entries(ends)) {
    // With more sessions, most entries are in shards.
    const browsers = await Promise.all(Array.from({ length: 20 }, () => open()));
    assertEquals(await index.entries(), 21);
    await Promise.all(browsers.map(end));
    assertEquals(await index.entries(), 1, how);
  }
  assertEquals((await sessions.list("ada")).length, 1);
  assertEquals((await kept.visit(({ subject }) => subject)).value, "ada");
  assertEquals(rig.events, []);
});

testOn(VERSIONED, "a session of another user is only in that user's index", async (rig) => {
  const { index, sessions, open } = watched(rig);
  const browser = await open();
  await browser.visit((session) => session.subject = "bob");
  assertEquals(await index.entries(), 1);
  assertEquals(await countEntries(index, "bob", [browser.id!]), [1]);
  await browser.visit(signIn);
  assertEquals(await countEntries(index, "ada", [browser.id!]), [1]);
  assertEquals([await index.entries(), await sessions.destroyAll("ada")], [1, 1]);
});

testOn(
  VERSIONED,
  "a session that comes back to its user stays listed when the old entry is removed late",
  async (rig) => {
    const { index, sessions, open } = watched(rig);
    const browser = await open();
    // The session's write to Bob is done. Before its entry in Ada's index is removed, the next
    // request gives it back to Ada.
    let isBack = false;
    const store = around(index.store, async (name, call, [key, text]) => {
      const version = await call();
      if (!isBack && name === "replace" && String(text).includes('"_subject":"bob"')) {
        isBack = true;
        const id = String(text).slice("s1:".length).slice(0, 32) + key;
        const next = rig.browser(id, sessions);
        await next.visit(signIn);
        browser.value = browser.id = next.id;
      }
      return version;
    });
    const slow = rig.browser(browser.value, rig.server({ store }));
    await slow.visit((session) => session.subject = "bob");
    assert(isBack);
    assertEquals((await browser.visit(({ subject }) => subject)).value, "ada");
    assertEquals((await sessions.list("ada")).length, 1);
    assertEquals(await countEntries(index, "ada", [browser.id!]), [1]);
    assertEquals(await sessions.destroyAll("ada"), 1);
  },
);

testOn(VERSIONED, "each sign-in removes entries of sessions that have expired", async (rig) => {
  const { index, sessions, open, openMany } = watched(rig, { expire: 600 });
  const inRoot = async () => (await index.records())[0]!.entries.length;
  for (const many of [16, 100]) {
    await openMany(many);
    rig.clock.advance(3 * 3600);
    assertEquals([await sessions.list("ada"), await inRoot()], [[], 16]);
    for (let time = 0; time < 4; time++) {
      await (await open()).visit((session) => session.destroy());
      rig.clock.advance(1);
    }
    assertEquals(await inRoot(), 0);
    if (many === 16) assertEquals(await index.entries(), 0);
    else assert(await index.entries() <= 84, `${await index.entries()} entries`);
  }
});

testOn(
  VERSIONED,
  "a session in use removes the entries of sessions that have expired",
  async (rig) => {
    const { index, openMany } = watched(rig);
    const [used, ...others] = await openMany(12);
    for (let time = 0; time < 8 * 3600; time += 1000) {
      rig.clock.advance(1000);
      await used!.visit(({ subject }) => subject);
    }
    assertEquals([await index.entries(), others.length], [1, 11]);
  },
);

testOn(VERSIONED, "a server whose clock is weeks ahead removes no active session", async (rig) => {
  const { index, sessions, open } = watched(rig);
  const browser = await open();
  const ahead = rig.server({ store: index.store, now: () => rig.clock.now() + 30 * DAY * 1000 });
  const guest = rig.browser(undefined, ahead);
  await guest.visit(signIn);
  assertEquals((await sessions.list("ada")).length, 2);
  assertEquals(await countEntries(index, "ada", [browser.id!, guest.id!]), [1, 1]);
});

testOn(VERSIONED, "a user who signs in for weeks and never out has few entries", async (rig) => {
  const { index, open, sessions } = watched(rig, { expire: 600 });
  let most = 0;
  for (let count = 0; count < 2000; count++) {
    await open();
    rig.clock.advance(300);
    most = Math.max(most, await index.entries());
  }
  // Two or three sessions are active at any time, and a record is kept for a while longer.
  assert(most <= 10, `${most} entries`);
  assertEquals((await sessions.list("ada")).length, 2);
});

testOn(VERSIONED, "1,000 active sessions of one user are listed and ended", async (rig) => {
  const { index, sessions, open, openMany } = watched(rig);
  const browsers = await openMany(1000);
  assertEquals([await index.entries(), (await sessions.list("ada")).length], [1000, 1000]);
  const ids = browsers.map(({ id }) => id!);
  assertEquals(new Set(await countEntries(index, "ada", ids.slice(0, 20))), new Set([1]));
  const current = browsers[500]!.id!;
  const listed = await sessions.list("ada", { current });
  assertEquals(listed.filter(({ current }) => current).length, 1);

  rig.calls.length = 0;
  const kept = await open();
  assert(rig.calls.length <= 8, `${rig.calls}`);
  assertEquals(await sessions.destroyAll("ada", { except: kept.id! }), 1000);
  assertEquals([await index.entries(), (await sessions.list("ada")).length], [1, 1]);
  assertEquals(await sessions.destroyAll("ada"), 1);
  assertEquals(rig.events, []);
});
