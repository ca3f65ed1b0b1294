import { serve } from "@hono/node-server";
import { app } from "./_hono.ts";
import { announce } from "./_work.ts";

serve({ fetch: app.fetch, port: 0 }, ({ port }) => announce(port));
