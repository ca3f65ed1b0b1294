/**
 * One contender behind a real server, in whatever runtime this is: `server.ts OPTIONS`, as JSON.
 * Writes where it listens and who its sessions belong to; each line on standard input is a command,
 * and is answered with a line of JSON. It ends when standard input does.
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
import { SERVER, sum, type Times, WAITING } from "./profile_groups.ts";
import { type OtherTime, Profiler, SelfTimes } from "./profiler.ts";
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

/** What this program answers to each command. */
export interface ServerAnswers {
  /** The processor time that it has used, in microseconds. */
  cpu: { cpu: number };
  /** The cookies of sessions that were not there before. */
  sessions: { cookies: string[] };
  /** Starts the profiler. */
  profile: Record<never, never>;
  /** Stops it: the self times since then, by group, in microseconds. */
  times: { times: Times; others: OtherTime[] };
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
await verify(contender.name, store, apps);
const started: ServerStarted = {
  cookies: await sessions(apps.new!, options.sessions),
  port: act === undefined ? await listen(opened.bare) : ports.get(act)!,
};
console.log(JSON.stringify(started));
let profiler: Profiler | undefined;
let cpuBefore = 0;

function cpu(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** What the profiler has seen; all other work of the process is the server's and the system's. */
async function timesSinceStart(): Promise<ServerAnswers["times"]> {
  const used = cpu() - cpuBefore;
  const sums = new SelfTimes();
  sums.add(await profiler!.stop());
  // While the program waits, and while its server works outside of JavaScript.
  const { [WAITING]: _, [SERVER]: __, ...times } = sums.times(1);
  return { times: { ...times, [SERVER]: Math.max(0, used - sum(times)) }, others: sums.others(1) };
}

const answers: { [command in keyof ServerAnswers]: () => Promise<ServerAnswers[command]> } = {
  cpu: () => Promise.resolve({ cpu: cpu() }),
  sessions: async () => ({ cookies: await sessions(apps.new!, options.sessions) }),
  async profile() {
    profiler ??= await Profiler.open();
    await profiler.start();
    cpuBefore = cpu();
    return {};
  },
  times: timesSinceStart,
};
for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await answers[line as keyof ServerAnswers]()));
}
await opened.close?.();
process.exit();
