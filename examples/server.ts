/**
 * A small shop on `sessions.handler`: sign-in, a cart, a flash message, and a live view of the
 * session. Start it with `deno task start` and open the address that it prints. To use another
 * store, run `deno run -A --unstable-kv examples/server.ts --store sqlite` (or redis, postgres, kv,
 * cookie).
 *
 * The file `_shop.ts` shows how the shop uses its sessions.
 *
 * @module
 */
import { MemoryStore, SessionMiddleware, type SessionStore } from "../mod.ts";
import { errorPage } from "./_error_page.ts";
import { assetOf } from "./_assets.ts";
import type { ShopData } from "./_catalog.ts";
import { isCrossSite } from "./_cross_site.ts";
import { messagePage, page } from "./_layout.ts";
import { everySecond, live, type Tick } from "./_live.ts";
import { TOUCH_INTERVAL } from "./_outcome.ts";
import { EXPIRE } from "./_panel.ts";
import { fail, serve } from "./_serve.ts";
import { shop } from "./_shop.ts";
import { openStore, requestedStore } from "./_stores.ts";
import { logged, RequestLog } from "./_request_log.ts";

/** Options of the example. */
export interface AppOptions {
  /** The store of the sessions. @default {a MemoryStore} */
  store?: SessionStore;
  /** The clock, in Unix milliseconds, for tests. @default {Date.now} */
  now?: () => number;
  /** When the live panel is refreshed, for tests. @default {every second} */
  tick?: Tick;
}

/** Creates the example's handler for Deno.serve. */
export function createApp(options: AppOptions = {}): (request: Request) => Promise<Response> {
  const { now = Date.now, store = new MemoryStore({ now }), tick = everySecond } = options;
  const sessions = new SessionMiddleware<ShopData>({
    // In production, use one secret for all processes, from the environment or a vault.
    secret: crypto.randomUUID(),
    store,
    expire: EXPIRE,
    touchInterval: TOUCH_INTERVAL,
    // In production, use "__Host-session" and `secure: true`. Both need HTTPS; this is plain HTTP.
    cookieName: "pagi_session",
    cookieOptions: { secure: false },
    now,
    onError: errorPage,
  });

  const log = new RequestLog();
  const handlers = new Map(
    [...shop({ sessions, log, now, canList: "read" in store })].map(([route, respond]) =>
      [route, logged(sessions, respond, log, now)] as const
    ),
  );
  handlers.set("GET /events", (request) => live(request, { sessions, log, now, tick }));

  return async (request) => {
    const { pathname } = new URL(request.url);
    const method = request.method === "HEAD" ? "GET" : request.method;
    const handler = handlers.get(`${method} ${pathname}`);
    // Static files and unknown paths need no session.
    if (handler === undefined) {
      return assetOf(pathname) ??
        page(() => messagePage("Not found", "There is no page at this address."), 404);
    }
    if (method === "POST" && isCrossSite(request)) {
      return page(() => messagePage("Refused", "This form was sent from another site."), 403);
    }
    return await handler(request);
  };
}

if (import.meta.main) {
  const name = requestedStore(Deno.args) ?? "memory";
  try {
    serve(createApp({ store: await openStore(name) }));
  } catch (error) {
    if (error instanceof RangeError) fail(error.message);
    else if (error instanceof Deno.errors.NotCapable || Deno.openKv === undefined) {
      fail(
        `The store "${name}" needs more permissions: ` +
          `deno run -A --unstable-kv examples/server.ts --store ${name}`,
      );
    } else fail(`The store "${name}" cannot be opened: ${(error as Error).message}`);
  }
}
