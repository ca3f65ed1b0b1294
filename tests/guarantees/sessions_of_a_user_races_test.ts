/** Whatever fails, dies or overtakes, no active session is missing from its user's index. */
import { assert, assertEquals } from "@std/assert";
import type { Session, SessionMiddleware, VersionedStore } from "@pagi/session";
import { keyOf } from "../../base/id.ts";
import { isEnded } from "../../base/record_text.ts";
import type { Browser, Work } from "../_kit/browser.ts";
import { isIndex, watchIndexes } from "../_kit/indexes.ts";
import { around, type Call, chance, type Rig, slow, testOn, VERSIONED } from "../_kit/stores.ts";

const { signal } = new AbortController();
const signIn = (session: Session) => session.subject = "ada";
const isWrite = (name: Call) => name !== "read";

/** The sessions in a store that belong to Ada, by their keys. */
async function adasIn({ store }: Rig, ids: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const key of new Set(ids.map(keyOf))) {
    const record = await (store as VersionedStore).read(key, { signal });
    if (record === undefined || isEnded(record.text)) continue;
    if (record.text.includes('"_subject":"ada"')) found.push(key);
  }
  return found;
}

/** How the call number `at` of a server goes wrong. */
interface Mishap {
  /** Whether the store carries the call out. */
  isApplied: boolean;
  /** Whether the server makes no call after it. */
  isDead: boolean;
}
const MISHAPS: Readonly<Record<string, Mishap>> = {
  "fails": { isApplied: false, isDead: false },
  "fails after it was applied": { isApplied: true, isDead: false },
  "is the last of a server that dies": { isApplied: true, isDead: true },
  "is not made by a server that died": { isApplied: false, isDead: true },
};

/** A store on which the call number `at` goes wrong. */
function unlucky(inner: VersionedStore, at: number, { isApplied, isDead }: Mishap) {
  const state = { calls: 0, isHit: false };
  const store = around(inner, async (_name, call) => {
    const number = state.calls++;
    if (number === at) {
      state.isHit = true;
      if (isApplied) await call();
      throw new Error("connection refused");
    }
    if (number > at && isDead) throw new Error("the server has crashed");
    return await call();
  });
  return { store, state };
}

/** What a server does: each is done on a browser whose session is Ada's, or another's. */
interface Operation {
  /** The subject of the session before; `undefined` without a session. */
  before?: "ada" | "bob" | "nobody";
  act(browser: Browser, sessions: SessionMiddleware): Promise<unknown>;
}
const OPERATIONS: Readonly<Record<string, Operation>> = {
  "a sign-in": { act: (browser) => browser.visit(signIn) },
  "a sign-in of a visitor": { before: "nobody", act: (browser) => browser.visit(signIn) },
  "a sign-in of another user": { before: "bob", act: (browser) => browser.visit(signIn) },
  "a change to another user": {
    before: "ada",
    act: (browser) => browser.visit((session) => session.subject = "bob"),
  },
  "a change to no user": {
    before: "ada",
    act: (browser) => browser.visit((session) => session.subject = undefined),
  },
  "a logout": { before: "ada", act: (browser) => browser.visit((session) => session.destroy()) },
  "a restart": {
    before: "ada",
    act: (browser) => browser.visit((session) => void (session.restart().subject = "ada")),
  },
  "a use after hours": { before: "ada", act: (browser) => browser.visit(() => {}) },
  "a write after hours": {
    before: "ada",
    act: (browser) => browser.visit((session) => session.set("n", 1)),
  },
  "sessions.destroy()": { before: "ada", act: ({ id }, sessions) => sessions.destroy(id!) },
  "sessions.destroyAll()": {
    before: "ada",
    act: (_browser, sessions) => sessions.destroyAll("ada"),
  },
};

