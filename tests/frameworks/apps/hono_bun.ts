import { serveOnBun } from "./_bun.ts";
import { app } from "./_hono.ts";

serveOnBun((request) => app.fetch(request));
