/**
 * {@linkcode RedisStore}: keeps sessions in Redis or Valkey, through your own client.
 *
 * @module
 */
import { checkOptions, optionError } from "../base/check_options.ts";
import { neverAborted, plainDelete, plainGet, plainSet } from "./_plain_methods.ts";
import {
  type BunRedisClient,
  type IoredisClient,
  type NodeRedis3Client,
  type NodeRedisClient,
  type NodeRedisCluster,
  type NodeRedisOptions,
  type NodeRedisSentinel,
  type RedisClient,
  type RedisCommand,
  type Send,
  senderOf,
  type UpstashRedisClient,
} from "./_redis/client.ts";
import {
  DELETE,
  isVersion,
  newVersion,
  parseRecord,
  toTimeField,
  toTtlArgument,
  TOUCH,
  wasApplied,
  WRITE,
} from "./_redis/record.ts";
import type { RedisScript } from "./_redis/script.ts";
import type {
  DeleteOptions,
  ReplaceOptions,
  SessionHash,
  StoreCallOptions,
  StoredRecord,
  TouchOptions,
  VersionedStore,
  WriteOptions,
} from "./store.ts";

export type {
  BunRedisClient,
  IoredisClient,
  NodeRedis3Client,
  NodeRedisClient,
  NodeRedisCluster,
  NodeRedisOptions,
  NodeRedisSentinel,
  RedisClient,
  RedisCommand,
  UpstashRedisClient,
};

/** Options of {@linkcode RedisStore}. */
export interface RedisStoreOptions {
  /**
   * Starts the key of each record, before the `id` of the call.
   *
   * @default {"pagi:session:"}
   */
  prefix?: string;
}

const DEFAULT_PREFIX = "pagi:session:";

/**
 * Keeps sessions in Redis 6 or later, in Valkey, or in a Redis Cluster. Each session has one key,
 * which Redis expires. A read takes one round trip, and so does a write or a touch. Each write is a
 * script on its one key.
 *
 * Pass a client of ioredis, iovalkey or node-redis 3 to 6 (also their cluster and sentinel clients),
 * Bun's `RedisClient`, or any function `(command, ...args) => Promise`. You connect the client, listen
 * for its errors and close it. Over HTTP, pass a client of `@upstash/redis`.
 *
 * Set `maxmemory-policy noeviction` in Redis; otherwise it drops valid sessions when memory runs
 * short. Set `appendonly yes` if sessions must survive a crash, and `appendfsync always` if the
 * last second of writes must survive, too. Replication is asynchronous: a failover can lose the
 * last writes, and can so undo a logout.
 *
 * @example With ioredis
 * ```ts ignore
 * import { Redis } from "ioredis";
 * import { SessionMiddleware } from "@pagi/session";
 * import { RedisStore } from "@pagi/session/store/redis";
 *
 * const sessions = new SessionMiddleware({
 *   secret: Deno.env.get("SESSION_SECRET")!,
 *   store: new RedisStore(new Redis("redis://127.0.0.1:6379")),
 * });
 * ```
 *
 * @example Over HTTP, for example in Cloudflare Workers
 * ```ts ignore
 * import { Redis } from "@upstash/redis/cloudflare";
 * import { RedisStore } from "@pagi/session/store/redis";
 *
 * const store = new RedisStore(
 *   new Redis({ url: env.UPSTASH_REDIS_REST_URL, token: env.UPSTASH_REDIS_REST_TOKEN }),
 * );
 * ```
 *
 * @example Arguments, and the names of keys
 * ```ts
 * import { assertEquals, assertThrows } from "@std/assert";
 * import { RedisStore } from "@pagi/session/store/redis";
 *
 * assertThrows(() => new RedisStore("redis://127.0.0.1" as never), TypeError, "client must be");
 *
 * const sent: string[] = [];
 * const notThere = (...words: string[]) => Promise.resolve(void sent.push(words.join(" ")));
 * const store = new RedisStore(notThere, { prefix: "shop:" });
 * assertEquals(await store.get("a"), undefined);
 * assertEquals(sent, ["GET shop:a"]);
 * ```
 */
