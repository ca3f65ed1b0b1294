/**
 * {@linkcode storeContract}: the rules that a store has to keep, as test cases.
 *
 * @module
 */
import { checkOptions } from "../../base/check_options.ts";
import type { Awaitable, VersionedStore } from "../../store/store.ts";
import { CALLS } from "./calls.ts";
import { EXPIRY } from "./expiry.ts";
import { type Clause, Records } from "./kit.ts";
import { RACES } from "./races.ts";
import { VALUES } from "./values.ts";

/** Options of {@linkcode storeContract}. */
export interface StoreContractOptions {
  /**
   * Opens the store; called once for each case. It may return the same store each time, and the
   * store may be on a server that holds other data.
   */
  open: () => Awaitable<VersionedStore>;
  /**
   * Closes a store that `open` returned; called after each case.
   *
   * @default {undefined, stores are not closed}
   */
  close?: (store: VersionedStore) => Awaitable<void>;
  /**
   * Moves the store's clock forward by a number of seconds. Set it if your store takes a clock, so
   * that the cases about expiry do not have to wait.
   *
   * @default {undefined, see `waitForExpiry`}
   */
  advance?: (seconds: number) => Awaitable<void>;
  /**
   * Includes the cases about expiry although there is no `advance`. Each of them then waits two
   * seconds of real time. Without `advance` and `waitForExpiry` these cases are left out.
   *
   * @default {false}
   */
  waitForExpiry?: boolean;
}

/** One rule of the contract, as a test case. */
export interface StoreContractCase {
  /** The rule in words, unique among the cases. Use it as the name of your test. */
  readonly name: string;
  /**
   * Opens the store, checks the rule and closes the store.
   *
   * @throws {Error} When the store breaks the rule. The message has the rule and what happened.
   */
  run(): Promise<void>;
}

/**
 * Returns the contract of {@linkcode VersionedStore} as test cases. Each case has a name and a
 * function that rejects if the store breaks the rule, so any test runner can run it.
 * `docs/store-contract.md` explains the rules. Each case uses new random keys, so the store may hold
 * other data.
 *
 * @throws {TypeError} When an option is unknown or of the wrong kind.
 *
 * @example In Deno, call `Deno.test(name, run)` in the loop
 * ```ts
 * import { assert } from "@std/assert";
 * import { MemoryStore } from "@pagi/session/store/memory";
 * import { storeContract } from "@pagi/session/testing/store";
 *
 * const clock = { now: 0 };
 * const cases = storeContract({
 *   open: () => new MemoryStore({ now: () => clock.now }),
 *   advance: (seconds) => void (clock.now += seconds * 1000),
 * });
 * for (const { name, run } of cases) {
 *   await run();
 *   assert(name.length > 0);
 * }
 * ```
 */
export function storeContract(options: StoreContractOptions): StoreContractCase[] {
  checkOptions("storeContract", options, ["open", "close", "advance", "waitForExpiry"]);
  for (const name of ["open", "close", "advance"] as const) {
    const isMissing = options[name] === undefined && name !== "open";
    if (isMissing || typeof options[name] === "function") continue;
    throw new TypeError(`Cannot make storeContract: ${name} must be a function`);
  }
  const clauses = [...CALLS, ...VALUES, ...RACES, ...EXPIRY];
  const canExpire = options.advance !== undefined || options.waitForExpiry === true;
  return clauses
    .filter(({ expires }) => canExpire || !expires)
    .map((clause) => ({ name: clause.name, run: () => hold(clause, options) }));
}

async function hold(clause: Clause, { open, close, advance }: StoreContractOptions): Promise<void> {
  const store = await open();
  try {
    await clause.check(new Records(store, advance ?? wait));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`The store breaks the contract, "${clause.name}": ${why}`, { cause });
  } finally {
    await close?.(store);
  }
}

function wait(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}
