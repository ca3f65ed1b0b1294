import { SessionMiddleware } from "@pagi/session";
import { honoSession, type SessionEnv } from "@pagi/session/hono";
import { Hono } from "hono";

type Data = { visits: number };
const sessions = new SessionMiddleware<Data>({ secret: "replace this with: openssl rand -hex 32" });

const app = new Hono<SessionEnv<Data>>();
app.use(honoSession(sessions));
app.get("/", (c) => {
  const session = c.get("session").update("visits", (visits = 0) => visits + 1);
  return c.text(`Visit ${session.get("visits")}`);
});

export default app;
