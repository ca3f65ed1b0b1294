import { assert, assertEquals, assertNotEquals, assertRejects, assertThrows } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import {
  type PostgresClient,
  PostgresStore,
  type PostgresStoreOptions,
} from "../../../store/postgres.ts";
import { POSTGRES_CLOCK } from "../../../store/_sql/postgres_client.ts";
import { SQLITE_CLOCK } from "../../../store/_sql/sqlite_client.ts";
import { storeContract } from "../../../testing/mod.ts";
import { fakeClock, idOf } from "../../_kit/helpers.ts";

// The real server is in tests/integration. Here the statements run on SQLite, which understands all
// of them but the sweep, behind clients of the two shapes.

const { signal } = new AbortController();
const write = { lastAccess: 7, ttl: 60, signal };

/** What a client was asked: the text, the values, and the name or the options beside them. */
type Asked = [text: string, values: unknown[], prepared: unknown];

/** A database behind a client that looks like pg's. */
function pgRig(answer?: (text: string) => unknown) {
  const database = new DatabaseSync(":memory:");
  const asked: Asked[] = [];
  const run = (text: string, values: (string | number)[]) => {
    const given = answer?.(text);
    if (given instanceof Error) throw given;
    if (given !== undefined) return given as { rows: unknown[]; rowCount: number };
    if (text.includes("to_regclass")) return { rows: [{ found: false }], rowCount: 1 };
    const sql = text.replaceAll(POSTGRES_CLOCK, SQLITE_CLOCK).replaceAll("GREATEST(", "max(")
      .replaceAll("$", "?").replaceAll("double precision", "REAL");
    const statement = database.prepare(sql);
    if (sql.startsWith("SELECT")) {
      const rows = statement.all(...values);
      return { rows, rowCount: rows.length };
    }
    return { rows: [], rowCount: Number(statement.run(...values).changes) };
  };
  const client = {
    query(
      query: string | { name: string; text: string; values: (string | number)[] },
      values: (string | number)[] = [],
    ) {
      const { text, name, values: given } = typeof query === "string"
        ? { text: query, name: undefined, values }
        : query;
      asked.push([text, given, name]);
      return Promise.resolve().then(() => run(text, given));
    },
  };
  const tag = Object.assign(() => {}, {
    unsafe(text: string, values: (string | number)[] = [], options?: unknown) {
      asked.push([text, values, options]);
      return Promise.resolve().then(() => {
        const { rows, rowCount } = run(text, values);
        return Object.assign(rows, { count: rowCount });
      });
    },
  });
  return { asked, client, database, tag, [Symbol.dispose]: () => database.close() };
}

for (const shape of ["client", "tag"] as const) {
  const clock = fakeClock();
  const cases = storeContract({
    async open() {
      const store = new PostgresStore(pgRig()[shape], { now: clock.now });
      await store.setup();
      return store;
    },
    advance: clock.advance,
  });
  const name = { client: "a client like pg's", tag: "a client like postgres.js" }[shape];
  for (const { name: clause, run } of cases) {
    Deno.test(`PostgresStore on ${name} keeps the contract: ${clause}`, run);
  }
}

/** Makes each call once. */
async function callAll(store: PostgresStore) {
  const { random } = Math;
  Math.random = () => 0.99;
  try {
    const version = await store.create(idOf("a"), "", write);
    await store.read(idOf("a"));
    await store.touch(idOf("a"), { ...write, version: version!, text: "" });
    await store.replace(idOf("a"), "", { ...write, version: version! });
    await store.delete(idOf("a"), { version, signal });
    await store.delete(idOf("a"), { signal });
  } finally {
    Math.random = random;
  }
}

const NAMES = ["create", "read", "touch", "replace", "deleteAt", "delete"];

Deno.test("PostgresStore.touch() gives a new version, so that a replace() from before it fails", async () => {
  using rig = pgRig();
  const store = new PostgresStore(rig.client);
  await store.setup();
  const old = (await store.create(idOf("a"), "one", write))!;
  assertEquals(await store.touch(idOf("a"), { ...write, version: old, text: "one" }), true);
  const { version } = (await store.read(idOf("a")))!;
  assertNotEquals(version, old);
  assertEquals(await store.replace(idOf("a"), "two", { ...write, version: old }), undefined);
  assert(await store.replace(idOf("a"), "two", { ...write, version }) !== undefined);
});

