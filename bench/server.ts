/**
 * One library behind a real server, in whatever runtime this is: `server.ts OPTIONS`, as JSON.
 * Writes where it listens and the cookies of some sessions. Answers each line on standard input with
 * the processor time that it has used so far. Ends with standard input.
 *
 * @module
 */
import process from "node:process";
import { createInterface } from "node:readline";
import { serve } from "@hono/node-server";
import { loadContenders } from "./contenders/all.ts";
import type { FetchHandler } from "./contenders/contender.ts";
import { sessions } from "./tasks.ts";
import { content, type Scenario, SMALL } from "./scenarios.ts";
import { verify } from "./verify.ts";

/** What to serve. */
export interface ServerOptions {
  /** The name of a library with a fetch handler. */
  contender: string;
  scenario: Scenario;
}

/** What the program writes first. */
export interface ServerStarted {
  port: number;
  cookies: string[];
}

const HOSTNAME = "127.0.0.1";
/** Twice the number of connections, so that no two requests use one session at the same time. */
const SESSIONS = 64;

/** Starts the runtime's own server. Node has none for fetch handlers. */
async function listen(fetch: FetchHandler): Promise<number> {
  if ("Deno" in globalThis) {
    return Deno.serve({ hostname: HOSTNAME, port: 0, onListen() {} }, (request) => fetch(request))
      .addr.port;
  }
  const { Bun } = globalThis as { Bun?: { serve(options: unknown): { port: number } } };
  if (Bun !== undefined) return Bun.serve({ hostname: HOSTNAME, port: 0, fetch }).port;
  return await new Promise((resolve) => {
    serve({ fetch, hostname: HOSTNAME, port: 0 }, ({ port }) => resolve(port));
  });
}

const options: ServerOptions = JSON.parse(process.argv[2]!);
const [contender] = await loadContenders([options.contender]);
const { apps } = await contender!.open({ store: "memory", data: content(SMALL) });
await verify(contender!.name, "memory", apps);
const app = apps[options.scenario];
if (app === undefined || !("fetch" in app)) {
  throw new TypeError(`Cannot serve ${options.contender}: it has no fetch handler`);
}
const started: ServerStarted = {
  cookies: await sessions(apps.new!, SESSIONS),
  port: await listen(app.fetch),
};
console.log(JSON.stringify(started));
for await (const _line of createInterface({ input: process.stdin })) {
  const { user, system } = process.cpuUsage();
  console.log(user + system);
}
process.exit();
