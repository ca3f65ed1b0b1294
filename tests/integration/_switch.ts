/** A TCP proxy whose target changes, as the address of a database does at a failover. */
export class Switch implements Disposable {
  readonly port: number;
  /** The port that new connections are forwarded to; `undefined` if nobody listens. */
  target: number | undefined;
  readonly #listener: Deno.TcpListener;

  constructor(target: number) {
    this.target = target;
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

  async #serve(client: Deno.Conn): Promise<void> {
    if (this.target === undefined) return client.close();
    try {
      using server = await Deno.connect({ hostname: "127.0.0.1", port: this.target });
      await Promise.race([
        client.readable.pipeTo(server.writable),
        server.readable.pipeTo(client.writable),
      ]);
    } catch {
      client.close();
    }
  }
}
