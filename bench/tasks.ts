/** Turns libraries into tasks: their apps, and requests that bring their sessions' cookies. */
import type { LocalApp, Opened } from "./contenders/contender.ts";
import type { Task } from "./measure.ts";
import { bringsCookie, type Scenario } from "./scenarios.ts";
import { cookieOf, visit, visits } from "./visit.ts";

/** How many sessions the requests of a task use in turn. */
const SESSIONS = 64;
/** The most requests in a slice whose requests each need a session of their own. */
const MAX_FRESH = 1000;

/** Requests of a kind to a library; undefined if it has no app for them. */
export async function taskOf(
  name: string,
  { apps, needsFreshCookies = false, clear }: Opened,
  scenario: Scenario,
): Promise<Task | undefined> {
  const app = apps[scenario];
  if (app === undefined || (needsFreshCookies && !bringsCookie(scenario))) return undefined;
  const start = apps.new!;
  if (scenario === "new") {
    // The number of sessions must not grow from slice to slice.
    return { ...task(name, app, [undefined]), prepare: async () => await clear?.() };
  }
  if (!bringsCookie(scenario)) return task(name, app, [undefined]);
  if (scenario !== "regenerate" && !needsFreshCookies) {
    return task(name, app, await sessions(start, SESSIONS));
  }
  let cookies: string[] = [];
  return {
    name,
    maxCount: MAX_FRESH,
    async prepare(count) {
      await clear?.();
      cookies = await sessions(start, count);
    },
    run: (count) => visitAll(visits(app), cookies, count),
  };
}

/** Requests to the app without sessions; they bring the same cookies. */
export async function bareTask(
  name: string,
  { apps, bare }: Opened,
  scenario: Scenario,
): Promise<Task> {
  const cookies = bringsCookie(scenario) ? await sessions(apps.new!, SESSIONS) : [undefined];
  return task(name, bare, cookies);
}

function task(name: string, app: LocalApp, cookies: readonly (string | undefined)[]): Task {
  const go = visits(app);
  return { name, run: (count) => visitAll(go, cookies, count) };
}

/** Creates sessions; returns the Cookie header of each. */
export async function sessions(app: LocalApp, count: number): Promise<string[]> {
  const cookies: string[] = [];
  while (cookies.length < count) cookies.push(cookieOf(await visit(app)));
  return cookies;
}

async function visitAll(
  go: (cookie: string | undefined) => unknown,
  cookies: readonly (string | undefined)[],
  count: number,
): Promise<void> {
  for (let at = 0; at < count; at++) await go(cookies[at % cookies.length]);
}
