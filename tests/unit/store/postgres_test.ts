import { assert, assertEquals, assertNotEquals, assertRejects, assertThrows } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import {
  type PostgresClient,
  PostgresStore,
  type PostgresStoreOptions,
} from "../../../store/postgres.ts";
import { POSTGRES_CLOCK, POSTGRES_LAST_ACCESS } from "../../../store/_sql/postgres_client.ts";
import { SQLITE_CLOCK } from "../../../store/_sql/sqlite_client.ts";
import { SessionMiddleware } from "../../../middleware.ts";
import { HashedStore } from "../../../store/hashed.ts";
import { SealedStore } from "../../../store/sealed.ts";
import { storeContract } from "../../../testing/store.ts";
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
  database.function("hex_of_double", (value) => {
    const view = new DataView(new ArrayBuffer(8));
    view.setFloat64(0, Number(value));
    return view.getBigUint64(0).toString(16).padStart(16, "0");
  });
  const asked: Asked[] = [];
  const run = (text: string, values: (string | number)[]) => {
    const given = answer?.(text);
    if (given instanceof Error) throw given;
    if (given !== undefined) return given as { rows: unknown[]; rowCount: number };
    if (text.includes("to_regclass")) return { rows: [{ found: "no" }], rowCount: 1 };
    const sql = text.replaceAll(POSTGRES_CLOCK, SQLITE_CLOCK).replaceAll("GREATEST(", "max(")
      .replaceAll(POSTGRES_LAST_ACCESS, "hex_of_double(last_access)")
      .replaceAll("$", "?").replaceAll("double precision", "REAL");
    const statement = database.prepare(sql);
    if (sql.startsWith("SELECT") || sql.includes("RETURNING")) {
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
  const names = rig.asked.map(([, , name]) => String(name));
  assertEquals(
    names.map((name) => name.replace(/_[\da-f]{16}$/, "")),
    NAMES.map((n) => `pagi_${n}`),
  );
  // Each text has a name of its own: PostgreSQL would run the text that it knows by that name.
  for (const options of [{ table: `${"a".repeat(24)}.${"b".repeat(23)}` }, { now: () => 0 }]) {
    await new PostgresStore(rig.client, options).read(idOf("a")).catch(() => {});
    const name = String(rig.asked.at(-1)![2]);
    assert(/^pagi_read_[\da-f]{16}$/.test(name) && !names.includes(name), name);
  }
});

Deno.test("PostgresStore lets postgres.js prepare only when it is told to", async () => {
  for (const prepare of [true, false, undefined]) {
    using rig = pgRig();
    const store = new PostgresStore(rig.tag, { prepare });
    await store.setup();
    rig.asked.length = 0;
    await callAll(store);
    const expected = NAMES.map(() => ({ prepare: prepare === true }));
    assertEquals(rig.asked.map(([, , options]) => options), expected);
    await assertRejects(() => store.sweep());
    assertEquals(rig.asked.at(-1)![2], { prepare: false });
  }
});

Deno.test("PostgresStore stops preparing when a pooler does not keep its statements, with one event", async () => {
  for (const code of ["26000", "42P05"]) {
    let isPooled = false;
    using rig = pgRig();
    const client = {
      async query(query: string | { text: string }, values?: (string | number)[]) {
        if (isPooled && typeof query !== "string") {
          rig.asked.push([query.text, [], "refused"]);
          throw Object.assign(new Error("prepared statement"), { code });
        }
        return await rig.client.query(query as string, values);
      },
    };
    const store = new PostgresStore(client as never);
    await store.setup();
    const events: unknown[] = [];
    store.reportTo((event) => events.push(event));
    const version = (await store.create(idOf("a"), "one", write))!;
    isPooled = true;
    const reads = await Promise.all([store.read(idOf("a")), store.read(idOf("a"))]);
    assertEquals(reads.map((record) => record?.text), ["one", "one"]);
    assert(await store.replace(idOf("a"), "two", { ...write, version }) !== undefined);
    assertEquals((await store.read(idOf("a")))?.text, "two");
    assertEquals(events.length, 1);
    assertEquals(rig.asked.filter(([, , name]) => name === "refused").length, 2);
  }
});

