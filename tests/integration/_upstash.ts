/**
 * A server that speaks Upstash's REST protocol and hands the commands to a real Redis. The protocol:
 * https://upstash.com/docs/redis/features/restapi
 */
import { RespClient } from "./_resp.ts";

const TOKEN = "a token of the test";

/** Redis over HTTP. */
export class UpstashBridge implements AsyncDisposable {
  readonly url: string;
  readonly token = TOKEN;
  readonly #resources: AsyncDisposableStack;

  private constructor(port: number, resources: AsyncDisposableStack) {
    this.url = `http://127.0.0.1:${port}`;
    this.#resources = resources;
  }

  /** Starts the server in front of the Redis at a port. */
  static async start(redisPort: number): Promise<UpstashBridge> {
    await using resources = new AsyncDisposableStack();
    const client = resources.adopt(await RespClient.connect(redisPort), (it) => it.close());
    const options = { hostname: "127.0.0.1", port: 0, onListen() {} };
    const server = resources.use(Deno.serve(options, (request) => respond(client, request)));
    return new UpstashBridge(server.addr.port, resources.move());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }
}

async function respond(client: RespClient, request: Request): Promise<Response> {
  if (request.headers.get("authorization") !== `Bearer ${TOKEN}`) {
    return Response.json({ error: "WRONGPASS invalid or missing auth token" }, { status: 401 });
  }
  const isEncoded = request.headers.get("upstash-encoding") === "base64";
  const body: unknown[] = await request.json();
  const run = async (command: unknown): Promise<{ result: unknown } | { error: string }> => {
    try {
      const reply = await client.send(...(command as unknown[]).map(String));
      return { result: encode(reply ?? null, isEncoded) };
    } catch (error) {
      return { error: (error as Error).message };
    }
  };
  if (new URL(request.url).pathname === "/pipeline") {
    return Response.json(await Promise.all(body.map(run)));
  }
  const answer = await run(body);
  return Response.json(answer, { status: "error" in answer ? 400 : 200 });
}

/** Texts are sent in base64 if the client wants that, except "OK". */
function encode(reply: unknown, isEncoded: boolean): unknown {
  if (typeof reply !== "string" || !isEncoded || reply === "OK") return reply;
  return btoa(String.fromCharCode(...new TextEncoder().encode(reply)));
}
