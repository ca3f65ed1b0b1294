/** A session lives at least `expire` after its last request, and at most `touchInterval` longer. */
import { assert, assertEquals } from "@std/assert";
import type { Session, VersionedStore } from "@pagi/session";
import { type Browser, PAGE, POLL } from "../_kit/browser.ts";
import { keyOf } from "../_kit/helpers.ts";
import {
  ALL,
  chance,
  HOLDING,
  type OpenedStore,
  type Opener,
  type Rig,
  slow,
  testOn,
  VERSIONED,
} from "../_kit/stores.ts";

const MINUTE = 60;
const CACHED_PAGE = { ...PAGE, responseHeaders: { "cache-control": "public, max-age=600" } };

const fill = (session: Session) => session.set("cart", ["apple"]);
const read = (session: Session) => session.get("cart", undefined);
const write = (session: Session) => session.update("n", (n) => Number(n ?? 0) + 1);

/** A store whose touch keeps the version, which the contract allows, or changes it. */
class TouchStore implements VersionedStore {
  readonly #records = new Map<
    string,
    { text: string; version: string; lastAccess: number; expiresAt: number }
  >();
  readonly #isVersionKept: boolean;
  readonly #now: () => number;
  #versions = 0;

  constructor(touch: "keeps the version" | "changes the version", now: () => number) {
    this.#isVersionKept = touch === "keeps the version";
    this.#now = now;
  }

  get size(): number {
    return this.#records.size;
  }

  #find(id: string, version?: string) {
    const record = this.#records.get(id);
    if (record !== undefined && record.expiresAt < this.#now()) return undefined;
    return version === undefined || record?.version === version ? record : undefined;
  }

