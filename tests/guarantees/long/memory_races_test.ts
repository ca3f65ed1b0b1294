/** `MemoryStore` keeps every guarantee about concurrent requests, in every schedule of two. */
import { assert, assertEquals } from "@std/assert";
import { MemoryStore } from "@pagi/session/store/memory";
import { formatRaces, type RaceReport, simulateRaces } from "@pagi/session/testing/store";
import { describe } from "../../../testing/races/describe.ts";
import { idGenerator } from "../../../testing/races/ids.ts";
import { judge } from "../../../testing/races/oracle.ts";
import { run } from "../../../testing/races/run.ts";
import { everySchedule, RESENT_PAIRS, type Runner } from "../../../testing/races/schedules.ts";

/** All of these pairs have half a million schedules, so only one in 19 is run. */
const SHARE = 19;

const open = () => new MemoryStore();

/** Throws if a guarantee was broken. */
function assertHolds(report: RaceReport) {
  assertEquals(report.failures, [], formatRaces(report));
  const { lost, resurrected, undoneLogins, extraIds, deadSessions, wrongAnswers } = report;
  assertEquals([lost, resurrected, undoneLogins], [0, 0, 0]);
  assertEquals([extraIds, deadSessions, wrongAnswers], [0, 0, 0]);
  assertEquals(report.liveIds, { fewest: 1, most: 1 });
}

Deno.test("simulateRaces() finds no failure in any schedule of two requests when the store is a MemoryStore", async () => {
  const report = await simulateRaces({ open, runs: 0 });
  assertHolds(report);
  assert(report.runs > 30_000, `only ${report.runs} schedules`);
});

Deno.test("simulateRaces() finds no failure in random schedules when the store is a MemoryStore", async () => {
  const report = await simulateRaces({ open, runs: 4000, exhaustive: false });
  assertHolds(report);
  assertEquals(report.runs, 4000);
});

Deno.test("no schedule of two requests breaks a guarantee when one of them sends its first write twice", async () => {
  const newId = idGenerator();
  const runner: Runner = (program, choose) => run(program, choose, { store: open(), newId });
  let schedules = 0;
  for (const program of RESENT_PAIRS.filter((_, at) => at % SHARE === 0)) {
    for await (const { run } of everySchedule(program, runner)) {
      const { violations } = judge(run);
      assertEquals(violations, [], describe(run).join("\n"));
      schedules++;
    }
  }
  assert(schedules > 20_000, `only ${schedules} schedules`);
});
