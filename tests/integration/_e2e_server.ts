/**
 * One server process: `_e2e_server.ts STORE WHERE`. Says its port when it listens, and ends when
 * nobody holds the other end of its standard input any more.
 *
 * @module
 */
import { SessionMiddleware } from "@pagi/session";
import { type Data, respond } from "./_e2e_app.ts";
import { STORES } from "./_stores.ts";

const [name, where] = Deno.args;
const { store } = await STORES[name!]!(where!);
const sessions = new SessionMiddleware<Data>({
  secret: "the end-to-end tests' own, the same in every process",
  store,
  touchInterval: 1,
});

Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }) => console.log(port),
}, sessions.handler(respond));

for await (const _ of Deno.stdin.readable);
Deno.exit();
