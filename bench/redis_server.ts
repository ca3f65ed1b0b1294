/** Starts a Redis for the benchmark. */

const TIMEOUT_MS = 10_000;

/** Starts a Redis that keeps nothing on disk; undefined if `redis-server` is not installed. */
export async function startRedis(): Promise<({ port: number } & AsyncDisposable) | undefined> {
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
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  const deadline = performance.now() + TIMEOUT_MS;
  while (!await isListening(port)) {
    if (performance.now() > deadline) throw new Error("Cannot start Redis: it does not answer");
    await new Promise((resolve) => setTimeout(resolve, 20));
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
