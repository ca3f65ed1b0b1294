/** @fastify/session, set up as in its README. */
import fastifyCookie from "@fastify/cookie";
import fastifySession from "@fastify/session";
import { fastify, type FastifyInstance } from "fastify";
import { actions, ACTS, plain, type SessionContent } from "../scenarios.ts";
import { openStore } from "./_express_stores.ts";
import { listenerApp } from "./_listener.ts";
import { appsOf, BARE_TEXT, type Contender, type InjectApp, SECRET } from "./contender.ts";

type Content = Partial<SessionContent>;

export const fastifySessions: Contender = {
  name: "@fastify/session",
  framework: "fastify",
  stores: ["memory", "redis", "sqlite"],
  async open(setup) {
    const sessions = new Map();
    const { store, close } = await openStore(setup, new fastifySession.MemoryStore(sessions));
    const { data } = setup;
    const does = actions(plain, data);
    const instances = new Map<string, FastifyInstance>();
    for (const act of ACTS) {
      const app = fastify();
      await app.register(fastifyCookie);
      await app.register(fastifySession, {
        secret: SECRET,
        // Otherwise there is no session without HTTPS.
        cookie: { secure: false },
        saveUninitialized: false,
        store,
      });
      app.get("/", async (request) => {
        if (act === "regenerate") await request.session.regenerate(Object.keys(data) as never);
        return does[act](request.session as unknown as Content);
      });
      await app.ready();
      instances.set(act, app);
    }
    const apps = appsOf(ACTS, (act) => listen(instances.get(act)!));
    const bare = fastify();
    // deno-lint-ignore require-await -- Fastify sends what the promise resolves to
    bare.get("/", async () => BARE_TEXT);
    await bare.ready();
    return { apps, bare: listen(bare), clear: () => sessions.clear(), close };
  },
};

function listen(app: FastifyInstance): InjectApp {
  return listenerApp((request, response) => app.routing(request, response));
}
