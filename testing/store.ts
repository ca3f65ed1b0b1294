/**
 * Tests for authors of stores: {@linkcode storeContract} checks each rule of the store contract,
 * and {@linkcode simulateRaces} checks what concurrent requests do to sessions in the store. Both
 * work with any test runner, and without one.
 *
 * @example Replace MemoryStore with your store, and each call with a test of your runner
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { MemoryStore } from "@pagi/session/store/memory";
 * import { formatRaces, simulateRaces, storeContract } from "@pagi/session/testing/store";
 *
 * const open = () => new MemoryStore();
 *
 * // Deno.test(name, run), test(name, run), it(name, run) …
 * for (const { run } of storeContract({ open })) await run();
 *
 * const report = await simulateRaces({ open, runs: 200, exhaustive: false });
 * assertEquals(report.failures, [], formatRaces(report));
 * ```
 *
 * @module
 */
export {
  formatRaces,
  type Guarantee,
  type RaceFailure,
  type RaceOptions,
  type RaceReport,
  simulateRaces,
} from "./races/simulate.ts";
export {
  storeContract,
  type StoreContractCase,
  type StoreContractOptions,
} from "./contract/contract.ts";
// The types that the options refer to.
export type {
  Awaitable,
  DeleteOptions,
  PlainStore,
  ReplaceOptions,
  SessionHash,
  SessionStore,
  StoreCallOptions,
  StoredRecord,
  TouchOptions,
  VersionedStore,
  WriteOptions,
} from "../store/store.ts";
