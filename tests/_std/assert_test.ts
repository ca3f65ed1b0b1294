/**
 * Pins each assertion by what must pass and what must fail, for `@std/assert` and its stand-in. Where
 * JSR is reachable, the last test compares the two on every pair of many values.
 */

import {
  assert,
  assertArrayIncludes,
  assertEquals,
  assertExists,
  assertFalse,
  assertGreater,
  assertGreaterOrEqual,
  assertInstanceOf,
  assertLess,
  assertLessOrEqual,
  assertMatch,
  assertNotEquals,
  assertNotMatch,
  assertObjectMatch,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
  fail,
  unreachable,
} from "@std/assert";
import * as std from "@std/assert";
import * as standIn from "./assert.ts";
import { contains, equal } from "./equal.ts";

type Cases = Record<string, () => unknown>;

/** Registers the cases of one assertion. */
function pin(symbol: string, { passes, fails }: { passes: Cases; fails: Cases }) {
  for (const [what, run] of Object.entries(passes)) {
    Deno.test(`${symbol}() passes: ${what}`, async () => void await run());
  }
  for (const [what, run] of Object.entries(fails)) {
    Deno.test(`${symbol}() fails: ${what}`, async () => {
      let error: unknown;
      try {
        await run();
      } catch (thrown) {
        error = thrown;
      }
      // Without an assertion, because the assertions are what is tested.
      if (!(error instanceof Error && error.name === "AssertionError")) {
        throw new Error(`Expected an AssertionError, not ${Deno.inspect(error)}`);
      }
    });
  }
}

/** Both assertions of equality from one table. */
function pinEquality(equals: Record<string, [unknown, unknown]>, differs: typeof equals) {
  const cases = (table: typeof equals, assertion: typeof assertEquals) =>
    Object.fromEntries(
      Object.entries(table).map(([what, [a, b]]) => [what, () => assertion(a, b)]),
    );
  pin("assertEquals", {
    passes: cases(equals, assertEquals),
    fails: cases(differs, assertEquals),
  });
  pin("assertNotEquals", {
    passes: cases(differs, assertNotEquals),
    fails: cases(equals, assertNotEquals),
  });
}

const bare = (members: object): object => Object.assign(Object.create(null), members);
const proto = (value: unknown): object => JSON.parse(`{"__proto__":${JSON.stringify(value)}}`);
const loop = (name: string): object => {
  const self: Record<string, unknown> = { name };
  return Object.assign(self, { self });
};
const testing = (pattern: RegExp, result: boolean) =>
  Object.assign(pattern, { test: () => result });
const symbol = Symbol("key");
const headers = new Headers();
class Point {
  x = 1;
}
const shared = { p: 1 };
const larger = { p: 1, q: 2 };
const part = { p: 1 };

