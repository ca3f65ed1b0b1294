/** express-session, set up as in its README. */
import express from "express";
import session from "express-session";
import { actions, ACTS, plain, type SessionContent } from "../scenarios.ts";
import { openStore } from "./_express_stores.ts";
import { listenerApp } from "./_listener.ts";
import { appsOf, BARE_TEXT, type Contender, SECRET } from "./contender.ts";

type Content = Partial<SessionContent>;

export const expressSession: Contender = {
  name: "express-session",
  framework: "express",
  stores: ["memory", "redis", "sqlite"],
  async open(setup) {
    const memory = new session.MemoryStore();
    const { store, close } = await openStore(setup, memory);
    const middleware = session({
      secret: SECRET,
      resave: false,
      saveUninitialized: false,
      store,
    });
    const does = actions(plain, setup.data);
    const apps = appsOf(ACTS, (act) => {
      const app = express();
      app.use(middleware);
      app.get("/", (request, response) => {
        if (act !== "regenerate") {
          response.send(does[act](request.session as unknown as Content));
          return;
        }
        // The library starts an empty session: the app has to copy the data.
        const { cookie: _, ...values } = request.session;
        request.session.regenerate(() => {
          Object.assign(request.session, values);
          response.send(does[act](request.session as unknown as Content));
        });
      });
      return listenerApp(app);
    });
    const bare = express();
    bare.get("/", (_request, response) => void response.send(BARE_TEXT));
    return { apps, bare: listenerApp(bare), clear: () => memory.clear(), close };
  },
};
