/** The part behind real servers: requests a second, and processor time for each. */
import { BARE_TEXT } from "./contenders/contender.ts";
import type { Narrowing } from "./groups.ts";
import { httpEntries, type HttpEntry, isJudged } from "./http_entries.ts";
import { findLoader, type Load, type Loader } from "./load.ts";
import { added, median, type Quartiles, quartiles, type Series, shuffled } from "./measure.ts";
import { startRedis } from "./redis_server.ts";
import type { Runtime } from "./runtimes.ts";
import { bringsCookie } from "./scenarios.ts";
import { ServerProcess } from "./server_process.ts";

/** A server under load, in medians of the rounds. */
export interface ServerResult extends HttpEntry {
  perSecond: number;
  /** Requests a second of the framework without sessions. */
  barePerSecond: number;
  /** The one over the other, each round's by itself. */
  share: number;
  /** The middle half of the rounds' shares lies between these. */
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
/** How many times as many rounds it has where there is a budget: its verdict must not be one of chance. */
const JUDGED_ROUNDS = 3;
/** What an answer says when its session is there. */
const USER = "ada";

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
    for (const lane of lanes) {
      await loadOn(
        lane,
        load,
        Math.max(WARM_UP_MS, lane.entry.turnMs ?? 0),
        await cookiesFor(lane),
      );
    }
    const all = rounds * (isJudged(entries[0]!) ? JUDGED_ROUNDS : 1);
    for (let round = 0; round < all; round++) {
      for (const lane of inTurn(lanes)) {
        const { perSecond, cpu } = await turn(lane, load);
        lane.perSecond.push(perSecond);
        lane.cpu.push(cpu);
      }
    }
    for (const lane of lanes) await checkAnswer(lane);
    servers.push(...resultsOf(lanes));
  }
  return { loader, connections: CONNECTIONS, servers };
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

/** The lanes in an order of chance, each near its bare framework: their turns are compared. */
function inTurn(lanes: readonly Lane[]): Lane[] {
  const frameworks = Map.groupBy(lanes, ({ entry }) => entry.framework);
  return shuffled([...frameworks.values()]).flatMap(shuffled);
}

/** The requests a second of some time of load, and the processor time of each. */
async function turn(lane: Lane, load: Loader): Promise<{ perSecond: number; cpu: number }> {
  const { server, entry: { turnMs } } = lane;
  if (turnMs === undefined) await loadOn(lane, load, LEAD_IN_MS, await cookiesFor(lane));
  // Before the clock is read: the server makes sessions itself.
  const cookies = await cookiesFor(lane);
  const before = await server.ask("cpu");
  const { requests, perSecond } = await loadOn(lane, load, turnMs ?? TURN_MS, cookies);
  return { perSecond, cpu: ((await server.ask("cpu")).cpu - before.cpu) / requests };
}

function isFollowing({ entry, isBare }: Lane): boolean {
  return entry.act === "regenerate" && !isBare;
}

/** The cookies that requests are to bring. */
async function cookiesFor(lane: Lane): Promise<readonly string[]> {
  const { entry: { act, store }, server } = lane;
  if (!bringsCookie(act)) return [];
  // An id dies by it, and those whose answers the last load has not waited for are lost. A cookie that
  // is a minute old is written anew by each request that brings it: the load goes on to bring the old.
  const isOnce = isFollowing(lane) || store === "cookie";
  return isOnce ? (await server.ask("sessions")).cookies : server.started.cookies;
}

async function loadOn(
  lane: Lane,
  load: Loader,
  ms: number,
  cookies: readonly string[],
): Promise<Load> {
  const done = await load({
    port: lane.server.started.port,
    cookies,
    connections: CONNECTIONS,
    ms,
    followed: isFollowing(lane) ? USER : undefined,
  });
  const { requests, failed } = done;
  if (failed > 0 || requests === 0) {
    throw new Error(`${nameOf(lane)}: ${requests} requests were answered and ${failed} failed`);
  }
  return done;
}

/** Whether the sessions under load are still there, and were written to: wrk looks at no body. */
async function checkAnswer(lane: Lane): Promise<void> {
  const { entry: { act, store }, isBare, server: { started: { port, cookies } } } = lane;
  // Each of its answers was looked at, and its first cookies are long used.
  if (isFollowing(lane)) return;
  const headers: HeadersInit = bringsCookie(act) ? { cookie: cookies[0]! } : {};
  const response = await fetch(`http://127.0.0.1:${port}/`, { headers });
  const body = await response.text();
  const expected = isBare ? BARE_TEXT : act === "anonymous" ? "nobody" : USER;
  // In a cookie that is always the same, it is the first visit that is counted each time.
  const isRight = act === "write" && !isBare
    ? Number(body) > (store === "cookie" ? 0 : 1)
    : body === expected;
  if (!isRight) throw new Error(`${nameOf(lane)}: after the load an answer was "${body}"`);
}

function nameOf({ entry: { framework, contender, act, store }, isBare }: Lane): string {
  return isBare ? `${framework}, bare` : `${contender} on ${store}, ${act}`;
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