Deno.test("PostgresStore acknowledges no write when the answer is another statement's", async () => {
  const other = { rows: [{ version: "0".repeat(24) }], rowCount: 1 };
  using rig = pgRig(() => other);
  const store = new PostgresStore(rig.client, { prepare: false });
  const wrong = [TypeError, "another statement"] as const;
  await assertRejects(() => store.create(idOf("a"), "", write), ...wrong);
  await assertRejects(() => store.replace(idOf("a"), "", { ...write, version: "v" }), ...wrong);
  await assertRejects(() => store.touch(idOf("a"), { ...write, version: "v", text: "" }), ...wrong);
  await assertRejects(() => store.delete(idOf("a"), { signal }), ...wrong);
});

Deno.test("PostgresStore reports to the middleware, also from inside a SealedStore", async () => {
  using rig = pgRig();
  const client = {
    query: (query: string | { text: string; values: (string | number)[] }, values?: unknown) =>
      typeof query === "string"
        ? rig.client.query(query, values as string[])
        : Promise.reject(Object.assign(new Error("no such statement"), { code: "26000" })),
  };
  const inner = new PostgresStore(client as never);
  await inner.setup();
  const secret = "a secret of more than 32 characters";
  for (
    const store of [inner, new SealedStore(inner, { secret }), new HashedStore(inner)]
  ) {
    const events: string[] = [];
    new SessionMiddleware({ secret, store, onEvent: ({ type }) => events.push(type) });
    await inner.read(idOf("a"));
    if (store === inner) assertEquals(events, ["statements-unprepared"]);
  }
  const again = new PostgresStore(client as never);
  const events: string[] = [];
  const store = new SealedStore(new HashedStore(again), { secret });
  new SessionMiddleware({ secret, store, onEvent: ({ type }) => events.push(type) });
  await again.read(idOf("a"));
  assertEquals(events, ["statements-unprepared"]);
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
      if (text.includes("to_regclass")) return { rows: [{ found: "no" }], rowCount: 1 };
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
  using rig = pgRig(() => ({ rows: [{ found: "yes" }], rowCount: 1 }));
  await new PostgresStore(rig.client, { table: "shop.Sessions" }).setup();
  assertEquals(rig.asked.map(([, values]) => values), [['"shop"."Sessions_expires_at"']]);
});

Deno.test("PostgresStore.sweep() removes in one statement what no other sweep has", async () => {
  using rig = pgRig(() => ({ rows: Array.from({ length: 5 }, () => ({ id: "a" })), rowCount: 5 }));
  const store = new PostgresStore(rig.client, { now: () => 12_345 });
  assertEquals(await store.sweep({ limit: 7 }), 5);
  const [[text, values, name]] = rig.asked as [Asked];
  assert(text.endsWith("ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED)) RETURNING id"), text);
  assertEquals([values, name], [[12.345, 7], undefined]);
  await assertRejects(() => store.sweep({ limit: 0 }), RangeError, "limit");
});

Deno.test("PostgresStore passes a ttl and no time, and compares with the clock of the database", async () => {
  using rig = pgRig(() => ({ rows: [], rowCount: 0 }));
  const store = new PostgresStore(rig.client);
  await callAll(store);
  await store.sweep();
  for (const [text, values] of rig.asked) {
    const isTimeless = /^DELETE FROM \S+ WHERE id = \$1( |$)/.test(text);
    assertEquals(text.includes(POSTGRES_CLOCK), !isTimeless, text);
    // There is no version, because create() got no row.
    for (const value of values) {
      assert(
        ["string", "undefined"].includes(typeof value) || [7, 50, 60].includes(Number(value)),
      );
    }
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
  const other = new PostgresStore({ query: () => Promise.resolve({ rows: [{}] }) as never });
  await assertRejects(() => other.create(idOf("a"), "", write), TypeError, "client's options");
  await assertRejects(() => other.read(idOf("a")), TypeError, "options");
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
