/** `MemoryStore` keeps every guarantee about concurrent requests, in every schedule of two. */
import { assert, assertEquals } from "@std/assert";
import { MemoryStore } from "@pagi/session/store/memory";
import { formatRaces, type RaceReport, simulateRaces } from "@pagi/session/testing";

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
  assert(report.runs > 10_000, `only ${report.runs} schedules`);
});

Deno.test("simulateRaces() finds no failure in random schedules when the store is a MemoryStore", async () => {
  const report = await simulateRaces({ open, runs: 4000, exhaustive: false });
  assertHolds(report);
  assertEquals(report.runs, 4000);
});
