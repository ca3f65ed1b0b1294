// A race that went well is altered, and the oracle has to say which promise that would break.
import { assertArrayIncludes, assertEquals } from "@std/assert";
import type { SessionError } from "@pagi/session";
import { MemoryStore } from "@pagi/session/store/memory";
import { idGenerator, keyOf } from "../../../testing/races/ids.ts";
import { judge } from "../../../testing/races/oracle.ts";
import { inOrder, type Plan, type Program } from "../../../testing/races/program.ts";
import { REQUEST_KINDS } from "../../../testing/races/requests.ts";
import { type Run, run } from "../../../testing/races/run.ts";

type Circumstances = Partial<Omit<Plan, "kind">>;

/** Runs requests of these kinds, all sent at the start, one after the other. */
async function race(
  kinds: (string | [kind: string, circumstances: Circumstances])[],
  { order = [], ...program }: Partial<Program> & { order?: number[] } = {},
): Promise<Run> {
  const plans = kinds.map((one): Plan => {
    const [name, circumstances] = typeof one === "string" ? [one, {}] : one;
    const kind = REQUEST_KINDS.find((kind) => kind.name === name);
    if (kind === undefined) throw new Error(`There is no kind "${name}"`);
    return { kind, isEarly: true, ...circumstances };
  });
  const newId = idGenerator();
  return await run(
    { plans, isSignedIn: false, isTouchDue: true, ...program },
    inOrder(order),
    { store: new MemoryStore(), newId },
  );
}

/** The guarantees that a run breaks, each with its reason. */
function broken(run: Run): string[] {
  return judge(run).violations.map(({ guarantee, why }) => `${guarantee}: ${why}`);
}

/** The session that is left under the ID that was sent last. */
function last({ visits, left, start }: Run) {
  const sent = visits.flatMap(({ cookies }) => cookies).filter((change) => change !== "clear");
  const id = sent.at(-1)?.set ?? start.cookie;
  return { id, session: left.get(id)! };
}

Deno.test("judge() finds nothing wrong with races that went well", async () => {
  for (const { name } of REQUEST_KINDS) {
    for (const resend of ["first answer lost", "late copy"] as const) {
      const run = await race([[name, { resend: { call: 0, how: resend } }], "adds one"]);
      assertEquals(broken(run), [], name);
    }
  }
});

Deno.test("judge() reports a lost update when a counter has counted twice", async () => {
  const run = await race(["adds one"]);
  last(run).session.values.count = 2;
  assertEquals(broken(run).length, 1);
  assertEquals(broken(run)[0]!.slice(0, 15), "lost: left is {");
});

Deno.test("judge() reports a lost update when the last use was set back", async () => {
  const run = await race(["reads"]);
  last(run).session.lastAccess -= 2;
  assertEquals(broken(run), ["lost: its last use was set back by 2 seconds"]);
});

Deno.test("judge() reports a lost update when a session is not in the list of its subject", async () => {
  const run = await race(["signs in"]);
  last(run).session.isListed = false;
  assertEquals(broken(run), ["lost: the list of its subject's sessions does not have it"]);
});

Deno.test("judge() reports a wrong answer when an index has an entry too many", async () => {
  const run = await race(["signs in", "reads"]);
  const [subject] = [...run.entries].find(([, count]) => count === 1)!;
  run.entries.set(subject, 2);
  assertEquals(broken(run), ["wrongAnswers: the index has 2 entries of 1 sessions"]);
  // A call that arrives twice may have left one.
  const resent = await race([["signs in", { resend: { call: 0, how: "first answer lost" } }]]);
  for (const [subject, count] of resent.entries) resent.entries.set(subject, count + 1);
  assertEquals(broken(resent), []);
});

Deno.test("judge() reports a lost update when a refused change was stored", async () => {
  const run = await race(["writes a key"]);
  const [visit] = run.visits;
  Object.assign(visit!, { failedAt: visit!.answeredAt, answeredAt: undefined, answers: 0 });
  assertEquals(broken(run)[0], "lost: A was refused, and its change was stored");
});

