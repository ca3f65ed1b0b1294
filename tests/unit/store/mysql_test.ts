import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { MysqlStore, type MysqlStoreOptions } from "../../../store/mysql.ts";
import { REFUSED, STORED } from "../../../store/_sql/mysql_client.ts";
import { idOf } from "../../_kit/helpers.ts";

// Real servers are in tests/integration. Here a client answers what a server would.

const { signal } = new AbortController();
const write = { lastAccess: 7, ttl: 60, signal };
const ID = idOf("a");

/**
 * A client that gives these answers, one after the other. To the question for the sizes of the
 * columns, it answers that there are none.
 */
function clientWith(...answers: unknown[]) {
  const asked: [sql: string, values: unknown[]][] = [];
  const client = {
    async execute(sql: string, values: unknown[] = []): Promise<[unknown, unknown]> {
      if (sql.includes("information_schema")) return await [[], undefined];
      asked.push([sql, values]);
      const answer = answers.shift();
      if (answer instanceof Error) throw answer;
      return await [answer, undefined];
    },
  };
  const store = new MysqlStore(client, { now: () => 1_000_500 });
  return { asked, client, store };
}

/** What mysql2 says of a statement that wrote. */
const wrote = (affectedRows: number, insertId: number | bigint | string = STORED) => ({
  affectedRows,
  insertId,
});

/** Runs `work` without a sweep by chance. */
function unswept<T>(work: () => Promise<T>): Promise<T> {
  return withChance(0.99, work);
}

async function withChance<T>(chance: number, work: () => Promise<T>): Promise<T> {
  const { random } = Math;
  Math.random = () => chance;
  try {
    return await work();
  } finally {
    Math.random = random;
  }
}

Deno.test("MysqlStore writes although an earlier question for the sizes was never answered", async () => {
  let isLost = true;
  const client = {
    async execute(sql: string): Promise<unknown> {
      if (!sql.includes("information_schema")) return await [wrote(1), undefined];
      if (!isLost) return await [[{ size: "text 100" }], undefined];
      isLost = false;
      return await new Promise(() => {});
    },
  };
  const store = new MysqlStore(client, { sweep: false });
  let isAnswered = false;
  void store.create(ID, "", write).then(() => isAnswered = true);
  assert(await store.create(ID, "x", write) !== undefined);
  await assertRejects(() => store.create(ID, "x".repeat(101), write), RangeError, "column text");
  assertEquals(isAnswered, false);
});

Deno.test("MysqlStore.create() knows from the answer whether it wrote", async () => {
  const answers = [
    ["inserted", wrote(1), true],
    ["over an expired one", wrote(2), true],
    ["inserted, and numbers come as text", wrote(1, String(STORED)), true],
    ["refused, and rows that changed are counted", wrote(0, REFUSED), false],
    ["refused, and rows that were found are counted", wrote(1, REFUSED), false],
    ["refused, and numbers come as text", wrote(1, String(REFUSED)), false],
    ["refused, and numbers are large", wrote(1, BigInt(REFUSED)), false],
  ] as const;
  for (const [name, answer, isWritten] of answers) {
    const { store } = clientWith(answer);
    const version = await unswept(() => store.create(ID, "", write));
    assertEquals(version !== undefined, isWritten, name);
  }
});

Deno.test("MysqlStore.create() reads the version if a trigger replaced the insert ID", async () => {
  for (const isWritten of [true, false]) {
    let written: unknown;
    const client = {
      async execute(sql: string, values: unknown[] = []): Promise<unknown> {
        if (sql.startsWith("INSERT")) written = values[1];
        if (!sql.includes("SELECT")) return await [wrote(1, 0), undefined];
        return await [[{ version: isWritten ? written : "another" }], undefined];
      },
    };
    const store = new MysqlStore(client, { sweep: false });
    assertEquals(await store.create(ID, "", write), isWritten ? written : undefined);
  }
});

