/**
 * The servers of the suite. If a server is missing, its tests are skipped with the reason. In CI
 * they fail, so that no test is skipped unnoticed.
 */
import { freePort, isInstalled, isListening, OwnProcess, until } from "./_processes.ts";
import { RespClient } from "./_resp.ts";

type TestFunction = (t: Deno.TestContext) => Promise<void> | void;

/** Defines a test that needs a server. `missing` says why it is not available. */
export function serverTest(missing: string | undefined, name: string, run: TestFunction): void {
  if (missing === undefined) Deno.test(name, run);
  else if (Deno.env.get("CI")) {
    Deno.test(name, () => {
      throw new Error(`This has to run in CI, and cannot: ${missing}`);
    });
  } else {
    console.log(`skipped: ${name}: ${missing}`);
    Deno.test.ignore(name, run);
  }
}

/** The port of a Redis that already runs. */
const REDIS_PORT = Number(Deno.env.get("REDIS_PORT") ?? 6379);
const SLOTS = 16_384;

const hasBinary = await isInstalled("redis-server");

/** Why there is no Redis that a test can start itself. */
export const ownRedisMissing = hasBinary ? undefined : "there is no redis-server to start";
/** Why there is no Redis at all. */
export const redisMissing = hasBinary || await isListening(REDIS_PORT)
  ? undefined
  : `nobody listens at port ${REDIS_PORT}, and there is no redis-server to start`;

/** A Redis of our own, whose scripts we may flush; where none can be started, the one that is up. */
export async function anyRedis(): Promise<{ port: number } & AsyncDisposable> {
  if (ownRedisMissing === undefined) return await OwnRedis.start();
  return { port: REDIS_PORT, [Symbol.asyncDispose]: () => Promise.resolve() };
}

/** A Redis of a test's own, in a temporary folder. */
export class OwnRedis implements AsyncDisposable {
  readonly port: number;
  readonly #folder: string;
  readonly #options: string[];
  #process: OwnProcess | undefined;

  private constructor(port: number, folder: string, options: string[]) {
    this.port = port;
    this.#folder = folder;
    this.#options = options;
  }

  /** Starts one; without options it keeps nothing on disk. */
  static start(...options: string[]): Promise<OwnRedis> {
    return OwnRedis.#start("", options);
  }

  /** Starts a Sentinel that watches over the Redis at a port, under the name of `main`. */
  static startSentinel(port: number): Promise<OwnRedis> {
    return OwnRedis.#start(`sentinel monitor main 127.0.0.1 ${port} 1\n`, ["--sentinel"]);
  }

  static async #start(config: string, options: string[]): Promise<OwnRedis> {
    const folder = await Deno.makeTempDir({ prefix: "pagi-redis-" });
    await Deno.writeTextFile(`${folder}/redis.conf`, config);
    const redis = new OwnRedis(freePort(), folder, options);
    await redis.start();
    return redis;
  }

  /** Starts it again, on the same port and with what it has on disk. */
  async start(): Promise<void> {
    const port = ["--port", String(this.port), "--bind", "127.0.0.1"];
    const disk = ["--save", "", "--dir", this.#folder];
    const options = [`${this.#folder}/redis.conf`, ...port, ...disk, ...this.#options];
    this.#process = await OwnProcess.start(this.#folder, "redis-server", ...options);
    await until("Redis answers", () => answers(this.port));
  }

  /** Ends it, by SIGKILL if it is to have no time for anything. */
  async stop(signal: Deno.Signal = "SIGTERM"): Promise<void> {
    await this.#process?.end(signal);
    this.#process = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop("SIGKILL");
    await Deno.remove(this.#folder, { recursive: true });
  }
}

async function answers(port: number): Promise<boolean> {
  if (!await isListening(port)) return false;
  const client = await RespClient.connect(port);
  try {
    // While it loads what is on disk it answers with an error.
    return await client.send("PING") === "PONG";
  } catch {
    return false;
  } finally {
    client.close();
  }
}

/** A replica of a node of a cluster. */
export async function startClusterReplica(port: number): Promise<OwnRedis> {
  const bus = String(freePort());
  const options = ["--cluster-enabled", "yes", "--cluster-port", bus];
  const replica = await OwnRedis.start(...options, "--cluster-node-timeout", "2000");
  const [node, own] = await Promise.all([port, replica.port].map((one) => RespClient.connect(one)));
  const nodeBus = text(await node!.send("CONFIG", "GET", "cluster-port"));
  await own!.send("CLUSTER", "MEET", "127.0.0.1", String(port), nodeBus);
  const id = String(await node!.send("CLUSTER", "MYID"));
  await until(
    "the replica knows the node",
    async () => String(await own!.send("CLUSTER", "NODES")).includes(id),
  );
  await until(
    "the replica has its master",
    async () => await own!.send("CLUSTER", "REPLICATE", id).then(() => true, () => false),
  );
  await until(
    "the replica is in step",
    async () => String(await node!.send("INFO", "replication")).includes("state=online"),
  );
  node!.close();
  own!.close();
  return replica;
}

/** A Redis Cluster of three masters, each with a third of the slots. */
export async function startCluster(): Promise<{ ports: number[] } & AsyncDisposable> {
  const nodes = await Promise.all(Array.from({ length: 3 }, () => {
    const bus = String(freePort());
    return OwnRedis.start("--cluster-enabled", "yes", "--cluster-port", bus);
  }));
  const ports = nodes.map(({ port }) => port);
  const clients = await Promise.all(ports.map((port) => RespClient.connect(port)));
  for (const [at, client] of clients.entries()) {
    const [first, next] = [at, at + 1].map((third) => Math.floor(SLOTS * third / nodes.length));
    await client.send("CLUSTER", "ADDSLOTSRANGE", String(first), String(next! - 1));
    await client.send("CLUSTER", "SET-CONFIG-EPOCH", String(at + 1));
  }
  const [, ...others] = ports;
  for (const port of others) {
    const bus = text(await clients[ports.indexOf(port)]!.send("CONFIG", "GET", "cluster-port"));
    await clients[0]!.send("CLUSTER", "MEET", "127.0.0.1", String(port), bus);
  }
  for (const client of clients) {
    await until("the cluster is up", async () => {
      const info = String(await client.send("CLUSTER", "INFO"));
      return info.includes("cluster_state:ok") && info.includes("cluster_known_nodes:3");
    });
    client.close();
  }
  return {
    ports,
    async [Symbol.asyncDispose]() {
      for (const node of nodes) await node[Symbol.asyncDispose]();
    },
  };
}

/** The value in the answer to CONFIG GET. */
function text(answer: unknown): string {
  return (answer as [name: string, value: string])[1];
}
