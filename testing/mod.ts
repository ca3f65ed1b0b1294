/**
 * For authors of stores: what a store has to do, case by case, and what races make of it. No test
 * runner is needed, and any will do.
 *
 * @example A store of yours in place of MemoryStore, a test of your runner in place of each call
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { MemoryStore } from "@pagi/session/store/memory";
 * import { formatRaces, simulateRaces, storeContract } from "@pagi/session/testing";
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
// What the options are written in.
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
