/** Listens on a port of its own, and serves each connection. */
export abstract class TcpProxy implements Disposable {
  readonly port: number;
  readonly #listener: Deno.TcpListener;

  constructor() {
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.port = this.#listener.addr.port;
    this.#accept();
  }

  [Symbol.dispose](): void {
    this.#listener.close();
  }

  async #accept(): Promise<void> {
    for await (const client of this.#listener) this.serve(client).catch(() => {});
  }

  /** Forwards what the client and the server send. */
  protected abstract serve(client: Deno.TcpConn): Promise<void>;
}