pinEquality({
  "the same number": [1, 1],
  "NaN and NaN": [NaN, NaN],
  "0 and -0": [{ n: 0 }, { n: -0 }],
  "keys in another order": [{ a: 1, b: 2 }, { b: 2, a: 1 }],
  "a bare and a plain object": [bare({ a: 1 }), { a: 1 }],
  "a plain and a bare object, deep": [[{ in: { a: 1 } }], [{ in: bare({ a: 1 }) }]],
  "the same own __proto__": [proto({ a: 1 }), proto({ a: 1 })],
  "the same instance": [headers, headers],
  "equal dates": [new Date(7), new Date(7)],
  "two invalid dates": [new Date(NaN), new Date(NaN)],
  "equal patterns": [/a/g, /a/g],
  "equal URLs": [new URL("http://a/"), new URL("http://a")],
  "equal bytes": [new Uint8Array([1, 2]), new Uint8Array([1, 2])],
  "maps in another order": [new Map([["a", 0], ["b", 1]]), new Map([["b", 1], ["a", -0]])],
  "sets in another order": [new Set([1, "a"]), new Set(["a", 1])],
  "equal cycles": [loop("a"), loop("a")],
}, {
  "a number and its text": [1, "1"],
  "null and undefined": [null, undefined],
  "undefined and absent": [{ a: undefined }, {}],
  "absent and undefined": [{}, { a: undefined }],
  "undefined under different keys": [{ a: undefined }, { b: undefined }],
  "a value, deep": [{ a: [{ b: 1 }] }, { a: [{ b: 2 }] }],
  "a value of a bare object": [bare({ a: 1 }), { a: 2 }],
  "an own __proto__ and none": [proto({ a: 1 }), { a: 1 }],
  "a value under a symbol": [{ [symbol]: 1 }, { [symbol]: 2 }],
  "an array and its object": [["a"], { 0: "a" }],
  "a hole and undefined": [[, 1], [undefined, 1]],
  "a longer array": [[1, 2], [1]],
  "an array in another order": [[1, 2], [2, 1]],
  "an instance and a plain object": [new Point(), { x: 1 }],
  "two functions": [() => 1, () => 1],
  "dates": [new Date(7), new Date(8)],
  "a date and its number": [new Date(7), 7],
  "flags of a pattern": [/a/g, /a/],
  "URLs": [new URL("http://a/"), new URL("http://b/")],
  "bytes": [new Uint8Array([1, 2]), new Uint8Array([1, 3])],
  "fewer bytes": [new Uint8Array([1, 2]), new Uint8Array([1])],
  "values of maps": [new Map([["a", 1]]), new Map([["a", 2]])],
  "keys of maps": [new Map([["a", undefined]]), new Map([["b", undefined]])],
  "a larger map": [new Map([["a", 1], ["b", 1]]), new Map([["a", 1]])],
  "members of sets": [new Set([1]), new Set([2])],
  "a larger set": [new Set([1]), new Set([1, 2])],
  "cycles": [loop("a"), loop("b")],
  "a property of a pattern": [Object.assign(/a/, { own: 1 }), /a/],
  "a property of a Map": [Object.assign(new Map(), { own: 1 }), new Map()],
  "a property of a Set": [Object.assign(new Set(), { own: 1 }), new Set()],
  "a function and an object": [() => 1, {}],
  "a Map and a Set": [new Map(), new Set()],
});

Deno.test("equal() refuses what it does not know", () => {
  assertThrows(() => equal({ in: new Headers() }, { in: new Headers() }), TypeError, "Headers");
  assertThrows(() => equal(new Point(), new Point()), TypeError, "Point");
  assertThrows(() => equal(new Error("a"), new Error("a")), TypeError, "Error");
  assertThrows(() => equal(new Set([{}]), new Set([{}])), TypeError, "Set");
  assertThrows(() => equal(new Map([[{}, 1]]), new Map([[{}, 1]])), TypeError, "Map");
});

Deno.test("contains() refuses what it does not know", () => {
  for (const value of [new Map(), new Set(), new URL("http://a/"), new Uint8Array(), new Point()]) {
    assertThrows(() => contains({ a: {} }, { a: value }), TypeError, value.constructor.name);
  }
  const moved = Object.assign(/a/g, { lastIndex: 1 });
  for (const [a, b] of [[moved, /a/g], [new Date(7), new Date(7)], [/a/, {}], [{}, /a/]]) {
    assertThrows(() => contains(a, b), TypeError, "a date or a pattern");
  }
});

Deno.test("the stand-in of assertArrayIncludes() refuses what is not an array", () => {
  for (const list of [{ length: 0 }, { length: -1 }, { length: 1.5, 0: 1 }, new Uint8Array([1])]) {
    assertThrows(() => standIn.assertArrayIncludes<unknown>(list, [1]), TypeError, "an array");
    assertThrows(() => standIn.assertArrayIncludes<unknown>([1], list), TypeError, "an array");
  }
});

pin("assertStrictEquals", {
  passes: {
    "the same text": () => assertStrictEquals("a", "a"),
    "NaN": () => assertStrictEquals(NaN, NaN),
  },
  fails: {
    "equal objects": () => assertStrictEquals({}, {}),
    "0 and -0": () => assertStrictEquals(0, -0),
    "a number and its text": () => assertStrictEquals<unknown>(1, "1"),
  },
});

pin("assert", {
  passes: { "an empty array": () => assert([]) },
  fails: { "undefined": () => assert(undefined), "no text": () => assert("") },
});

pin("assertFalse", {
  passes: { "0": () => assertFalse(0), "null": () => assertFalse(null) },
  fails: { "true": () => assertFalse(true), "an object": () => assertFalse({}) },
});

