import { SessionMiddleware } from "@pagi/session";
import { koaSession, type SessionState } from "@pagi/session/koa";
import Koa from "koa";
import { Readable } from "node:stream";

type Data = { name: string; failures: number };
type Admin = { level: number };

const secret = "replace this with: openssl rand -hex 32";
const sessions = new SessionMiddleware<Data>({ secret });
const admins = new SessionMiddleware<Admin>({ secret, key: "admin" });

export const app = new Koa<SessionState<Data> & SessionState<Admin, "admin">>();

app.on("error", (error, ctx) => console.error(ctx?.path, error));

app.use(koaSession(sessions));
app.use(koaSession(admins));

app.use(async (ctx, next) => {
  if (ctx.path !== "/password") return await next();
  const { session } = ctx.state;
  session.update("failures", (failures = 0) => failures + 1);
  await session.save();
  ctx.throw(401, "Wrong password");
});

app.use(async (ctx, next) => {
  if (ctx.path !== "/report") return await next();
  ctx.state.session.set("name", "Ada");
  ctx.body = Readable.from(["one", "two"]);
});

app.use((ctx) => {
  const { session, admin } = ctx.state;
  ctx.body = `${session.get("name", "nobody")}, level ${admin.get("level", 0)}`;
});
