/** The backends of the end-to-end tests, which share a store between processes. */
import { auditText, type Backend, type Place } from "./_backend.ts";
import { RespClient } from "./_resp.ts";
import { OwnRedis, ownRedisMissing } from "./_servers.ts";
import { SQL_BACKENDS } from "./_sql_backends.ts";

/** The reply of PTTL for a key that does not exist. */
const NO_KEY = -2;

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
    kept: () => keptInRedis(redis.port),
    [Symbol.asyncDispose]: () => redis[Symbol.asyncDispose](),
  };
}

async function auditRedis(port: number): Promise<void> {
  const client = await RespClient.connect(port);
  for (const key of await client.send("KEYS", "*") as string[]) {
    const [record, ttl] = [await client.send("GET", key), await client.send("PTTL", key)];
    // The marker of a session that has ended expires soon.
    if (record === null || Number(ttl) === NO_KEY) continue;
    if (Number(ttl) < 0) throw new Error("A record has no TTL");
    const [head, text] = [String(record).slice(0, 36), String(record).slice(36)];
    if (!/^[\w+/]{12}[\d ]{24}$/.test(head)) throw new Error("A record has no version or time");
    auditText(text);
  }
  client.close();
}

async function keptInRedis(port: number): Promise<number[]> {
  const client = await RespClient.connect(port);
  const kept: number[] = [];
  for (const key of await client.send("KEYS", "*") as string[]) {
    kept.push(Number(await client.send("PTTL", key)) / 1000);
  }
  client.close();
  return kept;
}

async function startKv(): Promise<Place> {
  const folder = await Deno.makeTempDir({ prefix: "pagi-kv-" });
  return {
    where: `${folder}/kv.db`,
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}