Deno.test("PostgresStore sends one statement a call, with a name to keep it prepared by", async () => {
  using rig = pgRig();
  const store = new PostgresStore(rig.client);
  for (const statement of store.ddl) await rig.client.query(statement);
  rig.asked.length = 0;
  await callAll(store);
  assertEquals(rig.asked.map(([, , name]) => name), NAMES.map((n) => `pagi_${n}_pagi_sessions`));
  // However long the table is called: PostgreSQL cuts names at 63.
  const long = new PostgresStore(rig.client, { table: `${"a".repeat(24)}.${"b".repeat(23)}` });
  await long.read(idOf("a")).catch(() => {});
  assert(String(rig.asked.at(-1)![2]).length <= 63);
});

Deno.test("PostgresStore tells postgres.js to prepare what is used again", async () => {
  using rig = pgRig();
  const store = new PostgresStore(rig.tag);
  await store.setup();
  rig.asked.length = 0;
  await callAll(store);
  assertEquals(rig.asked.map(([, , options]) => options), NAMES.map(() => ({ prepare: true })));
  await assertRejects(() => store.sweep());
  assertEquals(rig.asked.at(-1)![2], { prepare: false });
});

Deno.test("PostgresStore prepares nothing when it is told not to", async () => {
  using rig = pgRig();
  const store = new PostgresStore(rig.client, { prepare: false });
  await store.setup();
  await callAll(store);
  assertEquals(new Set(rig.asked.map(([, , name]) => name)), new Set([undefined]));
  await callAll(new PostgresStore(rig.tag, { prepare: false }));
  assertEquals(rig.asked.at(-1)![2], { prepare: false });
});

Deno.test("PostgresStore prepares nothing when `now` is set, because another store may use the names", async () => {
  using rig = pgRig();
  const store = new PostgresStore(rig.client, { now: () => 0 });
  await store.setup();
  await callAll(store);
  assertEquals(new Set(rig.asked.map(([, , name]) => name)), new Set([undefined]));
});

Deno.test("PostgresStore asks nothing about what cannot be an id", async () => {
  using rig = pgRig();
  const store = new PostgresStore(rig.client);
  assertEquals(await store.read("\0"), undefined);
  assertEquals(await store.replace("é", "", { ...write, version: "a" }), undefined);
  assertEquals(await store.touch("a b", { ...write, version: "a", text: "" }), false);
  assertEquals(await store.delete("f".repeat(65)), false);
  await assertRejects(() => store.create("", "", write), RangeError, "id");
  assertEquals(rig.asked, []);
});

Deno.test("PostgresStore makes a statement again that the server has undone", async () => {
  for (const error of [{ code: "40P01" }, { code: "40001" }, { code: "E", errno: "40001" }]) {
    let failures = 5;
    using rig = pgRig((text) => {
      const fails = text.startsWith("UPDATE") && failures-- > 0;
      return fails ? Object.assign(new Error(), error) : undefined;
    });
    const store = new PostgresStore(rig.client);
    await store.setup();
    const version = await store.create(idOf("a"), "one", write);
    assert(await store.replace(idOf("a"), "two", { ...write, version: version! }) !== undefined);
    assertEquals((await store.read(idOf("a")))?.text, "two");
  }
});

Deno.test("PostgresStore gives up when the server undoes a statement each time", async () => {
  using rig = pgRig((text) => {
    const error = Object.assign(new Error("undone"), { code: "40001" });
    return text.startsWith("SELECT") ? error : undefined;
  });
  await assertRejects(() => new PostgresStore(rig.client).read(idOf("a")), Error, "undone");
  assertEquals(rig.asked.length, 50);
});

Deno.test("PostgresStore makes no statement again that failed otherwise", async () => {
  const closed = () => Object.assign(new Error("terminated"), { code: "57P01" });
  for (const [verb, asked] of [["SELECT", 1], ["CREATE TABLE", 2]] as const) {
    using rig = pgRig((text) => {
      if (text.includes("to_regclass")) return { rows: [{ found: false }], rowCount: 1 };
      return text.startsWith(verb) ? closed() : undefined;
    });
    const store = new PostgresStore(rig.client);
    const call = () => verb === "SELECT" ? store.read(idOf("a")) : store.setup();
    await assertRejects(call, Error, "terminated");
    assertEquals(rig.asked.length, asked);
  }
});

