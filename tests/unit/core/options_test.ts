/** The middleware's options: which are refused, and what they are if they are left out. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  BearerState,
  CookieState,
  CookieStore,
  MemoryStore,
  type SessionEvent,
  SessionMiddleware,
  type SessionOptions,
} from "@pagi/session";
import { resolveOptions } from "../../../core/options.ts";
import { LegacySessions } from "../../../migrate/mod.ts";
import { cookieOf, requestWith } from "../../_kit/helpers.ts";
import { SECRET } from "../../_kit/stores.ts";

const DURATIONS = [
  "expire",
  "touchInterval",
  "absoluteExpire",
  "rotateGrace",
  "rotateInterval",
  "storeTimeout",
] as const;

const TEN_YEARS = 10 * 365 * 86_400;
/** What the message says of values that it does not show. */
const KINDS = new Map<unknown, string>([["30", "a string"], [true, "a boolean"], [
  30n,
  "a bigint",
]]);

const resolve = (options: Partial<SessionOptions>) =>
  resolveOptions({ secret: SECRET, onEvent: () => {}, ...options }, {
    state: () => new CookieState(),
    store: () => new MemoryStore(),
  });

for (const name of DURATIONS) {
  Deno.test(`resolveOptions() throws when ${name} is not a number of seconds`, () => {
    for (const value of [-1, NaN, Infinity, -Infinity, "30", null, true, 30n]) {
      const { message } = assertThrows(() => resolve({ [name]: value }), RangeError);
      assertEquals(
        message,
        `Cannot make the session middleware: ${name} must be a number of seconds, 0 or more; ` +
          `it is ${KINDS.get(value) ?? value}`,
      );
    }
    for (const value of [1, 1.5, 30, TEN_YEARS / 20]) {
      const resolved = resolve({
        expire: TEN_YEARS,
        [name]: value,
        ...name === "expire" && { expire: value },
      });
      assertEquals(resolved[name], name === "expire" ? Math.ceil(value) : value);
    }
  });

  Deno.test(`resolveOptions() throws when ${name} is in milliseconds`, () => {
    for (const [value, seconds] of [[2_592_000_000, 2_592_000], [TEN_YEARS + 1, 315_360.001]]) {
      const { message } = assertThrows(() => resolve({ [name]: value }), RangeError);
      assertEquals(
        message,
        `Cannot make the session middleware: ${name} must be at most ten years; it is ${value} ` +
          `seconds. It is in seconds, not in milliseconds: is ${seconds} what you mean?`,
      );
    }
  });
}

Deno.test("resolveOptions() fills in the documented defaults", () => {
  const { expire, touchInterval, absoluteExpire, rotateGrace, rotateInterval, storeTimeout } =
    resolve(
      {},
    );
  assertEquals([expire, touchInterval, rotateGrace, storeTimeout], [3600, 60, 30, 5]);
  assertEquals([absoluteExpire, rotateInterval], [Infinity, Infinity]);
  const { rolling, saveUninitialized, vary } = resolve({});
  assertEquals([rolling, saveUninitialized, vary], [true, false, false]);
});

Deno.test("resolveOptions() reduces touchInterval to a twentieth of expire", () => {
  assertEquals(resolve({ expire: 600 }).touchInterval, 30);
  assertEquals(resolve({ expire: 600, touchInterval: 31 }).touchInterval, 30);
  assertEquals(resolve({ expire: 600, touchInterval: 29 }).touchInterval, 29);
  assertEquals(resolve({ expire: 1 }).touchInterval, 0.05);
});

Deno.test("resolveOptions() takes a duration that is undefined for one that is left out", () => {
  const missing = Object.fromEntries(DURATIONS.map((name) => [name, undefined]));
  const names = [...DURATIONS];
  assertEquals(names.map((name) => resolve(missing)[name]), names.map((name) => resolve({})[name]));
});

Deno.test("resolveOptions() names the options there are when it does not know one", () => {
  const { message } = assertThrows(
    () => resolve({ rotateGraceSeconds: 5 } as Partial<SessionOptions>),
    TypeError,
    'there is no option "rotateGraceSeconds". There are: secret, ',
  );
  for (const name of DURATIONS) assert(message.includes(name), name);
});

Deno.test("resolveOptions() throws when a session could not live for a second", () => {
  for (const name of ["expire", "absoluteExpire"] as const) {
    for (const value of [0, 0.5]) {
      assertThrows(
        () => resolve({ [name]: value }),
        RangeError,
        `${name} must be at least 1 second; it is ${value}. To end the cookie with the browser, ` +
          "set cookieOptions.maxAge to false",
      );
    }
  }
});

Deno.test("every option in seconds refuses milliseconds", () => {
  const ms = 2_592_000_000;
  const store = new MemoryStore();
  const makers: (() => unknown)[] = [
    () => new CookieState({ expire: ms }),
    () => new CookieState({ cookieOptions: { maxAge: ms } }),
    () => new CookieStore({ secret: SECRET, revocations: store, revocationCache: ms }),
    () => new LegacySessions({ secret: SECRET, store, legacy: { get: () => undefined }, keep: ms }),
  ];
  for (const make of makers) assertThrows(make, RangeError, "is 2592000 what you mean?");
});

