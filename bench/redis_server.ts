/** A Redis for the benchmark: one of its own, or else the one that is up. */

/** Where Redis listens, until it is disposed of. */
export interface RedisServer extends AsyncDisposable {
  port: number;
}

/** Where Redis listens that somebody else has started. */
const DEFAULT_PORT = Number(Deno.env.get("REDIS_PORT") ?? 6379);
const PAUSE_MS = 20;
const PATIENCE_MS = 10_000;

/** Starts a Redis that keeps nothing on disk; undefined when there is none to be had. */
export async function startRedis(): Promise<RedisServer | undefined> {
  const port = freePort();
  let process: Deno.ChildProcess;
  try {
    process = new Deno.Command("redis-server", {
      args: ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    const isUp = await isListening(DEFAULT_PORT);
    return isUp
      ? { port: DEFAULT_PORT, [Symbol.asyncDispose]: () => Promise.resolve() }
      : undefined;
  }
  const deadline = performance.now() + PATIENCE_MS;
  while (!await isListening(port)) {
    if (performance.now() > deadline) throw new Error("redis-server does not answer");
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  return {
    port,
    async [Symbol.asyncDispose]() {
      process.kill();
      await process.status;
    },
  };
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function isListening(port: number): Promise<boolean> {
  try {
    using _connection = await Deno.connect({ hostname: "127.0.0.1", port });
    return true;
  } catch {
    return false;
  }
}
