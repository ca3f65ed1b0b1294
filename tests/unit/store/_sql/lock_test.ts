import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { SqliteStore } from "../../../../store/sqlite.ts";
import { idOf } from "../../../_kit/helpers.ts";
import { open, watched, withChance, write } from "../../../_kit/sqlite.ts";

/** A store whose database is locked for so many statements that begin with `verb`. */
function lockedStore(verb: string, times: number, message = "database is locked") {
  const rig = open();
  let left = 0;
  const { ran, watching } = watched(rig.database, (sql) => {
    if (!sql.startsWith(verb) || left-- <= 0) return false;
    throw new Error(message);
  });
  const store = new SqliteStore(watching);
  // Without setup(), the store does not know that nothing can lock this database.
  for (const statement of store.ddl) rig.database.exec(statement);
  store.create(idOf("a"), "one", write);
  ran.length = 0;
  const lock = (statements: number) => {
    left = statements;
  };
  lock(times);
  return { lock, ran, store, [Symbol.dispose]: () => rig.database.close() };
}

Deno.test("SqliteStore retries when the database is locked, and returns a promise then", async () => {
  for (const message of ["database is locked", "SQLITE_BUSY: database is busy"]) {
    using rig = lockedStore("INSERT", 3, message);
    const version = rig.store.create(idOf("b"), "two", write);
    assert(version instanceof Promise);
    assert(await version !== undefined);
    assertEquals(rig.ran.filter((verb) => verb === "INSERT").length, 4);
    assertEquals(rig.store.delete(idOf("b")), true);
  }
});

Deno.test("SqliteStore retries each kind of call", async () => {
  const calls: [verb: string, call: (store: SqliteStore, version: string) => unknown][] = [
    ["SELECT", (store) => store.read(idOf("a"))],
    ["UPDATE", (store, version) => store.replace(idOf("a"), "two", { ...write, version })],
    ["UPDATE", (store, version) => store.touch(idOf("a"), { ...write, version, text: "one" })],
    ["DELETE", (store) => store.delete(idOf("a"))],
    ["DELETE", (store) => store.sweep()],
  ];
  for (const [verb, call] of calls) {
    using rig = lockedStore(verb, 0);
    const { version } = (await rig.store.read(idOf("a")))!;
    rig.lock(2);
    const answer = call(rig.store, version);
    assert(answer instanceof Promise, verb);
    assert(await answer !== undefined, verb);
  }
});

Deno.test("SqliteStore stops retrying when the call's signal aborts", async () => {
  using rig = lockedStore("INSERT", Infinity);
  const controller = new AbortController();
  const options = { ...write, signal: controller.signal };
  const version = rig.store.create(idOf("b"), "two", options) as Promise<unknown>;
  controller.abort(new Error("storeTimeout has passed"));
  await assertRejects(() => version, Error, "storeTimeout has passed");
  const { length } = rig.ran;
  // It has been aborted before the call.
  assertThrows(() => rig.store.create(idOf("b"), "two", options), Error, "locked");
  assertEquals(rig.ran.length, length + 1);
});

Deno.test("SqliteStore throws any other error immediately", () => {
  using rig = lockedStore("INSERT", 1, "disk I/O error");
  assertThrows(() => rig.store.create(idOf("b"), "two", write), Error, "disk");
});

Deno.test("SqliteStore.create() does not wait for its sweep when the database is locked", async () => {
  using rig = lockedStore("DELETE", Infinity);
  await withChance(0, () => {
    const version = rig.store.create(idOf("b"), "two", write);
    assertEquals(typeof version, "string");
  });
  assertEquals(rig.ran, ["INSERT", "DELETE"]);
});
