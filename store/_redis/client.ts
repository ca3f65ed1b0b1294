/** The clients that a {@linkcode RedisStore} supports, recognized by their methods. */
import { optionError } from "../../base/check_options.ts";
import { isClass, received } from "../_received.ts";
import type { StoreCallOptions } from "../store.ts";

/** A function that sends one command to Redis and resolves to the reply. */
export type RedisCommand = (command: string, ...args: string[]) => Promise<unknown>;

/** The part of ioredis that the store uses. Its `Redis` and its `Cluster` have it. */
export interface IoredisClient {
  /** Sends any command. */
  call(command: string, ...args: string[]): Promise<unknown>;
}

/** The options of a node-redis command. Version 4 reads `signal`, later ones `abortSignal`. */
export interface NodeRedisOptions {
  /** Cancels the command if it has not been sent yet. */
  signal?: AbortSignal;
  /** Cancels the command if it has not been sent yet. */
  abortSignal?: AbortSignal;
}

/** The part of a node-redis client or pool that the store uses, in version 4 or later. */
export interface NodeRedisClient {
  /** Sends any command. */
  sendCommand(args: string[], options?: NodeRedisOptions): Promise<unknown>;
}

/** The part of a node-redis cluster client that the store uses. */
export interface NodeRedisCluster {
  /** Distinguishes a cluster from other clients. */
  slots: unknown;
  /** Sends any command to the node that holds the key. */
  sendCommand(
    firstKey: string,
    isReadonly: boolean,
    args: string[],
    options?: NodeRedisOptions,
  ): Promise<unknown>;
}

/** The part of a node-redis sentinel client that the store uses. */
export interface NodeRedisSentinel {
  /** Distinguishes a sentinel from other clients. */
  getSentinelNode: unknown;
  /** Sends any command to the master, or a read-only command to a replica. */
  sendCommand(isReadonly: boolean, args: string[], options?: NodeRedisOptions): Promise<unknown>;
}

/** The part of a node-redis 3 client that the store uses. */
export interface NodeRedis3Client {
  /** Distinguishes this client from later versions. */
  internal_send_command: unknown;
  /** Sends any command. */
  send_command(
    command: string,
    args: string[],
    callback: (error: Error | null, reply: unknown) => void,
  ): unknown;
}

/** The part of Bun's `RedisClient` that the store uses. */
export interface BunRedisClient {
  /** Sends any command. */
  send(command: string, args: string[]): Promise<unknown>;
}

/** The part of `@upstash/redis` that the store uses, in version 1.35 or later. */
export interface UpstashRedisClient {
  /** Sends any command. */
  exec(args: [command: string, ...args: string[]]): Promise<unknown>;
}

/** The clients that a {@linkcode RedisStore} supports. */
export type RedisClient =
  | RedisCommand
  | IoredisClient
  | NodeRedisClient
  | NodeRedisCluster
  | NodeRedisSentinel
  | NodeRedis3Client
  | BunRedisClient
  | UpstashRedisClient;

/**
 * Sends one command, its name first. `key` is also one of the words; a cluster finds the node by
 * it.
 */
export type Send = (words: string[], key: string, options: StoreCallOptions) => Promise<unknown>;

/** Never reads from a replica, because replicas lag behind. */
const IS_READONLY = false;

/**
 * The function that sends commands through `client`.
 *
 * @throws {TypeError} If it is not a supported client, or reads from replicas.
 */
export function senderOf(client: RedisClient): Send {
  if (typeof client === "function") {
    if (isClass(client) || isFactory(client)) throw clientError(received(client));
    return ([command, ...args]) => client(command!, ...args);
  }
  if (isQueue(client)) throw clientError("it collects commands: give the client itself");
  if (has(client, "internal_send_command")) return nodeRedis3SenderOf(client as NodeRedis3Client);
  // Checked first: ioredis also has a sendCommand(), but with other arguments.
  if (has(client, "call")) {
    checkReads(client);
    return ([command, ...args]) => client.call(command!, ...args);
  }
  if (has(client, "send")) return ([command, ...args]) => client.send(command!, args);
  if (has(client, "sendCommand")) return nodeRedisSenderOf(inPromiseMode(client));
  if (has(client, "exec")) return (words) => client.exec(words as [string, ...string[]]);
  throw clientError(received(client));
}

