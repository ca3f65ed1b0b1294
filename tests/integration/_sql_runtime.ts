/**
 * A store on SQL on a client of Bun or Node, for them to run: `_sql_runtime.ts CLIENT WHERE`. Says
 * how many cases passed, or what failed.
 *
 * @module
 */
import process from "node:process";
import { type PostgresClient, PostgresStore } from "../../store/postgres.ts";
import type { VersionedStore } from "../../store/store.ts";
import { type SqliteDatabase, SqliteStore } from "../../store/sqlite.ts";
import { formatRaces, simulateRaces, storeContract } from "../../testing/store.ts";

const RACES = 300;
const TEXTS = ["\0", "a\0b", "\ud800", '"a"', "𝒳 é", "x".repeat(1_000_000)];

/** The parts of the modules that this file uses. Their names are known only at run time. */
interface Sqlite {
  Database: new (path: string) => SqliteDatabase & { close(): void };
}
interface Bun {
  SQL: new (url: string) => PostgresClient & {
    unsafe(text: string): Promise<unknown>;
    close(): Promise<void>;
  };
}

/** How each client is opened: on a file, or on the address of a server, a blank and a table. */
const OPENERS: { [client: string]: (where: string) => Promise<SqliteStore | PostgresStore> } = {
  async "bun:sqlite"(path) {
    const { Database } = await import("bun:sqlite" as string) as Sqlite;
    return new SqliteStore(new Database(path));
  },
  async "bun:sqlite with safe integers"(path) {
    const { Database } = await import("bun:sqlite" as string);
    return new SqliteStore(new Database(path, { safeIntegers: true, create: true }));
  },
  async "node:sqlite"(path) {
    const { DatabaseSync } = await import("node:sqlite");
    return new SqliteStore(new DatabaseSync(path));
  },
  async "node:sqlite with big integers"(path) {
    const { DatabaseSync } = await import("node:sqlite");
    return new SqliteStore(new DatabaseSync(path, { readBigInts: true } as object));
  },
  async "better-sqlite3"(path) {
    const { default: Database } = await import(process.argv[4]!);
    return new SqliteStore(new Database(path));
  },
  async "better-sqlite3 with safe integers"(path) {
    const { default: Database } = await import(process.argv[4]!);
    return new SqliteStore(new Database(path).defaultSafeIntegers());
  },
  async "Bun.SQL"(where) {
    const [url, table] = where.split(" ");
    const { SQL } = await import("bun" as string) as Bun;
    return new PostgresStore(new SQL(url!), { table });
  },
};

const [client, where] = process.argv.slice(2);
// Two connections: what one has written the other has to see.
const stores = [await OPENERS[client!]!(where!), await OPENERS[client!]!(where!)] as const;
await Promise.all([...stores, ...stores].map((store) => store.setup()));
let turn = 0;
const next = () => stores[turn++ % stores.length]!;
const store: VersionedStore = {
  read: (id) => next().read(id),
  create: (id, text, options) => next().create(id, text, options),
  replace: (id, text, options) => next().replace(id, text, options),
  touch: (id, options) => next().touch(id, options),
  delete: (id, options) => next().delete(id, options),
};

const cases = storeContract({ open: () => store, waitForExpiry: true });
await Promise.all(cases.map(({ run }) => run()));
const { signal } = new AbortController();
const write = { lastAccess: 1_700_000_000.5, ttl: 60, signal };
for (const text of TEXTS) {
  const version = await store.create("a", text, write);
  const record = await store.read("a", { signal });
  const isSame = record?.text === text && record.version === version &&
    record.lastAccess === write.lastAccess;
  if (!isSame) throw new Error(`A text came back otherwise: ${JSON.stringify(text).slice(0, 40)}`);
  await store.delete("a", { version, signal });
}
// A sweep that an earlier create() has started may remove the record first, but not each time.
let swept = 0;
for (let tries = 0; swept === 0 && tries < 50; tries++) {
  const version = (await store.create("a", "", write))!;
  await store.replace("a", "", { ...write, version, ttl: -60 });
  swept = await next().sweep();
}
if (swept === 0) throw new Error("sweep() removed nothing");
const report = await simulateRaces({ open: () => store, runs: RACES, exhaustive: false });
if (report.failures.length > 0) throw new Error(formatRaces(report));
console.log(`${cases.length} cases passed; ${formatRaces(report)}`);
process.exit();
