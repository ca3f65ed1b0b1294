import { assert, assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import type { VersionedStore } from "@pagi/session/store";
import { SqliteStore, type SqliteStoreOptions } from "@pagi/session/store/sqlite";
import { firstLine } from "./_processes.ts";
import { holdSqlStore, newId, type SqlStore, write } from "./_sql_suite.ts";
import { holdToContract, race } from "./_suites.ts";

const RACES = 200;
const CONFIG = `${import.meta.dirname}/deno.json`;
const SCRIPT = `${import.meta.dirname}/_sql_sqlite_process.ts`;
const { signal } = write;

/** A file of a test's own. */
async function temporaryFile(): Promise<{ path: string } & AsyncDisposable> {
  const folder = await Deno.makeTempDir({ prefix: "pagi-sqlite-" });
  return {
    path: `${folder}/sessions.db`,
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

/** Another process on the file; what comes back has it start, and waits for its end. */
async function startProcess(path: string, id: string, count = 0) {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--config", CONFIG, SCRIPT, path, id, String(count)],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  await firstLine(child.stdout);
  return async () => {
    await child.stdin.close();
    assertEquals((await child.status).code, 0);
  };
}

Deno.test("SqliteStore keeps the contract in a file", async (t) => {
  await using file = await temporaryFile();
  using database = new DatabaseSync(file.path);
  const open = (options: SqliteStoreOptions = {}): SqlStore => new SqliteStore(database, options);
  const ask = (sql: string) => Promise.resolve(database.prepare(sql).all());
  await holdSqlStore(t, { open, ask, table: "pagi_sessions" }, RACES);
});

Deno.test("SqliteStore keeps the contract on several connections to one file", async (t) => {
  await using file = await temporaryFile();
  const databases = Array.from({ length: 4 }, () => new DatabaseSync(file.path));
  const stores = databases.map((database) => new SqliteStore(database));
  await Promise.all(stores.map((store) => store.setup()));
  let turn = 0;
  const next = () => stores[turn++ % stores.length]!;
  const inTurn: VersionedStore = {
    read: (id) => next().read(id),
    create: (id, text, options) => next().create(id, text, options),
    replace: (id, text, options) => next().replace(id, text, options),
    touch: (id, options) => next().touch(id, options),
    delete: (id, options) => next().delete(id, options),
  };
  await holdToContract(t, inTurn);
  await t.step("no race breaks a session", () => race(inTurn, RACES));
  for (const database of databases) database.close();
});

Deno.test("SqliteStore.setup() may race in eight processes, and loses nobody's record", async () => {
  for (let round = 0; round < 5; round++) {
    await using file = await temporaryFile();
    const ids = Array.from({ length: 8 }, newId);
    const runs = await Promise.all(ids.map((id) => startProcess(file.path, id)));
    await Promise.all(runs.map((run) => run()));
    using database = new DatabaseSync(file.path);
    const store = new SqliteStore(database);
    for (const id of ids) assertEquals(store.read(id)?.text, "0");
  }
});

Deno.test("SqliteStore loses no count of four processes that share a session", async () => {
  await using file = await temporaryFile();
  const [id, count] = [newId(), 500];
  const runs = await Promise.all(
    Array.from({ length: 4 }, () => startProcess(file.path, id, count)),
  );
  await Promise.all(runs.map((run) => run()));
  using database = new DatabaseSync(file.path);
  assertEquals(new SqliteStore(database).read(id)?.text, String(4 * count));
});

Deno.test("SqliteStore waits for another process that is writing", async () => {
  await using file = await temporaryFile();
  using database = new DatabaseSync(file.path);
  const store = new SqliteStore(database);
  await store.setup();
  const holder = new Deno.Command(Deno.execPath(), {
    args: [
      "eval",
      `const { DatabaseSync } = await import("node:sqlite");
       const database = new DatabaseSync(${JSON.stringify(file.path)});
       database.exec("BEGIN IMMEDIATE");
       console.log("held");
       setTimeout(() => database.exec("COMMIT"), 300);`,
    ],
    stdin: "null",
    stdout: "piped",
  }).spawn();
  await firstLine(holder.stdout);
  const id = newId();
  assertEquals(store.read(id), undefined);
  assert(store.create(id, "a", write) !== undefined);
  assertEquals((await holder.status).code, 0);
  assert(store.delete(id, { signal }));
});

Deno.test("SqliteStore.setup() makes a write-ahead log, and waits for the disk if the option says so", async () => {
  await using file = await temporaryFile();
  for (const [synchronous, expected] of [[undefined, 1], ["FULL", 2], ["NORMAL", 1]] as const) {
    using database = new DatabaseSync(file.path);
    const store = new SqliteStore(database, { synchronous });
    await store.setup();
    await store.setup();
    const pragma = (name: string) => Object.values(database.prepare(`PRAGMA ${name}`).get()!)[0];
    assertEquals([pragma("journal_mode"), pragma("synchronous")], ["wal", expected]);
    assertEquals(pragma("busy_timeout"), 5000);
  }
});
