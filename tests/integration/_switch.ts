import { TcpProxy } from "./_tcp_proxy.ts";

/** A TCP proxy whose target changes, as the address of a database does at a failover. */
export class Switch extends TcpProxy {
  /** The port that new connections are forwarded to; `undefined` if nobody listens. */
  target: number | undefined;

  constructor(target: number) {
    super();
    this.target = target;
  }

  protected override async serve(client: Deno.TcpConn): Promise<void> {
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
