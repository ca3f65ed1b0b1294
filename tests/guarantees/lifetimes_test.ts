/** A session may have a lifetime of its own, and everything follows it. */
import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import {
  CookieState,
  HeaderState,
  type Session,
  type SessionLifetime,
  SessionMiddleware,
  type SessionOptions,
  type VersionedStore,
} from "@pagi/session";
import { type Browser, FORM, PAGE, POLL } from "../_kit/browser.ts";
import { fakeClock, SECRET } from "../_kit/helpers.ts";
import {
  ALL,
  around,
  PlainMap,
  REVOKING,
  type Rig,
  rigOn,
  testOn,
  VERSIONED,
} from "../_kit/stores.ts";
import { refused } from "../_kit/tabs.ts";

const HOUR = 3600;
const DAY = 86_400;
const MONTH = 30 * DAY;
const REMEMBERED = { idle: MONTH, persistent: true };
const BRIEF = { idle: 600 };

const fill = (session: Session) => session.set("cart", ["apple"]);
const read = (session: Session) => session.get("cart", undefined);
const write = (session: Session) => session.update("n", (n) => Number(n ?? 0) + 1);
const live = (lifetime: SessionLifetime | undefined) => (session: Session) => {
  fill(session).lifetime = lifetime;
};
const signIn = (subject: string, lifetime?: SessionLifetime) => (session: Session) => {
  session.subject = subject;
  if (lifetime !== undefined) session.lifetime = lifetime;
};
const lifetimeOf = async (browser: Browser) =>
  (await browser.visit((session) => session.lifetime)).value;
const maxAgeOf = (cookies: readonly string[]) => /Max-Age=(\d+)/.exec(cookies.at(-1)!)?.[1];

/** Requires that the session ends after so many seconds without a request, give or take a touch. */
async function assertEndsAfter(rig: Rig, browser: Browser, seconds: number): Promise<void> {
  const [early, late] = [rig.browser(browser.value), rig.browser(browser.value)];
  early.ignoresMaxAge = late.ignoresMaxAge = true;
  rig.clock.advance(seconds);
  assertEquals((await rig.load(early.value))?.cart, ["apple"], `before ${seconds}`);
  rig.clock.advance(seconds / 20 + 1);
  assertEquals((await late.visit(read)).value, undefined, `after ${seconds}`);
}

testOn(ALL, "a remembered session outlives the others, and so does its cookie", async (rig) => {
  const [remembered, other] = [await rig.start(live(REMEMBERED)), await rig.start(fill)];
  for (let days = 0; days < 60; days += 20) {
    rig.clock.advance(20 * DAY);
    assertEquals((await remembered.visit(read, PAGE)).value, ["apple"], `day ${days}`);
    assertEquals(remembered.hasCookie, true);
    assertEquals((await other.visit(read, PAGE)).value, undefined);
  }
  await assertEndsAfter(rig, remembered, MONTH);
});

testOn(ALL, "a lifetime may be shorter than that of the middleware", async (rig) => {
  const browser = await rig.start(live(BRIEF));
  rig.clock.advance(500);
  assertEquals((await browser.visit(read, PAGE)).value, ["apple"]);
  await assertEndsAfter(rig, browser, 600);
});

testOn(ALL, "Max-Age follows the lifetime, whatever the cookie's options say", async (rig) => {
  const cases: [SessionLifetime | undefined, ...(string | undefined)[]][] = [
    [undefined, "3600", undefined, "100"],
    [{}, "3600", undefined, "3600"],
    [{ persistent: true }, "3600", "3600", "3600"],
    [{ persistent: false }, undefined, undefined, undefined],
    [{ idle: 600.5 }, "601", undefined, "601"],
    [{ idle: 600, persistent: true }, "600", "600", "600"],
    [{ idle: 600, persistent: false }, undefined, undefined, undefined],
    [{ idle: 600, absolute: 300 }, "300", undefined, "300"],
    [{ absolute: 300 }, "300", undefined, "300"],
    [{ idle: 500 * DAY }, `${400 * DAY}`, undefined, `${400 * DAY}`],
  ];
  const states: Partial<SessionOptions>[] = [
    {},
    { cookieOptions: { maxAge: false } },
    { cookieOptions: { maxAge: 100 } },
  ];
  for (const [lifetime, ...ages] of cases) {
    for (const [at, options] of states.entries()) {
      const browser = rig.browser(undefined, rig.server(options));
      const { cookies } = await browser.visit(live(lifetime));
      assertEquals(maxAgeOf(cookies), ages[at], `${JSON.stringify(lifetime)} ${at}`);
    }
  }
  const state = new CookieState({ expire: 100 });
  const { cookies } = await rig.browser(undefined, rig.server({ state })).visit(live(REMEMBERED));
  assertEquals(maxAgeOf(cookies), `${MONTH}`);
});

