import { assert, assertEquals, assertRejects } from "@std/assert";
import { idOf } from "../../../_kit/helpers.ts";
import { open, sqliteStore, storeWith, watched, withChance, write } from "../../../_kit/sqlite.ts";

const { signal } = write;

Deno.test("SqliteStore.setup() may be repeated, and leaves what is there", async () => {
  using rig = await storeWith();
  rig.create("a");
  await rig.store.setup();
  await Promise.all([rig.store.setup(), rig.store.setup()]);
  assertEquals(rig.store.read(idOf("a"))?.text, "a");
});

Deno.test("SqliteStore.setup() rejects with what the client throws", async () => {
  using rig = open();
  const { database } = rig;
  const exec = () => {
    throw new Error("readonly database");
  };
  const store = sqliteStore({ prepare: (sql) => database.prepare(sql), exec });
  await assertRejects(() => store.setup(), Error, "readonly database");
});

Deno.test("SqliteStore.setup() tries again when the database is locked", async () => {
  using rig = open();
  const { database } = rig;
  let failures = 2;
  const exec = (sql: string) => {
    if (failures-- > 0) throw new Error("database is locked");
    database.exec(sql);
  };
  const store = sqliteStore({ prepare: (sql) => database.prepare(sql), exec });
  await store.setup();
  assertEquals(await store.sweep(), 0);
});

Deno.test("SqliteStore leaves the connection's busy timeout as it is", async () => {
  for (const own of [0, 4999, 60_000]) {
    using rig = open();
    rig.database.exec(`PRAGMA busy_timeout = ${own}`);
    const store = sqliteStore(rig.database);
    await store.setup();
    store.create(idOf("a"), "", write);
    assertEquals(rig.database.prepare("PRAGMA busy_timeout").get()?.timeout, own);
  }
});

Deno.test("SqliteStore.ddl makes the table that is used", async () => {
  using rig = open();
  const store = sqliteStore(rig.database, { table: "main.shop_sessions" });
  for (const statement of store.ddl) rig.database.exec(statement);
  await store.set("a", { user: "ada" });
  assertEquals((await store.get("a"))?.user, "ada");
  const made = rig.database.prepare("SELECT name FROM sqlite_master ORDER BY name").all();
  const names = ["shop_sessions", "shop_sessions_expires_at", "sqlite_autoindex_shop_sessions_1"];
  assertEquals(made.map(({ name }) => name), names);
});

Deno.test("SqliteStore uses its indexes", async () => {
  using rig = await storeWith();
  const { watching } = watched(rig.database);
  const statements: string[] = [];
  const store = sqliteStore({
    ...watching,
    prepare: (sql) => {
      if (!sql.startsWith("PRAGMA")) statements.push(sql);
      return watching.prepare(sql);
    },
  });
  statements.length = 0;
  await withChance(0.99, () => {
    store.create(idOf("a"), "", write);
    store.read(idOf("a"));
    store.replace(idOf("a"), "", { ...write, version: "" });
    store.touch(idOf("a"), { ...write, version: "", text: "" });
    store.delete(idOf("a"), { version: "", signal });
    store.delete(idOf("a"));
  });
  await store.sweep();
  assertEquals(statements.length, 7);
  for (const sql of statements) {
    const plan = rig.database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all();
    const steps = plan.map(({ detail }) => String(detail));
    const isScan = (step: string) => step.startsWith("SCAN") && !step.includes("CONSTANT");
    assertEquals(steps.filter(isScan), [], sql);
    if (!sql.startsWith("INSERT")) assert(steps.some((step) => step.includes(" USING ")), sql);
  }
});

Deno.test("SqliteStore keeps the sessions of two tables apart", async () => {
  using rig = await storeWith();
  const other = sqliteStore(rig.database, { table: "other", now: rig.clock.now });
  await other.setup();
  rig.create("a");
  assertEquals(other.read(idOf("a")), undefined);
  assert(other.create(idOf("a"), "other", write) !== undefined);
  assertEquals(rig.store.read(idOf("a"))?.text, "a");
});
