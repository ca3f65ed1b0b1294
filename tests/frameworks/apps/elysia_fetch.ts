import { serveOnBun } from "./_bun.ts";
import { app } from "./_elysia.ts";

serveOnBun((request) => app.handle(request));
