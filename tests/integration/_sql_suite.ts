/** Cases for every SQL store that the contract does not have, on the real server. */
import { assert, assertEquals } from "@std/assert";
import type { Awaitable, DeleteOptions, SessionHash, VersionedStore } from "@pagi/session/store";
import type { SqlOpener } from "./_sql_clients.ts";
import type { SqlServer } from "./_sql_servers.ts";
import { until } from "./_processes.ts";
import { holdToContract, race } from "./_suites.ts";

/** The methods that all SQL stores have. */
export interface SqlStore extends VersionedStore {
  readonly ddl: readonly string[];
  setup(): Promise<void>;
  sweep(options?: { limit?: number }): Awaitable<number>;
  delete(id: string, options?: Partial<DeleteOptions>): Awaitable<boolean>;
  get(id: string): Promise<SessionHash | undefined>;
  set(id: string, data: SessionHash): Promise<string>;
}

/** A store's table on a server. */
export interface Rig {
  /** Opens the store on the table. */
  open(options?: { now?: () => number }): SqlStore;
  /** Runs a statement past the store; the rows. */
  ask(sql: string): Promise<Record<string, unknown>[]>;
  /** The table, as statements name it. */
  table: string;
}

/** A table that nothing else uses. */
export function newTable(): string {
  return `pagi_test_${crypto.randomUUID().slice(0, 8)}`;
}

