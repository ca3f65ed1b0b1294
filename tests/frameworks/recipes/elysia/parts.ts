import { SessionMiddleware } from "@pagi/session";
import { elysiaSession } from "@pagi/session/elysia";
import { Elysia, status } from "elysia";

type Data = { visits: number; failedLogins: number };
type AdminData = { level: number };
const secret = "replace this with: openssl rand -hex 32";
const sessions = new SessionMiddleware<Data>({ secret });
const adminSessions = new SessionMiddleware<AdminData>({ secret, key: "admin" });

const cart = new Elysia({ prefix: "/cart" })
  .use(elysiaSession(sessions))
  .get("/visits", ({ session }) => session.get("visits", 0));
const app = new Elysia().use(elysiaSession(sessions)).use(cart);

app.post("/password", async ({ session }) => {
  await session.update("failedLogins", (count = 0) => count + 1).save();
  throw status(401);
});

app.ws("/socket", {
  async message(socket) {
    const { session } = socket.data;
    if (!await session.touch()) return void socket.close(4001, "Your session has ended");
    socket.send(`Visits ${session.get("visits", 0)}`);
  },
});

const both = new Elysia()
  .use(elysiaSession(sessions))
  .use(elysiaSession<AdminData, "admin">(adminSessions))
  .get("/level", ({ session, admin }) => [session.get("visits", 0), admin.get("level", 0)]);

export { app, both };
