/** The part behind real servers: requests a second, and processor time for each. */
import { BARE_WITH, BY_HAND } from "./contenders/contender.ts";
import { findLoader, type Loader } from "./load.ts";
import { median } from "./measure.ts";
import type { Runtime } from "./runtimes.ts";
import { type Act, SMALL } from "./scenarios.ts";
import { ServerProcess } from "./server_process.ts";

/** A server under load, in medians of the rounds. */
export interface ServerResult {
  contender: string;
  framework: string;
  /** What a request does; the framework without sessions where nothing is said. */
  act?: Act;
  perSecond: number;
  /** The same over that of the framework without sessions, each round's by itself. */
  share: number;
  /** Processor time for a request, in microseconds. */
  cpu: number;
}

/** What the part came to. */
export interface HttpResult {
  loader: string;
  connections: number;
  servers: ServerResult[];
}

/** How long is measured. */
export interface HttpOptions {
  rounds: number;
  /** How long a turn goes. */
  seconds: number;
  /** Who takes part; all where nothing is said. */
  contenders?: readonly string[];
}

interface Entry {
  contender: string;
  framework: string;
  acts: readonly Act[];
  /** Where it is at home; everywhere where nothing is said. */
  runtime?: Runtime;
}

const ENTRIES: Entry[] = [
  { contender: "@pagi/session", framework: "fetch", acts: ["read", "write"] },
  { contender: BY_HAND, framework: "fetch", acts: ["read", "write"] },
  // For the budget that is set on Deno.
  ...Object.values(BARE_WITH).map((contender): Entry => ({
    contender,
    framework: "fetch",
    acts: ["read"],
    runtime: "deno",
  })),
  { contender: "hono-sessions", framework: "hono", acts: ["read", "write"] },
  { contender: "@remix-run/session-middleware", framework: "remix", acts: ["read"] },
  { contender: "express-session", framework: "express", acts: ["read"], runtime: "node" },
  { contender: "@fastify/session", framework: "fastify", acts: ["read"], runtime: "node" },
];

const CONNECTIONS = 32;
const SESSIONS = 256;

interface Lane {
  contender: string;
  framework: string;
  act: Act | undefined;
  server: ServerProcess;
  perSecond: number[];
  cpu: number[];
}

/** Puts the servers of a runtime under load, in turns. */
export async function measureHttp(runtime: Runtime, options: HttpOptions): Promise<HttpResult> {
  const { name: loader, load } = await findLoader();
  await using stack = new AsyncDisposableStack();
  const lanes: Lane[] = [];
  for (const entry of ENTRIES) {
    if (entry.runtime !== undefined && entry.runtime !== runtime) continue;
    const { contender, framework } = entry;
    if (!(options.contenders?.includes(contender) ?? true)) continue;
    const hasBare = lanes.some((lane) => lane.framework === framework);
    for (const act of hasBare ? entry.acts : [undefined, ...entry.acts]) {
      const server = await ServerProcess.start(runtime, {
        contender,
        store: "memory",
        act,
        bytes: SMALL,
        sessions: SESSIONS,
      });
      stack.use(server);
      lanes.push({ contender, framework, act, server, perSecond: [], cpu: [] });
    }
  }
  // The first round is for the compilers.
  for (let round = -1; round < options.rounds; round++) {
    for (const lane of lanes) await turn(lane, load, options.seconds, round >= 0);
  }
  return { loader, connections: CONNECTIONS, servers: lanes.map((lane) => resultOf(lane, lanes)) };
}

async function turn(lane: Lane, load: Loader, seconds: number, isKept: boolean): Promise<void> {
  const before = await lane.server.cpu();
  const { requests, perSecond, failed } = await load(lane.server.started, seconds, CONNECTIONS);
  if (failed > 0 || requests === 0) {
    throw new Error(`${lane.contender}: ${requests} requests were answered and ${failed} failed`);
  }
  if (!isKept) return;
  lane.perSecond.push(perSecond);
  lane.cpu.push((await lane.server.cpu() - before) / requests);
}

function resultOf(lane: Lane, lanes: readonly Lane[]): ServerResult {
  const { contender, framework, act, perSecond, cpu } = lane;
  const bare = lanes.find((other) => other.framework === framework && other.act === undefined)!;
  const shares = perSecond.map((value, round) => value / bare.perSecond[round]!);
  return {
    contender,
    framework,
    ...(act && { act }),
    perSecond: median(perSecond),
    share: median(shares),
    cpu: median(cpu),
  };
}
