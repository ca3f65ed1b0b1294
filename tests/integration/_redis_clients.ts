// deno-lint-ignore-file no-import-prefix -- the package's own check has to find these too
/**
 * Every kind of client that RedisStore takes, opened on a port. The drivers are named here, with
 * their versions, and nowhere else.
 */
import { Cluster as Cluster5, Redis as Redis5 } from "npm:ioredis@5.11.1";
import { Cluster as Cluster6, Redis as Redis6 } from "npm:ioredis@6.0.0";
import { Cluster as ValkeyCluster, Redis as Valkey } from "npm:iovalkey@0.3.3";
import redis3 from "npm:redis@3.1.2";
import { createClient as createClient4, createCluster as createCluster4 } from "npm:redis@4.7.1";
import {
  createClient as createClient5,
  createClientPool as createPool5,
  createCluster as createCluster5,
  createSentinel as createSentinel5,
  RESP_TYPES,
} from "npm:redis@5.12.1";
import {
  createClient as createClient6,
  createCluster as createCluster6,
  createSentinel as createSentinel6,
} from "npm:redis@6.3.1";
import { Redis as Upstash } from "npm:@upstash/redis@1.39.0";
import type { NodeRedis3Client, RedisClient } from "@pagi/session/store/redis";
import { RespClient } from "./_resp.ts";
import { UpstashBridge } from "./_upstash.ts";

/** A client, and how it is closed. */
export interface OpenClient {
  client: RedisClient;
  close(): unknown;
}

/** Opens a client on the Redis at a port. */
type Opener = (port: number) => OpenClient | Promise<OpenClient>;

/** The kinds of client for one Redis. */
export const CLIENTS: { [name: string]: Opener } = {
  "@upstash/redis over HTTP": async (port) => {
    const bridge = await UpstashBridge.start(port);
    const { url, token } = bridge;
    const client = new Upstash({ url, token, enableTelemetry: false });
    return { client, close: () => bridge[Symbol.asyncDispose]() };
  },
  "a plain function": async (port) => {
    const client = await RespClient.connect(port);
    return { client: client.send, close: () => client.close() };
  },
  "a plain function that gives bytes": async (port) => {
    const client = await RespClient.connect(port);
    return { client: client.sendRaw, close: () => client.close() };
  },
  "ioredis 5": (port) => ioredis(new Redis5({ port })),
  "ioredis 5 with a keyPrefix": (port) => ioredis(new Redis5({ port, keyPrefix: "app:" })),
  "ioredis 6": (port) => ioredis(new Redis6({ port })),
  iovalkey: (port) => ioredis(new Valkey({ port })),
  "node-redis 3": (port) => nodeRedis3(redis3.createClient(port)),
  "node-redis 3 that gives bytes": (port) =>
    nodeRedis3(redis3.createClient(port, undefined, { return_buffers: true })),
  "node-redis 4 in legacy mode": (port) =>
    nodeRedis(createClient4({ url: urlOf(port), legacyMode: true })),
  "HTTP, as Upstash documents it": (port) => overHttp(port),
  "node-redis 4": (port) => nodeRedis(createClient4({ url: urlOf(port) })),
  "node-redis 5": (port) => nodeRedis(createClient5({ url: urlOf(port) })),
  "node-redis 5 with RESP3": (port) => nodeRedis(createClient5({ url: urlOf(port), RESP: 3 })),
  "node-redis 5 that gives bytes": async (port) => {
    const { client, close } = await nodeRedis(createClient5({ url: urlOf(port) }));
    const mapping = { [RESP_TYPES.BLOB_STRING]: Buffer, [RESP_TYPES.NUMBER]: String };
    return { client: client.withTypeMapping(mapping), close };
  },
  "a pool of node-redis 5": (port) => nodeRedis(createPool5({ url: urlOf(port) })),
  "node-redis 6": (port) => nodeRedis(createClient6({ url: urlOf(port) })),
};

/** The kinds of client for a cluster, by the port of one of its nodes. */
export const CLUSTERS: { [name: string]: Opener } = {
  "ioredis 5": (port) => ioredis(new Cluster5([{ host: "127.0.0.1", port }])),
  iovalkey: (port) => ioredis(new ValkeyCluster([{ host: "127.0.0.1", port }])),
  "ioredis 6": (port) => ioredis(new Cluster6([{ host: "127.0.0.1", port }])),
  "node-redis 4": (port) => nodeRedis(createCluster4({ rootNodes: [{ url: urlOf(port) }] })),
  "node-redis 5": (port) => nodeRedis(createCluster5({ rootNodes: [{ url: urlOf(port) }] })),
  "node-redis 6": (port) => nodeRedis(createCluster6({ rootNodes: [{ url: urlOf(port) }] })),
};

/** The kinds of client for a Redis that a Sentinel names, by the Sentinel's port. */
export const SENTINELS: { [name: string]: Opener } = {
  "ioredis 5": (port) => ioredis(new Redis5(sentinels(port))),
  "ioredis 6": (port) => ioredis(new Redis6(sentinels(port))),
  "node-redis 5": (port) => nodeRedis(createSentinel5(sentinelRoots(port))),
  "node-redis 6": (port) => nodeRedis(createSentinel6(sentinelRoots(port))),
};

function sentinels(port: number) {
  return { name: "main", sentinels: [{ host: "127.0.0.1", port }] };
}

function sentinelRoots(port: number) {
  return { name: "main", sentinelRootNodes: [{ host: "127.0.0.1", port }] };
}

function urlOf(port: number): string {
  return `redis://127.0.0.1:${port}`;
}

/** A client that listens for its errors, as every program's has to. */
interface Emitter {
  on(event: "error", listen: (error: Error) => void): unknown;
}

function ioredis<Client extends Emitter & { disconnect(): void }>(client: Client) {
  client.on("error", () => {});
  return { client, close: () => client.disconnect() };
}

function nodeRedis3(client: Emitter & NodeRedis3Client & { end(flush: boolean): void }) {
  client.on("error", () => {});
  return { client, close: () => client.end(true) };
}

/** Puts a server in front of Redis that answers as Upstash's documentation of its REST API says. */
async function overHttp(port: number): Promise<OpenClient> {
  const redis = await RespClient.connect(port);
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    if (request.headers.get("authorization") !== "Bearer token") {
      return Response.json({ error: "Unauthorized" }, { status: 401 });
    }
    const [command, ...args] = await request.json();
    try {
      return Response.json({ result: await redis.send(command, ...args) });
    } catch (error) {
      return Response.json({ error: (error as Error).message }, { status: 400 });
    }
  });
  const send = async (...command: string[]) => {
    const init = { method: "POST", headers: { authorization: "Bearer token" } };
    const url = `http://127.0.0.1:${server.addr.port}`;
    const { result, error } = await (await fetch(url, { ...init, body: JSON.stringify(command) }))
      .json();
    if (error !== undefined) throw new Error(error);
    return result;
  };
  return {
    client: send,
    async close() {
      await server.shutdown();
      redis.close();
    },
  };
}

async function nodeRedis<
  Client extends Emitter & { connect(): Promise<unknown>; quit?(): unknown; close?(): unknown },
>(client: Client) {
  client.on("error", () => {});
  await client.connect();
  return { client, close: () => client.close === undefined ? client.quit!() : client.close() };
}
