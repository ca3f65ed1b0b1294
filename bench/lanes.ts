/** Contenders as lanes: their apps with sessions made, and requests that find these. */
import type { App, Opened } from "./contenders/contender.ts";
import type { Lane } from "./measure.ts";
import { bringsCookie, type Scenario } from "./scenarios.ts";
import { cookieOf, visit, visits } from "./visit.ts";

/** How many sessions the requests of a lane go round. */
const SESSIONS = 64;
/** How many sessions are made for a slice that uses each up. */
const MAX_USED_UP = 1000;

/** What `count` requests present, one after the other, over and over. */
type Cookies = (string | undefined)[];

/** Requests of a kind to a contender; undefined when it has no app for them. */
export async function laneOf(
  name: string,
  { apps, usesUp = false }: Opened,
  scenario: Scenario,
): Promise<Lane | undefined> {
  const app = apps[scenario];
  if (app === undefined || (usesUp && !bringsCookie(scenario))) return undefined;
  const start = apps.new!;
  if (!bringsCookie(scenario)) return lane(name, app, [undefined]);
  if (scenario !== "regenerate" && !usesUp) {
    return lane(name, app, await sessions(start, SESSIONS));
  }
  // The id dies by it, or the cookie has to be new: each request needs a session of its own.
  let cookies: Cookies = [];
  return {
    name,
    maxCount: MAX_USED_UP,
    prepare: async (count) => void (cookies = await sessions(start, count)),
    run: (count) => visitAll(visits(app), cookies, count),
  };
}

/** Requests to the bare app; they bring the same cookies. */
export async function bareLane(
  name: string,
  { apps, bare }: Opened,
  scenario: Scenario,
): Promise<Lane> {
  return lane(
    name,
    bare,
    bringsCookie(scenario) ? await sessions(apps.new!, SESSIONS) : [undefined],
  );
}

function lane(name: string, app: App, cookies: Cookies): Lane {
  const go = visits(app);
  return { name, run: (count) => visitAll(go, cookies, count) };
}

/** Sessions that an app has made, by the Cookie header that brings each back. */
export async function sessions(app: App, count: number): Promise<string[]> {
  const cookies: string[] = [];
  while (cookies.length < count) cookies.push(cookieOf(await visit(app)));
  return cookies;
}

async function visitAll(
  go: (cookie: string | undefined) => unknown,
  cookies: Cookies,
  count: number,
): Promise<void> {
  for (let at = 0; at < count; at++) await go(cookies[at % cookies.length]);
}