/** Sets up Ada's sessions and a browser, and a server on `store` whose operation goes wrong. */
async function prepare(rig: Rig, others: number, { before }: Operation) {
  const ids: string[] = [];
  const generateId = () => {
    const id = [...crypto.getRandomValues(new Uint8Array(32))].map((byte) => {
      return byte.toString(16).padStart(2, "0");
    }).join("");
    ids.push(id);
    return id;
  };
  // On a network, as the server whose calls go wrong.
  const store = around(rig.store as VersionedStore, async (_name, call) => await call());
  const healthy = rig.server({ store, generateId, expire: 86_400 });
  const open = async (work: (session: Session) => unknown) => {
    const browser = rig.browser(undefined, healthy);
    await browser.visit(work);
    return browser;
  };
  for (let at = 0; at < others; at++) await open(signIn);
  const browser = before === undefined
    ? undefined
    : await open((session) => before === "nobody" ? session.set("n", 0) : session.subject = before);
  // So long that the entry is confirmed.
  rig.clock.advance(50_000);
  const act = async (store: VersionedStore, { act }: Operation) => {
    const server = rig.server({ store, generateId, expire: 86_400 });
    const visitor = rig.browser(browser?.value, server);
    visitor.ignoresMaxAge = true;
    try {
      await act(visitor, server);
      return true;
    } catch {
      return false;
    }
  };
  return { ids, healthy, act };
}

/** Checks that Ada's active sessions are those of her list, and that `destroyAll` ends them. */
async function checkAll(rig: Rig, healthy: SessionMiddleware, ids: readonly string[], how: string) {
  const active = await adasIn(rig, ids);
  const listed = await healthy.list("ada");
  assertEquals(listed.length, active.length, how);
  const count = await healthy.destroyAll("ada");
  assertEquals([count, await adasIn(rig, ids)], [active.length, []], how);
  assertEquals(await healthy.list("ada"), [], how);
}

/** Each of these tests wraps its store, so that it answers with promises. */
const STORES = { MemoryStore: VERSIONED.MemoryStore!, SqliteStore: VERSIONED.SqliteStore! };
const MEMORY = { MemoryStore: VERSIONED.MemoryStore! };
for (const [what, operation] of Object.entries(OPERATIONS)) {
  testOn(MEMORY, `no session is unlisted when a call of ${what} goes wrong`, async (rig) => {
    let hits = 0;
    // The root has room for all; the next one needs a shard; all are in shards.
    for (const others of [1, 16, 30]) {
      for (const [how, mishap] of Object.entries(MISHAPS)) {
        for (let at = 0;; at++) {
          const { ids, healthy, act } = await prepare(rig, others, operation);
          const { store, state } = unlucky(rig.store as VersionedStore, at, mishap);
          await act(store, operation);
          if (state.isHit) hits++;
          await checkAll(rig, healthy, ids, `call ${at} of ${what} ${how}, beside ${others}`);
          await healthy.destroyAll("bob");
          rig.clock.advance(30 * 86_400);
          if (!state.isHit) break;
        }
      }
    }
    assert(hits > 20, `${hits}`);
  });

  testOn(MEMORY, `no session is unlisted when a call of ${what} arrives twice`, async (rig) => {
    let hits = 0;
    for (const others of [1, 16, 30]) {
      for (const isLate of [false, true]) {
        for (let at = 0;; at++) {
          const { ids, healthy, act } = await prepare(rig, others, operation);
          let writes = 0;
          let again: (() => Promise<unknown>) | undefined;
          const store = around(rig.store as VersionedStore, async (name, call) => {
            if (!isWrite(name) || writes++ !== at) return await call();
            hits++;
            const answer = await call();
            again = async () => await call();
            return isLate ? answer : await again();
          });
          const isDone = await act(store, operation);
          const how = `write ${at} of ${what} arrives ${isLate ? "late" : "twice"}, ${others}`;
          assert(isDone, how);
          if (isLate) await again?.();
          await checkAll(rig, healthy, ids, how);
          // A copy may come even later.
          await again?.();
          assertEquals(await adasIn(rig, ids), [], how);
          await healthy.destroyAll("bob");
          rig.clock.advance(30 * 86_400);
          if (again === undefined) break;
        }
      }
    }
    assert(hits > 0);
  });
}

/** Answers each call only after other tasks have run, as a store on a network does. */
function distant(inner: VersionedStore, ms: number): VersionedStore {
  return around(inner, async (_name, call) => {
    await new Promise((resolve) => setTimeout(resolve, ms));
    return await call();
  });
}

