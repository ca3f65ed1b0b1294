/** This library. */
import {
  CookieStore,
  MemoryStore,
  type Session,
  SessionMiddleware,
  type SessionStore,
} from "../../mod.ts";
import { type Access, actions, ACTS, type SessionContent } from "../scenarios.ts";
import { appsOf, BARE_TEXT, type Contender, SECRET, type Setup } from "./contender.ts";
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
    const sessions = new SessionMiddleware<Partial<SessionContent>>({ secret: SECRET, store });
    const does = actions(access, setup.data);
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
    return { apps, bare: { fetch: () => new Response(BARE_TEXT) }, close };
  },
};

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
