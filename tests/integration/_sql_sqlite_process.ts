/**
 * A process that shares a file with others: `_sql_sqlite_process.ts PATH ID COUNT`. Says that it is
 * ready; when its standard input is closed it sets the store up and counts a session up by COUNT,
 * each time by compare-and-swap.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";
import { SqliteStore } from "@pagi/session/store/sqlite";

const [path, id, count] = Deno.args as [string, string, string];
const { signal } = new AbortController();
const write = { lastAccess: 1, ttl: 60, signal };
using database = new DatabaseSync(path);
const store = new SqliteStore(database);
console.log("ready");
for await (const _ of Deno.stdin.readable);
await store.setup();
await store.create(id, "0", write);
for (let left = Number(count); left > 0;) {
  const { text, version } = (await store.read(id))!;
  const next = String(Number(text) + 1);
  if (await store.replace(id, next, { ...write, version }) !== undefined) left--;
}
