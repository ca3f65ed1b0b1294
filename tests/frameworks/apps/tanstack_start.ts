import { serve } from "./tanstack-start/node_modules/srvx/dist/adapters/node.mjs";
import { announce } from "./_work.ts";

const { default: app } = await import("./tanstack-start/dist/server/server.js" as string);
const server = serve({
  fetch(request: Request) {
    if (!process.env.SUITE) return app.fetch(request);
    // The paths of the suite of all adapters are others than the shop's.
    const { pathname, search, origin } = new URL(request.url);
    return app.fetch(new Request(`${origin}/work${pathname}${search}`, request));
  },
  hostname: "127.0.0.1",
  port: Number(process.env.PORT ?? 0),
  silent: true,
});
await server.ready();
announce(Number(new URL(server.url!).port));
