/** The budgets, and whether they are met. */
import { BASELINE, CRYPTOGRAPHY, OURS } from "./contenders/contender.ts";
import { type Spread, spreadOf } from "./measure.ts";
import type { BudgetResults, Ratio } from "./results.ts";
import { NAMES } from "./runtimes.ts";

/** A budget, and what was measured for it. */
export interface Verdict {
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
  const size = (sizes[OURS] ?? NaN) / BYTES_PER_KB;
  return [
    ...ratios.filter(({ beside }) => beside === BASELINE).map(ofBaseline),
    ...cheapest(ratios.filter(({ beside }) => beside !== BASELINE && beside !== CRYPTOGRAPHY)),
    ...ratios.filter(({ beside }) => beside === CRYPTOGRAPHY).map(ofCryptography),
    ...servers.map(({ runtime, scenario, share }): Verdict => ({
      name: `${NAMES[runtime]}: ${scenario}, requests per second behind a server, ÷ ${BASELINE}`,
      measured: share,
      limit: { min: MIN_SHARE },
    })),
    ...scales.flatMap(({ runtime, bytes, read, write }): Verdict[] => [
      {
        name: `${NAMES[runtime]}: bytes of a session beside its data`,
        measured: bytes,
        limit: { max: MAX_BYTES },
        unit: "B",
      },
      ...Object.entries({ read, write }).map(([scenario, measured]): Verdict => ({
        name: `${NAMES[runtime]}: ${scenario}, growth from 1,000 to 1,000,000 sessions, ÷ a Map's`,
        measured,
        limit: { max: 1 },
      })),
    ]),
    {
      name: "Memory and Cookie, minified and gzipped",
      measured: spreadOf([size]),
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

function ofBaseline({ runtime, scenario, ratio }: Ratio): Verdict {
  return {
    name: `${NAMES[runtime]}: ${scenario}, ÷ ${BASELINE}`,
    measured: ratio,
    limit: { max: OF_BASELINE[scenario]! },
  };
}

function ofCryptography({ runtime, scenario, ratio }: Ratio): Verdict {
  return {
    name: `${NAMES[runtime]}: encrypted cookie at first sight, ${scenario}, ÷ ${CRYPTOGRAPHY}`,
    measured: ratio,
    limit: { max: OF_CRYPTOGRAPHY },
  };
}

/** For each request the library that adds least. */
function cheapest(ratios: readonly Ratio[]): Verdict[] {
  const groups = Map.groupBy(ratios, ({ runtime, scenario }) => `${NAMES[runtime]}: ${scenario}`);
  return [...groups].map(([name, group]) => {
    const highest = group.reduce((one, other) =>
      other.ratio.median > one.ratio.median ? other : one
    );
    return { name: `${name}, ÷ the cheapest library`, measured: highest.ratio, limit: { max: 1 } };
  });
}
