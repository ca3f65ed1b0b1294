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
  requests: number;
}

/** Seconds that the sessions live which are to expire. */
const SHORT = 60;
/** The sessions of a request that goes on meanwhile. */
const KEPT = 64;
/** Sessions that the store takes away with each call at most. */
const SWEPT_AT_ONCE = 16;

/**
 * Makes requests, one at a time and each on a turn of the event loop of its own, while `size`
 * sessions are there that have all expired at one moment, or not.
 */
export async function longestPause(
  size: number,
  { isExpiring }: { isExpiring: boolean },
): Promise<Pause> {
  let now = Date.now();
  const store = new MemoryStore({ maxSessions: size + KEPT, now: () => now });
  const sessions = new SessionMiddleware<{ user: string }>({ secret: SECRET, store });
  const { ids } = fill(store, KEPT, 100 * SHORT);
  fill(store, size, SHORT);
  const fetch = sessions.handler((_request, session) => new Response(session.get("user")));
  const go = visits({ fetch });
  for (let at = 0; at < 10 * KEPT; at++) await go(`pagi_session=${ids[at % KEPT]}`);
  collectGarbage();
  if (isExpiring) now += (SHORT + 1) * 1000;
  const times: number[] = [];
  const requests = Math.ceil(size / SWEPT_AT_ONCE);
  for (let at = 0; at < requests; at++) {
    await new Promise((resolve) => setImmediate(resolve));
    const start = performance.now();
    await go(`pagi_session=${ids[at % KEPT]}`);
    times.push(performance.now() - start);
  }
  if (isExpiring && store.size > KEPT) {
    throw new Error(`${store.size - KEPT} sessions are left over`);
  }
  return {
    median: median(times),
    high: quantile(times, 0.999),
    longest: quantile(times, 1),
    requests,
  };
}
