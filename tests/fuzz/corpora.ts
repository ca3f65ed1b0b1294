/** What other projects test their cookies with, through CookieState; where it differs, and why. */
import { type CookieOptions, CookieState, type HeaderPair } from "@pagi/session";
import { CookieJar } from "npm:tough-cookie@6.1.0";
import { type Campaign, failure } from "./_campaign.ts";
import { type ReadCase, READS, RECEIVED, type WriteCase, WRITES } from "./_corpora.ts";

/** Where CookieState differs on purpose: at most ten of these, each of use. */
const DEVIATIONS = {
  name: "A name that is no token of RFC 9110 cannot be ours: the object is not made",
  quotes: "Quotes are part of a value, as they are for browsers",
  decoding: "Nothing is decoded: what was set is what comes back",
  refusal: "One odd pair does not spoil the header: junk from elsewhere must not log a client out",
  path: "A Path is always written: browsers make one of the page's address where there is none",
  encoding: "What a cookie cannot carry throws: an id that had to be encoded would be another id",
} as const;

type Deviation = keyof typeof DEVIATIONS;

/** Every case of every corpus; `count` is how often. */
export const corpora: Campaign = {
  name: "corpora",
  counts: { long: 1, brief: 1 },
  run(count) {
    const used = new Map<Deviation, number>();
    let alike = 0;
    const note = (outcome: Deviation | "alike") => {
      if (outcome === "alike") alike++;
      else used.set(outcome, (used.get(outcome) ?? 0) + 1);
    };
    for (let at = 0; at < count; at++) {
      for (const one of [...READS, ...ofJars()]) for (const outcome of read(one)) note(outcome);
      for (const one of WRITES) note(write(one));
    }
    for (const [deviation, times] of used) {
      console.log(`        ${times} of ${deviation}: ${DEVIATIONS[deviation]}`);
    }
    const idle = (Object.keys(DEVIATIONS) as Deviation[]).filter((one) => !used.has(one));
    if (count > 0 && idle.length > 0) throw new Error(`No case deviates any more by ${idle}`);
    const deviating = [...used.values()].reduce((sum, times) => sum + times, 0);
    return `${alike} as expected, ${deviating} deviate for ${used.size} reasons`;
  },
};

/** What a jar sends after each of the working group's cases, which has to be read as it is there. */
function ofJars(): ReadCase[] {
  return RECEIVED.map((received): ReadCase => {
    const jar = new CookieJar(undefined, { rejectPublicSuffixes: false });
    const url = "https://home.example.org/cookie-parser";
    for (const text of received) jar.setCookieSync(text, url, { ignoreError: true });
    const cookies = jar.getCookiesSync(url);
    const names = Map.groupBy(cookies, ({ key }) => key);
    return {
      corpus: "http-state through tough-cookie",
      header: jar.getCookieStringSync(url),
      expected: new Map([...names].map(([name, of]) => [name, of.map(({ value }) => value)])),
    };
  });
}

/** What became of each name of a header. */
function read({ corpus, header, expected }: ReadCase): (Deviation | "alike")[] {
  // A header that others refuse as a whole is not even to throw.
  if (expected === undefined) {
    return valuesOf(header, "c") === undefined ? ["alike"] : ["refusal"];
  }
  return [...expected].map(([name, values]) => {
    const found = valuesOf(header, name);
    if (found === "not a name") return "name";
    const isAlike = (change: (value: string) => string) =>
      JSON.stringify(found?.map(change)) === JSON.stringify(values);
    if (isAlike((value) => value)) return "alike";
    if (isAlike((value) => value.replace(/^"(.*)"$/, "$1"))) return "quotes";
    if (isAlike(decodeURIComponent)) return "decoding";
    throw failure("CookieState.extract() differs", { corpus, header, name, values, found });
  });
}

function valuesOf(
  header: string,
  cookieName: string,
): readonly string[] | "not a name" | undefined {
  let state: CookieState;
  try {
    state = new CookieState({ cookieName, cookieOptions: { secure: true } });
  } catch (error) {
    if (error instanceof TypeError && error.message.includes("cookieName")) return "not a name";
    throw error;
  }
  const found = state.extract({ type: "http", headers: [["cookie", header]] });
  return typeof found === "string" ? [found] : found;
}

function write({ corpus, name, value, options, expected }: WriteCase): Deviation | "alike" {
  // Without PAGI's defaults; how to encode is not among our options.
  const { encode: _, ...given } = options;
  const bare: CookieOptions = { httpOnly: false, sameSite: false, maxAge: false, ...given };
  const headers: HeaderPair[] = [];
  try {
    new CookieState({ cookieName: name, cookieOptions: bare }).inject(headers, value);
  } catch (error) {
    if (error instanceof TypeError && /[ ]/.test(value)) return "encoding";
    throw error;
  }
  const text = headers[0]![1];
  if (text === expected) return "alike";
  if (text.replace("; Path=/", "") === expected) return "path";
  throw failure("CookieState.inject() differs", { corpus, name, value, options, expected, text });
}