testOn(STORES, "100 simultaneous sign-ins succeed with few writes", async (rig) => {
  const { store, entries } = watchIndexes(rig.store as VersionedStore);
  let writes = 0;
  const counting = around(store, (name, call, [, text]) => {
    if (isWrite(name) && isIndex(text)) writes++;
    return call();
  });
  const sessions = rig.server({ store: distant(counting, 1) });
  const browsers = Array.from({ length: 100 }, () => rig.browser(undefined, sessions));
  await Promise.all(browsers.map((browser) => browser.visit(signIn)));
  assertEquals([await entries(), (await sessions.list("ada")).length], [100, 100]);
  // The root, and each of the shards that they need, a few times.
  assert(writes <= 40, `${writes} writes`);
  await Promise.all(browsers.map((browser) => browser.visit((session) => session.destroy())));
  assertEquals([await entries(), await sessions.list("ada")], [0, []]);
  assertEquals(rig.events, []);
});

testOn(STORES, "100 servers sign a user in at the same time", async (rig) => {
  const { store, entries } = watchIndexes(rig.store as VersionedStore);
  const browsers = Array.from({ length: 100 }, () => {
    return rig.browser(undefined, rig.server({ store: distant(store, 1) }));
  });
  await Promise.all(browsers.map((browser) => browser.visit(signIn)));
  assertEquals([await entries(), (await rig.sessions.list("ada")).length], [100, 100]);
  await Promise.all(browsers.map((browser) => browser.visit((session) => session.destroy())));
  assertEquals([await entries(), await rig.sessions.list("ada")], [0, []]);
  assertEquals(rig.events, []);
});

testOn(VERSIONED, "destroyAll() is final against simultaneous sign-ins", async (rig) => {
  const open = async () => {
    const browser = rig.browser(undefined, rig.server({ store: rig.store }));
    await browser.visit(signIn);
    return browser;
  };
  for (let round = 0; round < 20; round++) {
    const before = await Promise.all(Array.from({ length: round }, open));
    let isOver = false;
    const meanwhile = Array.from({ length: 10 }, async () => {
      const started = !isOver;
      const browser = await open().catch(() => undefined);
      return { started, browser };
    });
    await rig.sessions.destroyAll("ada");
    isOver = true;
    const later = await Promise.all(meanwhile);
    for (const { id } of before) assertEquals(await rig.load(id), undefined);
    const active = [];
    for (const { browser } of later) if (await rig.load(browser?.id)) active.push(browser);
    assertEquals((await rig.sessions.list("ada")).length, active.length);
    await rig.sessions.destroyAll("ada");
    for (const browser of active) assertEquals(await rig.load(browser?.id), undefined);
  }
});

testOn(
  VERSIONED,
  "servers with clocks two minutes apart keep one entry for each session",
  async (rig) => {
    const { store, entries } = watchIndexes(rig.store as VersionedStore);
    const servers = [-60_000, 0, 60_000].map((ahead) => {
      return rig.server({ store, now: () => rig.clock.now() + ahead, expire: 600 });
    });
    const browsers = servers.map((server) => {
      const browser = rig.browser(undefined, server);
      browser.ignoresMaxAge = true;
      return browser;
    });
    for (const browser of browsers) await browser.visit(signIn);
    for (let time = 0; time < 300; time++) {
      rig.clock.advance(400);
      for (const [at, browser] of browsers.entries()) {
        const other = rig.browser(browser.value, servers[(at + time) % 3]!);
        other.ignoresMaxAge = true;
        await other.visit(() => {});
      }
      const guest = rig.browser(undefined, servers[time % 3]!);
      await guest.visit(signIn);
      assertEquals((await servers[time % 3]!.list("ada")).length, 4, `${time}`);
      await guest.visit((session) => session.destroy());
      assertEquals(await entries(), 3);
    }
    assertEquals(await servers[0]!.destroyAll("ada"), 3);
  },
);

testOn(
  VERSIONED,
  "a session in use is listed under the new secret within two hours",
  async (rig) => {
    const { store, entries } = watchIndexes(rig.store as VersionedStore);
    const secrets = ["the first secret", "the second secret", "the third secret"];
    const browser = rig.browser(undefined, rig.server({ store, secret: secrets[0]! }));
    await browser.visit(signIn);
    for (const [at, secret] of secrets.entries()) {
      const both = rig.server({ store, secret: [secret, secrets[at - 1] ?? secret] });
      for (let minute = 0; minute < 120; minute += 20) {
        rig.clock.advance(1200);
        const visitor = rig.browser(browser.value, both);
        await visitor.visit(() => {});
      }
      const alone = rig.server({ store, secret });
      assertEquals([(await alone.list("ada")).length, await entries()], [1, 1]);
    }
  },
);

