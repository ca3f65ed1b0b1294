import { handle } from "./_fetch_handler.ts";
import { announce } from "./_work.ts";

Deno.serve({ port: 0, onListen: ({ port }) => announce(port) }, handle);
