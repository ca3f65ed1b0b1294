/** Compares how BearerState and HeaderState read headers with oracles that work on code units. */
import { BearerState, type HeaderPair, HeaderState, type Scope } from "@pagi/session";
import { type Campaign, failure } from "./_campaign.ts";
import { textOf, type Units, unitsOf } from "./_cookie_oracle.ts";
import { Random } from "./_random.ts";

/** A State, and the oracle for what it should find in the header's value. */
interface Reader {
  name: string;
  header: string;
  scheme: string;
  state: HeaderState;
  expected(value: Units): Units | undefined;
}

const isBlank = (unit: number) => unit === 0x20 || unit === 0x09;
const isDigit = (unit: number) => unit >= 0x30 && unit <= 0x39;
const isUpper = (unit: number) => unit >= 0x41 && unit <= 0x5a;
const isLower = (unit: number) => unit >= 0x61 && unit <= 0x7a;
const B64_SIGNS = unitsOf("-._~+/");
const LINE_ENDS = [0x0a, 0x0d, 0x2028, 0x2029];

/** The rest after `word` at the start, which is compared after `lower`; undefined without it. */
function after(value: Units, word: string, lower: (unit: number) => number): Units | undefined {
  const units = unitsOf(word);
  return units.every((unit, at) => at < value.length && lower(value[at]!) === unit)
    ? value.slice(units.length)
    : undefined;
}

const asciiLower = (unit: number) => isUpper(unit) ? unit + 0x20 : unit;

/** RFC 6750, section 2.1: the scheme, whitespace, a b64token and nothing else. */
function bearerToken(value: Units): Units | undefined {
  const rest = after(value, "bearer", asciiLower);
  const start = rest?.findIndex((unit) => !isBlank(unit)) ?? -1;
  if (rest === undefined || start < 1) return undefined;
  const token = rest.slice(start);
  const padding = token.findLastIndex((unit) => unit !== 0x3d) + 1;
  const isToken = padding > 0 &&
    token.slice(0, padding).every((unit) =>
      isDigit(unit) || isUpper(unit) || isLower(unit) || B64_SIGNS.includes(unit)
    );
  return isToken ? token : undefined;
}

const READERS: Reader[] = [
  {
    name: "BearerState",
    header: "authorization",
    scheme: "Bearer",
    state: new BearerState(),
    expected: bearerToken,
  },
  {
    name: "HeaderState",
    header: "x-session",
    scheme: "Token",
    state: new HeaderState({ headerName: "X-Session" }),
    expected: (value) => value,
  },
  {
    name: "HeaderState with /^Token (.+)$/",
    header: "x-session",
    scheme: "Token",
    state: new HeaderState({ headerName: "X-Session", pattern: /^Token (.+)$/ }),
    expected(value) {
      const rest = after(value, "Token ", (unit) => unit);
      return rest?.length && !rest.some((unit) => LINE_ENDS.includes(unit)) ? rest : undefined;
    },
  },
  {
    name: "HeaderState with /([0-9]+)/g",
    header: "x-session",
    scheme: "Token",
    state: new HeaderState({ headerName: "X-Session", pattern: /([0-9]+)/g }),
    expected(value) {
      const start = value.findIndex(isDigit);
      if (start === -1) return undefined;
      const length = value.slice(start).findIndex((unit) => !isDigit(unit));
      return value.slice(start, length === -1 ? undefined : start + length);
    },
  },
];

const SCHEMES = [
  "Bearer",
  "bearer",
  "BEARER",
  "Basic",
  "Token",
  "token",
  "",
  "Bear\u00e9r",
  "\u00a0",
];
const GAPS = [" ", " ", " ", "  ", "\t", " \t ", "", "\u00a0", "\v", ":", ",", "\n"];
const TOKENS = [
  "0123456789abcdef".repeat(4),
  "abc",
  "YWJj==",
  "=",
  "a=b",
  "-._~+/",
  "",
  "a,b",
  '"a"',
];
const ENDS = ["", "", "", " ", "=", "\n", "\r\n", "\u00a0", "\0", "é", "\u2028", ", Bearer abc"];

function make(random: Random, scheme: string): Units {
  const units = [
    random.chance(50) ? scheme : random.pick(SCHEMES),
    random.pick(GAPS),
    random.pick(TOKENS),
    random.pick(ENDS),
  ]
    .flatMap(unitsOf);
  if (random.chance(40)) {
    for (let times = random.below(3); times >= 0; times--) {
      const at = random.below(units.length + 1);
      const unit = random.below(random.chance(5) ? 65_536 : 256);
      units.splice(at, random.below(2), ...random.some(1, () => unit));
    }
  }
  return units;
}

/** Each State finds what its oracle finds, also in several headers, which are joined to one list. */
export const headerRead: Campaign = {
  name: "header-read",
  counts: { long: 1_000_000, brief: 100_000 },
  run(count, seed) {
    const random = new Random(seed);
    const found = new Map(READERS.map(({ name }) => [name, 0]));
    for (let at = 0; at < count; at++) {
      const { name, header, scheme, state, expected } = random.pick(READERS);
      const values = random.some(random.chance(10) ? 3 : 1, () => make(random, scheme));
      const joined = values.flatMap((value, at) => at === 0 ? value : [0x2c, 0x20, ...value]);
      const scope = scopeOf(random, header, values);
      const wanted = values.length === 0 ? undefined : expected(joined);
      const got = state.extract(scope);
      if (got !== (wanted && textOf(wanted))) {
        throw failure(`${name}.extract() and the oracle differ`, {
          case: at,
          headers: values.map(textOf),
          expected: wanted && textOf(wanted),
          found: got,
        });
      }
      if (got !== undefined) found.set(name, found.get(name)! + 1);
    }
    return [...found].map(([name, times]) => `${name} found ${times}`).join(", ");
  },
};

function scopeOf(random: Random, header: string, values: Units[]): Scope {
  const headers = values.map((value): HeaderPair => [
    random.chance(50) ? header : header.toUpperCase(),
    textOf(value),
  ]);
  if (random.chance(5) && values.every(isSendable)) {
    return { type: "http", request: new Request("http://localhost/", { headers }) };
  }
  if (random.chance(50)) headers.splice(random.below(headers.length + 1), 0, [`x${header}`, "abc"]);
  return { type: "http", headers };
}

/** Whether a Request accepts the value unchanged: no NUL or line end, no whitespace at the ends. */
function isSendable(value: Units): boolean {
  const isEnd = (unit: number | undefined) => unit === undefined || !isBlank(unit);
  return isEnd(value[0]) && isEnd(value.at(-1)) &&
    value.every((unit) => unit < 256 && unit !== 0 && unit !== 0x0a && unit !== 0x0d);
}