Deno.test("MysqlStore sends one statement a call, its values in the order of their places", async () => {
  const row = { record: `${ID} v 7 one` };
  const { asked, store } = clientWith(wrote(1), [row], wrote(1), wrote(1), wrote(1), wrote(0));
  const version = await unswept(() => store.create(ID, "one", write));
  assertEquals(await store.read(ID), { text: "one", version: "v", lastAccess: 7 });
  assertEquals(await store.touch(ID, { ...write, version: "v", text: "one" }), true);
  const next = await store.replace(ID, "two", { ...write, version: "v" });
  assertEquals(await store.delete(ID, { version: "v", signal }), true);
  assertEquals(await store.delete(ID, { signal }), false);
  const touched = asked[2]![1][0];
  assertMatch(String(touched), /^[0-9a-f]{24}$/);
  const [now, expiresAt] = [1000.5, 1060.5];
  const expected = [
    ["INSERT", [ID, version, 7, expiresAt, "one", now, now, now, now]],
    ["SELECT", [ID, now]],
    ["UPDATE", [touched, 7, expiresAt, ID, now, "v"]],
    ["UPDATE", [next, 7, expiresAt, "two", ID, now, "v"]],
    ["DELETE", [ID, "v"]],
    ["DELETE", [ID]],
  ];
  assertEquals(asked.map(([sql, values]) => [sql.split(" ")[0]!, values]), expected);
  for (const [sql, values] of asked) assertEquals(sql.split("?").length - 1, values.length);
});

Deno.test("MysqlStore passes a ttl and no time, and compares with the clock of the database", async () => {
  const { asked, client } = clientWith(wrote(1), [], wrote(1), wrote(1), wrote(1));
  const store = new MysqlStore(client);
  const version = await unswept(() => store.create(ID, "one", write));
  await store.read(ID);
  await store.touch(ID, { ...write, version: "v", text: "one" });
  await store.replace(ID, "two", { ...write, version: "v" });
  await store.sweep();
  const [, , [, [touched]], [, [next]]] = asked as [
    unknown,
    unknown,
    typeof asked[0],
    typeof asked[0],
  ];
  const expected = [
    [ID, version, 7, 60, "one"],
    [ID],
    [touched, 7, 60, ID, "v"],
    [next, 7, 60, "two", ID, "v"],
    [],
  ];
  assertEquals(asked.map(([, values]) => values), expected);
  for (const [sql, values] of asked) {
    assertEquals(sql.split("?").length - 1, values.length);
    assert(sql.includes("UNIX_TIMESTAMP() + MICROSECOND(NOW(6)) / 1e6"), sql);
  }
});

Deno.test("MysqlStore makes a statement again that a deadlock has undone, and no other", async () => {
  const failure = (errno: number) => Object.assign(new Error(`error ${errno}`), { errno });
  const { asked, store } = clientWith(failure(1213), failure(1020), wrote(1), failure(1205));
  assertEquals(await store.delete(ID, { signal }), true);
  assertEquals(asked.length, 3);
  await assertRejects(() => store.delete(ID, { signal }), Error, "1205");
  assertEquals(asked.length, 4);
});

const SKIPPING = "DELETE session FROM (SELECT id AS expired_id FROM `pagi_sessions` " +
  "WHERE expires_at < ? ORDER BY expires_at LIMIT 5 FOR UPDATE SKIP LOCKED) AS expired " +
  "STRAIGHT_JOIN `pagi_sessions` AS session ON session.id = expired.expired_id";

Deno.test("MysqlStore.sweep() removes in one statement, at most limit", async () => {
  const { asked, store } = clientWith(wrote(5), wrote(50), wrote(0));
  assertEquals([await store.sweep({ limit: 5 }), await store.sweep()], [5, 50]);
  assertEquals(asked[0], [SKIPPING, [1000.5]]);
  assertEquals(asked.map(([sql]) => /LIMIT (\d+)/.exec(sql)![1]), ["5", "50", "50"]);
  await assertRejects(() => store.sweep({ limit: 1.5 }), RangeError, "limit");
});

