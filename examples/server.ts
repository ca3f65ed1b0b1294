/**
 * A small shop on `sessions.handler`: signing in, a cart, a flash message, and a live look into the
 * session. Start it with `deno task start` and open the address that it prints. With another store:
 * `deno run -A --unstable-kv examples/server.ts --store sqlite` (or redis, postgres, kv, cookie).
 *
 * What the shop does with its sessions is in `_shop.ts`.
 *
 * @module
 */
import { MemoryStore, SessionMiddleware, type SessionStore } from "../mod.ts";
import { apology } from "./_apology.ts";
import { assetOf } from "./_assets.ts";
import type { Visit } from "./_catalogue.ts";
import { isCrossSite } from "./_cross_site.ts";
import { messagePage, page } from "./_layout.ts";
import { everySecond, live, type Tick } from "./_live.ts";
import { TOUCH_INTERVAL } from "./_outcome.ts";
import { EXPIRE } from "./_panel.ts";
import { fail, serve } from "./_serve.ts";
import { shop } from "./_shop.ts";
import { askedStore, openStore } from "./_stores.ts";
import { observed, Trail } from "./_trail.ts";

/** What the example can be told. */
export interface AppOptions {
  /** Where the sessions are kept. @default {a MemoryStore} */
  store?: SessionStore;
  /** The clock, in Unix milliseconds; for tests. @default {Date.now} */
  now?: () => number;
  /** When the live panel looks again; for tests. @default {every second} */
  tick?: Tick;
}

/** Makes the example's handler, for Deno.serve. */
export function createApp(options: AppOptions = {}): (request: Request) => Promise<Response> {
  const { now = Date.now, store = new MemoryStore({ now }), tick = everySecond } = options;
  const sessions = new SessionMiddleware<Visit>({
    // In production: one secret for all processes, from the environment or a vault.
    secret: crypto.randomUUID(),
    store,
    expire: EXPIRE,
    touchInterval: TOUCH_INTERVAL,
    // In production: "__Host-session" and `secure: true`, which need HTTPS. This is plain HTTP.
    cookieName: "pagi_session",
    cookieOptions: { secure: false },
    now,
    onError: apology,
  });

  const trail = new Trail();
  const handlers = new Map(
    [...shop({ sessions, trail, now, canList: "read" in store })].map(([route, respond]) =>
      [route, observed(sessions, respond, trail, now)] as const
    ),
  );
  handlers.set("GET /events", (request) => live(request, { sessions, trail, now, tick }));

  return async (request) => {
    const { pathname } = new URL(request.url);
    const method = request.method === "HEAD" ? "GET" : request.method;
    const handler = handlers.get(`${method} ${pathname}`);
    // What needs no session opens none.
    if (handler === undefined) {
      return assetOf(pathname) ??
        page(() => messagePage("Not found", "There is nothing at this address."), 404);
    }
    if (method === "POST" && isCrossSite(request)) {
      return page(() => messagePage("Refused", "This form was sent from another site."), 403);
    }
    return await handler(request);
  };
}

if (import.meta.main) {
  const name = askedStore(Deno.args) ?? "memory";
  try {
    serve(createApp({ store: await openStore(name) }));
  } catch (error) {
    if (error instanceof RangeError) fail(error.message);
    else if (error instanceof Deno.errors.NotCapable || Deno.openKv === undefined) {
      fail(
        `The store "${name}" needs more rights: ` +
          `deno run -A --unstable-kv examples/server.ts --store ${name}`,
      );
    } else fail(`The store "${name}" cannot be opened: ${(error as Error).message}`);
  }
}
