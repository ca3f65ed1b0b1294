/** The clients that a {@linkcode RedisStore} takes, told apart by shape, and one way to call them all. */
import type { StoreCallOptions } from "../store.ts";

/** A function that sends one command to Redis and resolves to the reply. */
export type RedisCommand = (command: string, ...args: string[]) => Promise<unknown>;

/** What is used of ioredis: of its `Redis` and of its `Cluster`. */
export interface IoredisClient {
  /** Sends any command. */
  call(command: string, ...args: string[]): Promise<unknown>;
}

/** What of node-redis takes a signal: `signal` in version 4, `abortSignal` since. */
export interface NodeRedisOptions {
  /** Drops the command if it has not been sent yet. */
  signal?: AbortSignal;
  /** The same. */
  abortSignal?: AbortSignal;
}

/** What is used of a client or a pool of node-redis, version 4 or later. */
export interface NodeRedisClient {
  /** Sends any command. */
  sendCommand(args: string[], options?: NodeRedisOptions): Promise<unknown>;
}

/** What is used of node-redis' cluster. */
export interface NodeRedisCluster {
  /** Tells it from a client. */
  slots: unknown;
  /** Sends any command to the node that has the key. */
  sendCommand(
    firstKey: string,
    isReadonly: boolean,
    args: string[],
    options?: NodeRedisOptions,
  ): Promise<unknown>;
}

/** What is used of node-redis' sentinel. */
export interface NodeRedisSentinel {
  /** Tells it from a client. */
  getSentinelNode: unknown;
  /** Sends any command to the master, or to a replica where it only reads. */
  sendCommand(isReadonly: boolean, args: string[], options?: NodeRedisOptions): Promise<unknown>;
}

/** What is used of Bun's `RedisClient`. */
export interface BunRedisClient {
  /** Sends any command. */
  send(command: string, args: string[]): Promise<unknown>;
}

/** The clients that can be given, by what is used of them. */
export type RedisClient =
  | RedisCommand
  | IoredisClient
  | NodeRedisClient
  | NodeRedisCluster
  | NodeRedisSentinel
  | BunRedisClient;

/** Sends one command, the name first. `key` is the one among its words, for a cluster to find the node. */
export type Send = (words: string[], key: string, options: StoreCallOptions) => Promise<unknown>;

/** Nothing is asked of a replica: it lags. */
const READS_ANYWHERE = false;

/**
 * How to send a command through `client`.
 *
 * @throws {TypeError} When it is none of the clients that are known, or reads from replicas.
 */
export function openRedis(client: RedisClient): Send {
  if (typeof client === "function") return ([command, ...args]) => client(command!, ...args);
  // ioredis has a sendCommand too, of another kind.
  if (has(client, "call")) {
    checkReads(client);
    return ([command, ...args]) => client.call(command!, ...args);
  }
  if (has(client, "send")) return ([command, ...args]) => client.send(command!, args);
  if (has(client, "sendCommand")) return openNodeRedis(client);
  throw new TypeError(
    "Cannot make RedisStore: client must be a client of ioredis or node-redis, Bun's RedisClient, " +
      "or a function (command, ...args) => Promise",
  );
}

function openNodeRedis(client: NodeRedisClient | NodeRedisCluster | NodeRedisSentinel): Send {
  if ("slots" in client) {
    return (words, key, options) =>
      client.sendCommand(key, READS_ANYWHERE, words, signalIn(options));
  }
  if ("getSentinelNode" in client) {
    return (words, _key, options) => client.sendCommand(READS_ANYWHERE, words, signalIn(options));
  }
  // The client of deno.land/x/redis takes other arguments, and would send nonsense.
  if ("isConnected" in client && !("isOpen" in client)) {
    throw new TypeError(
      "Cannot make RedisStore: this client's sendCommand takes (command, args); " +
        "give a function (command, ...args) => client.sendCommand(command, args)",
    );
  }
  return (words, _key, options) => client.sendCommand(words, signalIn(options));
}

function signalIn({ signal }: StoreCallOptions): NodeRedisOptions {
  return { signal, abortSignal: signal };
}

/** ioredis' Cluster decides by the command alone whether a replica may answer it. */
function checkReads(client: IoredisClient): void {
  const { options } = client as { options?: { scaleReads?: unknown } };
  const scaleReads = options?.scaleReads ?? "master";
  if (scaleReads === "master") return;
  throw new TypeError(
    'Cannot make RedisStore: client reads from replicas, which lag; scaleReads must be "master"',
  );
}

function has<Name extends string>(
  client: unknown,
  name: Name,
): client is { [key in Name]: (...args: never[]) => unknown } {
  return typeof client === "object" && client !== null &&
    typeof (client as Record<string, unknown>)[name] === "function";
}
