import { serve } from "./tanstack-start/node_modules/srvx/dist/adapters/node.mjs";
import { announce } from "./_work.ts";

const { default: app } = await import("./tanstack-start/dist/server/server.js" as string);
const server = serve({ fetch: app.fetch, hostname: "127.0.0.1", port: 0, silent: true });
await server.ready();
announce(Number(new URL(server.url!).port));