Deno.test("PostgresStore.setup() goes on when another has just made the same", async () => {
  for (const code of ["23505", "42P07", "42710"]) {
    const failed = new Set<string>();
    using rig = pgRig((text) => {
      if (!text.startsWith("CREATE") || failed.has(text)) return undefined;
      failed.add(text);
      return Object.assign(new Error("it is there"), { code });
    });
    const store = new PostgresStore(rig.client);
    await store.setup();
    assertEquals(failed.size, 2);
    await callAll(store);
  }
});

Deno.test("PostgresStore.setup() makes nothing where the table and its index are there", async () => {
  using rig = pgRig(() => ({ rows: [{ found: true }], rowCount: 1 }));
  await new PostgresStore(rig.client, { table: "shop.Sessions" }).setup();
  assertEquals(rig.asked.map(([, values]) => values), [['"shop"."Sessions_expires_at"']]);
});

Deno.test("PostgresStore.sweep() removes in one statement what no other sweep has", async () => {
  using rig = pgRig(() => ({ rows: [], rowCount: 5 }));
  const store = new PostgresStore(rig.client, { now: () => 12_345 });
  assertEquals(await store.sweep({ limit: 7 }), 5);
  const [[text, values, name]] = rig.asked as [Asked];
  assert(text.endsWith("ORDER BY expires_at LIMIT 7 FOR UPDATE SKIP LOCKED))"), text);
  assertEquals([values, name], [[12.345], undefined]);
  await assertRejects(() => store.sweep({ limit: 0 }), RangeError, "limit");
});

Deno.test("PostgresStore passes a ttl and no time, and compares with the clock of the database", async () => {
  using rig = pgRig(() => ({ rows: [], rowCount: 1 }));
  const store = new PostgresStore(rig.client);
  await callAll(store);
  await store.sweep();
  for (const [text, values] of rig.asked) {
    const isTimeless = /^DELETE FROM \S+ WHERE id = \$1( |$)/.test(text);
    assertEquals(text.includes(POSTGRES_CLOCK), !isTimeless, text);
    for (const value of values) assert(typeof value === "string" || value === 7 || value === 60);
  }
});

Deno.test("PostgresStore.create() has written when its sweep fails", async () => {
  using rig = pgRig();
  const store = new PostgresStore(rig.client);
  await store.setup();
  const { random } = Math;
  Math.random = () => 0;
  try {
    assert(await store.create(idOf("a"), "one", write) !== undefined);
  } finally {
    Math.random = random;
  }
  assert(rig.asked.at(-1)![0].startsWith("DELETE"));
  assertEquals((await store.read(idOf("a")))?.text, "one");
});

Deno.test("PostgresStore keeps PAGI's hash", async () => {
  using rig = pgRig();
  const store = new PostgresStore(rig.client, { now: () => 5500 });
  await store.setup();
  assertEquals(await store.set("a", { user: "ada" }), "a");
  assertEquals(await store.get("a"), { _id: "a", _created: 5, _last_access: 5, user: "ada" });
});

Deno.test("PostgresStore throws when the client is one that only looks right", async () => {
  const store = new PostgresStore({ query: () => Promise.resolve({}) as never });
  await assertRejects(() => store.create(idOf("a"), "", write), TypeError);
  const [rows, rowCount] = [[{}], undefined];
  const other = new PostgresStore({ query: () => Promise.resolve({ rows, rowCount }) as never });
  await assertRejects(() => other.create(idOf("a"), "", write), TypeError, "count");
  await assertRejects(() => other.read(idOf("a")), TypeError, "names");
});

Deno.test("PostgresStore() throws and names what is wrong", () => {
  using rig = pgRig();
  const mysql = { query() {}, execute() {} };
  for (const client of [undefined, null, "postgres://db", {}, () => {}, { unsafe() {} }, mysql]) {
    assertThrows(() => new PostgresStore(client as never as PostgresClient), TypeError, "pg");
  }
  const make = (options: unknown) => () =>
    new PostgresStore(rig.client, options as PostgresStoreOptions);
  for (const table of ["", 'a"b', "a.b.c", "a".repeat(49)]) {
    assertThrows(make({ table }), TypeError, "table");
  }
  for (const prepare of [null, 1, "yes"]) assertThrows(make({ prepare }), TypeError, "prepare");
  assertThrows(make({ now: 5 }), TypeError, "now");
  assertThrows(make({ tabel: "a" }), TypeError, '"tabel"');
  make({ table: undefined, prepare: undefined, now: undefined })();
});
