/** The cookie is renewed as long as the session is used, and no renewal brings an old ID back. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { CookieState, type Session, type SessionOptions } from "@pagi/session";
import {
  type Browser,
  FORM,
  type Kind,
  PAGE,
  POLL,
  type Reply,
  type Work,
} from "../_kit/browser.ts";
import { ALL, chance, HOLDING, type Rig, testOn, UNVERSIONED, VERSIONED } from "../_kit/stores.ts";

const MINUTE = 60;
const HOUR = 3600;
const NOT_ROLLING = { rolling: false };
const ALWAYS = { touchInterval: 0 };
const ON_CHANGE = { touchInterval: 0, rolling: false };
const NO_MAX_AGE = { cookieOptions: { maxAge: false } } as const;

const fill = (session: Session) => session.set("cart", ["apple"]);
const read = (session: Session) => session.get("cart", undefined);
const write = (session: Session) => session.update("n", (n) => Number(n ?? 0) + 1);
const destroy = (session: Session) => session.destroy();

const CACHEABLE: Readonly<Record<string, string>> = { "cache-control": "public, max-age=600" };
const CACHED_PAGE: Kind = { ...PAGE, responseHeaders: CACHEABLE };

// The other stores add nothing but time.
const { MemoryStore, "a slow store": slowStore } = VERSIONED;

testOn(
  { MemoryStore: MemoryStore!, "a slow store": slowStore! },
  "600 logins with three polls each bring no old cookie back, although responses arrive late",
  async (rig) => {
    const random = chance(600);
    let late = 0;
    for (let login = 0; login < 600; login++) {
      const browser = await rig.start(fill);
      rig.clock.advance(61);
      // At the same time, in any order.
      const requests = ["poll", "poll", "poll", "login"];
      requests.sort(() => random(3) - 1);
      const replies = await Promise.all(requests.map(async (request) => {
        const isLogin = request === "login";
        const work = isLogin ? (session: Session) => session.subject = `user ${login}` : read;
        return { isLogin, reply: await browser.send(work, isLogin ? FORM : POLL) };
      }));
      const delayed: Reply<unknown>[] = [];
      let current: string | undefined;
      for (const { isLogin, reply } of replies) {
        if (isLogin) current = reply.id;
        // A tenth of the responses arrives after all others, the last one first.
        if (random(10) === 0) delayed.unshift(reply);
        else browser.receive(reply);
      }
      late += delayed.length;
      for (const reply of delayed) browser.receive(reply);
      assertEquals(browser.value, current, `login ${login}`);
      const { value } = await browser.visit((session) => [session.subject, session.get("cart")]);
      assertEquals(value, [`user ${login}`, ["apple"]]);
      await browser.visit(destroy);
    }
    assert(late > 150, `only ${late} were late`);
  },
);

testOn(
  VERSIONED,
  "a late response of a logout or of a request before it brings no cookie back",
  async (rig) => {
    for (const kind of [POLL, FORM]) {
      const browser = await rig.start(fill);
      rig.clock.advance(61);
      const poll = await browser.send(read, kind);
      await browser.visit(destroy);
      browser.receive(poll);
      assertEquals(browser.value, undefined);
    }
  },
);

/** Uses the session for so many seconds. Resolves to how many responses carried the cookie. */
async function use(
  { clock }: Rig,
  browser: Browser,
  seconds: number,
  { kind = POLL, every = MINUTE, work = read as (session: Session) => unknown } = {},
): Promise<number> {
  let sent = 0;
  for (let passed = 0; passed < seconds; passed += every) {
    clock.advance(every);
    const { cookies } = await browser.visit((session) => {
      assertEquals(session.get("cart", undefined), ["apple"], `after ${passed} seconds`);
      return work(session);
    }, kind);
    sent += cookies.length;
  }
  return sent;
}

for (const [what, work] of Object.entries({ reads: read, writes: write })) {
  testOn(
    VERSIONED,
    `an app without navigations that ${what} keeps its cookie, which is sent twice an hour`,
    async (rig) => {
      const browser = await rig.start(fill);
      const sent = await use(rig, browser, 12 * HOUR, { work });
      // Less than half of Max-Age has to remain.
      assert(sent >= 20 && sent <= 24, `${sent}`);
    },
  );

  testOn(UNVERSIONED, `an app without navigations that ${what} keeps its cookie`, async (rig) => {
    await use(rig, await rig.start(fill), 12 * HOUR, { work });
  });

  testOn(
    VERSIONED,
    `a browser that ${what} by polls drops its cookie at most half a Max-Age before the session ends`,
    async (rig) => {
      for (const minutes of [1, 29, 30, 31, 32, 59, 61, 90]) {
        const browser = await rig.start(fill);
        await use(rig, browser, minutes * MINUTE, { work });
        rig.clock.advance(HOUR / 2 - 1);
        assert(browser.hasCookie, `after ${minutes} minutes`);
        assertEquals((await browser.visit(read)).value, ["apple"]);
      }
    },
  );
}