testOn(ALL, "a new lifetime sends the cookie again, with every kind of response", async (rig) => {
  const browser = rig.browser(undefined, rig.server({ rolling: false }));
  await browser.visit(fill);
  for (const kind of [POLL, FORM, { ...PAGE, responseHeaders: { "cache-control": "public" } }]) {
    for (const [lifetime, age] of [[REMEMBERED, `${MONTH}`], [undefined, "3600"]] as const) {
      const { cookies, response } = await browser.visit(live(lifetime), kind);
      assertEquals([cookies.length, maxAgeOf(cookies)], [1, age]);
      assertMatch(response.headers.get("cache-control")!, /no-store/);
    }
  }
});

testOn(ALL, "the lifetime that a session has already is not written again", async (rig) => {
  const browser = await rig.start(live(REMEMBERED));
  rig.calls.length = 0;
  const { cookies } = await browser.visit((session) => session.lifetime = { ...REMEMBERED });
  assertEquals([cookies, rig.calls.filter((call) => call !== "read")], [[], []]);
});

testOn(
  VERSIONED,
  "of two simultaneous lifetimes the one that is saved last counts",
  async (rig) => {
    const browser = await rig.start(fill);
    const value = browser.value;
    const { cookies } = await browser.visit(async (session) => {
      await rig.browser(value).visit(live(BRIEF));
      session.lifetime = REMEMBERED;
    });
    assertEquals([await lifetimeOf(browser), maxAgeOf(cookies)], [REMEMBERED, `${MONTH}`]);
    await browser.visit(async (session) => {
      await rig.browser(value).visit(live(BRIEF));
      session.lifetime = undefined;
    });
    assertEquals(await lifetimeOf(browser), undefined);
  },
);

for (
  const [how, third] of Object.entries({
    write,
    read,
    rotate: (one: Session) => one.rotate(),
  })
) {
  testOn(
    VERSIONED,
    `a third request that began before and does a ${how} does not restore the old lifetime`,
    async (rig) => {
      const browser = await rig.start(live(BRIEF));
      rig.clock.advance(100);
      const value = browser.value;
      const { cookies } = await browser.visit(async (session) => {
        await rig.browser(value).visit(live(REMEMBERED));
        third(session);
      }, PAGE);
      assertEquals(await lifetimeOf(browser), REMEMBERED);
      if (cookies.length > 0) assertEquals(maxAgeOf(cookies), `${MONTH}`);
      await assertEndsAfter(rig, browser, MONTH);
    },
  );
}

testOn(
  VERSIONED,
  "many simultaneous lifetimes and writes leave one lifetime, and no write out",
  async (rig) => {
    const browser = await rig.start(fill);
    const idles = Array.from({ length: 20 }, (_, at) => 1000 + at);
    const replies = await Promise.all(
      idles.map((idle) =>
        rig.browser(browser.value).visit(async (session) => {
          await undefined;
          write(session).lifetime = { idle };
        })
      ),
    );
    const lifetime = await lifetimeOf(browser);
    assert(idles.includes(lifetime!.idle!));
    assertEquals((await rig.load(browser.value))?.n, 20);
    const ages = replies.map(({ cookies }) => Number(maxAgeOf(cookies)));
    assertEquals(ages.every((age) => idles.includes(age)), true, ages.join());
  },
);

for (const verb of ["regenerate", "rotate"] as const) {
  testOn(ALL, `${verb}() keeps the lifetime`, async (rig) => {
    const browser = await rig.start(live(REMEMBERED));
    const { cookies } = await browser.visit((session) => session[verb]());
    assertEquals([maxAgeOf(cookies), await lifetimeOf(browser)], [`${MONTH}`, REMEMBERED]);
  });
}

