/** This library. */
import {
  CookieStore,
  MemoryStore,
  type Session,
  SessionMiddleware,
  type SessionStore,
} from "../../mod.ts";
import { type Access, actions, ACTS, type SessionContent } from "../scenarios.ts";
import {
  appsOf,
  BARE_TEXT,
  type Contender,
  FIRST_TIME,
  type LocalApp,
  type Opened,
  SECRET,
  type Setup,
} from "./contender.ts";
import type { OpenStore } from "./_outside.ts";
import { openRedis, openSqlite } from "./_pagi_stores.ts";

type Sessions = Session<Partial<SessionContent>>;

const access: Access<Sessions> = {
  get: (session, key) => session.get(key, undefined),
  set: (session, key, value) => session.set(key, value),
  fill: (session, data) => session.set(data),
};

/** `@pagi/session` behind a fetch handler. */
export const pagi: Contender = {
  name: "@pagi/session",
  framework: "fetch",
  stores: ["memory", "cookie", "redis", "sqlite"],
  async open(setup) {
    const { store, close } = await openStore(setup);
    return { apps: appsOn(store, setup.data), bare, close };
  },
};

/**
 * The same, where sessions are made by a server and looked at by another with the same secret, to which
 * each of their cookies is new.
 */
export const pagiFirstTime: Contender = {
  name: FIRST_TIME,
  framework: "fetch",
  stores: ["cookie"],
  async open(setup) {
    const [maker, other] = [await openStore(setup), await openStore(setup)];
    const { new: start } = appsOn(maker.store, setup.data);
    return { apps: { ...appsOn(other.store, setup.data), new: start }, bare, usesUp: true };
  },
};

const bare: LocalApp = { fetch: () => new Response(BARE_TEXT) };

function appsOn(store: SessionStore, data: SessionContent): Opened["apps"] {
  const sessions = new SessionMiddleware<Partial<SessionContent>>({ secret: SECRET, store });
  const does = actions(access, data);
  const apps = appsOf(ACTS, (act) => {
    const action = does[act];
    if (act !== "regenerate") {
      return sessions.handler((_request, session) => new Response(action(session)));
    }
    return sessions.handler((_request, session) => new Response(action(session.regenerate())));
  });
  apps.count = {
    fetch: sessions.handler((_request, session) => {
      session.update("visits", (visits = 0) => visits + 1);
      return new Response(String(session.get("visits")));
    }),
  };
  return apps;
}

async function openStore({ store, redisPort }: Setup): Promise<OpenStore<SessionStore>> {
  switch (store) {
    case "memory":
      return { store: new MemoryStore() };
    case "cookie":
      return { store: new CookieStore({ secret: SECRET }) };
    case "redis":
      return await openRedis(redisPort);
    case "sqlite":
      return await openSqlite();
  }
}
