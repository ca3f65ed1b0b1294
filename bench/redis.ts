/**
 * The part about Redis, in Deno: round trips, counted at the socket, and servers that share one.
 * `redis.ts OPTIONS`, as JSON. Writes one line of JSON, or none where there is no Redis.
 *
 * @module
 */
import { SessionMiddleware } from "../mod.ts";
import { openRedis } from "./contenders/_pagi_stores.ts";
import { type LocalApp, SECRET } from "./contenders/contender.ts";
import { pagi } from "./contenders/pagi.ts";
import { findLoader, type Load, type Loader } from "./load.ts";
import { sessions } from "./lanes.ts";
import { DUE_READS } from "./names.ts";
import { CountingProxy } from "./redis_proxy.ts";
import { startRedis } from "./redis_server.ts";
import { content, SMALL } from "./scenarios.ts";
import { ServerProcess } from "./server_process.ts";
import { cookieOf, visit, visits } from "./visit.ts";

/** What this program is told. */
export interface RedisOptions {
  /** For how long servers that share a Redis are under load; not at all where nothing is said. */
  seconds?: number;
}

/** What the part came to. */
export interface RedisResult {
  /** How often Redis is asked for one request. */
  roundTrips: { [request: string]: number };
  /** Servers that share one Redis, and count visits in sessions that they share, too. */
  shared: SharedResult[];
}

/** What some processes did together. */
export interface SharedResult {
  processes: number;
  perSecond: number;
  requests: number;
  /** Visits that the sessions have counted. */
  counted: number;
}

const VISITS = 100;
const SESSIONS = 512;
const CONNECTIONS = 8;
/** An id that nobody has. */
const UNKNOWN = "0123456789abcdef".repeat(4);

/** How many round trips each kind of request takes. */
async function countRoundTrips(port: number): Promise<RedisResult["roundTrips"]> {
  using proxy = new CountingProxy(port);
  const { apps, close } = await pagi.open({
    store: "redis",
    data: content(SMALL),
    redisPort: proxy.port,
  });
  const made = () => sessions(apps.new!, VISITS);
  const count = async (app: LocalApp, cookies: (string | undefined)[]): Promise<number> => {
    const before = proxy.roundTrips;
    const go = visits(app);
    for (const cookie of cookies) await go(cookie);
    return (proxy.roundTrips - before) / cookies.length;
  };
  const nobody: undefined[] = Array(VISITS).fill(undefined);
  // What it does once for a connection: it opens it, and hands Redis its scripts.
  for (const app of [apps.new!, apps.write!, apps.regenerate!]) await visit(app, (await made())[0]);
  const roundTrips = {
    read: await count(apps.read!, await made()),
    write: await count(apps.write!, await made()),
    new: await count(apps.new!, nobody),
    regenerate: await count(apps.regenerate!, await made()),
    anonymous: await count(apps.anonymous!, nobody),
    "an id of nobody's": await count(apps.read!, Array(VISITS).fill(`pagi_session=${UNKNOWN}`)),
    "a cookie that is no id": await count(apps.read!, Array(VISITS).fill("pagi_session=nonsense")),
  };
  await close?.();
  return { ...roundTrips, [DUE_READS]: await countDueReads(proxy) };
}

/** How many round trips ten reads take, after the session's use was not noted for an hour. */
async function countDueReads(proxy: CountingProxy): Promise<number> {
  const { store, close } = await openRedis(proxy.port);
  let now = Date.now();
  const sessions = new SessionMiddleware<{ user: string }>({
    secret: SECRET,
    store,
    expire: 86_400,
    now: () => now,
  });
  const fetch = sessions.handler((_request, session) => {
    if (!session.exists("user")) session.set("user", "ada");
    return new Response(session.get("user"));
  });
  const cookie = cookieOf(await visit({ fetch }));
  const anHourLater = async () => {
    now += 3_600_000;
    for (let at = 0; at < 10; at++) await visit({ fetch }, cookie);
  };
  await anHourLater();
  const before = proxy.roundTrips;
  await anHourLater();
  await close?.();
  return proxy.roundTrips - before;
}

async function share(
  redisPort: number,
  processes: number,
  seconds: number,
  load: Loader,
): Promise<SharedResult> {
  await using stack = new AsyncDisposableStack();
  const servers: ServerProcess[] = [];
  while (servers.length < processes) {
    const server = await ServerProcess.start("deno", {
      contender: pagi.name,
      store: "redis",
      act: "count",
      bytes: SMALL,
      redisPort,
      // The first makes the sessions for all.
      sessions: servers.length === 0 ? SESSIONS : 1,
    });
    servers.push(stack.use(server));
  }
  const { cookies } = servers[0]!.started;
  const loads: Load[] = await Promise.all(
    servers.map(({ started: { port } }) =>
      load({ port, cookies, connections: CONNECTIONS, ms: seconds * 1000 })
    ),
  );
  const failed = sum(loads.map((load) => load.failed));
  if (failed > 0) throw new Error(`${processes} processes on one Redis: ${failed} requests failed`);
  const counts: number[] = [];
  const app = { url: `http://127.0.0.1:${servers[0]!.started.port}/` };
  // Asking counts, too.
  for (const cookie of cookies) counts.push(Number((await visit(app, cookie)).body) - 1);
  const requests = sum(loads.map((load) => load.requests));
  const counted = sum(counts);
  // What was under way when the load ended was counted, and nobody waited for the answer.
  if (counted < requests || counted > requests + processes * CONNECTIONS) {
    throw new Error(`${processes} processes on one Redis counted ${counted} of ${requests} visits`);
  }
  return { processes, perSecond: sum(loads.map((load) => load.perSecond)), requests, counted };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

const { seconds }: RedisOptions = JSON.parse(Deno.args[0]!);
await using redis = await startRedis();
if (redis !== undefined) {
  const shared: SharedResult[] = [];
  if (seconds !== undefined) {
    const { load } = await findLoader();
    for (const processes of [1, 4]) shared.push(await share(redis.port, processes, seconds, load));
  }
  const result: RedisResult = { roundTrips: await countRoundTrips(redis.port), shared };
  console.log(JSON.stringify(result));
}
