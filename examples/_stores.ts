/** The stores that you can start the example with, such as `--store redis`. */
import { MemoryStore, type SessionStore } from "../mod.ts";
import { CookieStore } from "../store/cookie.ts";
import { DenoKvStore } from "../store/deno_kv.ts";
import { type PostgresClient, PostgresStore } from "../store/postgres.ts";
import { type RedisClient, RedisStore } from "../store/redis.ts";
import { SqliteStore } from "../store/sqlite.ts";

const LOCAL_POSTGRES = "postgres://postgres@127.0.0.1:5432/postgres";

/** Functions that open a store, by the store's name. */
const STORES: Record<string, () => SessionStore | Promise<SessionStore>> = {
  memory: () => new MemoryStore(),
  async sqlite() {
    const { DatabaseSync } = await import("node:sqlite");
    const store = new SqliteStore(new DatabaseSync("sessions.db"));
    await store.setup();
    return store;
  },
  async redis() {
    const { Redis } = await importDriver<{ Redis: new (url: string) => RedisClient }>(
      "npm:ioredis@5",
    );
    return new RedisStore(new Redis(Deno.env.get("REDIS_URL") ?? "redis://127.0.0.1:6379"));
  },
  async postgres() {
    type Pg = { default: { Pool: new (options: { connectionString: string }) => PostgresClient } };
    const { default: { Pool } } = await importDriver<Pg>("npm:pg@8");
    const connectionString = Deno.env.get("DATABASE_URL") ?? LOCAL_POSTGRES;
    const store = new PostgresStore(new Pool({ connectionString }));
    await store.setup();
    return store;
  },
  kv: async () => new DenoKvStore(await Deno.openKv()),
  // In production, all processes need one lasting secret. With this one, a restart ends all
  // sessions.
  cookie: () => new CookieStore({ secret: crypto.randomUUID() }),
};

/** The names of the stores. */
export const STORE_NAMES: string[] = Object.keys(STORES);

/** Returns the store name from `--store redis` or `--store=redis`, if there is one. */
export function requestedStore(args: readonly string[]): string | undefined {
  const at = args.findIndex((arg) => arg === "--store" || arg.startsWith("--store="));
  return at === -1 ? undefined : args[at]!.split("=")[1] ?? args[at + 1] ?? "";
}

/**
 * Opens the store with this name.
 *
 * @throws {RangeError} If there is no such store.
 */
export async function openStore(name: string): Promise<SessionStore> {
  const open = Object.hasOwn(STORES, name) ? STORES[name] : undefined;
  if (open === undefined) {
    throw new RangeError(`There is no store "${name}". Try --store ${STORE_NAMES.join(" or ")}.`);
  }
  return await open();
}

/**
 * Imports a driver from npm when its store is requested, so that the other stores do not load it.
 */
async function importDriver<Module>(specifier: string): Promise<Module> {
  return await import(specifier);
}
