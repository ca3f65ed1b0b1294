import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { CookieState, type HeaderPair, type SessionError } from "@pagi/session";
import { assemble, capacityOf, split } from "../../../state/_chunks.ts";

const chunked = (options = {}) => new CookieState({ cookieName: "sid", chunks: 4, ...options });
/** The headers of a response with the value. */
function injected(state: CookieState, value: string, cookie?: string): string[] {
  const headers: HeaderPair[] = [];
  const sent: HeaderPair[] = cookie === undefined ? [] : [["cookie", cookie]];
  state.inject(headers, value, { expire: 60, scope: { type: "http", headers: sent } });
  return headers.map(([, value]) => value);
}
const pairsOf = (setCookies: readonly string[]) => setCookies.map((one) => one.split(";")[0]!);
const extracted = (state: CookieState, cookie: string) => {
  return state.extract({ type: "http", headers: [["cookie", cookie]] });
};
/** A value of so many letters, no two parts of which are equal. */
const valueOf = (length: number, seed = 0) =>
  Array.from({ length: Math.ceil(length / 6) }, (_, at) => `${100_000 + seed + at}`).join("")
    .slice(0, length);

Deno.test("CookieState with chunks reads every value that it has written", () => {
  const state = chunked();
  const most = state.maxValueBytes;
  for (const length of [1, 64, 4093, 4094, 4095, 5000, most - 1, most]) {
    const value = valueOf(length);
    const pairs = pairsOf(injected(state, value));
    assertEquals(pairs.length, length <= 4093 ? 1 : 2, `${length}`);
    for (const pair of pairs) assert(pair.length <= 4097, `${pair.length}`);
    assert(pairs.join("; ").length <= 7500);
    assertEquals(extracted(state, pairs.join("; ")), value);
    assertEquals(extracted(state, [...pairs, "a=b"].reverse().join("; ")), value);
  }
});

Deno.test("CookieState with chunks holds what maxBytes says, in as many cookies as it takes", () => {
  for (const chunks of [2, 3, 9]) {
    for (const maxBytes of [4096, 7500, chunks * 4096].filter((one) => one <= chunks * 4096)) {
      const state = chunked({ chunks, maxBytes });
      const value = valueOf(state.maxValueBytes);
      const pairs = pairsOf(injected(state, value));
      assert(pairs.length <= chunks);
      // The sign after each name is not part of the limit of browsers.
      const bytes = pairs.reduce((sum, pair) => sum + pair.length - 1, 0);
      assert(bytes <= maxBytes, `${bytes} of ${maxBytes}`);
      assert(state.maxValueBytes > maxBytes - 25 * chunks, `${state.maxValueBytes}`);
      assert(state.maxValueBytes >= new CookieState({ cookieName: "sid" }).maxValueBytes);
      assertEquals(extracted(state, pairs.join("; ")), value);
    }
  }
});

Deno.test("CookieState with chunks never combines chunks of two writes", () => {
  const state = chunked();
  const [a, b] = [0, 500_000].map((seed) => pairsOf(injected(state, valueOf(6000, seed))));
  assertEquals(extracted(state, `${a![0]}; ${b![1]}`), a![0]!.slice("sid=".length));
  assertEquals(extracted(state, `${b![0]}; ${a![1]}`), b![0]!.slice("sid=".length));
  assertEquals(extracted(state, `${a![0]}; ${b![1]}; ${a![1]}`), valueOf(6000));
  // A chunk is missing.
  assertEquals(extracted(state, a![0]!), a![0]!.slice("sid=".length));
  assertEquals(extracted(state, a![1]!), undefined);
});

Deno.test("CookieState with chunks finds each of several values, and at most one assembly too many", () => {
  const state = chunked();
  const [a, b] = [0, 500_000].map((seed) => pairsOf(injected(state, valueOf(6000, seed))));
  const both = extracted(state, [...a!, ...b!, "sid=short"].join("; "));
  assertEquals(both, [valueOf(6000), valueOf(6000, 500_000), "short"]);
  const write = /^sid=2[.]([0-9a-f]+[.])/.exec(a![0]!)![1];
  // Somebody knows the write and adds chunks. The same one again does not count.
  const added = Array.from({ length: 50 }, (_, at) => `sid.1=${write}${at}`);
  const found = extracted(state, [...a!, a![1], ...added].join("; "));
  assertEquals(found?.length, 5);
});

