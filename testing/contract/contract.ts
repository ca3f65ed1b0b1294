/**
 * {@linkcode storeContract}: what a store has to do, case by case.
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
  /** Opens the store, once for each case. It may be the same one each time, a real server's too. */
  open: () => Awaitable<VersionedStore>;
  /** Closes a store that `open` opened. */
  close?: (store: VersionedStore) => Awaitable<void>;
  /** Lets seconds pass for the store, where its clock can be set. */
  advance?: (seconds: number) => Awaitable<void>;
  /**
   * Whether the cases about expiry wait for it where there is no `advance`, two seconds each.
   * Without either there are no such cases.
   *
   * @default {false}
   */
  waitForExpiry?: boolean;
}

/** One clause of the contract. */
export interface StoreContractCase {
  /** The clause, in plain words. */
  readonly name: string;
  /**
   * Holds the store to it.
   *
   * @throws {Error} When the store does not keep the clause; the message names it, and what happened.
   */
  run(): Promise<void>;
}

/**
 * The contract of {@linkcode VersionedStore} as cases for a test runner, whichever it is: a name and
 * a function that rejects. `docs/store-contract.md` says why each has to hold. Each case uses ids
 * of its own, so the server may hold other data.
 *
 * @throws {TypeError} When an option is unknown or of the wrong kind.
 *
 * @example With Deno's test runner: `Deno.test(name, run)` in place of the call
 * ```ts
 * import { assert } from "@std/assert";
 * import { MemoryStore } from "@pagi/session/store/memory";
 * import { storeContract } from "@pagi/session/testing";
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
