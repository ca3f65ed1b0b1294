/** The stores that the end-to-end tests share between processes, and where each is kept. */
import { RespClient } from "./_resp.ts";
import { OwnRedis, ownRedisMissing } from "./_servers.ts";
import { SQL_BACKENDS } from "./_sql_backends.ts";

/** A place for sessions, of one test's own. */
export interface Place extends AsyncDisposable {
  /** What the store's opener in `_stores.ts` is told. */
  where: string;
  /** Looks at what is kept, past the store, and throws where a record is half or without an end. */
  audit?(): Promise<void>;
}

/** A kind of place, with the store that opens it. */
export interface Backend {
  /** The store's name in `_stores.ts`. */
  name: string;
  /** Why there is none here; undefined when there is one. */
  missing: string | undefined;
  /** Makes a place that survives a kill -9 of those who use it. */
  start(): Promise<Place>;
  /** How often a server process is killed. */
  kills: number;
}

/** The backends. */
export const BACKENDS: Backend[] = [
  { name: "redis", missing: ownRedisMissing, start: startRedis, kills: 200 },
  { name: "kv", missing: undefined, start: startKv, kills: 50 },
  ...SQL_BACKENDS,
];

async function startRedis(): Promise<Place> {
  const redis = await OwnRedis.start();
  return {
    where: String(redis.port),
    audit: () => auditRedis(redis.port),
    [Symbol.asyncDispose]: () => redis[Symbol.asyncDispose](),
  };
}

async function auditRedis(port: number): Promise<void> {
  const client = await RespClient.connect(port);
  for (const key of await client.send("KEYS", "*") as string[]) {
    const [record, ttl] = [await client.send("GET", key), await client.send("PTTL", key)];
    if (Number(ttl) < 0) throw new Error("A record has no ttl");
    const isWhole = /^[\w+/]{12}[\d ]{24}(\{.*\}|moved:[\da-f]{64})$/.test(String(record));
    if (!isWhole) throw new Error("A record is half");
  }
  client.close();
}

async function startKv(): Promise<Place> {
  const folder = await Deno.makeTempDir({ prefix: "pagi-kv-" });
  return {
    where: `${folder}/kv.db`,
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}
