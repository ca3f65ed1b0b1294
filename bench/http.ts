/** The part behind real servers: requests a second, and processor time for each. */
import type { Narrowing } from "./groups.ts";
import { httpEntries, type HttpEntry } from "./http_entries.ts";
import { findLoader, type Load, type Loader } from "./load.ts";
import { added, median, type Quartiles, quartiles, type Series, shuffled } from "./measure.ts";
import { startRedis } from "./redis_server.ts";
import type { Runtime } from "./runtimes.ts";
import { bringsCookie, SMALL } from "./scenarios.ts";
import { ServerProcess } from "./server_process.ts";

/** A server under load, in medians of the rounds. */
export interface ServerResult extends HttpEntry {
  perSecond: number;
  /** Requests a second of the framework without sessions. */
  barePerSecond: number;
  /** The one over the other, each round's by itself. */
  share: number;
  /** Those of the rounds' shares. */
  quartiles: Quartiles;
  /** Processor time that a session adds to a request, in microseconds. */
  added: number;
}

/** What the part came to. */
export interface HttpResult {
  loader: string;
  connections: number;
  servers: ServerResult[];
}

/** How many requests are under way at once. */
export const CONNECTIONS = 32;
/** Twice as many as there are connections: no two requests at once have the same. */
export const SESSIONS = 64;
/** How long a turn goes. */
const TURN_MS = 500;
/**
 * How long the load goes on before it counts. After the wait for the others' turns, requests in the first
 * fifth of a second cost up to twice as much: Bun gives memory back meanwhile, and compilers are at work
 * again.
 */
const LEAD_IN_MS = 250;
/** The same before the first turn: until the compilers have done most. */
const WARM_UP_MS = 1500;
/** How many times as many rounds has what there is a budget for: a read of a small session in memory. */
const JUDGED_ROUNDS = 3;
/** What each answer says when a session has got a new id and is still there. */
const FOLLOWED = "ada";

interface Lane {
  entry: HttpEntry;
  /** Whether this is the entry's framework without sessions. */
  isBare: boolean;
  server: ServerProcess;
  perSecond: Series;
  cpu: Series;
}

/** Puts the servers of a runtime under load: in turns all that do the same on the same store. */
export async function measureHttp(
  runtime: Runtime,
  narrowing: Narrowing,
  rounds: number,
): Promise<HttpResult> {
  const { name: loader, load } = await findLoader();
  await using redis = await startRedis();
  const servers: ServerResult[] = [];
  for (const entries of httpEntries(runtime, narrowing)) {
    if (redis === undefined && entries[0]?.store === "redis") {
      console.log("There is no Redis: its store is left out");
      continue;
    }
    await using stack = new AsyncDisposableStack();
    const lanes = await startAll(runtime, entries, stack, redis?.port);
    for (const lane of lanes) await loadOn(lane, load, WARM_UP_MS);
    const all = rounds * (isJudged(entries[0]!) ? JUDGED_ROUNDS : 1);
    for (let round = 0; round < all; round++) {
      for (const lane of shuffled(lanes)) {
        const { perSecond, cpu } = await turn(lane, load);
        lane.perSecond.push(perSecond);
        lane.cpu.push(cpu);
      }
    }
    // What they answered under load was looked at by its status alone, but where sessions get new ids.
    for (const { server } of lanes) await server.ask("verify");
    servers.push(...resultsOf(lanes));
  }
  return { loader, connections: CONNECTIONS, servers };
}

function isJudged({ store, bytes, act }: HttpEntry): boolean {
  return store === "memory" && bytes === SMALL && act === "read";
}

/** A server for each entry, and for each framework without sessions. */
async function startAll(
  runtime: Runtime,
  entries: readonly HttpEntry[],
  stack: AsyncDisposableStack,
  redisPort: number | undefined,
): Promise<Lane[]> {
  const frameworks = Map.groupBy(entries, ({ framework }) => framework);
  const bares = [...frameworks.values()].map((those) => ({ entry: those[0]!, isBare: true }));
  const all = [...bares, ...entries.map((entry) => ({ entry, isBare: false }))];
  return await Promise.all(all.map(async ({ entry, isBare }): Promise<Lane> => {
    const { contender, store, bytes, sessions = SESSIONS } = entry;
    const act = isBare ? undefined : entry.act;
    const options = { contender, store, act, bytes, redisPort, sessions };
    const server = stack.use(await ServerProcess.start(runtime, options));
    return { entry, isBare, server, perSecond: [], cpu: [] };
  }));
}

/** The requests a second of some time of load, and the processor time of each. */
async function turn(lane: Lane, load: Loader): Promise<{ perSecond: number; cpu: number }> {
  const { server, entry: { turnMs = TURN_MS } } = lane;
  await loadOn(lane, load, LEAD_IN_MS);
  const before = await server.ask("cpu");
  const { requests, perSecond } = await loadOn(lane, load, turnMs);
  return { perSecond, cpu: ((await server.ask("cpu")).cpu - before.cpu) / requests };
}

async function loadOn({ entry, isBare, server }: Lane, load: Loader, ms: number): Promise<Load> {
  const { act } = entry;
  const isFollowing = act === "regenerate" && !isBare;
  // An id dies by it, and those whose answers the last load has not waited for are lost. A cookie that
  // is a minute old is written anew by each request that brings it: the load goes on to bring the old.
  const isOnce = isFollowing || entry.store === "cookie";
  const { cookies } = isOnce ? await server.ask("sessions") : server.started;
  const done = await load({
    port: server.started.port,
    cookies: bringsCookie(act) ? cookies : [],
    connections: CONNECTIONS,
    ms,
    followed: isFollowing ? FOLLOWED : undefined,
  });
  const { requests, failed } = done;
  if (failed > 0 || requests === 0) {
    const what = isBare ? `${entry.framework}, bare` : `${entry.contender}, ${act}`;
    throw new Error(`${what}: ${requests} requests were answered and ${failed} failed`);
  }
  return done;
}

function resultsOf(lanes: readonly Lane[]): ServerResult[] {
  const bares = lanes.filter(({ isBare }) => isBare);
  return lanes.filter(({ isBare }) => !isBare).map(({ entry, perSecond, cpu }) => {
    const bare = bares.find((other) => other.entry.framework === entry.framework)!;
    const shares = perSecond.map((value, round) => value / bare.perSecond[round]!);
    return {
      ...entry,
      perSecond: median(perSecond),
      barePerSecond: median(bare.perSecond),
      share: median(shares),
      quartiles: quartiles(shares),
      added: added(cpu, bare.cpu),
    };
  });
}