Deno.test("resolveOptions() says what it received in place of a store or a State", () => {
  const wrong = (options: Record<string, unknown>) =>
    assertThrows(() => resolve(options), TypeError).message.split("; it is ")[1];
  for (const name of ["store", "state"]) {
    assertEquals(wrong({ [name]: MemoryStore }), "the class MemoryStore itself, not an instance");
    assertEquals(wrong({ [name]: Promise.resolve() }), "a promise, which must be awaited");
    assertEquals(wrong({ [name]: {} }), "an object");
    assertEquals(wrong({ [name]: "redis" }), "a string");
    assertEquals(wrong({ [name]: null }), "null");
    assertEquals(wrong({ [name]: [] }), "an Array");
  }
  const { message } = assertThrows(() => resolve({ secret: undefined }), TypeError);
  assert(message.endsWith("it is undefined. Is its environment variable set?"), message);
});

Deno.test("resolveOptions() names the option to use when it gets one of another library", () => {
  const hints: Record<string, string> = {
    name: "use cookieName",
    cookie: "use cookieOptions",
    cookie_name: "use cookieName",
    cookieoptions: "use cookieOptions",
    saveUninitialised: "use saveUninitialized",
    sameSite: "use cookieOptions: { sameSite }",
    maxAge: "use expire, in seconds",
    ttl: "use expire, in seconds",
    password: "use secret, which may be a list",
    keys: "use secret, which may be a list",
    sessionCookieName: "use cookieName",
    genid: "use generateId",
    resave: "leave it out: only changes are saved",
  };
  for (const [name, hint] of Object.entries(hints)) {
    assertThrows(() => resolve({ [name]: 1 }), TypeError, `no option "${name}" (${hint}). There`);
  }
  assertThrows(
    () => resolve({ resave: false, cookie: {}, crat: 1 } as Partial<SessionOptions>),
    TypeError,
    'there is no option "resave" (leave it out: only changes are saved), and no option "cookie" ' +
      '(use cookieOptions), and no option "crat". There are: secret',
  );
  for (const name of ["constructor", "toString"]) {
    assertThrows(() => resolve({ [name]: 1 }), TypeError, `no option "${name}". There`);
  }
});

/** The events of a middleware that is made with these options. */
function eventsOf(options: Partial<SessionOptions>): SessionEvent[] {
  const events: SessionEvent[] = [];
  new SessionMiddleware({
    secret: SECRET,
    onEvent: (event) => void events.push(event),
    ...options,
  });
  return events;
}

Deno.test("a middleware with a short secret emits one event, which does not show the secret", () => {
  for (const secret of ["keyboard cat", ["keyboard cat", SECRET], "é".repeat(15)]) {
    const [event, ...others] = eventsOf({ secret });
    assertEquals([event?.type, others], ["short-secret", []]);
    assert(!event!.message.includes("keyboard"));
  }
  for (const secret of [SECRET, "é".repeat(16), [SECRET, "the old one"]]) {
    assertEquals(eventsOf({ secret }), []);
  }
});

Deno.test("a middleware reports each option that it cannot keep", () => {
  const cases: [Partial<SessionOptions>, string | undefined][] = [
    [{ touchInterval: 181 }, "touchInterval is 181 seconds, and 180 are used"],
    [{ touchInterval: 180 }, undefined],
    [{ expire: 600 }, undefined],
    [{ expire: 600, absoluteExpire: 599 }, "expire is 600 seconds, but absoluteExpire"],
    [{ absoluteExpire: 600 }, undefined],
    [{ cookieOptions: { maxAge: 600 } }, "The cookie lives for 600 seconds, so its client"],
    [{ cookieOptions: { maxAge: false } }, undefined],
    [{ state: new CookieState({ expire: 600 }) }, "The cookie lives for 600 seconds"],
    [{ expire: 400 * 86_400 }, undefined],
    [{ expire: 86_400_000 }, "The cookie is to live for 86400000 seconds. Browsers"],
    [{ cookieOptions: { maxAge: 86_400_000 } }, "The cookie is to live for 86400000 seconds"],
    [{ expire: 86_400_000, state: new BearerState() }, undefined],
    [
      { storeTimeout: 5000 },
      "storeTimeout is 5000 seconds. It is in seconds: is 5 what",
    ],
    [{ rotateGrace: 30_000 }, "rotateGrace is 30000 seconds. It is in seconds: is 30 what"],
  ];
  for (const [options, message] of cases) {
    const events = eventsOf(options);
    if (message === undefined) assertEquals(events, []);
    else {
      assertEquals(events.map(({ type }) => type), ["questionable-option"], message);
      assert(events[0]!.message.startsWith(message), events[0]!.message);
    }
  }
});

Deno.test("a session does not end early when expire has a fraction", async () => {
  let ms = 1_700_000_000_900;
  const sessions = new SessionMiddleware({ secret: SECRET, expire: 1.5, now: () => ms });
  const response = await sessions.run(requestWith(), (session) => {
    session.set("n", 1);
    return new Response();
  });
  ms += 1400;
  const loaded = await sessions.load(requestWith({ cookie: cookieOf(response) }));
  assertEquals(loaded?.get("n"), 1);
});