Deno.test("CookieState clears the chunks that a shorter value leaves, if the client sent them", () => {
  const state = chunked();
  const long = pairsOf(injected(state, valueOf(7000)));
  assertEquals(long.length, 2);
  const sent = `${long.join("; ")}; sid.3=old; sid.9=other`;
  const [value, ...cleared] = injected(state, "short", sent);
  assertEquals(pairsOf([value!]), ["sid=short"]);
  assertEquals(cleared.map((one) => one.split(";")[0]), ["sid.1=", "sid.3="]);
  assert(cleared.every((one) => one.endsWith("; Path=/; HttpOnly; SameSite=Lax; Max-Age=0")));
  assertEquals(pairsOf(injected(state, "short", "a=b")), ["sid=short"]);
  // Without a request, nobody knows.
  const headers: HeaderPair[] = [];
  state.inject(headers, "short");
  assertEquals(headers.length, 4);
});

Deno.test("CookieState.clear() removes the cookies of all chunks", () => {
  const headers: HeaderPair[] = [];
  chunked({ cookieOptions: { path: "/a" } }).clear(headers);
  assertEquals(
    headers.map(([, value]) => value),
    ["sid", "sid.1", "sid.2", "sid.3"].map((name) => {
      return `${name}=; Path=/a; HttpOnly; SameSite=Lax; Max-Age=0`;
    }),
  );
});

Deno.test("CookieState with chunks refuses a value that does not fit", () => {
  const state = chunked();
  const error = assertThrows(() => injected(state, valueOf(state.maxValueBytes + 1)));
  assertStrictEquals((error as SessionError).code, "ERR_SESSION_TOO_LARGE");
});

Deno.test("CookieState without chunks reads and writes as before", () => {
  const state = new CookieState({ cookieName: "sid" });
  assertEquals(state.maxValueBytes, 4093);
  const [first] = pairsOf(injected(chunked(), valueOf(6000)));
  assertEquals(extracted(state, first!), first!.slice("sid=".length));
});

Deno.test("CookieState checks chunks and maxBytes", () => {
  for (const chunks of [0, 1, 10, 2.5, NaN, "4", null]) {
    assertThrows(() => chunked({ chunks }), RangeError, "chunks must be 2 to 9");
  }
  for (const maxBytes of [0, 4095, 4 * 4096 + 1, 5000.5, "7500"]) {
    assertThrows(() => chunked({ maxBytes }), RangeError, "maxBytes must be 4096 to 16384");
  }
  assertThrows(() => new CookieState({ maxBytes: 7500 }), TypeError, "maxBytes needs chunks");
  assertThrows(() => chunked({ cookieName: "__Host-sid" }), TypeError, "secure");
  chunked({ cookieName: "__Host-sid", cookieOptions: { secure: true } });
});

Deno.test("split() and assemble() take any text, and capacityOf() is what fits", () => {
  for (const value of ["", "2.0123456789ab.x", "9.", "2.0123456789ab."]) {
    assertEquals(split("sid", value), [value]);
  }
  assertEquals(assemble(["2.0123456789ab.x"], () => ["0123456789ab.y"]), ["xy"]);
  assertEquals(assemble(["2.0123456789ab.x"], () => []), ["2.0123456789ab.x"]);
  assertEquals(assemble(["1.0123456789ab.x", "a.b"], () => []), ["1.0123456789ab.x", "a.b"]);
  for (const chunks of [2, 4, 9]) {
    const value = "v".repeat(capacityOf("sid", chunks, chunks * 4096));
    assertEquals(split("sid", value).length, chunks);
    assertEquals(split("sid", `${value}v`).length, chunks + 1);
  }
});
