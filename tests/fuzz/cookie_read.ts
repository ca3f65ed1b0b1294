/** Compares how CookieState reads Cookie headers with an oracle written from RFC 6265bis. */
import { CookieState, type HeaderPair, type Scope } from "@pagi/session";
import { type Campaign, failure } from "./_campaign.ts";
import { jar, NAMES, wild } from "./_cookie_headers.ts";
import { isSame, textOf, type Units, unitsOf, valuesOf, written } from "./_cookie_oracle.ts";
import { Random } from "./_random.ts";

const STATES = NAMES.map((name) => ({
  name,
  units: unitsOf(name),
  state: new CookieState({ cookieName: name, cookieOptions: { secure: true } }),
}));

/** Headers that must not be read as Cookie headers. */
const OTHERS: HeaderPair[] = [
  ["host", "example.com"],
  ["set-cookie", "sid=theirs"],
  ["x-cookie", "sid=theirs"],
  ["cookie2", "sid=theirs"],
];

/** Exactly the session cookie's values are found, in order, and no header throws. */
export const cookieRead: Campaign = {
  name: "cookie-read",
  counts: { long: 10_000_000, brief: 1_000_000 },
  run(count, seed) {
    const random = new Random(seed);
    const seen = { values: 0, requests: 0, several: 0 };
    for (let at = 0; at < count; at++) {
      const { name, units, state } = random.pick(STATES);
      const { headers, expected } = random.chance(30)
        ? byBrowser(random, name, units)
        : byAnyone(random, name, units);
      const scope = scopeOf(random, headers);
      const found = listOf(state.extract(scope)).map(unitsOf);
      if (!isAlike(found, expected)) {
        throw failure("CookieState.extract() and the oracle differ", {
          case: at,
          name,
          through: scope.request === undefined ? "headers" : "a Request",
          headers: headers.map(textOf),
          expected: expected.map(textOf),
          found: found.map(textOf),
        });
      }
      seen.values += found.length;
      seen.several += headers.length > 1 ? 1 : 0;
      seen.requests += scope.request === undefined ? 0 : 1;
    }
    return `${seen.values} values found; ${seen.several} with several Cookie headers, ` +
      `${seen.requests} through a Request`;
  },
};

interface Case {
  headers: Units[];
  expected: Units[];
}

/** The header of a browser; the cookies in it are known without parsing. */
function byBrowser(random: Random, name: string, units: Units): Case {
  const pairs = jar(random, name);
  const ours = pairs.filter((pair) => isSame(pair.name, units));
  return { headers: [written(pairs)], expected: ours.map(({ value }) => value) };
}

/** One or more arbitrary headers, which are read as one list. */
function byAnyone(random: Random, name: string, units: Units): Case {
  const headers = [wild(random, name)];
  if (random.chance(15)) headers.push(...random.some(3, () => wild(random, name)));
  return { headers, expected: headers.flatMap((header) => valuesOf(header, units)) };
}

function scopeOf(random: Random, headers: Units[]): Scope {
  if (random.chance(5) && headers.every(isSendable)) {
    // Joined as Deno.serve, node:http and Bun do it; a Headers object in Deno would join by ",".
    const cookie = headers.map(textOf).join("; ");
    return { type: "http", request: new Request("http://localhost/", { headers: { cookie } }) };
  }
  const pairs = headers.map((header): HeaderPair => [
    random.pick(["cookie", "Cookie", "COOKIE", "cOOkie"]),
    textOf(header),
  ]);
  if (random.chance(50)) pairs.splice(random.below(pairs.length + 1), 0, random.pick(OTHERS));
  return { type: "http", headers: pairs };
}

/** Whether a Request accepts the header unchanged: bytes without NUL and line ends. */
function isSendable(header: Units): boolean {
  return header.every((unit) => unit < 256 && unit !== 0 && unit !== 0x0a && unit !== 0x0d);
}

function listOf(found: string | readonly string[] | undefined): readonly string[] {
  return found === undefined ? [] : typeof found === "string" ? [found] : found;
}

function isAlike(found: Units[], expected: Units[]): boolean {
  return found.length === expected.length &&
    found.every((value, at) => isSame(value, expected[at]!));
}
