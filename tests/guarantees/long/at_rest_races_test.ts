/** `HashedStore` and `SealedStore` keep every guarantee about concurrent requests. */
import { assertEquals } from "@std/assert";
import { MemoryStore } from "@pagi/session";
import { formatRaces, simulateRaces } from "@pagi/session/testing/store";
import { WRAPPERS } from "../../_kit/at_rest_wrappers.ts";

for (const [name, wrap] of Object.entries(WRAPPERS)) {
  Deno.test(`simulateRaces() finds no failure in random schedules when the store is a ${name}`, async () => {
    const open = () => wrap(new MemoryStore());
    const report = await simulateRaces({ open, runs: 1000, exhaustive: false });
    assertEquals(report.failures, [], formatRaces(report));
    assertEquals(report.liveIds, { fewest: 1, most: 1 });
  });
}

Deno.test("simulateRaces() finds no failure when thousands of browsers share one wrapped store", async () => {
  const store = WRAPPERS["SealedStore before HashedStore"]!(new MemoryStore());
  const report = await simulateRaces({ open: () => store, runs: 3000, exhaustive: false });
  assertEquals(report.failures, [], formatRaces(report));
});
