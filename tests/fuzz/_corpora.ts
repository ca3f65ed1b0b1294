/**
 * Test cases from the test suites of other projects, as published on npm. Their test files run
 * unchanged, but on replacements of the modules that they test, which record inputs and expectations.
 */
import httpState from "npm:tough-cookie@2.0.0/test/ietf_data/parser.json" with { type: "json" };
import cookieParse from "npm:cookie@0.1.0/test/parse.js" with { type: "text" };
import cookieSerialize from "npm:cookie@0.1.0/test/serialize.js" with { type: "text" };
import statehood from "npm:statehood@2.1.1/test/index.js" with { type: "text" };
import { textOf, unitsOf, written } from "./_cookie_oracle.ts";

/** A Cookie header and the cookies in it. */
export interface ReadCase {
  corpus: string;
  header: string;
  /** The values of each name in order; undefined if the project rejects the whole header. */
  expected: Map<string, string[]> | undefined;
}

/** A cookie to write and its Set-Cookie header. */
export interface WriteCase {
  corpus: string;
  name: string;
  value: string;
  options: Record<string, unknown>;
  expected: string;
}

type Values = Record<string, string | string[]>;

/** The IETF working group's cases for browsers (abarth/http-state): the Cookie header of each case. */
function ofHttpState(): ReadCase[] {
  return httpState.map(({ sent }: { sent: { name: string; value: string }[] }) => {
    const pairs = sent.map(({ name, value }) => ({ name: unitsOf(name), value: unitsOf(value) }));
    const expected = Map.groupBy(sent, ({ name }) => name);
    return {
      corpus: "http-state",
      header: textOf(written(pairs)),
      expected: new Map([...expected].map(([name, of]) => [name, of.map(({ value }) => value)])),
    };
  });
}

/** jshttp/cookie: the test cases of its parse() and serialize(). */
function ofCookie(): { reads: ReadCase[]; writes: WriteCase[] } {
  const corpus = "cookie";
  const reads: ReadCase[] = [];
  const writes: WriteCase[] = [];
  const parse = (header: unknown) => ({ header });
  const serialize = (name: string, value: string, options = {}) => ({ name, value, options });
  type Asked = ReturnType<typeof parse> | ReturnType<typeof serialize>;
  const note = (expected: string | Values, asked: Asked) => {
    if ("name" in asked) writes.push({ corpus, ...asked, expected: expected as string });
    // Cases that parse what was just serialized add nothing to the other cases.
    else if (typeof asked.header === "string") {
      reads.push({ corpus, header: asked.header, expected: listed(expected as Values) });
    }
  };
  const modules: Record<string, unknown> = {
    assert: { equal: note, deepEqual: note },
    "..": { parse, serialize },
  };
  for (const source of [cookieParse, cookieSerialize]) {
    runSuite(source, modules, { suite() {}, test: (_name: string, run: () => void) => run() });
  }
  return { reads, writes };
}

/** hapijs/statehood: the test cases of its parse(), except those for its own encodings. */
function ofStatehood(): ReadCase[] {
  const reads: ReadCase[] = [];
  /** Stands in for the module; passes on what a test asked, so that `expect` can record it. */
  class Definitions {
    #isPlain = true;
    add(_name: string, settings?: { encoding?: string; sign?: unknown }) {
      if (settings?.sign || (settings?.encoding ?? "none") !== "none") this.#isPlain = false;
    }
    parse(header: string, done: (...answer: unknown[]) => void) {
      const read: Asked = { header, isPlain: this.#isPlain };
      done({ ...read, is: "error" }, { ...read, is: "states" }, { ...read, is: "failed" });
    }
  }
  type Asked = { header: string; isPlain: boolean; is?: string };
  const expect = (asked: Asked | undefined) => {
    const note = (is: string, expected?: Values) => {
      if (asked?.is !== is || !asked.isPlain) return;
      const { header } = asked;
      reads.push({ corpus: "statehood", header, expected: expected && listed(expected) });
    };
    return {
      to: {
        exist: () => note("error"),
        equal() {},
        not: { exist() {} },
        have: { length() {} },
        deep: { equal: (expected: Values) => note("states", expected) },
      },
    };
  };
  let isParsing = false;
  const lab = {
    describe(name: string, run: () => void) {
      isParsing = name === "parse()";
      if (isParsing || name === "Definitions") run();
      isParsing = false;
    },
    it: (_name: string, run: (done: () => void) => void) => isParsing && run(() => {}),
  };
  runSuite(statehood, {
    code: { expect },
    lab: { script: () => lab },
    iron: { defaults: {} },
    "../": { Definitions },
  });
  return reads;
}

/** Runs a CommonJS test file. */
function runSuite(source: string, modules: Record<string, unknown>, globals = {}): void {
  const given = { require: (name: string) => modules[name], exports: {}, ...globals };
  new Function(...Object.keys(given), source)(...Object.values(given));
}

function listed(values: Values): Map<string, string[]> {
  return new Map(Object.entries(values).map(([name, value]) => [name, [value].flat()]));
}

const cookie = ofCookie();

/** The Set-Cookie headers of the working group's cases. */
export const RECEIVED: readonly string[][] = httpState.map(({ received }) => received);
export const READS: readonly ReadCase[] = [...ofHttpState(), ...cookie.reads, ...ofStatehood()];
export const WRITES: readonly WriteCase[] = cookie.writes;
