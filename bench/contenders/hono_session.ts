/** Hono's own @hono/session in encrypted cookies, set up as in its README. */
import { type SessionEnv, useSession } from "@hono/session";
import { Hono } from "hono";
import { actions, ACTS_WITHOUT_ID, isWriting, plain, type SessionContent } from "../scenarios.ts";
import { appsOf, BARE_TEXT, type Contender, type LocalApp } from "./contender.ts";

/** 32 bytes in hex. */
const SECRET = "5e".repeat(32);

export const honoSession: Contender = {
  name: "@hono/session",
  framework: "hono",
  stores: ["cookie"],
  open({ data }) {
    const middleware = useSession({ secret: SECRET, duration: { absolute: 3600 } });
    const does = actions(plain, data);
    const apps = appsOf(ACTS_WITHOUT_ID, (act) => {
      const app = new Hono<SessionEnv<Partial<SessionContent>>>();
      app.use(middleware).get("/", async (context) => {
        const { session } = context.var;
        const values = { ...await session.get() };
        const text = does[act](values);
        if (isWriting(act)) await session.update(values);
        return context.text(text);
      });
      return (request) => app.fetch(request);
    });
    return { apps, bare: bareHono() };
  },
};

/** An app on Hono without sessions. */
export function bareHono(): LocalApp {
  const app = new Hono();
  app.get("/", (context) => context.text(BARE_TEXT));
  return { fetch: (request) => app.fetch(request) };
}