testOn(VERSIONED, "a site whose pages write every 20 seconds keeps its cookie", async (rig) => {
  const browser = await rig.start(fill);
  const sent = await use(rig, browser, 6 * HOUR, { kind: PAGE, every: 20, work: write });
  // A touch is never due.
  assert(sent >= 10 && sent <= 12, `${sent}`);
});

testOn(HOLDING, "a page is sent the cookie once in touchInterval", async (rig) => {
  const browser = await rig.start(fill);
  assertEquals(await use(rig, browser, HOUR, { kind: PAGE, every: 10 }), 60);
});

testOn(VERSIONED, "no other request is sent the cookie although a touch is due", async (rig) => {
  const browser = await rig.start(fill);
  for (
    const kind of [
      POLL,
      FORM,
      {},
      { headers: { ...PAGE.headers, "sec-purpose": "prefetch" } },
      { headers: { ...PAGE.headers, "sec-fetch-dest": "iframe" } },
      { headers: { accept: "*/*" } },
      { ...PAGE, method: "HEAD" },
    ]
  ) {
    rig.clock.advance(61);
    assertEquals((await browser.visit(read, kind)).cookies, []);
    rig.clock.advance(61);
    assertEquals((await browser.visit(write, kind)).cookies, []);
  }
});

testOn(
  VERSIONED,
  "a request that takes longer than half of Max-Age sends the cookie again",
  async (rig) => {
    for (const [work, idle] of [[write, 0], [write, 61], [read, 61]] as const) {
      const browser = await rig.start(fill);
      rig.clock.advance(idle);
      const { cookies } = await browser.send((session) => {
        rig.clock.advance(HOUR / 2 + 1);
        work(session);
      });
      assertEquals(cookies.length, 1);
    }
  },
);

testOn(HOLDING, "the cookie is never sent again if rolling is off", NOT_ROLLING, async (rig) => {
  const browser = await rig.start(fill);
  browser.ignoresMaxAge = true;
  for (const kind of [PAGE, POLL]) {
    for (const work of [read, write]) {
      assertEquals(
        await use(rig, browser, HOUR, { kind, work }),
        0,
      );
    }
  }
  // A new ID is.
  assertEquals((await browser.visit((session) => session.regenerate())).cookies.length, 1);
});

testOn(
  HOLDING,
  "every response with a change carries the cookie if touchInterval is 0",
  ALWAYS,
  async (rig) => {
    const browser = await rig.start(fill);
    for (const kind of [PAGE, POLL, FORM]) {
      assertEquals((await browser.visit(write, kind)).cookies.length, 1);
      assertEquals((await browser.visit(read, kind)).cookies.length, 1);
    }
  },
);

testOn(
  HOLDING,
  "only responses with a change carry the cookie if touchInterval is 0 and rolling is off",
  ON_CHANGE,
  async (rig) => {
    const browser = await rig.start(fill);
    for (const kind of [PAGE, POLL, FORM]) {
      assertEquals((await browser.visit(write, kind)).cookies.length, 1);
      assertEquals((await browser.visit(read, kind)).cookies, []);
    }
  },
);

const LIFETIMES: Readonly<Record<string, { options: Partial<SessionOptions>; half: number }>> = {
  "the cookie's own": {
    options: { state: new CookieState({ cookieOptions: { maxAge: 600 } }) },
    half: 300,
  },
  "that of CookieState": { options: { state: new CookieState({ expire: 1200 }) }, half: 600 },
  "that of the session": { options: { expire: 7200 }, half: 3600 },
};

for (const [what, { options, half }] of Object.entries(LIFETIMES)) {
  testOn(
    VERSIONED,
    `Max-Age is ${what}, and half of it decides when the cookie is sent`,
    options,
    async (rig) => {
      const browser = await rig.start(fill);
      for (let time = 0; time < 3; time++) {
        rig.clock.advance(half);
        assertEquals((await browser.visit(read)).cookies, []);
        rig.clock.advance(1);
        const { cookies: [cookie] } = await browser.visit(write);
        assertMatch(cookie!, new RegExp(`Max-Age=${2 * half}$`));
        assertEquals((await browser.visit(write)).cookies, []);
      }
    },
  );
}

