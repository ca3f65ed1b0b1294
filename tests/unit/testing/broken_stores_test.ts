import { assert, assertArrayIncludes, assertStringIncludes } from "@std/assert";
import { storeContract } from "@pagi/session/testing/store";
import { fakeClock } from "../../_kit/helpers.ts";
import { broken, BROKEN_STORES } from "./_broken_stores.ts";
import { CARELESS_STORES } from "./_careless_stores.ts";

for (const mistake of [...BROKEN_STORES, ...CARELESS_STORES]) {
  Deno.test(`storeContract() fails when a store has a ${mistake.name}`, async () => {
    const clock = fakeClock();
    const cases = storeContract({
      open: () => broken(mistake, clock.now),
      advance: clock.advance,
    });
    const failed: string[] = [];
    for (const { name, run } of cases) {
      await run().catch((error: Error) => {
        assertStringIncludes(error.message, `The store breaks the contract, "${name}": `);
        failed.push(name);
      });
    }
    assertArrayIncludes(failed, [mistake.clause]);
    assert(failed.length < cases.length, "a mistake in one call must not fail every case");
  });
}