Deno.test("MysqlStore sweeps only in sweep() when the server cannot skip locked rows", async () => {
  const unknown = (errno: number) => Object.assign(new Error("syntax"), { errno });
  for (const errno of [1064, 1235]) {
    const { asked, store } = clientWith(unknown(errno), wrote(5), wrote(1), wrote(3));
    assertEquals(await store.sweep({ limit: 5 }), 5);
    const waiting = "DELETE FROM `pagi_sessions` WHERE expires_at < ? ORDER BY expires_at LIMIT";
    assertEquals(asked.map(([sql]) => sql), [SKIPPING, `${waiting} 5`]);
    await withChance(0, () => store.create(ID, "", write));
    assertEquals(asked.length, 3);
    assertEquals(await store.sweep({ limit: 7 }), 3);
    assertEquals(asked[3]![0], `${waiting} 7`);
  }
  // The first to notice may be a create.
  const { asked, store } = clientWith(wrote(1), unknown(1064), wrote(1));
  for (let turn = 0; turn < 2; turn++) await withChance(0, () => store.create(ID, "", write));
  assertEquals(asked.map(([sql]) => sql.split(" ")[0]), ["INSERT", "DELETE", "INSERT"]);
});

Deno.test("MysqlStore.create() waits for no sweep, and starts no second one", async () => {
  const { client } = clientWith(...Array.from({ length: 9 }, () => wrote(1)));
  let sweeps = 0;
  const slow = {
    execute: (sql: string, values: unknown[] = []): Promise<[unknown, unknown]> =>
      sql.startsWith("DELETE")
        ? (sweeps++, new Promise<never>(() => {}))
        : client.execute(sql, values),
  };
  const store = new MysqlStore(slow);
  for (let turn = 0; turn < 3; turn++) {
    assert(await withChance(0, () => store.create(ID, "", write)) !== undefined);
  }
  assertEquals(sweeps, 1);
  const without = new MysqlStore(slow, { sweep: false });
  assert(await withChance(0, () => without.create(ID, "", write)) !== undefined);
  assertEquals(sweeps, 1);
});

Deno.test("MysqlStore.setup() runs what ddl says where there is no table, and nowhere else", async () => {
  const noTable = Object.assign(new Error("no table"), { errno: 1146 });
  const { asked, store } = clientWith(noTable, wrote(0), [], new Error("connection lost"));
  await store.setup();
  assertEquals(asked.slice(1).map(([sql]) => sql), [...store.ddl]);
  await store.setup();
  assertEquals(asked.length, 3);
  await assertRejects(() => store.setup(), Error, "connection lost");
  assertEquals(asked.length, 4);
});

Deno.test("MysqlStore keeps PAGI's hash", async () => {
  const { asked, store } = clientWith([], wrote(1), []);
  assertEquals(await unswept(() => store.set("a", { user: "ada" })), "a");
  assertEquals(asked[1]![1].slice(4, 5), ['s1:{"_created":1000,"user":"ada"}']);
  assertEquals(await store.get("a"), undefined);
});

Deno.test("MysqlStore throws when the client is one that only looks right", async () => {
  for (const answer of [undefined, {}, { affectedRows: 1 }, { affectedRows: "1", insertId: 0 }]) {
    await assertRejects(() => clientWith(answer).store.create(ID, "", write), TypeError);
  }
  await assertRejects(() => clientWith([["text", "version"]]).store.read(ID), TypeError, "options");
});

Deno.test("MysqlStore() throws and names what is wrong", () => {
  const { client } = clientWith();
  const callbacks = { ...client, promise() {} };
  for (const wrong of [undefined, null, "mysql://db", {}, () => {}, { query() {} }, callbacks]) {
    assertThrows(() => new MysqlStore(wrong as never), TypeError, "mysql2");
  }
  const make = (options: unknown) => () => new MysqlStore(client, options as MysqlStoreOptions);
  for (const table of ["", "a`b", "a.b.c", "a".repeat(49), null]) {
    assertThrows(make({ table }), TypeError, "table");
  }
  assertThrows(make({ now: 5 }), TypeError, "now");
  assertThrows(make({ prepare: true }), TypeError, '"prepare"');
  make({ table: undefined, now: undefined })();
  assert(new MysqlStore(client, { table: "shop.s" }).ddl[0]!.includes("`shop`.`s`"));
});