testOn(
  VERSIONED,
  "a cookie that lives as long as the browser is not sent again to polls",
  NO_MAX_AGE,
  async (rig) => {
    const browser = await rig.start(fill);
    assertEquals(await use(rig, browser, 6 * HOUR), 0);
  },
);

testOn(VERSIONED, "a new ID counts as sent", async (rig) => {
  const browser = await rig.start(fill);
  assertEquals(await use(rig, browser, MINUTE, { kind: PAGE }), 1);
  assertEquals(await use(rig, browser, 25 * MINUTE), 0);
  for (
    const act of [
      (session) => session.regenerate(),
      (session) => session.rotate(),
      (session) => session.subject = "ada",
    ] as Work[]
  ) {
    assertEquals((await browser.visit(act)).cookies.length, 1);
    assertEquals(await use(rig, browser, HOUR / 2), 0);
  }
});

testOn(ALL, "a renewal is left out if shared caches may store the response", async (rig) => {
  const browser = await rig.start(fill);
  browser.ignoresMaxAge = true;
  for (const seconds of [61, HOUR / 2 + 1]) {
    for (const work of [read, write]) {
      // A session that its client holds has to be sent when it was changed.
      if (rig.isWithClient && work === write) continue;
      rig.clock.advance(seconds);
      const { value, cookies, response } = await browser.visit((session) => {
        work(session);
        return read(session);
      }, CACHED_PAGE);
      assertEquals([value, cookies, response.headers.get("cache-control")], [
        ["apple"],
        [],
        CACHEABLE["cache-control"],
      ]);
    }
  }
  assertEquals(rig.events, []);
  // The next response that no shared cache stores carries it.
  assertEquals((await browser.visit(read)).cookies.length, 1);
});

testOn(
  VERSIONED,
  "a site with cacheable pages keeps its cookie if some responses are not cacheable",
  async (rig) => {
    const browser = await rig.start(fill);
    let sent = 0;
    for (let minute = 0; minute < 10 * 60; minute++) {
      rig.clock.advance(MINUTE);
      const page = await browser.visit(read, CACHED_PAGE);
      assertEquals([page.value, page.cookies], [["apple"], []]);
      if (minute % 20 !== 0) continue;
      // Too early for a touch.
      const { value, cookies } = await browser.visit(read, POLL);
      assertEquals(value, ["apple"]);
      sent += cookies.length;
    }
    assert(sent >= 10 && sent <= 20, `${sent}`);
  },
);

testOn(VERSIONED, "a cacheable page costs a call only when a touch is due", async (rig) => {
  const browser = await rig.start(fill);
  browser.ignoresMaxAge = true;
  rig.clock.advance(HOUR / 2 + 1);
  await browser.visit(read, CACHED_PAGE);
  rig.calls.length = 0;
  for (let visit = 0; visit < 5; visit++) {
    rig.clock.advance(10);
    await browser.visit(read, CACHED_PAGE);
  }
  assertEquals(rig.calls, Array(5).fill("read"));
});

testOn(
  ALL,
  "a response with a new ID becomes private, no-store if shared caches could store it",
  async (rig) => {
    const browser = rig.browser();
    for (
      const act of [
        fill,
        (session) => session.regenerate(),
        (session) => session.rotate(),
        (session) => session.subject = "ada",
        (session) => session.restart().set("cart", []),
        destroy,
      ] as Work[]
    ) {
      rig.events.length = 0;
      const { cookies, response } = await browser.visit(act, CACHED_PAGE);
      assertEquals([cookies.length, response.headers.get("cache-control"), rig.events], [
        1,
        "private, no-store",
        ["public-response"],
      ], `${act}`);
    }
  },
);

testOn(
  VERSIONED,
  "a response that no shared cache stores keeps its own Cache-Control with a cookie",
  async (rig) => {
    const browser = await rig.start(fill);
    for (const own of ["private, max-age=60", "no-cache", "no-store"]) {
      rig.clock.advance(61);
      const kind = { ...PAGE, responseHeaders: { "cache-control": own } };
      const { cookies, response } = await browser.visit(read, kind);
      assertEquals([cookies.length, response.headers.get("cache-control")], [1, own]);
    }
    rig.clock.advance(61);
    const { response } = await browser.visit(read, PAGE);
    assertEquals(response.headers.get("cache-control"), "no-store");
    assertEquals(rig.events, []);
  },
);
