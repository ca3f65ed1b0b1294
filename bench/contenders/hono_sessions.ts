/** jcs224's hono-sessions, as its README sets it up. */
import { Hono } from "hono";
import { CookieStore, MemoryStore, type Session, sessionMiddleware } from "hono-sessions";
import { type Act, actions, methods } from "../scenarios.ts";
import { appsOf, type Contender } from "./contender.ts";
import { bareHono } from "./_hono.ts";

const ACTS: Act[] = ["read", "write", "new", "regenerate", "anonymous", "nested"];
const KEY = "a secret of at least 32 bytes for the benchmark";

interface Env {
  Variables: { session: Session; session_key_rotation: boolean };
}

export const honoSessions: Contender = {
  name: "hono-sessions",
  framework: "hono",
  packages: ["hono-sessions", "hono"],
  stores: ["memory", "cookie"],
  open({ store, data }) {
    const isCookie = store === "cookie";
    const middleware = sessionMiddleware({
      store: isCookie ? new CookieStore() : new MemoryStore(),
      // Required for its cookies. Recommended for the rest too, but then a read costs 40 times more.
      encryptionKey: isCookie ? KEY : undefined,
      expireAfterSeconds: 900,
      autoExtendExpiration: true,
      cookieOptions: { sameSite: "Lax", path: "/", httpOnly: true },
    });
    const does = actions(methods, data);
    // A sealed session has no id that could be renewed.
    const acts = ACTS.filter((act) => act !== "regenerate" || !isCookie);
    const apps = appsOf(acts, (act) => {
      const app = new Hono<Env>();
      app.use("*", middleware);
      app.get("/", (context) => {
        if (act === "regenerate") context.set("session_key_rotation", true);
        return context.text(does[act](context.get("session")));
      });
      return (request) => app.fetch(request);
    });
    return { apps, bare: bareHono() };
  },
};
