/** The budgets, and whether they are met. */
import { BASELINE, CRYPTOGRAPHY, OURS } from "./contenders/contender.ts";
import { type Spread, spreadOf } from "./measure.ts";
import type { BudgetResults, Ratio } from "./results.ts";
import type { Runtime } from "./runtimes.ts";

/** A budget, and what was measured for it. */
export interface Verdict {
  /** None if it is the same in all. */
  runtime?: Runtime;
  name: string;
  measured: Spread;
  /** The most or the least that is allowed. */
  limit: { max: number } | { min: number };
  /** What the numbers count, if they are not ratios. */
  unit?: string;
}

const OF_BASELINE: { [scenario: string]: number } = { read: 1.3, write: 1.6, new: 1.8 };
const MIN_SHARE = 0.95;
const OF_CRYPTOGRAPHY = 1.2;
const MAX_BYTES = 300;
const MAX_SIZE_KB = 12;
const BYTES_PER_KB = 1000;

/** Judges all that was measured. */
export function verdicts({ ratios, servers, scales, sizes }: BudgetResults): Verdict[] {
  const beside = (name: string) => ratios.filter((ratio) => ratio.beside === name);
  const libraries = ratios.filter(({ beside }) => beside !== BASELINE && beside !== CRYPTOGRAPHY);
  return [
    ...beside(BASELINE).map(({ runtime, scenario, ratio: measured }): Verdict => {
      const limit = { max: OF_BASELINE[scenario]! };
      return { runtime, name: `${scenario}, ÷ ${BASELINE}`, measured, limit };
    }),
    ...cheapest(libraries).map(({ runtime, scenario, ratio: measured }): Verdict => {
      const limit = { max: 1 };
      return { runtime, name: `${scenario}, ÷ the cheapest library`, measured, limit };
    }),
    ...beside(CRYPTOGRAPHY).map(({ runtime, scenario, ratio: measured }): Verdict => {
      const name = `encrypted cookie at first sight, ${scenario}, ÷ ${CRYPTOGRAPHY}`;
      return { runtime, name, measured, limit: { max: OF_CRYPTOGRAPHY } };
    }),
    ...servers.map(({ runtime, scenario, share: measured }): Verdict => {
      const name = `${scenario}, requests per second behind a server, ÷ ${BASELINE}`;
      return { runtime, name, measured, limit: { min: MIN_SHARE } };
    }),
    ...scales.flatMap(({ runtime, bytes, read, write }): Verdict[] => {
      const name = "bytes of a session beside its data";
      return [
        { runtime, name, measured: bytes, limit: { max: MAX_BYTES }, unit: "B" },
        ...Object.entries({ read, write }).map(([scenario, measured]): Verdict => {
          const name = `${scenario}, growth from 1,000 to 1,000,000 sessions, ÷ a Map's`;
          return { runtime, name, measured, limit: { max: 1 } };
        }),
      ];
    }),
    {
      name: "middleware with CookieState and MemoryStore, minified and gzipped",
      measured: spreadOf([(sizes[OURS] ?? NaN) / BYTES_PER_KB]),
      limit: { max: MAX_SIZE_KB },
      unit: "KB",
    },
  ];
}

/** Whether a budget is met. */
export function isMet({ measured, limit }: Verdict): boolean {
  return "max" in limit ? measured.median <= limit.max : measured.median >= limit.min;
}

/** The limit in words. */
export function limitOf({ limit, unit }: Verdict): string {
  const [word, value] = "max" in limit ? ["at most", limit.max] : ["at least", limit.min];
  return `${word} ${value}${unit === undefined ? "" : ` ${unit}`}`;
}

/** For each request the ratio to the library that adds least. */
function cheapest(ratios: readonly Ratio[]): Ratio[] {
  const groups = Map.groupBy(ratios, ({ runtime, scenario }) => `${runtime} ${scenario}`);
  return [...groups.values()].map((group) =>
    group.reduce((one, other) => other.ratio.median > one.ratio.median ? other : one)
  );
}
