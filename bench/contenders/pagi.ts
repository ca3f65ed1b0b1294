/** This library. */
import { CookieStore, MemoryStore, RedisStore, SessionMiddleware, SqliteStore } from "../../mod.ts";
import type { Session, SessionStore } from "../../mod.ts";
import { type Access, actions, ACTS, type SessionContent } from "../scenarios.ts";
import { appsOf, BARE_TEXT, OURS, OURS_FIRST, SECRET } from "./contender.ts";
import type { Contender, LocalApp, Opened, Setup } from "./contender.ts";
import { openSqliteFile, type OpenStore, redisAddress } from "./_outside.ts";

type Sessions = Session<Partial<SessionContent>>;

const access: Access<Sessions> = {
  get: (session, key) => session.get(key, undefined),
  set: (session, key, value) => session.set(key, value),
  fill: (session, data) => session.set(data),
};

/** `@pagi/session` behind a fetch handler. */
export const pagi: Contender = {
  name: OURS,
  framework: "fetch",
  stores: ["memory", "cookie", "redis", "sqlite"],
  async open(setup) {
    const { store, clear, close } = await openStore(setup);
    return { apps: pagiApps(store, setup.data), bare, clear, close };
  },
};

/**
 * The same with cookies that another server with the same secret has made: the server that is measured
 * remembers none of them and has to decrypt each.
 */
export const pagiFirstSight: Contender = {
  name: OURS_FIRST,
  framework: "fetch",
  stores: ["cookie"],
  async open(setup) {
    const [maker, other] = [await openStore(setup), await openStore(setup)];
    const { new: start } = pagiApps(maker.store, setup.data);
    return {
      apps: { ...pagiApps(other.store, setup.data), new: start },
      bare,
      needsFreshCookies: true,
    };
  },
};

const bare: LocalApp = { fetch: () => new Response(BARE_TEXT) };

/** The apps on a store, also with the middleware of another version. */
export function pagiApps(
  store: SessionStore,
  data: SessionContent,
  Middleware = SessionMiddleware,
): Opened["apps"] {
  const sessions = new Middleware<Partial<SessionContent>>({ secret: SECRET, store });
  const does = actions(access, data);
  return appsOf(ACTS, (act) => {
    const action = does[act];
    if (act !== "regenerate") {
      return sessions.handler((_request, session) => new Response(action(session)));
    }
    return sessions.handler((_request, session) => new Response(action(session.regenerate())));
  });
}

async function openStore({ store, redisPort }: Setup): Promise<OpenStore<SessionStore>> {
  switch (store) {
    case "memory": {
      const store = new MemoryStore();
      return { store, clear: () => store.clear() };
    }
    case "cookie":
      return { store: new CookieStore({ secret: SECRET }) };
    case "redis": {
      const { Redis } = await import("ioredis");
      const client = new Redis(redisAddress(redisPort));
      const store = new RedisStore(client, { prefix: "pagi-bench:" });
      return { store, close: () => client.disconnect() };
    }
    case "sqlite": {
      const { database, close } = openSqliteFile();
      const store = new SqliteStore(database);
      await store.setup();
      return { store, close };
    }
  }
}
