/** A TCP proxy before Redis that counts round trips: how often it is asked after it has answered. */

/** Stands before the Redis at a port. */
export class CountingProxy implements Disposable {
  readonly port: number;
  /** How often Redis was asked so far; what is sent at once counts once. */
  roundTrips = 0;
  readonly #target: number;
  readonly #listener: Deno.TcpListener;

  constructor(target: number) {
    this.#target = target;
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.port = this.#listener.addr.port;
    this.#accept();
  }

  [Symbol.dispose](): void {
    this.#listener.close();
  }

  async #accept(): Promise<void> {
    for await (const client of this.#listener) this.#serve(client).catch(() => {});
  }

  async #serve(client: Deno.TcpConn): Promise<void> {
    using server = await Deno.connect({ hostname: "127.0.0.1", port: this.#target });
    let isAsking = false;
    const asked = () => {
      if (!isAsking) this.roundTrips++;
      isAsking = true;
    };
    await Promise.race([
      client.readable.pipeThrough(tap(asked)).pipeTo(server.writable),
      server.readable.pipeThrough(tap(() => isAsking = false)).pipeTo(client.writable),
    ]);
  }
}

/** Passes on what comes, and says so each time. */
function tap(notice: () => void): TransformStream<Uint8Array<ArrayBuffer>> {
  return new TransformStream({
    transform(chunk, controller) {
      notice();
      controller.enqueue(chunk);
    },
  });
}
