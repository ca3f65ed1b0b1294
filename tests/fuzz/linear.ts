/** Checks that reading a header takes linear time, on shapes for which other parsers need quadratic time. */
import { BearerState, CookieState, HeaderState, type SessionState } from "@pagi/session";
import { type Campaign, failure } from "./_campaign.ts";

/** One way to fill a header, and the State that reads it. */
interface Shape {
  name: string;
  state: SessionState;
  header: string;
  fill(size: number): string;
}

const MOST = 65_536;
/** The largest allowed factor in time for twice the input: 2, and some noise. */
const MOST_RATIO = 2.3;
/** The number of attempts for a shape. Noise only makes a measurement slower, so the best one counts. */
const MOST_TRIES = 8;

/** Repeats `unit`, then adds `end`. */
const again = (unit: string, end = "") => (size: number) =>
  unit.repeat(Math.ceil(size / unit.length)).slice(0, size) + end;

function cookie(name: string, fill: Shape["fill"], cookieName = "sid"): Shape {
  return {
    name: `Cookie: ${name}`,
    state: new CookieState({ cookieName }),
    header: "cookie",
    fill,
  };
}

function bearer(name: string, fill: Shape["fill"]): Shape {
  return {
    name: `Authorization: ${name}`,
    state: new BearerState(),
    header: "authorization",
    fill: (size) => `Bearer ${fill(size)}`,
  };
}

function custom(name: string, fill: Shape["fill"], pattern?: RegExp): Shape {
  const state = new HeaderState({ headerName: "X-Session", pattern });
  return { name: `X-Session: ${name}`, state, header: "x-session", fill };
}

const SHAPES: Shape[] = [
  cookie("semicolons", again(";", "sid=a")),
  cookie("spaces", again(" ", "sid=a")),
  cookie("spaces in the name", (size) => `sid${" ".repeat(size)}x=a`),
  cookie("spaces before the value", (size) => `sid=${" ".repeat(size)}a`),
  cookie("spaces after the value", (size) => `sid=a${" ".repeat(size)}`),
  cookie("spaces within the value", (size) => `sid=a${" ".repeat(size)}a`),
  cookie("spaces and tabs by turns, one pair each", again(" \t;")),
  cookie("equals signs", again("=", ";sid=a")),
  cookie("equals signs in the value", (size) => `sid=${"=".repeat(size)}`),
  cookie("our name without a value", again("sid;")),
  cookie("our name, empty, again and again", again("sid=;")),
  cookie("our name with values, again and again", again("sid=abcdef; ")),
  cookie("nearly our name", again("si=a;")),
  cookie("nearly a long name", again(`${"a".repeat(99)}b=1;`), "a".repeat(100)),
  cookie("a nameless run of our name", again("sid")),
  cookie("quotes", (size) => `sid="${'\\"'.repeat(size / 2)}`),
  cookie("one long value", again("a", ";sid=a")),
  cookie("no-break spaces", again("\u00a0", "sid=a")),
  cookie("our name in a list with commas", again("sid=a, ")),
  bearer("equals signs", again("=")),
  bearer("a token, then a sign", again("a", "!")),
  bearer("a token, equals signs, then a sign", (size) => `a${"=".repeat(size)}!`),
  bearer("spaces and tabs", again(" \t", "!")),
  // An application's own pattern may be slow; this one is not.
  custom("any value", again("a ")),
  custom("digits, then a sign", again("0", "!"), /^([0-9a-f]+)$/),
];

/** Every shape up to 64 KiB; `count` is the number of samples of each. */
export const linear: Campaign = {
  name: "linear",
  // Left out in CI, because times on a shared machine prove nothing.
  counts: { long: 40, brief: 0 },
  run(count) {
    let worst = { ratio: 0, name: "" };
    for (const shape of SHAPES) {
      let ratio = Infinity;
      for (let tries = 0; ratio > MOST_RATIO && tries < MOST_TRIES; tries++) {
        ratio = Math.min(ratio, ratioOf(shape, count));
      }
      console.log(`        ${ratio.toFixed(2)} ${shape.name}`);
      if (ratio > MOST_RATIO) {
        throw failure("Twice the input takes more than twice the time", {
          shape: shape.name,
          ratio,
        });
      }
      if (ratio > worst.ratio) worst = { ratio, name: shape.name };
    }
    return `${SHAPES.length} shapes; at worst ${worst.ratio.toFixed(2)} times the time for twice ` +
      `the input (${worst.name})`;
  },
};

/**
 * The factor in time for twice the input, as the geometric mean from 16 to 64 KiB. The fastest samples
 * count, because other processes disturb them least. The mean evens out the steps of the CPU's caches.
 */
function ratioOf(shape: Shape, samples: number): number {
  const [quarter, full] = [MOST / 4, MOST].map((size) => {
    const headers: [string, string][] = [[shape.header, flat(shape.fill(size))]];
    return () => void shape.state.extract({ type: "http", headers });
  }) as [() => void, () => void];
  // A sample has enough calls to be longer than the resolution of the clock.
  let calls = 1;
  while (timeOf(quarter, calls) < 0.5) calls *= 2;
  const best = { quarter: Infinity, full: Infinity };
  for (let at = 0; at < samples; at++) {
    best.quarter = Math.min(best.quarter, timeOf(quarter, calls));
    best.full = Math.min(best.full, timeOf(full, calls));
  }
  return Math.sqrt(best.full / best.quarter);
}

function timeOf(call: () => void, calls: number): number {
  const startedAt = performance.now();
  for (let at = 0; at < calls; at++) call();
  return performance.now() - startedAt;
}

/** Copies the text into one piece, because the engine otherwise does so at the first access. */
function flat(text: string): string {
  return new TextDecoder().decode(new TextEncoder().encode(text));
}
