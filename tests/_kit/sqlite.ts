/** Helpers of the tests of SqliteStore: a database in memory, a clock and chance. */
import { DatabaseSync } from "node:sqlite";
import { type SqliteDatabase, SqliteStore, type SqliteStoreOptions } from "../../store/sqlite.ts";
import type {
  DeleteOptions,
  ReplaceOptions,
  StoredRecord,
  TouchOptions,
  WriteOptions,
} from "../../store/store.ts";
import { fakeClock, idOf } from "./helpers.ts";

/** A store whose calls return values, because no other process locks its database. */
export type UnlockedSqliteStore =
  & Omit<SqliteStore, "read" | "create" | "replace" | "touch" | "delete">
  & {
    read(id: string): StoredRecord | undefined;
    create(id: string, text: string, options: WriteOptions): string | undefined;
    replace(id: string, text: string, options: ReplaceOptions): string | undefined;
    touch(id: string, options: TouchOptions): boolean;
    delete(id: string, options?: Partial<DeleteOptions>): boolean;
  };

/** Creates a store on a database that nothing else uses. */
export function sqliteStore(database: SqliteDatabase, options?: SqliteStoreOptions) {
  return new SqliteStore(database, options) as unknown as UnlockedSqliteStore;
}

/** The options of a write. */
export const write = { lastAccess: 7, ttl: 60, signal: new AbortController().signal };

/** Opens a database in memory. Closing it closes its statements, too. */
export function open() {
  const database = new DatabaseSync(":memory:");
  return { database, [Symbol.dispose]: () => database.close() };
}

/** Creates a store on a database in memory, and its table. */
export async function storeWith(options: SqliteStoreOptions = {}) {
  const { database, ...disposable } = open();
  const clock = fakeClock();
  const store = sqliteStore(database, { now: clock.now, ...options });
  await store.setup();
  const create = (digit: string, ttl = 60) => store.create(idOf(digit), digit, { ...write, ttl })!;
  const rows = () => database.prepare("SELECT id, text FROM pagi_sessions ORDER BY id").all();
  return { clock, create, database, rows, store, ...disposable };
}

/** Runs `work` while `Math.random()` returns `random`. */
export async function withChance(random: number, work: () => unknown): Promise<void> {
  const original = Math.random;
  Math.random = () => random;
  try {
    await work();
  } finally {
    Math.random = original;
  }
}

/** Wraps a database. Records the statements that are prepared and run, except PRAGMA, and can fail. */
export function watched(database: SqliteDatabase, fails: (sql: string) => boolean = () => false) {
  const prepared: string[] = [];
  const ran: string[] = [];
  const verb = (sql: string) => sql.split(" ")[0]!;
  const note = (sql: string) => {
    ran.push(verb(sql));
    if (fails(sql)) throw new Error("disk I/O error");
  };
  const watching: SqliteDatabase = {
    prepare(sql) {
      const statement = database.prepare(sql);
      if (verb(sql) === "PRAGMA") return statement;
      prepared.push(verb(sql));
      return {
        run: (...values) => (note(sql), statement.run(...values)),
        get: (...values) => (note(sql), statement.get(...values)),
      };
    },
    exec: (sql) => database.exec(sql),
  };
  return { prepared, ran, watching };
}