testOn(
  ALL,
  "a new subject resets the lifetime, unless the same request assigns one",
  async (rig) => {
    const browser = await rig.start(live(REMEMBERED));
    const { value, cookies } = await browser.visit((session) => {
      const before = session.lifetime;
      session.subject = "ada";
      return [before, session.lifetime];
    });
    assertEquals([value, maxAgeOf(cookies)], [[REMEMBERED, undefined], "3600"]);
    assertEquals(await lifetimeOf(browser), undefined);
    await browser.visit(signIn("bob", REMEMBERED));
    assertEquals(await lifetimeOf(browser), REMEMBERED);
    // The same user again, and then another one in the other order.
    await browser.visit(signIn("bob"));
    assertEquals(await lifetimeOf(browser), REMEMBERED);
    await browser.visit((session) => {
      session.lifetime = REMEMBERED;
      session.subject = "cid";
    });
    assertEquals(await lifetimeOf(browser), REMEMBERED);
    await browser.visit((session) => session.subject = undefined);
    assertEquals(await lifetimeOf(browser), undefined);
  },
);

testOn(ALL, "restart() begins with the middleware's lifetime", async (rig) => {
  const browser = await rig.start(live(REMEMBERED));
  const { value } = await browser.visit((session) => fill(session.restart()).lifetime);
  assertEquals([value, await lifetimeOf(browser)], [undefined, undefined]);
  await browser.visit((session) => fill(session.restart()).lifetime = BRIEF);
  assertEquals(await lifetimeOf(browser), BRIEF);
});

testOn(ALL, "absoluteExpire limits every lifetime", { absoluteExpire: 10 * DAY }, async (rig) => {
  const browser = await rig.start(live({ ...REMEMBERED, absolute: 90 * DAY }));
  const { value } = await browser.visit((session) => session.expiresAt);
  assertEquals(value, rig.clock.seconds() + 10 * DAY);
  rig.clock.advance(6 * DAY);
  const { cookies } = await browser.visit(read, PAGE);
  assertEquals(maxAgeOf(cookies), `${4 * DAY}`);
  browser.ignoresMaxAge = true;
  rig.clock.advance(4 * DAY);
  assertEquals((await browser.visit(read)).value, ["apple"]);
  rig.clock.advance(1);
  assertEquals((await browser.visit(read)).value, undefined);
});

testOn(ALL, "an absolute lifetime counts from the sign-in", async (rig) => {
  const browser = await rig.start(fill);
  browser.ignoresMaxAge = true;
  rig.clock.advance(HOUR / 2);
  await browser.visit(signIn("ada", { idle: DAY, absolute: 2 * DAY }));
  for (let days = 0; days < 4; days++) {
    rig.clock.advance(DAY / 2);
    assertEquals((await browser.visit(read, PAGE)).value, ["apple"]);
  }
  rig.clock.advance(1);
  assertEquals((await browser.visit(read)).value, undefined);
});

testOn(ALL, "expiresAt says when the session ends if it is not used again", async (rig) => {
  const { clock } = rig;
  const browser = rig.browser();
  const expiresAt = (session: Session) => session.expiresAt! - clock.seconds();
  const { value } = await browser.visit((session) => {
    const first = expiresAt(session);
    live(REMEMBERED)(session);
    return [first, expiresAt(session)];
  });
  assertEquals(value, [HOUR, MONTH]);
  clock.advance(20);
  assertEquals((await browser.visit(expiresAt)).value, MONTH);
  const headers = { cookie: `pagi_session=${browser.value}` };
  const loaded = await rig.sessions.load(new Request("http://localhost/", { headers }));
  // It was last used by the request that was noted.
  assertEquals([expiresAt(loaded!), loaded!.lifetime], [MONTH - 20, REMEMBERED]);
  assertThrows(() => loaded!.lifetime = BRIEF, Error, "loaded for reading");
  const { value: late } = await browser.visit((session) => session);
  assertThrows(() => late.lifetime = BRIEF, Error, "saved already");
  assertEquals(late.lifetime, REMEMBERED);
});

testOn(VERSIONED, "expiresAt after save() knows the lifetime that others have set", async (rig) => {
  const browser = await rig.start(fill);
  const other = rig.browser(browser.value);
  const { value } = await browser.visit(async (session) => {
    await other.visit(live(REMEMBERED));
    write(session);
    await session.save();
    return [session.expiresAt! - rig.clock.seconds(), session.lifetime];
  });
  assertEquals(value, [MONTH, REMEMBERED]);
});

