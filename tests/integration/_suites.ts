/** The published suites, as every store here runs them. */
import type { VersionedStore } from "@pagi/session/store";
import { formatRaces, simulateRaces, storeContract } from "@pagi/session/testing/store";

/** A case of the contract that a store does not pass. It must fail as `fails` demands. */
export interface Exception {
  /** The end of its name. */
  name: string;
  fails(error: Error): void;
}

/**
 * Holds a store to the contract, with a step for each case. All cases run concurrently, under keys
 * of their own, so that those which wait for expiry wait together.
 */
export async function holdToContract(
  t: Deno.TestContext,
  store: VersionedStore,
  exceptions: Exception[] = [],
): Promise<void> {
  const cases = storeContract({ open: () => store, waitForExpiry: true });
  const outcomes = cases.map(({ name, run }) => {
    const outcome = run().then(() => undefined, (error: Error) => error);
    return { name, outcome, exception: exceptions.find((other) => name.endsWith(other.name)) };
  });
  for (const { name, outcome, exception } of outcomes) {
    await t.step(exception === undefined ? name : `cannot, and says so: ${name}`, async () => {
      const error = await outcome;
      if (exception === undefined) {
        if (error !== undefined) throw error;
      } else if (error === undefined) throw new Error("The case passes, so it is not an exception");
      else exception.fails(error);
    });
  }
}

/** Runs races on a store. Each run starts at a random number, so that the races differ. */
export async function race(store: VersionedStore, runs: number): Promise<void> {
  const from = Math.floor(Math.random() * 1_000_000);
  const report = await simulateRaces({ open: () => store, runs, from, exhaustive: false });
  if (report.failures.length > 0) throw new Error(formatRaces(report));
}