pin("assertExists", {
  passes: { "0": () => assertExists(0), "a bare object": () => assertExists(bare({})) },
  fails: { "undefined": () => assertExists(undefined), "null": () => assertExists(null) },
});

pin("assertObjectMatch", {
  passes: {
    "a part": () => assertObjectMatch({ a: 1, b: 2 }, { a: 1 }),
    "a part, deep": () => assertObjectMatch({ a: { b: 1, c: 2 }, d: 3 }, { a: { b: 1 } }),
    "of a bare object": () => assertObjectMatch(bare({ a: bare({ b: 1 }) }), { a: { b: 1 } }),
    "of an instance": () => assertObjectMatch(new Point(), { x: 1 }),
    "of objects in an array": () => assertObjectMatch({ a: [{ b: 1, c: 2 }] }, { a: [{ b: 1 }] }),
    "of an instance, deep": () => assertObjectMatch({ a: new Point() }, { a: { x: 1 } }),
    "equal dates": () => assertObjectMatch({ a: new Date(7), b: 1 }, { a: new Date(7) }),
    "equal patterns": () => assertObjectMatch({ a: /a/g, b: 1 }, { a: /a/g }),
    "0 and -0": () => assertObjectMatch({ a: 0, b: NaN }, { a: -0, b: NaN }),
    "a symbol": () => assertObjectMatch({ [symbol]: 1, b: 2 }, { [symbol]: 1 }),
    "the same function": () => assertObjectMatch({ a: fail, b: 1 }, { a: fail }),
    "a whole object in two places": () =>
      assertObjectMatch({ a: shared, b: shared }, { a: part, b: part }),
  },
  fails: {
    "another value": () => assertObjectMatch({ a: 1 }, { a: 2 }),
    "another value, deep": () => assertObjectMatch({ a: { b: 1 } }, { a: { b: 2 } }),
    "a missing key": () => assertObjectMatch({ a: 1 }, { a: 1, b: 2 }),
    "a missing key that is undefined": () => assertObjectMatch({}, { a: undefined }),
    "an inherited key": () => assertObjectMatch({ b: 1 }, { toString: Object.prototype.toString }),
    "a shorter array": () => assertObjectMatch({ a: [1] }, { a: [1, 2] }),
    "a hole in the expected": () => assertObjectMatch({ a: [5, 1] }, { a: [, 1] }),
    "no object": () => assertObjectMatch({ a: 1 }, { a: {} }),
    "a pattern for an object": () => assertObjectMatch({ a: /a/ }, { a: {} }),
    "a date for an object": () => assertObjectMatch({ a: new Date(0) }, { a: {} }),
    "a date in an array for an object": () => assertObjectMatch({ a: [new Date(0)] }, { a: [{}] }),
    "an object for a date": () => assertObjectMatch({ a: {} }, { a: new Date(0) }),
    "another date": () => assertObjectMatch({ a: new Date(7) }, { a: new Date(8) }),
    "another pattern": () => assertObjectMatch({ a: /a/g }, { a: /a/ }),
    "a function for an object": () => assertObjectMatch({ a: () => 1 }, { a: {} }),
    "another function": () => assertObjectMatch({ a: () => 1 }, { a: () => 1 }),
    "another value under a symbol": () => assertObjectMatch({ [symbol]: 1 }, { [symbol]: 2 }),
    "an array for an object with its keys": () => assertObjectMatch({ a: {} }, { a: [] }),
    "null for an object": () => assertObjectMatch({ a: null }, { a: {} }),
    "a part of an object in two places": () =>
      assertObjectMatch({ a: larger, b: larger }, { a: part, b: part }),
    "another cycle": () => assertObjectMatch({ a: loop("a") }, { a: loop("b") }),
  },
});

pin("assertArrayIncludes", {
  passes: {
    "some": () => assertArrayIncludes([1, 2, 3], [3, 1]),
    "an equal object": () => assertArrayIncludes([{ a: 1 }, { b: 2 }], [{ b: 2 }]),
  },
  fails: {
    "one that is missing": () => assertArrayIncludes([1, 2], [1, 3]),
    "another object": () => assertArrayIncludes([{ a: 1 }], [{ a: 2 }]),
    "a hole": () => assertArrayIncludes([1], [, 1]),
  },
});

