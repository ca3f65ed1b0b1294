import { Application, isHttpError, Status } from "@oakserver/oak";
import { SessionMiddleware } from "@pagi/session";
import { oakSession, type SessionState } from "@pagi/session/oak";

type Data = { visits: number };
type AdminData = { level: number };
const secret = "replace this with: openssl rand -hex 32";
const sessions = new SessionMiddleware<Data>({ secret });
const adminSessions = new SessionMiddleware<AdminData>({ secret, key: "admin" });

type State = SessionState<Data> & SessionState<AdminData, "admin">;
const app = new Application<State>();

app.use(async (ctx, next) => {
  try {
    await next();
  } catch (error) {
    ctx.response.status = isHttpError(error) ? error.status : Status.InternalServerError;
    ctx.response.body = "Sorry";
  }
});
app.use(oakSession(sessions));

app.use(oakSession(adminSessions));
app.use((ctx) => {
  ctx.response.body = `Level ${ctx.state.admin.get("level", 0)}`;
});

export { app };
