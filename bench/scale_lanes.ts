/** Requests in process to many sessions in memory. */
import { SessionMiddleware } from "../mod.ts";
import { handlerByHand, NAME } from "./contenders/by_hand.ts";
import { BARE_TEXT, type FetchHandler, SECRET } from "./contenders/contender.ts";
import type { Filled } from "./fill.ts";
import type { Lane } from "./measure.ts";
import { actions, content, plain, SMALL } from "./scenarios.ts";
import { visits } from "./visit.ts";

const does = actions(plain, content(SMALL));

/** Requests that go to sessions at random. */
export function scaleLane(name: string, { store, ids }: Filled, act: "read" | "write"): Lane {
  const sessions = new SessionMiddleware<{ user: string; visits: number }>({
    secret: SECRET,
    store,
  });
  const fetch = act === "read"
    ? sessions.handler((_request, session) => new Response(session.get("user")))
    : sessions.handler((_request, session) => {
      session.set("visits", session.get("visits") + 1);
      return new Response("ok");
    });
  return laneTo(name, fetch, ids);
}

/** The same with a session by hand: a Map of JSON. */
export function laneByHand(name: string, ids: string[], act: "read" | "write"): Lane {
  const texts = new Map(ids.map((id) => [id, JSON.stringify(content(SMALL))]));
  return laneTo(name, handlerByHand(texts, act, does[act]), ids, NAME);
}

/** The same to a handler that has no sessions. */
export function laneToBare(name: string, ids: readonly string[]): Lane {
  return laneTo(name, () => new Response(BARE_TEXT), ids);
}

function laneTo(
  name: string,
  fetch: FetchHandler,
  ids: readonly string[],
  cookieName = "pagi_session=",
): Lane {
  const go = visits({ fetch });
  let cookies: string[] = [];
  return {
    name,
    // A header comes from the network: it is fresh, and so not among what is measured.
    async prepare(count) {
      const pick = () => ids[Math.floor(Math.random() * ids.length)];
      cookies = Array.from({ length: count }, () => cookieName + pick());
      await undefined;
    },
    async run() {
      for (const cookie of cookies) await go(cookie);
    },
  };
}
