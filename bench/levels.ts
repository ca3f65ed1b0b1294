/**
 * How the budgets stood in the last report, in a file that goes with it: what is known to be missed
 * is told by it from what is new.
 */
import { isMet, type Verdict } from "./budgets.ts";

/** The level of each budget, by its id. */
export type Levels = { [id: string]: number };

/** Where the levels are kept. */
export const LEVELS_FILE = "levels.json";

/** How many times worse than in the report is no noise any more: ratios move by a fifth. */
const MAX_WORSE = 1.3;
const DIGITS = 3;

/** How a budget stands beside the last report; `absent` is one that the report has and this run has not. */
export type Standing = "met" | "missed" | "absent" | "WORSE" | "BROKEN";

/** What is kept of the verdicts. */
export function levelsOf(found: readonly Verdict[]): Levels {
  return Object.fromEntries(found.map(({ id, level }) => [id, toDigits(level)]));
}

function toDigits(level: number): number {
  return Number(level.toFixed(DIGITS));
}

/** What is kept of the last report; nothing before the first. */
export async function loadLevels(): Promise<Levels> {
  try {
    return JSON.parse(await Deno.readTextFile(new URL(LEVELS_FILE, import.meta.url)));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return {};
    throw error;
  }
}

/**
 * How a budget stands: `missed` is one that the report has missed as well, or met by less than noise. What
 * is counted has none.
 */
export function standingOf(verdict: Verdict, levels: Levels): Standing {
  if (isMet(verdict)) return "met";
  const known = levels[verdict.id];
  const allowed = (known ?? 0) * (verdict.isCounted ? 1 : MAX_WORSE);
  if (toDigits(verdict.level) <= toDigits(allowed)) return "missed";
  return known === undefined || known <= 1 ? "BROKEN" : "WORSE";
}

/** The ids of budgets that the report has, and these verdicts have not. */
export function absentOf(found: readonly Verdict[], levels: Levels): string[] {
  const ids = new Set(found.map(({ id }) => id));
  return Object.keys(levels).filter((id) => !ids.has(id));
}

/** Shows the verdicts beside the last report's, and returns how each budget stands. */
export function printVerdicts(found: readonly Verdict[], levels: Levels): Standing[] {
  console.log("\nBudgets, and how many times what is allowed was measured");
  const standings = found.map((verdict): Standing => {
    const { id, name, limit, measured, level } = verdict;
    const standing = standingOf(verdict, levels);
    const before = levels[id]?.toFixed(2) ?? "nothing";
    const beside = standing === "met" ? "" : `: ${level.toFixed(2)}, and ${before} in the report`;
    console.log(`  ${standing.padEnd(6)} ${name}: ${measured} (budget: ${limit})${beside}`);
    return standing;
  });
  const absent = absentOf(found, levels);
  for (const id of absent) console.log(`  absent ${id}: not measured, and in the report`);
  return [...standings, ...absent.map((): Standing => "absent")];
}

/** What a program ends with: 2 where a budget is broken or worse, 1 where not all are met, else 0. */
export function exitCodeOf(standings: readonly Standing[]): number {
  if (standings.some((standing) => standing === "BROKEN" || standing === "WORSE")) return 2;
  return standings.every((standing) => standing === "met") ? 0 : 1;
}
