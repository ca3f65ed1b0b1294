import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { MemoryStore } from "@pagi/session/store/memory";
import {
  formatRaces,
  type RaceOptions,
  type RaceReport,
  simulateRaces,
} from "@pagi/session/testing/store";
import { broken, BROKEN_STORES } from "./_broken_stores.ts";

const open = () => new MemoryStore();
const careless = BROKEN_STORES.find(({ name }) => name === "replace that ignores the version")!;
const overwriting = () => broken(careless);

/** Throws if a guarantee was broken. */
function assertHolds(report: RaceReport) {
  assertEquals(report.failures, [], formatRaces(report));
  const { lost, resurrected, undoneLogins, extraIds, deadSessions, wrongAnswers } = report;
  assertEquals([lost, resurrected, undoneLogins], [0, 0, 0]);
  assertEquals([extraIds, deadSessions, wrongAnswers], [0, 0, 0]);
  assertEquals(report.liveIds, { fewest: 1, most: 1 });
}

Deno.test("simulateRaces() works and closes the store when the store does real input and output", async () => {
  const store = new MemoryStore();
  let closed = 0;
  const close = () => void closed++;
  // Like the client of a server, it takes longer to answer than any number of microtasks.
  const slow = new Proxy(store, {
    get(_, name) {
      const member = store[name as keyof MemoryStore] as unknown;
      if (typeof member !== "function") return member;
      return async (...args: unknown[]) => {
        await crypto.subtle.digest("SHA-256", new Uint8Array());
        return member.apply(store, args);
      };
    },
  });
  const report = await simulateRaces({ open: () => slow, close, runs: 20, exhaustive: false });
  assertHolds(report);
  assertEquals([report.runs, closed], [20, 20]);
});

Deno.test("simulateRaces() takes the same steps when it gets the same number", async () => {
  const traces: unknown[] = [];
  // None of them reads the shards of an index, whose keys are computed by threads.
  for (const number of [0, 1, 8, 1234, 2 ** 32 + 1, -1, -(5 * 2 ** 32) - 7]) {
    const { trace } = await simulateRaces({ open, number });
    assertEquals((await simulateRaces({ open, number })).trace, trace);
    traces.push(JSON.stringify(trace));
  }
  assertEquals(new Set(traces).size, traces.length);
});

Deno.test("simulateRaces() runs that many requests when `requests` is set", async () => {
  for (const requests of [2, 3, 6]) {
    const { trace } = await simulateRaces({ open, number: 3, requests });
    const letters = trace!.filter((line) => !line.startsWith("all:")).map((line) => line[0]);
    assertEquals(new Set(letters).size, requests);
  }
});

Deno.test("simulateRaces() replays a failure when it gets its number, and shortens it", async () => {
  const found = await simulateRaces({ open: overwriting, runs: 1, from: 32, exhaustive: false });
  const [failure] = found.failures;
  const replayed = await simulateRaces({ open: overwriting, number: failure!.number });
  assertEquals(
    replayed.failures.find(({ guarantee }) => guarantee === failure!.guarantee)?.schedule,
    failure!.schedule,
  );
  assertEquals(failure!.schedule.filter((line) => !line.includes(":")).length, 2);
  assert(failure!.schedule.length < replayed.trace!.length);
});

Deno.test("simulateRaces() reports the shortest schedule when a guarantee is broken", async () => {
  const report = await simulateRaces({ open: overwriting, runs: 1, from: 32, exhaustive: false });
  const failure = report.failures.find(({ guarantee }) => guarantee === "undoneLogins");
  assertEquals(failure?.schedule, [
    "A writes a key",
    "B regenerates",
    "all: the session has no subject, each request is noted",
    "A: is sent with id 1",
    "B: is sent with id 1",
    "A: read(key 1)",
    "A: runs its handler",
    "A: starts its response",
    "B: read(key 1)",
    "B: runs its handler",
    "B: starts its response",
    "B: replace(key 1)",
    "B: is answered, the browser has id 2",
    "A: replace(key 1)",
    "A: is answered, the browser has id 1",
  ]);
  assertStringIncludes(
    formatRaces(report),
    `undoneLogins, number ${failure?.number}: A was sent an old ID in place of a newer one`,
  );
});

Deno.test("simulateRaces() throws when an option is unknown, missing or out of range", async () => {
  const assertRefused = (options: object, error: new () => Error) =>
    assertRejects(() => simulateRaces(options as RaceOptions), error);
  await assertRefused({}, TypeError);
  await assertRefused({ open, times: 3 }, TypeError);
  await assertRefused({ open, runs: -1 }, RangeError);
  await assertRefused({ open, requests: 1 }, RangeError);
  await assertRefused({ open, requests: 7 }, RangeError);
  await assertRefused({ open, number: 2 ** 41 }, RangeError);
  await assertRefused({ open, number: -(2 ** 50) }, RangeError);
});
