/** What the time of a request goes to behind the runtime's own server, under load. */
import { OURS } from "./budgets.ts";
import { CONNECTIONS, SESSIONS } from "./http.ts";
import { findLoader, type Load, type Loader } from "./load.ts";
import { onOneProcessor } from "./one_processor.ts";
import { hasPerf, partsOfCode } from "./perf.ts";
import type { ProfileResult } from "./profile.ts";
import { GROUPS, type Times } from "./profile_groups.ts";
import type { OtherTime } from "./profiler.ts";
import type { Runtime } from "./runtimes.ts";
import { type Scenario, SMALL } from "./scenarios.ts";
import type { ServerOptions } from "./server.ts";
import { ServerProcess } from "./server_process.ts";

const TURN_MS = 1000;

/** A server, and what was seen of it so far. */
interface Watched {
  server: ServerProcess;
  requests: number;
  times: Times;
  /** Of the last turn, for a request. */
  others: OtherTime[];
}

/** Looks at a server for as long as a load takes. */
type Watch = (
  server: ServerProcess,
  load: () => Promise<Load>,
) => Promise<{ load: Load; times: Times; others: OtherTime[] }>;

/**
 * The profiles of requests to MemoryStore, beside the bare handler's. On Bun, whose profiler counts the
 * server's time to the handler, by perf, and not at all where there is none.
 */
export async function profileServer(
  runtime: Runtime,
  scenarios: readonly Scenario[],
  rounds: number,
): Promise<ProfileResult[]> {
  if (scenarios.length === 0) return [];
  if (runtime === "bun" && !await hasPerf()) {
    console.log("There is no perf that may look: nothing is told of Bun's server");
    return [];
  }
  const watch = runtime === "bun" ? byPerf : byProfiler;
  const { load } = await findLoader();
  const through = await onOneProcessor();
  await using stack = new AsyncDisposableStack();
  const start = async (act?: Scenario): Promise<Watched> => {
    const options: ServerOptions = {
      contender: OURS,
      store: "memory",
      act,
      bytes: SMALL,
      sessions: SESSIONS,
    };
    const server = await ServerProcess.start(runtime, options, through);
    return { server: stack.use(server), requests: 0, times: {}, others: [] };
  };
  const bare = await start();
  const watched = new Map<Scenario, Watched>();
  for (const scenario of scenarios) watched.set(scenario, await start(scenario));
  const all = [bare, ...watched.values()];
  // For the compilers; nothing of it is kept.
  for (const { server } of all) await watchedLoad(server, { load, watch });
  for (let round = 0; round < rounds; round++) {
    for (const one of all) await turn(one, { load, watch });
  }
  return [...watched].map(([scenario, { times, others, requests }]) => ({
    place: "behind a server",
    store: "memory",
    isSeenFirst: false,
    scenario,
    times: perRequest(times, requests),
    beside: perRequest(bare.times, bare.requests),
    others,
  }));
}

const byProfiler: Watch = async (server, load) => {
  await server.ask("profile");
  const done = await load();
  return { load: done, ...await server.ask("times") };
};

const byPerf: Watch = async (server, load) => {
  const before = await server.ask("cpu");
  const [done, parts] = await Promise.all([load(), partsOfCode(server.pid, TURN_MS)]);
  const used = (await server.ask("cpu")).cpu - before.cpu;
  const times = Object.entries(parts).map(([group, part]) => [group, part! * used]);
  return { load: done, times: Object.fromEntries(times), others: [] };
};

/** How a server is put under load, and what looks at it meanwhile. */
interface Tools {
  load: Loader;
  watch: Watch;
}

async function turn(watched: Watched, tools: Tools): Promise<void> {
  const { load: { requests }, times, others } = await watchedLoad(watched.server, tools);
  watched.requests += requests;
  watched.times = sumOf(watched.times, times);
  watched.others = others.map(({ name, time }) => ({ name, time: time / requests }));
}

async function watchedLoad(server: ServerProcess, { load, watch }: Tools) {
  const { port, cookies } = server.started;
  const seen = await watch(
    server,
    () => load({ port, cookies, connections: CONNECTIONS, ms: TURN_MS }),
  );
  const { requests, failed } = seen.load;
  if (failed > 0 || requests === 0) {
    throw new Error(`A server under the profiler: ${requests} answered, ${failed} failed`);
  }
  return seen;
}

function sumOf(some: Times, more: Times): Times {
  return Object.fromEntries(
    GROUPS.map((group) => [group, (some[group] ?? 0) + (more[group] ?? 0)]),
  );
}

function perRequest(times: Times, requests: number): Times {
  return Object.fromEntries(
    Object.entries(times).map(([group, time]) => [group, time / requests]),
  );
}
