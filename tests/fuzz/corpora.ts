/** Runs the cookie tests of other projects on CookieState and lists where it differs on purpose. */
import { type CookieOptions, CookieState, type HeaderPair } from "@pagi/session";
import { CookieJar } from "npm:tough-cookie@6.1.0";
import { type Campaign, failure } from "./_campaign.ts";
import { type ReadCase, READS, RECEIVED, type WriteCase, WRITES } from "./_corpora.ts";

/** The intended differences. Each of them must occur. */
const DEVIATIONS = {
  name: "A name that is not a token of RFC 9110 is refused by the constructor",
  quotes: "Quotes are part of the value, as in browsers",
  decoding: "Values are not decoded, so what was set is what is read",
  refusal: "An odd pair does not spoil the header, so a foreign cookie cannot log a client out",
  path: "A Path is always written, because browsers derive one from the page's URL otherwise",
  encoding: "A value that a cookie cannot carry throws, because an encoded ID would be another ID",
} as const;

type Deviation = keyof typeof DEVIATIONS;

/** Every case of every corpus; `count` is the number of repetitions. */
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

/** The header that a jar sends after each of the working group's cases, and the cookies in the jar. */
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

/** The result for each name of a header. */
function read({ corpus, header, expected }: ReadCase): (Deviation | "alike")[] {
  // A header that the project rejects must not throw.
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
  // Without the defaults of CookieState, which has no option `encode`.
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