export class RedisStore implements VersionedStore {
  readonly #send: Send;
  readonly #prefix: string;

  /**
   * Validates the arguments. Sends nothing yet.
   *
   * @throws {TypeError} If `client` is not a supported client or reads from replicas, or an option
   * is unknown or of the wrong type.
   */
  constructor(client: RedisClient, options: RedisStoreOptions = {}) {
    checkOptions("RedisStore", options, ["prefix"]);
    const { prefix = DEFAULT_PREFIX } = options;
    if (typeof prefix !== "string") {
      throw optionError("RedisStore", "prefix must be a string");
    }
    this.#send = senderOf(client);
    this.#prefix = prefix;
  }

  /**
   * Resolves to the record; `undefined` if it does not exist.
   *
   * @throws {Error} If the client fails, with its error.
   */
  async read(id: string, options: StoreCallOptions): Promise<StoredRecord | undefined> {
    const key = this.#prefix + id;
    const reply = await this.#send(["GET", key], key, options);
    return parseRecord(reply);
  }

  /**
   * Creates a record. Resolves to its version; `undefined` if a record exists.
   *
   * @throws {Error} If the client fails, with its error.
   */
  create(id: string, text: string, options: WriteOptions): Promise<string | undefined> {
    return this.#write(id, text, "", options);
  }

  /**
   * Replaces the record if it has the given version. Resolves to the new version; `undefined` if
   * the record does not exist or has another version.
   *
   * @throws {Error} If the client fails, with its error.
   */
  async replace(id: string, text: string, options: ReplaceOptions): Promise<string | undefined> {
    if (!isVersion(options.version)) return undefined;
    return await this.#write(id, text, options.version, options);
  }

  /**
   * Updates the last-access time and the expiry of the record if it has the given version. Of both
   * times and of both expiries, the later one counts. The record gets a new version.
   *
   * @throws {Error} If the client fails, with its error.
   */
  async touch(id: string, options: TouchOptions): Promise<boolean> {
    const { version, lastAccess, ttl } = options;
    if (!isVersion(version)) return false;
    const args = [version, newVersion(), toTimeField(lastAccess), toTtlArgument(ttl)];
    return await this.#run(TOUCH, id, args, options);
  }

  /**
   * Deletes the record. If a version is given, only a record of that version is deleted. Without
   * options, this implements PAGI's `delete`: `id` may also be any ID that the session had.
   *
   * @throws {Error} If the client fails, with its error.
   */
  async delete(id: string, options?: Partial<DeleteOptions>): Promise<boolean> {
    if (options === undefined) {
      return await plainDelete(id, (key) => this.delete(key, neverAborted()));
    }
    const { version } = options;
    if (version !== undefined && !isVersion(version)) return false;
    return await this.#run(DELETE, id, version === undefined ? [] : [version], options);
  }

  /**
   * Implements PAGI's `get`: resolves to the session's data with its reserved keys. Only the current
   * ID of a session finds it.
   */
  get(id: string): Promise<SessionHash | undefined> {
    return plainGet(this, id);
  }

  /**
   * Implements PAGI's `set`: writes the data, overwriting any record, and resolves to the ID, which
   * is the session's only valid ID from now on.
   */
  set(id: string, data: SessionHash): Promise<string> {
    return plainSet(this, id, data, Math.floor(Date.now() / 1000));
  }

  async #write(
    id: string,
    text: string,
    version: string,
    options: WriteOptions,
  ): Promise<string | undefined> {
    const next = newVersion();
    const args = [
      version,
      next,
      toTimeField(options.lastAccess) + text,
      toTtlArgument(options.ttl),
    ];
    return await this.#run(WRITE, id, args, options) ? next : undefined;
  }

  async #run(
    script: RedisScript,
    id: string,
    args: string[],
    options: Partial<StoreCallOptions>,
  ): Promise<boolean> {
    const key = this.#prefix + id;
    return wasApplied(await script.run(this.#send, key, args, options as StoreCallOptions));
  }
}
