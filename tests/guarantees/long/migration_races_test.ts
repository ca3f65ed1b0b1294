/** Concurrent requests with an old cookie migrate its session once, and keep every guarantee. */
import { assertEquals, assertMatch } from "@std/assert";
import type { Awaitable, VersionedStore } from "@pagi/session";
import { describe } from "../../../testing/races/describe.ts";
import { judge } from "../../../testing/races/oracle.ts";
import { type Choose, type Program, randomProgram } from "../../../testing/races/program.ts";
import {
  type Connect,
  connect,
  creating,
  type MigrationRun,
  raceOldCookies,
} from "../../_kit/migration_race.ts";

/** Jobs and logouts elsewhere name a session by its ID, so a program with an old cookie has none. */
const namesNoId = ({ plans }: Program) =>
  plans.every(({ kind }) => kind.job === undefined && !(kind.destroys && kind.restarts));

/** Returns the violations and the schedule, or `undefined` if there are none. */
function wrongIn(
  { run, isOldCookieRight, isOldStoreEmpty }: MigrationRun,
): string | undefined {
  const { violations, liveIds } = judge(run);
  const wrong = violations.map(({ guarantee, why }) => `${guarantee}: ${why}`);
  if (liveIds.some((count) => count !== 1)) wrong.push(`live ids: ${liveIds}`);
  if (!isOldCookieRight) wrong.push("the old cookie does not lead where the new one does");
  const isMoved = run.visits.some(({ answers }) => answers > 0);
  if (isMoved && !isOldStoreEmpty) wrong.push("a response was sent, and the old record is there");
  return wrong.length === 0 ? undefined : [...wrong, ...describe(run)].join("\n");
}

/** Runs random programs, numbered from 0, and returns the first violation. */
async function firstWrong(
  runs: number,
  run: (program: Program, choose: Choose) => Promise<MigrationRun>,
): Promise<string | undefined> {
  let count = 0;
  for (let number = 0; count < runs; number++) {
    const { program, choose } = randomProgram(number, undefined);
    if (!namesNoId(program)) continue;
    count++;
    const wrong = wrongIn(await run(program, choose));
    if (wrong !== undefined) return `number ${number}: ${wrong}`;
  }
  return undefined;
}

Deno.test("requests that send an old cookie at the same time keep every guarantee", async () => {
  assertEquals(await firstWrong(500, raceOldCookies), undefined);
});

/** Runs a race in which the old records stay. */
const runWithoutDestroying = (connected: Connect) => async (program: Program, choose: Choose) => {
  const result = await raceOldCookies(program, choose, { connect: connected, canDestroy: false });
  return { ...result, isOldStoreEmpty: true };
};

Deno.test("requests that send an old cookie at the same time keep every guarantee when nothing is destroyed", async () => {
  assertEquals(await firstWrong(500, runWithoutDestroying(connect)), undefined);
});

/** Migrates sessions on read, with markers that `write` stores. */
const claiming =
  (write: (store: VersionedStore, ...call: Call) => Awaitable<string | undefined>): Connect =>
  (store, legacy) => {
    const create = (...call: Call) =>
      call[1].startsWith("s1:") ? store.create(...call) : write(store, ...call);
    return connect(creating(store, create), legacy);
  };
type Call = Parameters<VersionedStore["create"]>;

const CARELESS = {
  "overwrites a claim": claiming(async (store, id, text, options) => {
    const record = await store.read(id, options);
    return record === undefined
      ? store.create(id, text, options)
      : store.replace(id, text, { ...options, version: record.version });
  }),
  "writes no claim": claiming(() => "1"),
};

for (const [name, careless] of Object.entries(CARELESS)) {
  Deno.test(`the simulation reports a session that cannot be used when a migration ${name}`, async () => {
    const wrong = await firstWrong(100, runWithoutDestroying(careless));
    assertMatch(wrong ?? "nothing", /^number \d+: (deadSessions|undoneLogins)/);
  });
}