testOn(ALL, "expiresAt counts from the end of a request that takes long", async (rig) => {
  const { clock } = rig;
  const browser = await rig.start(live({ idle: 600, absolute: 900 }));
  const { value: session } = await browser.visit((session) => {
    clock.advance(200);
    assertEquals(session.expiresAt! - clock.seconds(), 600);
    session.regenerate({ authenticated: true });
    return session;
  });
  const end = clock.seconds() + 600;
  clock.advance(100);
  assertEquals(session.expiresAt, end);
  clock.advance(500);
  assertEquals((await rig.load(browser.value))?.cart, ["apple"]);
  clock.advance(31);
  assertEquals(await rig.load(browser.value), undefined);
});

testOn(ALL, "a session that the request has ended has no expiresAt", async (rig) => {
  const browser = await rig.start(signIn("ada"));
  const { value } = await browser.visit((session) => {
    session.destroy();
    return [session, session.expiresAt] as const;
  });
  assertEquals([value[0].expiresAt, value[1]], [undefined, undefined]);
  const other = await rig.start(signIn("ada"));
  const { value: later } = await other.visit((session) => {
    return [session, session.restart().expiresAt! - rig.clock.seconds()] as const;
  });
  assertEquals(later[1], HOUR);
});

testOn(VERSIONED, "expiresAt of a held session follows touch()", async (rig) => {
  const { clock, sessions } = rig;
  const browser = await rig.start(live(BRIEF));
  const { value: session } = await browser.visit((session) => session);
  const headers = { cookie: `pagi_session=${browser.value}` };
  const loaded = await sessions.load(new Request("http://localhost/", { headers }));
  await browser.visit(live(REMEMBERED));
  clock.advance(300);
  for (const held of [session, loaded!]) {
    assertEquals(await held.touch(), true);
    assertEquals([held.expiresAt! - clock.seconds(), held.lifetime], [MONTH, REMEMBERED]);
  }
  await browser.visit((session) => session.destroy());
  clock.advance(300);
  for (const held of [session, loaded!]) {
    assertEquals([await held.touch(), held.expiresAt], [false, undefined]);
  }
});

testOn(REVOKING, "expiresAt is at most what a cookie can live", async (rig) => {
  const browser = await rig.start(live({ idle: 500 * DAY }));
  browser.ignoresMaxAge = true;
  const { value } = await browser.visit((session) => session.expiresAt! - rig.clock.seconds());
  assertEquals(value, 400 * DAY);
  rig.clock.advance(value);
  assertEquals((await rig.load(browser.value))?.cart, ["apple"]);
  rig.clock.advance(61);
  assertEquals(await rig.load(browser.value), undefined);
});

testOn(VERSIONED, "a replaced ID has no lifetime, and none can be assigned", async (rig) => {
  const browser = await rig.start(live(REMEMBERED));
  const old = rig.browser(browser.value);
  await browser.visit((session) => session.regenerate());
  const { value } = await old.visit((session) => [session.lifetime, session.expiresAt]);
  assertEquals(value, [undefined, undefined]);
  assertEquals(await refused(old.visit(live(BRIEF))), "ERR_SESSION_INTERRUPTED");
});

testOn(
  VERSIONED,
  "the touch interval is at most a twentieth of the session's own idle time",
  async (rig) => {
    const noted = async (browser: Browser, seconds: number) => {
      rig.clock.advance(seconds);
      rig.calls.length = 0;
      await browser.visit(read);
      return rig.calls.includes("touch");
    };
    const brief = await rig.start(live(BRIEF));
    assertEquals([await noted(brief, 29), await noted(brief, 1)], [false, true]);
    const remembered = await rig.start(live(REMEMBERED));
    assertEquals([await noted(remembered, 59), await noted(remembered, 1)], [false, true]);
  },
);

testOn(VERSIONED, "touch() of a held session follows its lifetime", async (rig) => {
  const browser = await rig.start(live(BRIEF));
  const headers = { cookie: `pagi_session=${browser.value}` };
  const held = await rig.sessions.load(new Request("http://localhost/", { headers }));
  for (let minutes = 0; minutes < 30; minutes++) {
    rig.clock.advance(60);
    assertEquals(await held!.touch(), true);
  }
  rig.calls.length = 0;
  rig.clock.advance(29);
  await held!.touch();
  assertEquals(rig.calls, []);
  rig.clock.advance(1);
  await held!.touch();
  assertEquals(rig.calls, ["read", "touch"]);
  await assertEndsAfter(rig, browser, 600);
});