pin("assertStringIncludes", {
  passes: { "a part": () => assertStringIncludes("session", "ssi") },
  fails: { "another case": () => assertStringIncludes("session", "SSI") },
});

pin("assertMatch", {
  passes: { "a match": () => assertMatch("session", /^s/) },
  fails: {
    "no match": () => assertMatch("session", /^S/),
    "a test() that returns false": () => assertMatch("session", testing(/^s/, false)),
  },
});

pin("assertNotMatch", {
  passes: { "no match": () => assertNotMatch("session", /^S/) },
  fails: {
    "a match": () => assertNotMatch("session", /^s/),
    "a test() that returns true": () => assertNotMatch("session", testing(/^S/, true)),
  },
});

pin("assertGreater", {
  passes: { "2 > 1": () => assertGreater(2, 1) },
  fails: { "1 > 1": () => assertGreater(1, 1), "NaN > 1": () => assertGreater(NaN, 1) },
});

pin("assertGreaterOrEqual", {
  passes: { "1 >= 1": () => assertGreaterOrEqual(1, 1) },
  fails: { "0 >= 1": () => assertGreaterOrEqual(0, 1), "NaN": () => assertGreaterOrEqual(NaN, 1) },
});

pin("assertLess", {
  passes: { "1 < 2": () => assertLess(1, 2) },
  fails: { "1 < 1": () => assertLess(1, 1), "NaN < 1": () => assertLess(NaN, 1) },
});

pin("assertLessOrEqual", {
  passes: { "1 <= 1": () => assertLessOrEqual(1, 1) },
  fails: { "2 <= 1": () => assertLessOrEqual(2, 1), "NaN": () => assertLessOrEqual(NaN, 1) },
});

pin("assertInstanceOf", {
  passes: { "a subclass": () => assertInstanceOf(new TypeError(), Error) },
  fails: {
    "a base class": () => assertInstanceOf(new Error(), TypeError),
    "a look-alike": () => assertInstanceOf({ x: 1 }, Point),
    "null": () => assertInstanceOf(null, Point),
  },
});

const thrower = (error: unknown) => () => {
  throw error;
};
const rejecter = (error: unknown) => () => Promise.reject(error);

pin("assertThrows", {
  passes: {
    "anything": () => assertThrows(thrower("text")),
    "a subclass": () => assertThrows(thrower(new TypeError("a")), Error),
    "a part of the message": () => assertThrows(thrower(new TypeError("a b")), TypeError, "b"),
    "and returns the error": () => {
      const error = new TypeError("a");
      assertStrictEquals(assertThrows(thrower(error), TypeError), error);
      assertStrictEquals(assertThrows(thrower(error)), error);
    },
  },
  fails: {
    "nothing thrown": () => assertThrows(() => {}),
    "nothing thrown, with a class": () => assertThrows(() => {}, Error),
    "another class": () => assertThrows(thrower(new Error("a")), TypeError),
    "another message": () => assertThrows(thrower(new Error("a")), Error, "b"),
    "a part of an ANSI code": () => assertThrows(thrower(new Error("\x1b[1ma")), Error, "[1m"),
    "no Error": () => assertThrows(thrower("text"), Error),
    "no Error, but its message": () => assertThrows(thrower({ message: "a" }), Error, "a"),
    "a rejection": () => assertThrows(() => void rejecter(new Error("a"))().catch(() => {})),
  },
});

pin("assertRejects", {
  passes: {
    "anything": () => assertRejects(rejecter("text")),
    "a subclass": () => assertRejects(rejecter(new TypeError("a")), Error),
    "a part of the message": () => assertRejects(rejecter(new TypeError("a b")), TypeError, "b"),
    "and resolves to the error": async () => {
      const error = new TypeError("a");
      assertStrictEquals(await assertRejects(rejecter(error), TypeError), error);
      assertStrictEquals(await assertRejects(rejecter(error)), error);
    },
  },
  fails: {
    "a promise that resolves": () => assertRejects(() => Promise.resolve()),
    "with a class": () => assertRejects(() => Promise.resolve(), Error),
    "a synchronous throw": () => assertRejects(thrower(new Error("a")) as () => Promise<void>),
    "no promise": () => assertRejects((() => 1) as unknown as () => Promise<void>),
    "another class": () => assertRejects(rejecter(new Error("a")), TypeError),
    "another message": () => assertRejects(rejecter(new Error("a")), Error, "b"),
    "a part of an ANSI code": () => assertRejects(rejecter(new Error("\x1b[1ma")), Error, "[1m"),
    "no Error": () => assertRejects(rejecter("text"), Error),
  },
});