function clientError(problem: string): Error {
  return optionError(
    "RedisStore",
    "client must be a client of ioredis, iovalkey, node-redis or @upstash/redis, Bun's " +
      `RedisClient, or a function (command, ...args) => Promise; ${problem}`,
  );
}

function nodeRedis3SenderOf(client: NodeRedis3Client): Send {
  return ([command, ...args]) =>
    new Promise((resolve, reject) => {
      client.send_command(command!, args, (error, reply) => {
        if (error === null) resolve(reply);
        else reject(error);
      });
    });
}

/** The client that answers with promises, if `client` is in legacy mode. */
function inPromiseMode<Client extends object>(client: Client): Client {
  // Later versions ignore the option, and have no `v4`. Without the option, its getter throws.
  const { options } = client as { options?: { legacyMode?: boolean } };
  if (options?.legacyMode === true && "v4" in client) return client.v4 as Client;
  // The result of legacy() has the commands, but not the state of a client.
  if ("GET" in client && !("isOpen" in client)) {
    throw clientError("it is the result of legacy(): give the client itself");
  }
  return client;
}

function nodeRedisSenderOf(client: NodeRedisClient | NodeRedisCluster | NodeRedisSentinel): Send {
  if ("slots" in client) {
    return (words, key, options) => client.sendCommand(key, IS_READONLY, words, signalIn(options));
  }
  if ("getSentinelNode" in client) {
    return (words, _key, options) => client.sendCommand(IS_READONLY, words, signalIn(options));
  }
  // The client of deno.land/x/redis expects other arguments and would send invalid commands.
  if ("isConnected" in client && !("isOpen" in client)) {
    throw optionError(
      "RedisStore",
      "this client's sendCommand takes (command, args); " +
        "give a function (command, ...args) => client.sendCommand(command, args)",
    );
  }
  return (words, _key, options) => client.sendCommand(words, signalIn(options));
}

function signalIn({ signal }: StoreCallOptions): NodeRedisOptions {
  return { signal, abortSignal: signal };
}

/** Whether `client` is a function that creates clients, such as node-redis' `createClient`. */
function isFactory({ name }: { name: string }): boolean {
  return /^create[A-Z]/.test(name);
}

/** Whether `client` is a transaction or a pipeline: it sends nothing before its `exec()`. */
function isQueue(client: unknown): boolean {
  if (typeof client !== "object" || client === null) return false;
  // In node-redis 4 and later, in @upstash/redis, in node-redis 3, and in ioredis.
  return "addCommand" in client || "multiExec" in client || "queue" in client ||
    (client as { isPipeline?: unknown }).isPipeline === true;
}

/**
 * The Cluster of ioredis may send reads to replicas, and offers no option for a single command. With
 * Sentinel, the whole client may use a replica.
 */
function checkReads(client: IoredisClient): void {
  const { options } = client as { options?: { scaleReads?: unknown; role?: unknown } };
  const { scaleReads = "master", role = "master" } = options ?? {};
  if (scaleReads === "master" && role === "master") return;
  const name = role === "master" ? "scaleReads" : "role";
  throw optionError(
    "RedisStore",
    `client reads from replicas, which lag; ${name} must be "master"`,
  );
}

function has<Name extends string>(
  client: unknown,
  name: Name,
): client is { [key in Name]: (...args: never[]) => unknown } {
  return typeof client === "object" && client !== null &&
    typeof (client as Record<string, unknown>)[name] === "function";
}