Deno.test("the store keeps a record for as long as its lifetime says, and not much longer", async () => {
  const ttls: number[] = [];
  using rig = await rigOn(async (now) => {
    const opened = await VERSIONED.MemoryStore!(now);
    const store = around(opened.store as VersionedStore, (_name, call, args) => {
      const { ttl } = (args.at(-1) ?? {}) as { ttl?: number };
      if (ttl !== undefined) ttls.push(ttl);
      return call();
    });
    return { ...opened, store };
  });
  const browser = await rig.start(live(BRIEF));
  rig.clock.advance(100);
  await browser.visit(read);
  assertEquals(ttls.length, 2);
  for (const ttl of ttls) assert(ttl >= 630 && ttl <= 1500, `${ttl}`);
  ttls.length = 0;
  await browser.visit(live(REMEMBERED));
  rig.clock.advance(100);
  await browser.visit(read, POLL);
  assertEquals(ttls.length, 2);
  for (const ttl of ttls) assert(ttl >= MONTH + 60 && ttl <= MONTH + 2 * HOUR, `${ttl}`);
});

testOn(VERSIONED, "list() shows when each session ends, also after weeks", async (rig) => {
  const { clock, sessions } = rig;
  const [long, short] = [rig.browser(), rig.browser()];
  await short.visit(signIn("ada"));
  // Remembered later, while the user stays.
  await long.visit((session) => void signIn("ada")(fill(session)));
  await long.visit(live(REMEMBERED));
  const listed = await sessions.list("ada");
  assertEquals(
    listed.map(({ expiresAt }) => expiresAt - clock.seconds()).sort(),
    [MONTH, HOUR],
  );
  assertEquals(listed.map(({ session }) => session.lifetime?.idle).sort(), [MONTH, undefined]);
  clock.advance(29 * DAY);
  assertEquals((await sessions.list("ada")).map(({ expiresAt }) => expiresAt - clock.seconds()), [
    DAY,
  ]);
  assertEquals(await sessions.destroyAll("ada"), 1);
  assertEquals(await rig.load(long.value), undefined);
});

testOn(
  VERSIONED,
  "the list of a user with many sessions has those that are remembered",
  async (rig) => {
    const remembered = rig.browser();
    const sign = async (browser: Browser, lifetime?: SessionLifetime) => {
      await browser.visit(signIn("ada", lifetime));
    };
    for (let count = 0; count < 20; count++) await sign(rig.browser());
    await sign(remembered, REMEMBERED);
    for (let days = 0; days < 29; days++) {
      rig.clock.advance(DAY);
      if (days % 10 === 0) await sign(rig.browser());
    }
    assertEquals((await rig.sessions.list("ada")).length, 1);
    assertEquals(await rig.sessions.destroyAll("ada"), 1);
    assertEquals(await rig.load(remembered.value), undefined);
  },
);

testOn(REVOKING, "a logout ends the copies of every lifetime that the session had", async (rig) => {
  const histories: (SessionLifetime | undefined)[][] = [
    [REMEMBERED],
    [undefined, REMEMBERED],
    [REMEMBERED, undefined],
    [BRIEF, REMEMBERED, BRIEF],
  ];
  for (const lifetimes of histories) {
    const copies: string[] = [];
    const browser = rig.browser();
    for (const lifetime of lifetimes) {
      await browser.visit(live(lifetime));
      copies.push(browser.value!);
      rig.clock.advance(10);
      await browser.visit(write);
      copies.push(browser.value!);
    }
    await browser.visit((session) => session.destroy());
    for (const hours of [0, 1, 2, 24, 24 * 10, 24 * 15]) {
      rig.clock.advance(hours * HOUR);
      for (const copy of copies) {
        assertEquals(await rig.load(copy), undefined, `${JSON.stringify(lifetimes)} ${hours}`);
      }
    }
  }
});

