import { SessionMiddleware } from "@pagi/session";
import { honoSession, type SessionEnv } from "@pagi/session/hono";
import { Hono } from "hono";
import { upgradeWebSocket } from "hono/deno";
import { HTTPException } from "hono/http-exception";
import { streamSSE } from "hono/streaming";

type User = { id: string };
type Data = { visits: number; failedLogins: number };
type AdminData = { level: number };
const secret = "replace this with: openssl rand -hex 32";
const sessions = new SessionMiddleware<Data>({ secret });
const adminSessions = new SessionMiddleware<AdminData>({ secret, key: "admin" });

type Env = SessionEnv<Data> & { Variables: { user: User } };
const app = new Hono<Env>();

app.post("/password", async (c) => {
  const session = c.get("session").update("failedLogins", (count = 0) => count + 1);
  await session.save();
  throw new HTTPException(401, { message: "Wrong password" });
});

app.get("/import", (c) => {
  const session = c.get("session");
  return streamSSE(c, async (stream) => {
    await stream.writeSSE({ data: "started" });
    await sessions.update(session, (data) => void (data.visits = (data.visits ?? 0) + 1));
  });
});

app.get(
  "/socket",
  upgradeWebSocket((c) => {
    const session = c.get("session");
    return {
      async onMessage(_event, socket) {
        if (!await session.touch()) return socket.close(4001, "Your session has ended");
        socket.send(`Visits ${session.get("visits", 0)}`);
      },
    };
  }),
);

type TwoEnv = SessionEnv<Data> & SessionEnv<AdminData, "admin">;
const shop = new Hono<TwoEnv>();
shop.use(honoSession(sessions));
shop.use("/admin/*", honoSession(adminSessions));
shop.get("/admin/level", (c) => c.text(String(c.get("admin").get("level", 0))));

export { app, shop };
