/** How long requests have to wait while sessions expire. */
import { setImmediate } from "node:timers";
import { MemoryStore, SessionMiddleware } from "../mod.ts";
import { SECRET } from "./contenders/contender.ts";
import { fill } from "./fill.ts";
import { median, quantile } from "./measure.ts";
import { collectGarbage } from "./memory.ts";
import { visits } from "./visit.ts";

/** Times of requests, in milliseconds. */
export interface Pause {
  median: number;
  /** What one in a thousand exceeds. */
  high: number;
  longest: number;
}

/** Those of a run. */
export interface Pauses {
  /** What a request waits while all sessions expire. */
  expiring: Pause;
  /** The same for as many requests while none does: the collector's pauses, and the machine's. */
  quiet: Pause;
}

/** Seconds that the sessions live which are to expire. */
const SHORT = 60;
/** The sessions of the requests that go on meanwhile. */
const KEPT = 64;
const WARM_UP = 1000;
/** Sessions that the store takes away with each call at most: its MAX_SWEPT. */
const SWEPT_AT_ONCE = 16;

/**
 * Makes requests, one at a time and each on a turn of the event loop of its own, while a store has
 * `size` sessions more: first while none expires, and then after all have expired at one moment.
 */
export async function measurePauses(size: number): Promise<Pauses> {
  let now = Date.now();
  const store = new MemoryStore({ maxSessions: size + KEPT, now: () => now });
  const sessions = new SessionMiddleware<{ user: string }>({ secret: SECRET, store });
  const { ids } = fill(store, KEPT, 100 * SHORT);
  fill(store, size, SHORT);
  const fetch = sessions.handler((_request, session) => new Response(session.get("user")));
  const go = visits({ fetch });
  const visitAll = async (count: number): Promise<Pause> => {
    collectGarbage();
    const times: number[] = [];
    for (let at = 0; at < count; at++) {
      // With the turn of the event loop: garbage that is collected there has to be waited for, too.
      const start = performance.now();
      await new Promise((resolve) => setImmediate(resolve));
      await go(`pagi_session=${ids[at % KEPT]}`);
      times.push(performance.now() - start);
    }
    return { median: median(times), high: quantile(times, 0.999), longest: quantile(times, 1) };
  };
  const requests = Math.ceil(size / SWEPT_AT_ONCE);
  await visitAll(WARM_UP);
  const quiet = await visitAll(requests);
  now += (SHORT + 1) * 1000;
  const expiring = await visitAll(requests);
  if (store.size > KEPT) throw new Error(`${store.size - KEPT} expired sessions are still there`);
  return { quiet, expiring };
}
