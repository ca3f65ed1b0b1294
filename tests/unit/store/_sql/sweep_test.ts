import { assert, assertEquals, assertRejects } from "@std/assert";
import { idOf } from "../../../_kit/helpers.ts";
import { sqliteStore, storeWith, watched, withChance, write } from "../../../_kit/sqlite.ts";

Deno.test("SqliteStore.sweep() removes what has expired, the oldest first, at most limit", async () => {
  using rig = await storeWith();
  await withChance(0.99, () => {
    for (const [at, digit] of [..."4321"].entries()) rig.create(digit, 10 + at);
    rig.create("9", 1000);
  });
  assertEquals(await rig.store.sweep(), 0);
  rig.clock.advance(100);
  assertEquals(await rig.store.sweep({ limit: 1 }), 1);
  assertEquals(rig.rows().map(({ text }) => text), ["1", "2", "3", "9"]);
  assertEquals([
    await rig.store.sweep({ limit: 2 }),
    await rig.store.sweep(),
    await rig.store.sweep(),
  ], [2, 1, 0]);
  assertEquals(rig.rows().map(({ text }) => text), ["9"]);
});

Deno.test("SqliteStore.sweep() removes 1000 at most unless told otherwise", async () => {
  using rig = await storeWith();
  await withChance(0.99, () => {
    for (let at = 0; at < 1500; at++) rig.store.create(`id${at}`, "", write);
  });
  rig.clock.advance(61);
  assertEquals([await rig.store.sweep(), await rig.store.sweep()], [1000, 500]);
});

Deno.test("SqliteStore.sweep() throws when limit is not a whole number above 0", async () => {
  using rig = await storeWith();
  for (const limit of [0, -1, 1.5, NaN, Infinity, "1", "1); DROP TABLE pagi_sessions"]) {
    await assertRejects(() => rig.store.sweep({ limit: limit as number }), RangeError, "limit");
  }
});

Deno.test("SqliteStore.sweep() lets other work run between its batches", async () => {
  using rig = await storeWith();
  await withChance(0.99, () => {
    for (let at = 0; at < 500; at++) rig.store.create(`id${at}`, "", write);
  });
  rig.clock.advance(61);
  const { ran, watching } = watched(rig.database);
  const store = sqliteStore(watching, { now: rig.clock.now });
  ran.length = 0;
  let turns = 0;
  let isDone = false;
  const count = () => {
    turns++;
    if (!isDone) setTimeout(count);
  };
  count();
  const swept = await store.sweep();
  isDone = true;
  await new Promise((resolve) => setTimeout(resolve, 5));
  assertEquals([swept, ran.length], [500, 11]);
  assert(turns >= 10, `${turns} turns`);
});

Deno.test("SqliteStore.create() sweeps now and then, a few", async () => {
  using rig = await storeWith();
  await withChance(0.101, () => {
    for (let at = 0; at < 30; at++) rig.store.create(`old${at}`, "", write);
  });
  rig.clock.advance(61);
  await withChance(0.101, () => rig.create("a"));
  assertEquals(rig.rows().length, 31);
  await withChance(0.099, () => rig.create("b"));
  assertEquals(rig.rows().length, 32 - 25);
});

Deno.test("SqliteStore.create() leaves expired records to a job when sweep is false", async () => {
  using rig = await storeWith({ sweep: false });
  await withChance(0, () => {
    for (let at = 0; at < 30; at++) rig.store.create(`old${at}`, "", write);
    rig.clock.advance(61);
    rig.create("a");
  });
  assertEquals(rig.rows().length, 31);
  assertEquals(await rig.store.sweep(), 30);
});

Deno.test("SqliteStore.create() keeps up with what expires", async () => {
  using rig = await storeWith();
  for (let at = 0; at < 20_000; at++) {
    rig.store.create(`id${at}`, "", { ...write, ttl: 10 });
    rig.clock.advance(0.01);
  }
  const rows = rig.rows().length;
  assert(rows < 10_000, `1000 are alive, and there are ${rows}`);
});

Deno.test("SqliteStore.create() has written when its sweep fails", async () => {
  using rig = await storeWith();
  const { ran, watching } = watched(rig.database, (sql) => sql.startsWith("DELETE"));
  const store = sqliteStore(watching, { now: rig.clock.now });
  ran.length = 0;
  await withChance(0, () => assert(store.create(idOf("a"), "one", write) !== undefined));
  assertEquals(ran, ["INSERT", "DELETE"]);
  assertEquals(rig.store.read(idOf("a"))?.text, "one");
});
