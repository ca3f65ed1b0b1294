import { assertEquals, assertRejects } from "@std/assert";
import { type Job, KeyedBatches } from "../../../base/keyed_batches.ts";

interface Named extends Job {
  name: string;
  resolve(): void;
}

/** Batches that end when the test lets them, and what happened to them. */
function setUp({ maxJobs = 100, maxMs = 60_000 } = {}) {
  const batches: {
    names: string;
    left: string | undefined;
    end(left?: string): void;
    fail(): void;
  }[] = [];
  const queue = new KeyedBatches<Named, string>(
    maxJobs,
    maxMs,
    (jobs, left) =>
      new Promise((resolve, reject) => {
        batches.push({
          names: jobs.map(({ name }) => name).join(""),
          left,
          end(left) {
            for (const job of jobs) job.resolve();
            resolve(left);
          },
          fail: () => reject(new Error("boom")),
        });
      }),
  );
  const add = (name: string, key = "key") => {
    const added = new Promise<void>((resolve, reject) => {
      queue.add(key, { name, resolve, reject });
    });
    added.catch(() => {});
    return added;
  };
  /** Resolves when all that can happen has happened, and returns the batches so far. */
  const settle = async () => {
    for (let turn = 0; turn < 30; turn++) await undefined;
    return batches.map(({ names }) => names);
  };
  return { add, batches, queue, settle };
}

Deno.test("KeyedBatches carries out what has waited as one batch, with what the last one left", async () => {
  const { add, batches, queue, settle } = setUp({ maxJobs: 3 });
  assertEquals(queue.isBusy("key"), false);
  const added = [..."abcde"].map((name) => add(name));
  add("x", "other");
  assertEquals(await settle(), ["a", "x"]);
  assertEquals([queue.isBusy("key"), queue.isBusy("none")], [true, false]);
  batches[0]!.end("left by a");
  assertEquals(await settle(), ["a", "x", "bcd"]);
  added.push(add("f"));
  batches[2]!.end("left by d");
  assertEquals(await settle(), ["a", "x", "bcd", "ef"]);
  batches[3]!.end();
  await Promise.all(added);
  assertEquals(batches.map(({ left }) => left), [undefined, undefined, "left by a", "left by d"]);
  assertEquals([queue.isBusy("key"), queue.isBusy("other")], [false, true]);
  // What they left does not outlast them.
  add("g");
  assertEquals(batches.at(-1)!.left, undefined);
  for (const { end } of batches) end();
  await settle();
});

Deno.test("KeyedBatches rejects what waits when a batch fails, and carries out what comes then", async () => {
  const { add, batches, settle } = setUp();
  const again = add("a").catch(() => add("A"));
  const others = [add("b"), add("c")];
  await settle();
  batches[0]!.fail();
  for (const other of others) await assertRejects(() => other, Error, "boom");
  assertEquals(await settle(), ["a", "A"]);
  batches[1]!.end();
  await again;
});

Deno.test("KeyedBatches carries out jobs again when the request that did so was canceled", async () => {
  const { add, batches, settle } = setUp({ maxMs: 20 });
  add("a");
  const others = [add("b"), add("c")];
  await settle();
  const isCarriedOut = (name: string) => batches.slice(1).some(({ names }) => names.includes(name));
  // "a" never ends. The others are carried out again when that is noticed.
  for (let tries = 0; tries < 400 && !(isCarriedOut("b") && isCarriedOut("c")); tries++) {
    for (const { end } of batches.slice(1)) end();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assertEquals([isCarriedOut("b"), isCarriedOut("c")], [true, true]);
  for (const { end } of batches.slice(1)) end();
  await Promise.all(others);
});
