/**
 * A TCP proxy in front of Redis that records each command. Commands that a client sends together share
 * one round trip: `redis_round_trips_test.ts` counts those.
 */
import { type Resp, RespParser, text, writeAll } from "./_resp.ts";
import { TcpProxy } from "./_tcp_proxy.ts";

/** Forwards connections to the Redis at a port. */
export class RedisProxy extends TcpProxy {
  /** The names of the commands that went through. */
  readonly commands: string[] = [];
  readonly #target: number;
  #cutAt: string | undefined;

  constructor(target: number) {
    super();
    this.#target = target;
  }

  /** Cuts the connection after the next such command: Redis executes it, but its reply is lost. */
  cutAfter(command: string): void {
    this.#cutAt = command;
  }

  protected override async serve(client: Deno.TcpConn): Promise<void> {
    using server = await Deno.connect({ hostname: "127.0.0.1", port: this.#target });
    using _client = client;
    let isCut = false;
    const note = (request: Resp) => {
      const [name] = text(request) as string[];
      this.commands.push(name!.toUpperCase());
      if (name!.toUpperCase() !== this.#cutAt) return;
      this.#cutAt = undefined;
      isCut = true;
    };
    const requests = (async () => {
      const parser = new RespParser();
      for await (const chunk of chunks(client)) {
        for (const request of parser.push(chunk)) note(request);
        await writeAll(server, chunk);
      }
    })();
    const replies = (async () => {
      for await (const chunk of chunks(server)) {
        if (isCut) return;
        await writeAll(client, chunk);
      }
    })();
    await Promise.race([requests, replies]);
  }
}

async function* chunks(connection: Deno.Conn): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(65_536);
  try {
    while (true) {
      const count = await connection.read(buffer);
      if (count === null) return;
      yield buffer.slice(0, count);
    }
  } catch {
    // Closed from here.
  }
}
