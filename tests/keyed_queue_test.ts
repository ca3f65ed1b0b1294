import { assertEquals } from "@std/assert";
import { KeyedQueue } from "../base/keyed_queue.ts";

Deno.test("KeyedQueue.run() lets one after the other, those too who come when the first is done", async () => {
  const queue = new KeyedQueue(1e6);
  const seen: string[] = [];
  const take = (name: string, meanwhile: () => unknown = () => {}) =>
    queue.run("key", async () => {
      seen.push(`${name} begins`);
      await meanwhile();
      seen.push(`${name} ends`);
    });
  let third: Promise<void> | undefined;
  const first = take("first");
  const second = take("second", async () => {
    await first;
    third = take("third");
    // Time enough for who does not wait.
    for (let turn = 0; turn < 10; turn++) await undefined;
  });
  await second;
  await third;
  assertEquals(seen, [
    "first begins",
    "first ends",
    "second begins",
    "second ends",
    "third begins",
    "third ends",
  ]);
});

Deno.test("KeyedQueue.run() keeps nobody with another key waiting, nor after work that failed", async () => {
  const queue = new KeyedQueue(1e6);
  const failed = queue.run("key", () => Promise.reject(new Error("boom"))).catch(() => "failed");
  const next = queue.run("key", () => Promise.resolve("next"));
  const other = queue.run("other", () => new Promise((resolve) => next.then(() => resolve(1))));
  assertEquals(await Promise.all([failed, next, other]), ["failed", "next", 1]);
});

Deno.test("KeyedQueue.run() waits for as many seconds as it was told", async () => {
  const { setTimeout } = globalThis;
  const waits: unknown[] = [];
  globalThis.setTimeout = ((work: () => void, wait: number) => {
    waits.push(wait);
    return setTimeout(work, wait);
  }) as typeof setTimeout;
  try {
    const queue = new KeyedQueue(5);
    await Promise.all([1, 2].map(() => queue.run("key", () => Promise.resolve())));
    // Nobody is before this one any more.
    await queue.run("key", () => Promise.resolve());
  } finally {
    globalThis.setTimeout = setTimeout;
  }
  assertEquals(waits, [5000]);
});
