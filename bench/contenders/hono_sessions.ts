/** jcs224's hono-sessions, set up as in its README. */
import { Hono } from "hono";
import { type Session, sessionMiddleware } from "hono-sessions";
import { actions, ACTS, ACTS_WITHOUT_ID, methods } from "../scenarios.ts";
import { appsOf, type Contender, SECRET } from "./contender.ts";
import { openStore } from "./_hono_stores.ts";
import { bareHono } from "./hono_session.ts";

interface Env {
  Variables: { session: Session; session_key_rotation: boolean };
}

export const honoSessions: Contender = {
  name: "hono-sessions",
  framework: "hono",
  stores: "Bun" in globalThis ? ["memory", "cookie", "sqlite"] : ["memory", "cookie"],
  async open({ store: storeName, data }) {
    const { store, clear, close } = await openStore(storeName);
    const isCookie = storeName === "cookie";
    const middleware = sessionMiddleware({
      store,
      // Its CookieStore needs the key. For the others the documentation recommends it as well, but
      // then each request decrypts the ID; without the key the library does less.
      encryptionKey: isCookie ? SECRET : undefined,
      expireAfterSeconds: 900,
      autoExtendExpiration: true,
      cookieOptions: { sameSite: "Lax", path: "/", httpOnly: true },
    });
    const does = actions(methods, data);
    // A session in the cookie has no ID that could be renewed.
    const acts = isCookie ? ACTS_WITHOUT_ID : ACTS;
    const apps = appsOf(acts, (act) => {
      const app = new Hono<Env>();
      app.use("*", middleware);
      app.get("/", (context) => {
        if (act === "regenerate") context.set("session_key_rotation", true);
        return context.text(does[act](context.get("session")));
      });
      return (request) => app.fetch(request);
    });
    return { apps, bare: bareHono(), clear, close };
  },
};
