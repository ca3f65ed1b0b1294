/** A real Redis behind HTTP, like hosted Redis services for runtimes without sockets. */
import { RespClient } from "../integration/_resp.ts";
import { anyRedis } from "../integration/_servers.ts";

export class RedisOverHttp implements AsyncDisposable {
  readonly url: string;
  readonly #resources: AsyncDisposableStack;

  private constructor(url: string, resources: AsyncDisposableStack) {
    this.url = url;
    this.#resources = resources;
  }

  static async start(): Promise<RedisOverHttp> {
    await using resources = new AsyncDisposableStack();
    const redis = resources.use(await anyRedis());
    const client = resources.adopt(await RespClient.connect(redis.port), (it) => it.close());
    const respond = async (request: Request): Promise<Response> => {
      try {
        return Response.json({ result: await client.send(...await request.json()) ?? null });
      } catch (error) {
        return Response.json({ error: String((error as Error).message) });
      }
    };
    const options = { hostname: "127.0.0.1", port: 0, onListen() {} };
    const server = resources.use(Deno.serve(options, respond));
    return new RedisOverHttp(`http://127.0.0.1:${server.addr.port}/`, resources.move());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }
}
