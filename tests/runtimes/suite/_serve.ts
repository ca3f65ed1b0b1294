/** The HTTP server of each runtime, on a free port. */

type Handler = (request: Request) => Promise<Response>;

/** A listening server. */
export interface Listening {
  port: number;
  close(): Promise<unknown>;
}

/** The APIs that the suite uses. Their types are not available in every runtime. */
interface Globals {
  Deno?: {
    version: { deno: string };
    serve(options: object, handler: Handler): {
      addr: { port: number };
      shutdown(): Promise<void>;
    };
  };
  Bun?: {
    version: string;
    serve(options: object): { port: number; stop(closes: boolean): Promise<void> };
  };
  process?: { versions: { node: string } };
}

const { Deno, Bun, process } = globalThis as Globals;
const HOSTNAME = "127.0.0.1";

/** The runtime's name and version. */
export const runtime = Deno !== undefined
  ? `Deno ${Deno.version.deno}`
  : Bun !== undefined
  ? `Bun ${Bun.version}`
  : `Node ${process?.versions.node}`;

/** Serves with Deno.serve, Bun.serve, or node:http behind @hono/node-server. */
export async function serve(fetch: Handler): Promise<Listening> {
  if (Deno !== undefined) {
    const server = Deno.serve({ hostname: HOSTNAME, port: 0, onListen() {} }, fetch);
    return { port: server.addr.port, close: () => server.shutdown() };
  }
  if (Bun !== undefined) {
    const server = Bun.serve({ hostname: HOSTNAME, port: 0, fetch });
    return { port: server.port, close: () => server.stop(true) };
  }
  // The cast keeps type checks from resolving the module, which only Node's project has.
  const node = await import("@hono/node-server" as string);
  return await new Promise((resolve) => {
    const options = { hostname: HOSTNAME, port: 0, fetch };
    const server = node.serve(options, ({ port }: { port: number }) => {
      const close = () =>
        new Promise((closed) => {
          server.close(closed);
          server.closeAllConnections();
        });
      resolve({ port, close });
    });
  });
}
