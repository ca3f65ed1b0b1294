import app from "../recipes/hono_app.ts";
import { announce } from "./_work.ts";

Deno.serve({ port: 0, onListen: ({ port }) => announce(port) }, app.fetch);
