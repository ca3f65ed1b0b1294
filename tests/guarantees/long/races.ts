/**
 * Runs 100,000 random schedules on a MemoryStore: `long_races.ts [RUNS] [FROM]`. Prints the progress
 * and, at the end, the totals. The exit code is 0 if every guarantee held.
 *
 * @module
 */
import { MemoryStore } from "../../../store/memory.ts";
import { formatRaces, type RaceReport, simulateRaces } from "../../../testing/store.ts";

/** The number of schedules between two lines of progress. */
const BATCH = 10_000;

const [runs = 100_000, from = 1_000_000] = Deno.args.map(Number);
const startedAt = performance.now();
let total: RaceReport | undefined;

for (let done = 0; done < runs; done += BATCH) {
  const report = await simulateRaces({
    open: () => new MemoryStore(),
    runs: Math.min(BATCH, runs - done),
    from: from + done,
    exhaustive: false,
  });
  total = total === undefined ? report : sum(total, report);
  const seconds = (performance.now() - startedAt) / 1000;
  console.log(`${total.runs} of ${runs}, ${Math.round(total.runs / seconds)} per second`);
}

const report = total!;
console.log(formatRaces(report));
const isHeld = report.failures.length === 0 && report.runs === runs &&
  report.liveIds.fewest === 1 && report.liveIds.most === 1;
console.log(`races: ${isHeld ? "1 passed, 0 failed" : "0 passed, 1 failed"}`);
Deno.exit(isHeld ? 0 : 1);

/** The sum of two reports. */
function sum(a: RaceReport, b: RaceReport): RaceReport {
  return {
    runs: a.runs + b.runs,
    lost: a.lost + b.lost,
    resurrected: a.resurrected + b.resurrected,
    undoneLogins: a.undoneLogins + b.undoneLogins,
    extraIds: a.extraIds + b.extraIds,
    deadSessions: a.deadSessions + b.deadSessions,
    wrongAnswers: a.wrongAnswers + b.wrongAnswers,
    liveIds: {
      fewest: Math.min(a.liveIds.fewest, b.liveIds.fewest),
      most: Math.max(a.liveIds.most, b.liveIds.most),
    },
    replaced: a.replaced + b.replaced,
    failures: [...a.failures, ...b.failures],
  };
}
