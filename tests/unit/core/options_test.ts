/** The middleware's options: which are refused, and what they are if they are left out. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { CookieState, MemoryStore, type SessionOptions } from "@pagi/session";
import { resolveOptions } from "../../../core/options.ts";

const DURATIONS = [
  "expire",
  "touchInterval",
  "absoluteExpire",
  "rotateGrace",
  "rotateInterval",
  "storeTimeout",
] as const;

const resolve = (options: Partial<SessionOptions>) =>
  resolveOptions({ secret: "s", ...options }, {
    state: () => new CookieState(),
    store: () => new MemoryStore(),
  });

for (const name of DURATIONS) {
  Deno.test(`resolveOptions() throws when ${name} is not a number of seconds`, () => {
    for (const value of [-1, NaN, Infinity, -Infinity, "30", null, {}, true, [], 30n]) {
      const { message } = assertThrows(() => resolve({ [name]: value }), RangeError);
      assertEquals(
        message,
        `Cannot make the session middleware: ${name} must be seconds, 0 or more`,
      );
    }
    for (const value of [0, 0.5, 30, 1e9]) {
      const resolved = resolve({
        [name]: value,
        expire: 1e12,
        ...name === "expire" && { expire: value },
      });
      assertEquals(resolved[name], value);
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
  assertEquals(resolve({ expire: 0 }).touchInterval, 0);
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
    'there is no option "rotateGraceSeconds"',
  );
  for (const name of DURATIONS) assert(message.includes(name), name);
});