/** A client on a server, with a table of a test's own. */
export async function openRig<Client>(
  start: () => Promise<SqlServer>,
  connect: SqlOpener<Client>,
  query = "",
) {
  const server = await start();
  const { client, ask, close } = await connect(server.url + query);
  const table = newTable();
  const last = [`DROP TABLE IF EXISTS ${table}`];
  return {
    client,
    ask,
    table,
    url: server.url,
    /** Runs a statement when the test is over, however it ends. */
    atLast: (sql: string) => void last.unshift(sql),
    async [Symbol.asyncDispose]() {
      for (const sql of last) await ask(sql);
      await close();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** A session's key that nothing else has. */
export function newId(): string {
  return crypto.randomUUID().replaceAll("-", "");
}

const { signal } = new AbortController();
/** How the records here are written. */
export const write = { lastAccess: 1, ttl: 60, signal };

/** Holds a store to all of it, each part a step. */
export async function holdSqlStore(t: Deno.TestContext, rig: Rig, races: number): Promise<void> {
  const store = rig.open();
  await store.setup();
  await holdToContract(t, store);
  await t.step("no race breaks a session", () => race(store, races));
  await t.step("any string comes back as it was written", () => keepTexts(store));
  await t.step("any lastAccess comes back as it was written", () => keepLastAccess(store));
  await t.step(
    "a record ends with its last millisecond, by the clock of `now`",
    () => keepTime(rig),
  );
  await t.step("a server whose clock is wrong ends and shortens nothing", () => ignoreClock(rig));
  await t.step("of many create() over an expired record one writes", () => createOver(rig));
  await t.step(
    "sweep() removes expired records, within its limit, and several may run concurrently",
    () => sweep(rig),
  );
  await t.step("get() and set() keep PAGI's hash", async () => {
    const id = newId() + newId();
    await store.set(id, { user: "ada" });
    await store.set(id, { user: "eve" });
    assertEquals((await store.get(id))?.user, "eve");
    assertEquals([await store.delete(id), await store.get(id)], [true, undefined]);
    assertEquals(await store.get("nonsense \0 é"), undefined);
  });
  await t.step("many concurrent calls on few records all succeed", () => hammer(rig));
}

async function keepTexts(store: SqlStore): Promise<void> {
  const everyUnit = Array.from({ length: 65_536 }, (_, unit) => String.fromCharCode(unit)).join("");
  const json = JSON.stringify({ _created: 1, everyUnit });
  const odd = ["", " ", "a ", "\0", "a\0b", "\ud800", '"', '"a"', "\\", "\\x00"];
  const alike = ["A", "a", "ß", "ss", "é", "e\u0301"];
  for (const text of [...odd, ...alike, everyUnit, json, "𝒳".repeat(1_000_000)]) {
    const id = newId();
    const version = await store.create(id, text, write);
    assert((await store.read(id, { signal }))!.text === text, text.slice(0, 20));
    const next = await store.replace(id, `${text}x`, { ...write, version: version! });
    assert((await store.read(id, { signal }))!.text === `${text}x`, text.slice(0, 20));
    assert(await store.delete(id, { version: next, signal }));
  }
}

async function keepLastAccess(store: SqlStore): Promise<void> {
  for (const lastAccess of [0, -1, 1_700_000_000, 1_700_000_000.123, 2 ** 53, 1e-300, 1e300]) {
    const id = newId();
    const version = await store.create(id, "", { ...write, lastAccess: -1e300 });
    assert(await store.touch(id, { ...write, lastAccess, version: version!, text: "" }));
    assertEquals((await store.read(id, { signal }))!.lastAccess, lastAccess);
  }
}

async function keepTime({ open }: Rig): Promise<void> {
  // The server's clock says otherwise, whichever way.
  for (const start of [0, 1_700_000_000_123, 9_000_000_000_000]) {
    let now = start;
    const store = open({ now: () => now });
    const id = newId();
    const version = await store.create(id, "old", { ...write, ttl: 0.5 });
    now += 500;
    assertEquals((await store.read(id, { signal }))?.text, "old");
    assertEquals(await store.create(id, "new", write), undefined);
    now++;
    assertEquals(await store.read(id, { signal }), undefined);
    assertEquals(await store.replace(id, "new", { ...write, version: version! }), undefined);
    assertEquals(await store.touch(id, { ...write, version: version!, text: "" }), false);
    const next = await store.create(id, "new", write);
    assertEquals((await store.read(id, { signal }))?.version, next);
    assertEquals(await store.delete(id, { version, signal }), false);
    assertEquals(await store.delete(id, { version: next, signal }), true);
  }
}

const HOUR_MS = 3_600_000;

/** Servers two hours ahead and behind, on records that the others use. */
async function ignoreClock({ open, ask, table }: Rig): Promise<void> {
  const store = open();
  const { now } = Date;
  const { random } = Math;
  for (const hours of [2, -2]) {
    const [live, other, expired, swept] = Array.from({ length: 4 }, newId);
    const version = await store.create(live!, "live", write);
    await store.create(other!, "other", write);
    await store.create(expired!, "expired", { ...write, ttl: -1 });
    const start = now() / 1000;
    Date.now = () => now() + hours * HOUR_MS;
    // Each create sweeps.
    Math.random = () => 0;
    try {
      const wrong = open();
      assertEquals(await wrong.read(expired!, { signal }), undefined);
      assertEquals((await wrong.read(live!, { signal }))?.text, "live");
      assertEquals(await wrong.create(other!, "over it", write), undefined);
      assert(await wrong.touch(live!, { ...write, version: version!, text: "live" }));
      const read = (await wrong.read(other!, { signal }))!;
      assert(await wrong.replace(other!, "new", { ...write, version: read.version }) !== undefined);
      assert(await wrong.create(swept!, "swept", write) !== undefined);
      // A sweep skips what one that a create started is about to remove.
      await until("the expired record was removed", async () => {
        await wrong.sweep();
        return (await ask(`SELECT id FROM ${table} WHERE id = '${expired}'`)).length === 0;
      });
    } finally {
      Date.now = now;
      Math.random = random;
    }
    const ids = [live, other, expired, swept].map((id) => `'${id}'`).join();
    const rows = await ask(`SELECT id, text, expires_at FROM ${table} WHERE id IN (${ids})`);
    assertEquals(rows.map(({ text }) => text).sort(), ["live", "new", "swept"]);
    for (const row of rows) {
      const left = Number(row.expires_at ?? row.expiresAt) - start;
      assert(left > write.ttl - 1 && left < write.ttl + 60, `${left} s are left`);
      assert(await store.read(String(row.id), { signal }) !== undefined);
      await store.delete(String(row.id), { signal });
    }
  }
}

async function createOver({ open }: Rig): Promise<void> {
  for (let round = 0; round < 10; round++) {
    let now = 1000;
    const store = open({ now: () => now });
    const id = newId();
    await store.create(id, "old", { ...write, ttl: 1 });
    now = 3000;
    const create = async (text: string) => [await store.create(id, text, write), text];
    const answers = await Promise.all(Array.from({ length: 16 }, (_, at) => create(`new ${at}`)));
    const won = answers.filter(([version]) => version !== undefined);
    assertEquals(won.length, 1);
    const { version, text } = (await store.read(id, { signal }))!;
    assertEquals([version, text], won[0]);
    await store.delete(id, { signal });
  }
}

async function sweep({ open, ask, table }: Rig): Promise<void> {
  let now = 1_000_000;
  const store = open({ now: () => now });
  const [live, expired] = [20, 700];
  const alive = Array.from({ length: live }, newId);
  // Nothing has expired yet, so no create sweeps a record that is counted below.
  await Promise.all(alive.map((id) => store.create(id, "", write)));
  await Promise.all(
    Array.from({ length: expired }, () => store.create(newId(), "", { ...write, ttl: 1 })),
  );
  now += 2000;
  assertEquals(await store.sweep({ limit: 100 }), 100);
  // One that finds another at the same rows may go without.
  let swept = 100;
  for (let round = 0; round < 100 && swept < expired; round++) {
    const sweeps = Array.from({ length: 4 }, () => store.sweep({ limit: 50 }));
    for (const rows of await Promise.all(sweeps)) {
      assert(rows <= 50, `${rows} went`);
      swept += rows;
    }
  }
  assertEquals([swept, await store.sweep()], [expired, 0]);
  for (const id of alive) assert(await store.read(id, { signal }) !== undefined);
  assert((await ask(`SELECT id FROM ${table} WHERE expires_at < 1002`)).length === 0);
  await Promise.all(alive.map((id) => store.delete(id, { signal })));
}

/** Creates and deletes records during sweeps. The store has to handle deadlocks. */
async function hammer({ open }: Rig): Promise<void> {
  const store = open();
  const ids = Array.from({ length: 5 }, newId);
  const deadline = Date.now() + 2000;
  const one = async () => {
    while (Date.now() < deadline) {
      const id = ids[Math.floor(Math.random() * ids.length)]!;
      const options = { ...write, ttl: Math.random() < 0.5 ? 0 : 60 };
      const record = await store.read(id, { signal });
      const chance = Math.random();
      if (chance < 0.2) await store.sweep({ limit: 10 });
      else if (record === undefined) await store.create(id, "a", options);
      else if (chance < 0.5) await store.replace(id, "b", { ...options, version: record.version });
      else if (chance < 0.8) await store.touch(id, { ...options, ...record });
      else await store.delete(id, { version: record.version, signal });
    }
  };
  await Promise.all(Array.from({ length: 16 }, one));
}

/** Makes many connections create the same table concurrently, several times. */
export async function raceSetup(
  connect: () => Promise<{ store: SqlStore; ask: Rig["ask"]; close(): Promise<unknown> }>,
  table: string,
): Promise<void> {
  const open = await Promise.all(Array.from({ length: 8 }, connect));
  for (let round = 0; round < 5; round++) {
    await Promise.all(open.map(({ store }) => store.setup()));
    for (const { store } of open) await store.setup();
    const id = newId();
    assert(await open[0]!.store.create(id, "a", write) !== undefined);
    assertEquals((await open[7]!.store.read(id, { signal }))?.text, "a");
    await open[0]!.ask(`DROP TABLE ${table}`);
  }
  for (const { close } of open) await close();
}

/** Makes each call once; some find what they ask for and some do not. */
export async function callAll(store: SqlStore): Promise<void> {
  const id = newId();
  const version = await store.create(id, "a", write);
  await store.read(id, { signal });
  const next = await store.replace(id, "b", { ...write, version: version! });
  await store.touch(id, { ...write, version: next!, text: "b" });
  await store.delete(id, { version, signal });
  await store.delete(id, { signal });
  await store.sweep({ limit: 10 });
  assert(next !== undefined);
}
