/**
 * {@linkcode RedisStore}: sessions in Redis or Valkey, through the client that you have.
 *
 * @module
 */
import { checkOptions } from "../base/check_options.ts";
import { plainGet, plainSet } from "./_plain_methods.ts";
import {
  type BunRedisClient,
  type IoredisClient,
  type NodeRedisClient,
  type NodeRedisCluster,
  type NodeRedisOptions,
  type NodeRedisSentinel,
  openRedis,
  type RedisClient,
  type RedisCommand,
  type Send,
} from "./_redis/client.ts";
import {
  DELETE,
  isVersion,
  newVersion,
  parseRecord,
  timeOf,
  TOUCH,
  ttlOf,
  wasDone,
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
  NodeRedisClient,
  NodeRedisCluster,
  NodeRedisOptions,
  NodeRedisSentinel,
  RedisClient,
  RedisCommand,
};

/** Options of {@linkcode RedisStore}. */
export interface RedisStoreOptions {
  /**
   * What stands in front of the session's id in Redis' key.
   *
   * @default {"pagi:session:"}
   */
  prefix?: string;
}

const DEFAULT_PREFIX = "pagi:session:";

/**
 * Keeps sessions in Redis 6 or later, or Valkey, a Cluster too: one key for each session, which
 * Redis itself expires. One round trip to read, one to write or touch; each write is a script on
 * its one key.
 *
 * It takes a client of ioredis or node-redis (their clusters and sentinels too), Bun's
 * `RedisClient`, or any function `(command, ...args) => Promise`. The client stays yours: connect,
 * listen for its errors, and close it.
 *
 * What Redis has to be set to: `maxmemory-policy noeviction`, or it drops live sessions when
 * memory is short; `appendonly yes` if sessions are to survive a crash (`appendfsync always` if
 * the last second is, too). Replication is asynchronous: a failover can lose the last writes, and
 * so undo a logout that it had not passed on.
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
 * @example What it takes, and how it names its keys
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
   * Checks what it is given; sends nothing yet.
   *
   * @throws {TypeError} When `client` is none that it knows or reads from replicas, or an option is
   * unknown or of the wrong kind.
   */
  constructor(client: RedisClient, options: RedisStoreOptions = {}) {
    checkOptions("RedisStore", options, ["prefix"]);
    const { prefix = DEFAULT_PREFIX } = options;
    if (typeof prefix !== "string") {
      throw new TypeError("Cannot make RedisStore: prefix must be a string");
    }
    this.#send = openRedis(client);
    this.#prefix = prefix;
  }

  /**
   * The record, or undefined when there is none.
   *
   * @throws {Error} The client's own, when it fails.
   */
  async read(id: string, options: StoreCallOptions): Promise<StoredRecord | undefined> {
    const key = this.#prefix + id;
    const reply = await this.#send(["GET", key], key, options);
    return parseRecord(reply);
  }

  /**
   * Writes a record where there is none.
   *
   * @throws {Error} The client's own, when it fails.
   */
  create(id: string, text: string, options: WriteOptions): Promise<string | undefined> {
    return this.#write(id, text, "", options);
  }

  /**
   * Writes over the record if it has the version; never inserts.
   *
   * @throws {Error} The client's own, when it fails.
   */
  async replace(id: string, text: string, options: ReplaceOptions): Promise<string | undefined> {
    if (!isVersion(options.version)) return undefined;
    return await this.#write(id, text, options.version, options);
  }

  /**
   * Notes the record's use if it has the version.
   *
   * @throws {Error} The client's own, when it fails.
   */
  async touch(id: string, options: TouchOptions): Promise<boolean> {
    const { version, lastAccess, ttl } = options;
    if (!isVersion(version)) return false;
    return await this.#run(TOUCH, id, [version, timeOf(lastAccess), ttlOf(ttl)], options);
  }

  /**
   * Removes the record, if it has the version where one is given.
   *
   * @throws {Error} The client's own, when it fails.
   */
  async delete(id: string, options: Partial<DeleteOptions> = {}): Promise<boolean> {
    const { version } = options;
    if (version !== undefined && !isVersion(version)) return false;
    return await this.#run(DELETE, id, version === undefined ? [] : [version], options);
  }

  /** PAGI's `get`: the session's data with its reserved keys. */
  get(id: string): Promise<SessionHash | undefined> {
    return plainGet(this, id);
  }

  /** PAGI's `set`: writes the data whatever was there, and resolves to the id. */
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
    const args = [version, next, timeOf(options.lastAccess) + text, ttlOf(options.ttl)];
    return await this.#run(WRITE, id, args, options) ? next : undefined;
  }

  async #run(
    script: RedisScript,
    id: string,
    args: string[],
    options: Partial<StoreCallOptions>,
  ): Promise<boolean> {
    const key = this.#prefix + id;
    return wasDone(await script.run(this.#send, key, args, options as StoreCallOptions));
  }
}
