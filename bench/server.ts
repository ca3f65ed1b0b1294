/**
 * One contender behind a real server, in whatever runtime this is: `server.ts OPTIONS`, as JSON.
 * Writes where it listens and who its sessions belong to; to each line on standard input it
 * answers with the processor time that it has used. It ends when standard input does.
 *
 * @module
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { createInterface } from "node:readline";
import { serve } from "@hono/node-server";
import { CONTENDERS } from "./contenders/all.ts";
import { BARE_HEADERS } from "./contenders/bare_headers.ts";
import type { App, FetchHandler, LocalApp, StoreName } from "./contenders/contender.ts";
import { sessions } from "./lanes.ts";
import { type Act, content } from "./scenarios.ts";
import { verify } from "./verify.ts";

/** What this program is told. */
export interface ServerOptions {
  contender: string;
  store: StoreName;
  /** What each request does; the app without sessions where nothing is said. */
  act?: Act;
  bytes: number;
  redisPort?: number;
  /** How many sessions are made for the load to use. */
  sessions: number;
}

/** What this program says first. */
export interface ServerStarted {
  port: number;
  cookies: string[];
}

/** What this program answers, in microseconds. */
export interface ServerUsage {
  cpu: number;
}

const HOSTNAME = "127.0.0.1";

async function listen(app: LocalApp): Promise<number> {
  if ("listener" in app) {
    const server = createServer(app.listener as () => void);
    await new Promise<void>((resolve) => server.listen(0, HOSTNAME, resolve));
    return (server.address() as AddressInfo).port;
  }
  return await serveFetch(app.fetch);
}

/** The runtime's own server; Node has none for fetch handlers. */
async function serveFetch(fetch: FetchHandler): Promise<number> {
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
const all = [...CONTENDERS, ...BARE_HEADERS];
const contender = all.find(({ name }) => name === options.contender)!;
const { act, store, redisPort } = options;
const opened = await contender.open({ store, data: content(options.bytes), redisPort });
const ports = new Map<string, number>();
const apps: { [act in Act]?: App } = {};
for (const [act, app] of Object.entries(opened.apps)) {
  const port = await listen(app);
  ports.set(act, port);
  apps[act as Act] = { url: `http://${HOSTNAME}:${port}/` };
}
await verify(contender.name, apps);
const started: ServerStarted = {
  cookies: await sessions(apps.new!, options.sessions),
  port: act === undefined ? await listen(opened.bare) : ports.get(act)!,
};
console.log(JSON.stringify(started));
for await (const _ of createInterface({ input: process.stdin })) {
  const { user, system } = process.cpuUsage();
  console.log(JSON.stringify({ cpu: user + system } satisfies ServerUsage));
}
process.exit();