Deno.test("judge() reports a resurrected session when it is usable after a logout", async () => {
  const run = await race(["logs out"]);
  const found = { values: {}, subject: undefined, lastAccess: 0, isListed: undefined };
  run.left.set(run.start.id, found);
  assertEquals(broken(run), ["resurrected: the session is usable after its logout"]);
});

Deno.test("judge() reports an extra ID when the old one is usable after regenerate()", async () => {
  const run = await race(["regenerates"]);
  run.left.set(run.start.id, last(run).session);
  assertEquals(broken(run), ["extraIds: 2 IDs of one session are usable"]);
});

Deno.test("judge() reports an extra ID when a session is usable whose ID no response has sent", async () => {
  const run = await race(["reads"]);
  run.left.set("f".repeat(64), last(run).session);
  assertEquals(broken(run), [
    "extraIds: a session is usable whose ID no response has sent",
  ]);
});

Deno.test("judge() accepts two IDs after rotate(), and reports a third one", async () => {
  const run = await race(["rotates"]);
  assertEquals([...run.left.values()].filter((found) => found !== undefined).length, 2);
  run.left.set("f".repeat(32) + keyOf(run.start.id), last(run).session);
  assertEquals(broken(run), ["extraIds: 3 IDs of one session are usable"]);
});

Deno.test("judge() reports a dead session when a lost response to rotate() ends it", async () => {
  const run = await race([["rotates", { isLost: true }]]);
  assertEquals(run.visits[0]!.cookies.length, 1);
  run.left.set(run.start.id, undefined);
  assertEquals(broken(run), [
    "deadSessions: a rotation has replaced an ID, and its grace was cut short",
  ]);
});

Deno.test("judge() reports an extra ID when the old one outlives the grace of rotate()", async () => {
  // The second request sends the new ID, and so the grace begins.
  const run = await race(["rotates", ["writes a key", { isEarly: false }]], {
    isExaminedLate: true,
  });
  assertEquals(broken(run), []);
  run.left.set(run.start.id, last(run).session);
  assertEquals(broken(run), ["extraIds: 2 IDs of one session are usable"]);
});

Deno.test("judge() accepts that a job is refused when a later rotation ended the grace of its ID", async () => {
  // The job reads after the first rotation and writes after the second.
  const order = [0, 0, 0, 0, 1, 2, 2, 2, 2, 2];
  const job = "adds one from a job";
  const refused = await race(["rotates", job, ["rotates", { isEarly: false }]], { order });
  const { error } = refused.visits[1]!;
  assertEquals([(error as SessionError).code, broken(refused)], ["ERR_SESSION_INTERRUPTED", []]);

  const run = await race(["rotates", job], { order });
  const { answeredAt: failedAt } = run.visits[1]!;
  Object.assign(run.visits[1]!, { error, failedAt, answeredAt: undefined, answers: 0 });
  assertArrayIncludes(broken(run), [
    "wrongAnswers: B was interrupted, and nothing had come between",
  ]);
});

Deno.test("judge() reports a wrong answer when destroy() denies what it has done", async () => {
  const run = await race(["is logged out by a job"]);
  run.visits[0]!.result = false;
  assertEquals(broken(run), [
    "wrongAnswers: A ended the session and said that it did not exist",
  ]);
});

Deno.test("judge() reports a wrong answer when destroyAll() counts too few", async () => {
  const run = await race(["is logged out everywhere"], { isSignedIn: true });
  run.visits[0]!.result = 0;
  assertEquals(broken(run), ["wrongAnswers: A counted 0 sessions and ended 1"]);
});

Deno.test("judge() reports an undone login when a response brings the old ID back", async () => {
  const run = await race(["logs in", ["writes a key", { isEarly: false }]]);
  run.visits[1]!.cookies = [{ set: run.start.id }];
  assertEquals(broken(run), [
    "undoneLogins: B was sent an old ID in place of a newer one",
  ]);
});
