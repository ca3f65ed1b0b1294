import { assert, assertEquals } from "@std/assert";
import { idOf } from "../../../_kit/helpers.ts";
import { open, sqliteStore, withChance, write } from "../../../_kit/sqlite.ts";

const HOUR_MS = 3_600_000;

/** Runs `work` in a process whose clock is wrong by some hours. */
async function withClockOff(hours: number, work: () => unknown): Promise<void> {
  const { now } = Date;
  Date.now = () => now() + hours * HOUR_MS;
  try {
    await work();
  } finally {
    Date.now = now;
  }
}

for (const hours of [2, -2]) {
  Deno.test(`SqliteStore expires nothing early or late in a process that is ${hours} hours off`, async () => {
    using rig = open();
    const store = sqliteStore(rig.database);
    await store.setup();
    const start = Date.now() / 1000;
    const version = store.create(idOf("a"), "one", write)!;
    store.create(idOf("b"), "two", write);
    store.create(idOf("c"), "past", { ...write, ttl: -1 });
    await withClockOff(hours, async () => {
      const other = sqliteStore(rig.database);
      assertEquals(other.read(idOf("c")), undefined);
      assertEquals(other.read(idOf("a"))?.text, "one");
      assertEquals(other.create(idOf("b"), "over it", write), undefined);
      assert(other.touch(idOf("a"), { ...write, version, text: "one" }));
      assert(other.replace(idOf("b"), "new", { ...write, ...other.read(idOf("b"))! }));
      // Each of these creates sweeps.
      await withChance(0, () => {
        for (const digit of ["d", "e"]) other.create(idOf(digit), digit, write);
      });
      assertEquals(await other.sweep(), 0);
    });
    const rows = rig.database.prepare("SELECT text, expires_at FROM pagi_sessions ORDER BY id")
      .all();
    assertEquals(rows.map(({ text }) => text), ["one", "new", "d", "e"]);
    for (const { text, expires_at } of rows) {
      const left = Number(expires_at) - start;
      assert(left > 59.9 && left < 90, `${text} expires after ${left} s`);
    }
    for (const digit of ["a", "b", "d", "e"]) assert(store.read(idOf(digit)) !== undefined, digit);
  });
}

Deno.test("SqliteStore takes the time from SQLite, to the millisecond and as it passes", async () => {
  using rig = open();
  const store = sqliteStore(rig.database);
  await store.setup();
  const expiry = () => {
    const before = Date.now() / 1000;
    store.create(idOf("a"), "", write);
    const { expires_at } = rig.database.prepare("SELECT expires_at FROM pagi_sessions").get()!;
    store.delete(idOf("a"));
    const created = Number(expires_at) - write.ttl;
    assert(created > before - 0.002 && created < Date.now() / 1000 + 0.002, String(created));
    return created;
  };
  const first = expiry();
  while (Date.now() / 1000 < first + 0.01);
  // The statement is prepared already, and still has the new time.
  assert(expiry() > first + 0.005);
});

Deno.test("SqliteStore keeps a record for ever when its ttl has no end", async () => {
  using rig = open();
  const store = sqliteStore(rig.database);
  await store.setup();
  store.create(idOf("a"), "a", { ...write, ttl: Infinity });
  const { expires_at } = rig.database.prepare("SELECT expires_at FROM pagi_sessions").get()!;
  assert(Number(expires_at) >= Number.MAX_SAFE_INTEGER);
  assertEquals([store.read(idOf("a"))?.text, await store.sweep()], ["a", 0]);
});
