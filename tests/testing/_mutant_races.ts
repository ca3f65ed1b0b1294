/**
 * The races, for one copy of the sources: stops at the first guarantee that is broken and prints the
 * names of those that are, with a number that replays it. Exit code 1 then, 0 otherwise.
 *
 * @module
 */
import { MemoryStore } from "../../store/memory.ts";
import { type RaceReport, simulateRaces } from "../../testing/mod.ts";

/** Random schedules before every schedule of two requests is run; and how many are run at once. */
const RUNS = 3000;
const BATCH = 250;

const open = () => new MemoryStore();

function stopAtFailure({ failures }: RaceReport) {
  if (failures.length === 0) return;
  for (const { guarantee, number } of failures) console.log(`${guarantee} (number ${number})`);
  Deno.exit(1);
}

for (let from = 0; from < RUNS; from += BATCH) {
  stopAtFailure(await simulateRaces({ open, runs: BATCH, from, exhaustive: false }));
}
stopAtFailure(await simulateRaces({ open, runs: 0 }));
