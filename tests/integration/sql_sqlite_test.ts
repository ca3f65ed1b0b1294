import { assert, assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { SessionMiddleware } from "@pagi/session";
import type { StoredRecord, VersionedStore } from "@pagi/session/store";
import { SqliteStore, type SqliteStoreOptions } from "@pagi/session/store/sqlite";
import { delay, firstLine } from "./_processes.ts";
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
    for (const id of ids) assertEquals((await store.read(id))?.text, "0");
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
  assertEquals((await new SqliteStore(database).read(id))?.text, String(4 * count));
});

/** Has another process lock the file for writing, until what comes back is called. */
async function lock(path: string) {
  const script = `const { DatabaseSync } = await import("node:sqlite");
    const database = new DatabaseSync(${JSON.stringify(path)});
    database.exec("BEGIN IMMEDIATE");
    console.log("held");
    for await (const _ of Deno.stdin.readable);
    database.exec("COMMIT");`;
  const holder = new Deno.Command(Deno.execPath(), {
    args: ["eval", script],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  await firstLine(holder.stdout);
  return async () => {
    await holder.stdin.close();
    assertEquals((await holder.status).code, 0);
  };
}

Deno.test("SqliteStore waits for another process that is writing, and this process goes on", async () => {
  await using file = await temporaryFile();
  using database = new DatabaseSync(file.path, { timeout: 5000 } as object);
  const store = new SqliteStore(database);
  await store.setup();
  const known = newId();
  const version = (await store.create(known, "known", write))!;
  const unlock = await lock(file.path);
  const id = newId();
  const began = performance.now();
  const calls = [
    store.create(id, "a", write),
    store.replace(known, "new", { ...write, version }),
    store.delete(newId(), { signal }),
    store.sweep(),
  ];
  for (const call of calls) assert(call instanceof Promise);
  // SQLite's own wait, which is the app's, would have taken its five seconds for each.
  assert(performance.now() - began < 4000);
  assertEquals(database.prepare("PRAGMA busy_timeout").get()!.timeout, 5000);
  let turns = 0;
  while (turns < 20) {
    await delay(1);
    assertEquals((store.read(known) as StoredRecord).text, "known");
    turns++;
  }
  await unlock();
  const [created, replaced, deleted] = await Promise.all(calls);
  assert(created !== undefined && replaced !== undefined);
  assertEquals(deleted, false);
  assertEquals((await store.read(known))?.text, "new");
  assertEquals(await store.delete(id, { signal }), true);
});

Deno.test("SqliteStore writes nothing after storeTimeout when another process is writing", async () => {
  await using file = await temporaryFile();
  using database = new DatabaseSync(file.path);
  const store = new SqliteStore(database);
  await store.setup();
  const unlock = await lock(file.path);
  const options = { secret: "a secret of more than 32 characters", store, storeTimeout: 0.1 };
  const handler = new SessionMiddleware(options).handler((_request, session) => {
    session.set("n", 1);
    return new Response();
  });
  const response = await handler(new Request("http://localhost/"));
  assertEquals(response.status, 503);
  await unlock();
  await delay(100);
  assertEquals(database.prepare("SELECT count(*) AS n FROM pagi_sessions").get()!.n, 0);
  assertEquals((await handler(new Request("http://localhost/"))).status, 200);
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
  }
});