  #expiry(ttl: number): number {
    return this.#now() + ttl * 1000;
  }

  read(id: string) {
    const record = this.#find(id);
    return record && { ...record };
  }

  create(...[id, text, { lastAccess, ttl }]: Parameters<VersionedStore["create"]>) {
    if (this.#find(id) !== undefined) return undefined;
    const version = `${++this.#versions}`;
    this.#records.set(id, { text, version, lastAccess, expiresAt: this.#expiry(ttl) });
    return version;
  }

  replace(...[id, text, options]: Parameters<VersionedStore["replace"]>) {
    if (this.#find(id, options.version) === undefined) return undefined;
    this.#records.delete(id);
    return this.create(id, text, options);
  }

  touch(...[id, { version, lastAccess, ttl }]: Parameters<VersionedStore["touch"]>) {
    const record = this.#find(id, version);
    if (record === undefined) return false;
    if (!this.#isVersionKept) record.version = `${++this.#versions}`;
    record.lastAccess = Math.max(record.lastAccess, lastAccess);
    record.expiresAt = Math.max(record.expiresAt, this.#expiry(ttl));
    return true;
  }

  delete(...[id, { version }]: Parameters<VersionedStore["delete"]>) {
    return this.#find(id, version) !== undefined && this.#records.delete(id);
  }
}

function touching(...args: ConstructorParameters<typeof TouchStore>): OpenedStore & {
  store: TouchStore;
} {
  const store = new TouchStore(...args);
  return { store, records: () => store.size };
}

/** Stores with each kind of touch, and with answers that are promises or not. */
const TOUCHES: Readonly<Record<string, Opener>> = {
  "a touch that keeps the version": (now) => touching("keeps the version", now),
  "a touch that changes the version": (now) => touching("changes the version", now),
  "a slow touch that keeps the version"(now) {
    const { store, records } = touching("keeps the version", now);
    return { store: slow(store), records };
  },
  "a slow touch that changes the version"(now) {
    const { store, records } = touching("changes the version", now);
    return { store: slow(store), records };
  },
};

const STORES = { ...TOUCHES, ...VERSIONED };
const EVERY_STORE = { ...TOUCHES, ...ALL };

/** Requires that the session lives until `expire` after now, and not longer than it may. */
async function assertLives(
  { clock, load }: Rig,
  { value }: Browser,
  { expire = 3600, touchInterval = MINUTE } = {},
): Promise<void> {
  clock.advance(expire);
  assert(await load(value) !== undefined, "it ended early");
  clock.advance(touchInterval + 1);
  assertEquals(await load(value), undefined, "it lives too long");
}

const SHORT = { expire: 10 * MINUTE, touchInterval: 30 };

/** With which no cookie is renewed within 15 minutes, so that a poll touches the session only. */
const LONGER = { expire: 40 * MINUTE, touchInterval: MINUTE };

for (
  const [how, kind, options] of [
    ["pages use every minute", PAGE, SHORT],
    ["polls use every minute", POLL, SHORT],
    ["are only touched every minute", POLL, LONGER],
  ] as const
) {
  testOn(
    STORES,
    `a change that takes 15 minutes shortens no sessions that ${how}`,
    options,
    async (rig) => {
      const browser = await rig.start(fill);
      let runs = 0;
      const saved = await rig.sessions.update(browser.id!, async (data) => {
        runs++;
        for (let minute = 0; minute < 15; minute++) {
          rig.clock.advance(MINUTE);
          assertEquals((await browser.visit(read, kind)).value, ["apple"]);
        }
        data.report = "done";
      });
      // Only the last-access time and the header have changed in the meantime.
      assertEquals([runs, saved.get("report")], [1, "done"]);
      assertEquals(await rig.load(browser.value), { cart: ["apple"], report: "done" });
      await assertLives(rig, browser, options);
    },
  );
}

testOn(
  STORES,
  "a change that takes 15 minutes is made again if the session was written to",
  SHORT,
  async (rig) => {
    const browser = await rig.start((session) => (fill(session), write(session)));
    let runs = 0;
    await rig.sessions.update(browser.id!, async (data) => {
      if (runs++ === 0) {
        for (let minute = 0; minute < 15; minute++) {
          rig.clock.advance(MINUTE);
          await browser.visit(write);
        }
      }
      data.n = Number(data.n) + 100;
    });
    assertEquals([runs, await rig.load(browser.value)], [2, { cart: ["apple"], n: 116 }]);
    await assertLives(rig, browser, SHORT);
  },
);

testOn(STORES, "sessions.update() does not count as a use of the session", SHORT, async (rig) => {
  const browser = await rig.start(fill);
  for (let minute = 0; minute < 10; minute++) {
    rig.clock.advance(MINUTE);
    await rig.sessions.update(browser.id!, (data) => data.minute = minute);
  }
  assert(await rig.load(browser.value) !== undefined);
  rig.clock.advance(31);
  assertEquals(await rig.load(browser.value), undefined);
});

testOn(
  EVERY_STORE,
  "a request that takes longer than expire keeps the session if it writes",
  SHORT,
  async (rig) => {
    const browser = await rig.start(fill);
    browser.ignoresMaxAge = true;
    for (const idle of [0, 600, 630]) {
      rig.clock.advance(idle);
      await browser.visit((session) => {
        rig.clock.advance(601);
        write(session);
      }, PAGE);
      assertEquals((await browser.visit((session) => session.keys())).value.sort(), ["cart", "n"]);
    }
    await assertLives(rig, browser, SHORT);
  },
);

testOn(
  EVERY_STORE,
  "a request that takes longer than expire keeps the session if a touch was due",
  SHORT,
  async (rig) => {
    const browser = await rig.start(fill);
    browser.ignoresMaxAge = true;
    for (const idle of [30, 600, 630]) {
      rig.clock.advance(idle);
      await browser.visit((session) => {
        rig.clock.advance(601);
        return read(session);
      }, PAGE);
      assertEquals((await browser.visit(read)).value, ["apple"]);
    }
    await assertLives(rig, browser, SHORT);
  },
);

for (
  const [what, options, kind] of [
    ["although rolling is off", { rolling: false }, PAGE],
    [
      "although its cookie lives as long as the browser",
      { cookieOptions: { maxAge: false } },
      POLL,
    ],
    ["although shared caches may store the response", {}, CACHED_PAGE],
  ] as const
) {
  testOn(
    { ...TOUCHES, ...HOLDING },
    `a request that takes longer than expire and only reads keeps the session, ${what}`,
    { ...SHORT, ...options },
    async (rig) => {
      const browser = await rig.start(fill);
      browser.ignoresMaxAge = true;
      // No touch is due when the request begins.
      for (const idle of [0, 10, 29]) {
        rig.clock.advance(idle);
        await browser.visit((session) => {
          rig.clock.advance(601);
          return read(session);
        }, kind);
        assertEquals((await browser.visit(read)).value, ["apple"]);
      }
      await assertLives(rig, browser, SHORT);
    },
  );
}

testOn(
  VERSIONED,
  "a request of an hour that found the session in its last second can still write",
  async (rig) => {
    const browser = await rig.start(fill);
    browser.ignoresMaxAge = true;
    rig.clock.advance(3660);
    await browser.visit((session) => {
      rig.clock.advance(3600);
      write(session);
    });
    assertEquals(await rig.load(browser.value), { cart: ["apple"], n: 1 });
    await assertLives(rig, browser);
  },
);

for (const [how, kind] of Object.entries({ pages: PAGE, polls: POLL })) {
  testOn(
    EVERY_STORE,
    `a session lives at least expire after the last of its random ${how}, and at most touchInterval longer`,
    async (rig) => {
      const random = chance(how.length);
      for (const touchInterval of [0, 1, 30]) {
        const sessions = rig.server({ expire: 600, touchInterval });
        for (let run = 0; run < 12; run++) {
          const browser = rig.browser(undefined, sessions);
          browser.ignoresMaxAge = true;
          await browser.visit(fill, kind);
          for (let request = random(25); request > 0; request--) {
            // Mostly short intervals, sometimes the longest that the session survives.
            rig.clock.advance(random(8) === 0 ? 600 : random(45));
            const work = random(3) === 0 ? write : read;
            assertEquals(
              (await browser.visit((session) => {
                work(session);
                return session.get("cart", undefined);
              }, kind)).value,
              ["apple"],
            );
          }
          const load = async () => {
            const headers = { cookie: `pagi_session=${browser.value}` };
            return await sessions.load(new Request("http://localhost/", { headers }));
          };
          rig.clock.advance(600);
          assert(await load() !== undefined, "it ended early");
          rig.clock.advance(touchInterval + 1);
          assertEquals(await load(), undefined, "it lives too long");
        }
      }
    },
  );
}

testOn(TOUCHES, "no request moves the last-access time back", async (rig) => {
  const { clock, store, load } = rig;
  const browser = await rig.start(fill);
  const key = keyOf(browser.id!);
  const { signal } = new AbortController();
  const lastAccess = async () =>
    (await (store as VersionedStore).read(key, { signal }))!.lastAccess;
  let latest = await lastAccess();
  const check = async () => {
    const now = await lastAccess();
    assert(now >= latest, `${latest - now} seconds back`);
    latest = now;
  };
  for (const act of [read, write, (session: Session) => session.regenerate(), write, read]) {
    clock.advance(40);
    // A slow request, and requests that come and go in the meantime.
    await browser.send(async (session) => {
      for (let time = 0; time < 3; time++) {
        clock.advance(35);
        await browser.visit(time === 1 ? read : write);
        await check();
      }
      act(session);
    }, PAGE).then((reply) => browser.receive(reply));
    await check();
  }
  assert(await load(browser.value) !== undefined);
});