testOn(VERSIONED, "a sign-in that begins during destroyAll() keeps its entry", async (rig) => {
  const inner = rig.store as VersionedStore;
  const server = rig.server({ store: inner });
  for (let at = 0; at < 20; at++) await rig.browser(undefined, server).visit(signIn);
  const guest = Promise.withResolvers<void>();
  const listed = Promise.withResolvers<void>();
  let guestKey: unknown;
  const store = around(inner, async (name, call, [key, text]) => {
    // It is in a shard, and its session is not written yet.
    if (name === "create" && !isIndex(text)) {
      guestKey = key;
      listed.resolve();
      await guest.promise;
    }
    return await call();
  });
  const browser = rig.browser(undefined, rig.server({ store }));
  let signedIn: Promise<unknown> | undefined;
  const ending = around(inner, async (_name, call, [key, text]) => {
    const answer = await call();
    if (isIndex(text) && signedIn === undefined) {
      // The generation has changed.
      signedIn = browser.visit(signIn);
      await listed.promise;
    } else if (key === guestKey) {
      // It has found the entry, and no session.
      guest.resolve();
      await signedIn;
    }
    return answer;
  });
  assertEquals(await rig.server({ store: ending }).destroyAll("ada"), 20);
  assertEquals((await browser.visit(({ subject }) => subject)).value, "ada");
  assertEquals((await rig.sessions.list("ada")).length, 1);
  assertEquals(await rig.sessions.destroyAll("ada"), 1);
});

testOn(MEMORY, "no session is unlisted after random requests with random mishaps", async (rig) => {
  const { clock } = rig;
  for (let seed = 1; seed <= 60; seed++) {
    const random = chance(seed);
    const network = slow(rig.store as VersionedStore, seed);
    const store = around(network, async (name, call) => {
      const luck = random(100);
      if (luck === 0) throw new Error("connection refused");
      const answer = await call();
      if (luck === 1) throw new Error("connection lost");
      if (luck < 5 && isWrite(name)) return await call();
      if (luck === 5 && isWrite(name)) setTimeout(() => Promise.resolve(call()).catch(() => {}));
      return answer;
    });
    const servers = [0, 30_000, -30_000].map((ahead) => {
      return rig.server({ store, now: () => clock.now() + ahead, expire: 86_400 });
    });
    const healthy = rig.server({ store: network, expire: 86_400 });
    const browsers = Array.from({ length: 30 }, () => {
      const browser = rig.browser(undefined, servers[random(3)]!);
      browser.ignoresMaxAge = true;
      return browser;
    });
    const works: Work[] = [
      signIn,
      signIn,
      signIn,
      (session) => session.subject = "bob",
      (session) => session.subject = undefined,
      (session) => session.destroy(),
      (session) => session.restart().set("n", 1),
      (session) => session.regenerate(),
      (session) => session.set("n", 2),
      () => {},
    ];
    for (let round = 0; round < 6; round++) {
      const requests = browsers.map((browser) => {
        return browser.visit(works[random(works.length)]!).catch(() => {});
      });
      if (random(4) === 0) requests.push(healthy.destroyAll("ada").then(() => {}).catch(() => {}));
      await Promise.all(requests);
      // Late copies arrive.
      await new Promise((resolve) => setTimeout(resolve));
      const listed = await healthy.list("ada");
      let active = 0;
      for (const browser of browsers) {
        const { subject } = await healthy.load(requestOf(browser)) ?? {};
        if (subject !== "ada") continue;
        active++;
        const own = await healthy.list("ada", { current: browser.value! });
        assert(own.some(({ current }) => current), `seed ${seed}, round ${round}`);
      }
      assert(listed.length >= active);
      clock.advance(random(2) * 4000);
    }
    await healthy.destroyAll("ada");
    for (const browser of browsers) {
      const found = await healthy.load(requestOf(browser));
      assert(found?.subject !== "ada", `seed ${seed}`);
    }
    await healthy.destroyAll("bob");
    clock.advance(30 * 86_400);
  }
});

function requestOf({ value }: Browser): Request {
  const headers = { cookie: `pagi_session=${value ?? ""}` };
  return new Request("http://localhost/", { headers });
}
