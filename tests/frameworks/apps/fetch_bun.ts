import { serveOnBun } from "./_bun.ts";
import { handle } from "./_fetch_handler.ts";

serveOnBun(handle);