pin("fail", { passes: {}, fails: { "always": () => fail("so") } });
pin("unreachable", { passes: {}, fails: { "always": () => unreachable() } });

/** Values of many kinds. Each call makes new ones. */
function values(): unknown[] {
  const date = new Date(7);
  const sparse = [, 1];
  // deno-fmt-ignore
  return [
    undefined, null, true, 0, -0, 1, NaN, 1n, "", "a", symbol, fail, () => 1,
    {}, { a: 1 }, { a: undefined }, { a: 1, b: 2 }, { b: 2, a: 1 }, { a: { b: 1 } }, { a: {} },
    { a: { b: 1, c: 2 } }, { a: [] }, { a: [1, 2] }, { a: [{ b: 1, c: 2 }] }, { a: [{ b: 1 }] },
    { a: [{}] }, { a: null }, { a: 0 }, { a: -0 }, { a: NaN }, { a: fail }, { [symbol]: 1 },
    { a: date }, { a: [date] }, { a: /a/g }, { a: /a/ }, { a: new Map([["b", 1]]) },
    { a: new Set([1]) }, { a: new URL("http://a/") }, { a: new Uint8Array([1]) },
    { a: new Point() }, { a: new Error("a") }, { a: sparse }, { a: [undefined, 1] },
    { a: loop("a") }, { a: loop("b") }, { a: shared, b: shared }, { a: larger, b: larger },
    { a: part, b: part }, { a: { p: 1 }, b: { p: 1 } },
    [], [1], [1, 2], [, 1], [undefined, 1], [[]], [{ a: 1 }], [{ a: 1, b: 2 }], { 0: 1 },
    { length: 0 }, Object.assign([1], { own: 1 }), bare({}), bare({ a: 1 }), proto({ a: 1 }),
    date, new Date(7), new Date(8), new Date(NaN), /a/, /a/g, Object.assign(/a/, { own: 1 }),
    new URL("http://a/"), new URL("http://b/"), new URLSearchParams("a=1"),
    new Map(), new Map([["a", 1]]), new Map([["a", { b: 1 }]]), new Map([[{}, 1]]),
    Object.assign(new Map(), { own: 1 }), new Set(), new Set([1]), new Set([{}]),
    new Uint8Array([1]), new Uint8Array([2]), new Uint16Array([1]), new ArrayBuffer(1),
    new Point(), new Error("a"), new TypeError("a"), new Number(1), new String("a"), headers,
    loop("a"), loop("b"),
  ];
}

/** Returns whether a call neither throws nor returns false. */
function passes(call: () => unknown): boolean {
  try {
    return call() !== false;
  } catch {
    return false;
  }
}

type Judge = (actual: never, expected: never) => unknown;

/** The decisions of both. Of the stand-ins, without the text of a failure, which takes most of the time. */
const DECISIONS: Record<string, [std: Judge, standIn: Judge]> = {
  assertEquals: [std.assertEquals, equal],
  assertNotEquals: [std.assertNotEquals, (a, b) => !equal(a, b)],
  assertStrictEquals: [std.assertStrictEquals, Object.is],
  assertObjectMatch: [std.assertObjectMatch, contains],
  assertArrayIncludes: [std.assertArrayIncludes, standIn.assertArrayIncludes],
};

for (const [name, [std, standIn]] of Object.entries(DECISIONS)) {
  Deno.test(`the stand-in of ${name}() passes nothing that ${name}() of @std fails`, () => {
    for (const actual of values() as never[]) {
      for (const expected of values() as never[]) {
        if (passes(() => standIn(actual, expected)) && !passes(() => std(actual, expected))) {
          const pair = `${Deno.inspect(actual)} and ${Deno.inspect(expected)}`;
          throw new Error(`The stand-in of ${name}() passes ${pair}`);
        }
      }
    }
  });
}
