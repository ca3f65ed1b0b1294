/** The simulation reports each guarantee that a store breaks. Otherwise its other results mean nothing. */
import { assert, assertEquals } from "@std/assert";
import { type SessionHash, Store } from "@pagi/session/store";
import { formatRaces, simulateRaces } from "@pagi/session/testing";
import { broken, BROKEN_STORES } from "../../unit/testing/_broken_stores.ts";

for (const mistake of BROKEN_STORES.filter(({ guarantee }) => guarantee !== undefined)) {
  Deno.test(`simulateRaces() reports ${mistake.guarantee} when a store has a ${mistake.name}`, async () => {
    const report = await simulateRaces({
      open: () => broken(mistake),
      runs: 200,
      requests: 3,
      exhaustive: false,
    });
    assert(report[mistake.guarantee!] > 0, formatRaces(report));
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