testOn(
  REVOKING,
  "a logout holds against a simultaneous request that lengthens the life",
  async (rig) => {
    const browser = await rig.start(fill);
    const lengthening = rig.browser(browser.value);
    const request = lengthening.visit(async (session) => {
      await browser.visit((other) => other.destroy());
      live(REMEMBERED)(session);
    });
    assertEquals(await refused(request), "ERR_SESSION_INTERRUPTED");
    const late = await rig.start(fill);
    const longer = rig.browser(late.value);
    // The logout began before, with a value of the short lifetime.
    await late.visit(async (session) => {
      await longer.visit(live(REMEMBERED));
      session.destroy();
    });
    for (const hours of [0, 2, 24, 24 * 20]) {
      rig.clock.advance(hours * HOUR);
      assertEquals(await rig.load(longer.value), undefined, `${hours}`);
    }
  },
);

testOn(REVOKING, "destroyAll() and destroy() end remembered sessions for good", async (rig) => {
  const [one, other] = [rig.browser(), rig.browser()];
  for (const browser of [one, other]) await browser.visit(signIn("ada", REMEMBERED));
  await rig.sessions.destroyAll("ada");
  const third = await rig.start(live(REMEMBERED));
  await rig.sessions.destroy(third.id!);
  for (const hours of [0, 2, 24, 24 * 20]) {
    rig.clock.advance(hours * HOUR);
    for (const { value } of [one, other, third]) assertEquals(await rig.load(value), undefined);
  }
});

Deno.test("a header State emits the ID of a session whose lifetime changes", async () => {
  const clock = fakeClock();
  const sessions = new SessionMiddleware({
    secret: SECRET,
    now: clock.now,
    state: new HeaderState({ headerName: "X-Session", emit: "X-Session" }),
  });
  const request = (id?: string) => {
    return new Request("http://localhost/", {
      headers: id === undefined ? {} : { "x-session": id },
    });
  };
  const send = (id: string | undefined, work: (session: Session) => unknown) =>
    sessions.run(request(id), (session) => (work(session), new Response()));
  const first = (await send(undefined, fill)).headers.get("x-session")!;
  assertEquals((await send(first, live(REMEMBERED))).headers.get("x-session"), first);
  clock.advance(20 * DAY);
  let found: unknown;
  await send(first, (session) => found = read(session));
  assertEquals(found, ["apple"]);
});

Deno.test("a plain store has the lifetime in _lifetime, and anything else there does not count", async () => {
  const store = new PlainMap();
  using rig = await rigOn(() => ({ store, records: () => store.hashes.size }));
  const browser = await rig.start(live(REMEMBERED));
  const hash = store.hashes.get(browser.value!)!;
  assertEquals(hash._lifetime, REMEMBERED);
  const cases: [unknown, SessionLifetime | undefined][] = [
    [{ idle: 7 }, { idle: 7 }],
    ["x", undefined],
    [{ idle: "7" }, undefined],
    [{ idle: 1e300 }, undefined],
    [null, undefined],
  ];
  for (const [value, expected] of cases) {
    store.hashes.set(browser.value!, { ...hash, _lifetime: value });
    assertEquals(await lifetimeOf(browser), expected);
  }
});

Deno.test("a lifetime is checked when it is assigned", async () => {
  const sessions = new SessionMiddleware({ secret: SECRET });
  await sessions.run(new Request("http://localhost/"), async (session) => {
    const types: unknown[] = [null, 7, "1d", { days: 1 }, { persistent: 1 }, {
      idle: 60,
      expire: 1,
    }];
    const ranges: unknown[] = [
      { idle: 0 },
      { idle: -1 },
      { idle: NaN },
      { idle: "60" },
      { absolute: 0.5 },
      { idle: 30 * DAY * 1000 },
    ];
    for (const [values, kind] of [[types, TypeError], [ranges, RangeError]] as const) {
      for (const value of values) {
        await assertRejects(
          async () => await (session.lifetime = value as SessionLifetime),
          kind,
          "Cannot make the lifetime: ",
          JSON.stringify(value),
        );
      }
    }
    assertThrows(
      () => session.lifetime = { idle: 30 * DAY * 1000 },
      RangeError,
      "not in milliseconds: is 2592000 what you mean?",
    );
    assertEquals(session.lifetime, undefined);
    const own = { idle: 60.2 };
    session.lifetime = own;
    own.idle = 1;
    assertEquals(session.lifetime, { idle: 61 });
    assert(Object.isFrozen(session.lifetime));
    return new Response();
  });
});
