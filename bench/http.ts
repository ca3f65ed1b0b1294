/** The part behind real servers: requests a second, and processor time for each. */
import type { StoreName } from "./contenders/contender.ts";
import type { Narrowing } from "./groups.ts";
import { httpEntries, type HttpEntry } from "./http_entries.ts";
import { findLoader, type Loader } from "./load.ts";
import { added, median, type Series } from "./measure.ts";
import { startRedis } from "./redis_server.ts";
import type { Runtime } from "./runtimes.ts";
import { bringsCookie, type Scenario } from "./scenarios.ts";
import { ServerProcess } from "./server_process.ts";

/** A server under load, in medians of the rounds. */
export interface ServerResult {
  contender: string;
  framework: string;
  store: StoreName;
  bytes: number;
  /** What a request does. */
  act: Scenario;
  perSecond: number;
  /** Requests a second of the framework without sessions. */
  barePerSecond: number;
  /** The one over the other, each round's by itself. */
  share: number;
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
const TURN_MS = 200;
/** How long the first turn goes: until the compilers of the runtime have done most. */
const WARM_UP_MS = { deno: 1200, bun: 600, node: 1200 } as const;
/** What each answer says when a session has got a new id and is still there. */
const FOLLOWED = "ada";

interface Lane {
  entry: HttpEntry;
  /** What a request does; the framework without sessions where nothing is said. */
  act: Scenario | undefined;
  /** Whether requests bring a cookie. */
  hasCookies: boolean;
  server: ServerProcess;
  perSecond: Series;
  cpu: Series;
}

/** Puts the servers of a runtime under load: in turns all that share a store. */
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
    for (const lane of lanes) await turn(lane, load, WARM_UP_MS[runtime]);
    for (let round = 0; round < rounds; round++) {
      for (const lane of lanes) {
        const { perSecond, cpu } = await turn(lane, load, TURN_MS);
        lane.perSecond.push(perSecond);
        lane.cpu.push(cpu);
      }
    }
    servers.push(...resultsOf(lanes));
  }
  return { loader, connections: CONNECTIONS, servers };
}

/** A server for each request of each entry, and for each framework without sessions. */
async function startAll(
  runtime: Runtime,
  entries: readonly HttpEntry[],
  stack: AsyncDisposableStack,
  redisPort: number | undefined,
): Promise<Lane[]> {
  const start = async (entry: HttpEntry, act?: Scenario): Promise<ServerProcess> => {
    const { contender, store, bytes } = entry;
    const options = { contender, store, act, bytes, redisPort, sessions: SESSIONS };
    return stack.use(await ServerProcess.start(runtime, options));
  };
  const lanes: Lane[] = [];
  const bares = new Map<string, ServerProcess>();
  for (const entry of entries) {
    const { framework, acts } = entry;
    const bare = bares.get(framework) ?? await start(entry);
    bares.set(framework, bare);
    for (const hasCookies of new Set(acts.map(bringsCookie))) {
      if (bareOf({ entry, hasCookies }, lanes) !== undefined) continue;
      lanes.push({ entry, act: undefined, hasCookies, server: bare, perSecond: [], cpu: [] });
    }
    const servers = await Promise.all(acts.map((act) => start(entry, act)));
    for (const [at, act] of acts.entries()) {
      const hasCookies = bringsCookie(act);
      lanes.push({ entry, act, hasCookies, server: servers[at]!, perSecond: [], cpu: [] });
    }
  }
  return lanes;
}

/** The lane of the same framework without sessions, whose requests bring cookies or none as well. */
function bareOf(
  { entry, hasCookies }: Pick<Lane, "entry" | "hasCookies">,
  lanes: readonly Lane[],
): Lane | undefined {
  return lanes.find((other) =>
    other.act === undefined && other.hasCookies === hasCookies &&
    other.entry.framework === entry.framework
  );
}

/** Some time of load; the requests a second that it came to, and the processor time of each. */
async function turn(
  { entry, act, hasCookies, server }: Lane,
  load: Loader,
  ms: number,
): Promise<{ perSecond: number; cpu: number }> {
  const isFollowing = act === "regenerate";
  // An id dies by it, and those whose answers the last turn has not waited for are lost. A cookie that
  // is a minute old is written anew by each request that brings it: the load goes on to bring the old.
  const isOnce = isFollowing || entry.store === "cookie";
  const { cookies } = isOnce ? await server.ask("sessions") : server.started;
  const before = await server.ask("cpu");
  const { requests, perSecond, failed } = await load({
    port: server.started.port,
    cookies: hasCookies ? cookies : [],
    connections: CONNECTIONS,
    ms,
    followed: isFollowing ? FOLLOWED : undefined,
  });
  if (failed > 0 || requests === 0) {
    const what = `${entry.contender}, ${act ?? "bare"}`;
    throw new Error(`${what}: ${requests} requests were answered and ${failed} failed`);
  }
  return { perSecond, cpu: ((await server.ask("cpu")).cpu - before.cpu) / requests };
}

function resultsOf(lanes: readonly Lane[]): ServerResult[] {
  return lanes.flatMap((lane) => {
    const { entry: { acts: _, ...entry }, act, perSecond, cpu } = lane;
    if (act === undefined) return [];
    const bare = bareOf(lane, lanes)!;
    return [{
      ...entry,
      act,
      perSecond: median(perSecond),
      barePerSecond: median(bare.perSecond),
      share: median(perSecond.map((value, round) => value / bare.perSecond[round]!)),
      added: added(cpu, bare.cpu),
    }];
  });
}
