import { announce } from "./_work.ts";

declare const Bun: {
  serve(options: { port: 0; fetch: (request: Request) => Response | Promise<Response> }): {
    port: number;
  };
};

/** Serves a fetch handler on Bun and prints the port. */
export function serveOnBun(fetch: (request: Request) => Response | Promise<Response>): void {
  announce(Bun.serve({ port: 0, fetch }).port);
}
