/** @fastify/session, as its README sets it up. */
import fastifyCookie from "@fastify/cookie";
import fastifySession from "@fastify/session";
import { fastify, type FastifyInstance } from "fastify";
import { actions, ACTS, plain, type SessionContent } from "../scenarios.ts";
import { openStore } from "./_express_stores.ts";
import { appsOf, BARE_TEXT, type Contender, type NodeListener, SECRET } from "./contender.ts";

type Content = Partial<SessionContent>;

export const fastifySessions: Contender = {
  name: "@fastify/session",
  framework: "fastify",
  stores: ["memory", "redis", "sqlite"],
  async open(setup) {
    const { store, close } = await openStore(setup, new fastifySession.MemoryStore());
    const { data } = setup;
    const does = actions(plain, data);
    const instances = new Map<string, FastifyInstance>();
    for (const act of ACTS) {
      const app = fastify();
      await app.register(fastifyCookie);
      await app.register(fastifySession, {
        secret: SECRET,
        // Without HTTPS there would be no session.
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
    // deno-lint-ignore require-await -- Fastify waits for the promise or for reply.send
    bare.get("/", async () => BARE_TEXT);
    await bare.ready();
    return { apps, bare: listen(bare), close };
  },
};

function listen(app: FastifyInstance): { listener: NodeListener } {
  return { listener: (request, response) => app.routing(request, response) };
}
