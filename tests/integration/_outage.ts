/**
 * Stops a database under load and starts it again, or ends its connections, and checks the responses
 * and the data.
 */
import { SessionMiddleware } from "@pagi/session";
import type { VersionedStore } from "@pagi/session/store";
import { assert, assertEquals } from "@std/assert";
import { type Balance, demandBalanced } from "./_books.ts";
import { Browsers, type Visit } from "./_browsers.ts";
import { type Data, respond } from "./_e2e_app.ts";
import { delay, until } from "./_processes.ts";

const SESSIONS = 20;
const AT_ONCE = 16;
/** How long it is available, stopped, and available again, in milliseconds. */
const BEFORE_MS = 1000;
const AWAY_MS = 1500;
const AFTER_MS = 1500;
/** How often connections are ended, and the time in between. */
const KILLS = 20;
const KILL_MS = 50;
/** In seconds. It is shorter than the outage, so that clients notice it. */
const STORE_TIMEOUT = 0.3;

/** A database that can be stopped. */
export interface Outage {
  /** A store on it, whose client stays the same. */
  store: VersionedStore;
  stop(): Promise<void>;
  /** Starts it again where it was, with all that it had on disk. */
  start(): Promise<void>;
}

/** Stops the database under load, starts it again, and checks that no promise was violated. */
export async function rideOut({ store, stop, start }: Outage): Promise<Balance> {
  const sessions = new SessionMiddleware<Data>({
    secret: "the outage's own, of 32 bytes or more",
    store,
    storeTimeout: STORE_TIMEOUT,
    touchInterval: 1,
  });
  const handler = sessions.handler(respond);
  const visit: Visit = (path, cookie) => {
    const headers = cookie === undefined ? undefined : { cookie };
    return handler(new Request(`http://localhost${path}`, { headers }));
  };
  const browsers = new Browsers(SESSIONS);
  let isAway = false;
  let refusals = 0;
  const watched: Visit = async (path, cookie) => {
    const wasAway = isAway;
    const response = await visit(path, cookie);
    if (response.status === 503) checkRefusal(path, response, browsers.balance);
    if (wasAway && isAway) {
      refusals++;
      if (response.status !== 503) browsers.balance.strange.add(`${response.status} while away`);
    }
    return response;
  };

  let isOver = false;
  const load = browsers.load(watched, AT_ONCE, () => isOver);
  await delay(BEFORE_MS);
  await stop();
  isAway = true;
  // A client without a session that starts none does not notice.
  const stranger = await visit("/look", undefined);
  assertEquals([stranger.status, stranger.headers.get("set-cookie")], [200, null]);
  await delay(AWAY_MS);
  isAway = false;
  await start();
  // The client has to notice, too.
  await until("the store answers", async () => (await visit("/start?life=x", undefined)).ok);
  const { unavailable } = browsers.balance;
  await delay(AFTER_MS);
  isOver = true;
  await load;
  assert(refusals > 0, "nobody asked while the database was away");
  // The first ones may have waited for it.
  const late = browsers.balance.unavailable - unavailable;
  assert(late <= AT_ONCE, `${late} were refused after the database was back`);
  const balance = await browsers.close(visit);
  demandBalanced(balance);
  return balance;
}

/**
 * Ends the connections of the client over and over under load, and checks that no promise was
 * violated, and that requests succeed as soon as it stops.
 */
export async function surviveKills(
  store: VersionedStore,
  kill: () => Promise<unknown>,
): Promise<Balance> {
  const sessions = new SessionMiddleware<Data>({ secret: "the outage's own", store });
  const handler = sessions.handler(respond);
  const visit: Visit = (path, cookie) => {
    const headers = cookie === undefined ? undefined : { cookie };
    return handler(new Request(`http://localhost${path}`, { headers }));
  };
  const browsers = new Browsers(SESSIONS);
  let isOver = false;
  const load = browsers.load(visit, AT_ONCE, () => isOver);
  for (let killed = 0; killed < KILLS; killed++) {
    await delay(KILL_MS);
    await kill();
  }
  await until("the store answers", async () => (await visit("/start?life=x", undefined)).ok);
  const { unavailable } = browsers.balance;
  await delay(AFTER_MS);
  isOver = true;
  await load;
  const late = browsers.balance.unavailable - unavailable;
  assert(late <= AT_ONCE, `${late} were refused after the last connection was ended`);
  const balance = await browsers.close(visit);
  demandBalanced(balance);
  return balance;
}

/** A 503 neither sets nor clears a cookie, except that a failed sign-out clears it. */
function checkRefusal(path: string, { headers }: Response, { strange }: Balance): void {
  if (headers.get("retry-after") !== "1") strange.add("503 without Retry-After");
  if (headers.has("set-cookie") && !path.startsWith("/sign-out")) strange.add("503 with a cookie");
}
