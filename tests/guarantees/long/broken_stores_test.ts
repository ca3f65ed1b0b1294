/** The simulation reports each guarantee that a store breaks. Otherwise its other results mean nothing. */
import { assert, assertEquals } from "@std/assert";
import { type SessionHash, Store } from "@pagi/session/store";
import { formatRaces, simulateRaces } from "@pagi/session/testing/store";
import { idGenerator } from "../../../testing/races/ids.ts";
import { judge } from "../../../testing/races/oracle.ts";
import { randomProgram } from "../../../testing/races/program.ts";
import { run } from "../../../testing/races/run.ts";
import { broken, BROKEN_STORES } from "../../unit/testing/_broken_stores.ts";

/** Random races are tried until one breaks the guarantee, but no more than this. */
const MAX_RACES = 5000;

for (const mistake of BROKEN_STORES.filter(({ guarantee }) => guarantee !== undefined)) {
  Deno.test(`judge() reports ${mistake.guarantee} when a store has a ${mistake.name}`, async () => {
    const newId = idGenerator();
    for (let number = 0; number < MAX_RACES; number++) {
      const { program, choose } = randomProgram(number, 3);
      const result = await run(program, choose, { store: broken(mistake), newId });
      if (judge(result).violations.some(({ guarantee }) => guarantee === mistake.guarantee)) return;
    }
    throw new Error(`${MAX_RACES} races did not break it`);
  });
}

/** A basic store on a Map. */
class PlainStore extends Store {
  readonly #hashes = new Map<string, SessionHash>();
  override get(id: string) {
    return Promise.resolve(this.#hashes.get(id));
  }
  override set(id: string, hash: SessionHash) {
    this.#hashes.set(id, hash);
    return Promise.resolve(id);
  }
  override delete(id: string) {
    return Promise.resolve(this.#hashes.delete(id));
  }
}

Deno.test("simulateRaces() reports broken guarantees when the store is a basic one", async () => {
  const report = await simulateRaces({
    open: () => new PlainStore(),
    runs: 300,
    exhaustive: false,
  });
  assert(report.lost > 0 && report.resurrected > 0 && report.undoneLogins > 0);
  assert(report.liveIds.most > 1, formatRaces(report));
  assertEquals(report.runs, 300);
});
