import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { SessionError } from "@pagi/session";
import type { VersionedStore } from "@pagi/session/store";
import { DatabaseSync } from "node:sqlite";
import { HashedStore } from "../../store/hashed.ts";
import { SealedStore } from "../../store/sealed.ts";
import { search, stringsIn, type Wanted } from "../_kit/dump.ts";
import { SECRET, story, WORDS } from "../_kit/at_rest_story.ts";
import { BACKENDS } from "./_backends.ts";
import { RespClient } from "./_resp.ts";
import { serverTest } from "./_servers.ts";
import { MYSQL_CLIENTS, POSTGRES_CLIENTS, type SqlOpener } from "./_sql_clients.ts";
import { STORES } from "./_stores.ts";
import { type Exception, holdToContract, race } from "./_suites.ts";

/** Races for each wrapper on each server. */
const RACES = 100;
/** Words in the texts before they are encrypted. */
const PLAIN = [SECRET, "ended:", "_created", "_subject"];

/** The wrappers, and what each of them hides: the keys, or the texts with the data and verifiers. */
const WRAPPERS: {
  name: string;
  hidesKeys: boolean;
  hidesTexts: boolean;
  wrap(store: VersionedStore): VersionedStore;
}[] = [
  { name: "no wrapper", hidesKeys: false, hidesTexts: false, wrap: (store) => store },
  {
    name: "HashedStore",
    hidesKeys: true,
    hidesTexts: false,
    wrap: (store) => new HashedStore(store),
  },
  {
    name: "SealedStore",
    hidesKeys: false,
    hidesTexts: true,
    wrap: (store) => new SealedStore(store, { secret: SECRET }),
  },
  {
    name: "SealedStore before HashedStore",
    hidesKeys: true,
    hidesTexts: true,
    wrap: (store) => new SealedStore(new HashedStore(store), { secret: SECRET }),
  },
  {
    name: "HashedStore before SealedStore",
    hidesKeys: true,
    hidesTexts: true,
    wrap: (store) => new HashedStore(new SealedStore(store, { secret: SECRET })),
  },
];

/** The cases that a store does not pass, by its backend's name. */
const EXCEPTIONS: { [backend: string]: Exception[] } = {
  kv: [{
    name: "comes back as it was written: 100 KiB",
    fails({ cause }) {
      assertInstanceOf(cause, SessionError);
      assertEquals(cause.code, "ERR_SESSION_TOO_LARGE");
    },
  }],
};

/** The loot of a thief: the records that a client can read, and the files, if there are any. */
interface Loot {
  records: string[];
  files: string;
}

/** Reads the loot from each backend. */
const LOOT: { [backend: string]: (where: string) => Promise<Loot> } = {
  async redis(port) {
    const client = await RespClient.connect(Number(port));
    const records: string[] = [];
    let cursor = "0";
    do {
      const answer = await client.send("SCAN", cursor, "COUNT", "1000") as [string, string[]];
      cursor = answer[0];
      for (const key of answer[1]) records.push(key, String(await client.send("GET", key)));
    } while (cursor !== "0");
    client.close();
    return { records, files: "" };
  },
  async kv(path) {
    const kv = await Deno.openKv(path);
    const records: string[] = [];
    for await (const { key, value } of kv.list({ prefix: [] })) {
      records.push(...stringsIn([key, value]));
    }
    kv.close();
    return { records, files: await lettersOf(path) };
  },
  async sqlite(path) {
    const database = new DatabaseSync(path);
    const records = database.prepare("SELECT * FROM pagi_sessions").all().flatMap(stringsIn);
    database.close();
    return { records, files: await lettersOf(path) };
  },
  postgres: (where) => select(where, POSTGRES_CLIENTS["a Client of pg"]!),
  mysql: (where) => select(where, MYSQL_CLIENTS["a connection of mysql2"]!),
};

async function select<Client>(where: string, connect: SqlOpener<Client>): Promise<Loot> {
  const [url, table] = where.split(" ");
  const { ask, close } = await connect(url!);
  const rows = await ask(`SELECT * FROM ${table}`);
  await close();
  return { records: rows.flatMap(stringsIn), files: "" };
}

/** Returns a database file and its log as letters. Deleted data may still be in them. */
async function lettersOf(path: string): Promise<string> {
  const read = (path: string) => Deno.readFile(path).catch(() => new Uint8Array());
  const files = await Promise.all([read(path), read(`${path}-wal`)]);
  return files.map((bytes) => new TextDecoder("latin1").decode(bytes)).join("\n");
}

for (const { name: backend, missing, start } of BACKENDS) {
  for (const { name, wrap, hidesKeys, hidesTexts } of WRAPPERS) {
    const isAlone = !hidesKeys && !hidesTexts;
    if (!isAlone) {
      serverTest(missing, `${backend} behind ${name} keeps the contract`, async (t) => {
        await using place = await start();
        const { store, close } = await STORES[backend]!(place.where);
        await holdToContract(t, wrap(store), EXCEPTIONS[backend]);
        await t.step("no race breaks a session", () => race(wrap(store), RACES));
        await close();
      });
    }

    serverTest(missing, `a dump of ${backend} behind ${name}`, async () => {
      await using place = await start();
      const { store, close } = await STORES[backend]!(place.where);
      const { all, keys, verifiers } = await story(wrap(store));
      const open = await LOOT[backend]!(place.where);
      await close();
      const closed = await LOOT[backend]!(place.where);
      const words = [...WORDS, ...PLAIN];
      for (const { records, files } of [open, closed]) {
        const isFound = (wanted: Wanted) => search(records, wanted).length > 0;
        // An ID is found if both of its halves are.
        assertEquals(isFound({ ids: all }), isAlone);
        assertEquals(isFound({ halves: keys }), !hidesKeys);
        assertEquals(isFound({ halves: verifiers }), !hidesTexts);
        assertEquals(isFound({ words }), !hidesTexts);
        if (files !== "") {
          const hasOne = (parts: readonly string[]) => parts.some((part) => files.includes(part));
          assertEquals(hasOne(keys), !hidesKeys);
          assertEquals(hasOne(verifiers), !hidesTexts);
          assertEquals(hasOne(words), !hidesTexts);
        }
        // Two sessions, the marker of a third one and an index, each with its key.
        assert(records.length >= 8, `${records.length} strings only`);
      }
    });
  }
}
