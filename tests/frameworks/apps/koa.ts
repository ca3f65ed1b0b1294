import { koaSession, type SessionState } from "@pagi/session/koa";
import Koa from "koa";
import mount from "koa-mount";
import { announceServer, bodyOf, httpError, setHeaders, toReadable } from "./_node.ts";
import { type AdminData, adminSessions, answer, type Data, report, sessions } from "./_work.ts";

type State = SessionState<Data> & Partial<SessionState<AdminData, "admin">>;

const handle: Koa.Middleware<State> = async (ctx, next) => {
  if (ctx.path.startsWith("/raw")) return raw(ctx);
  const reply = await answer({
    url: ctx.originalUrl,
    session: ctx.state.session,
    admin: ctx.state.admin,
    body: bodyOf(ctx.req),
    refuse: httpError,
  });
  if (reply === undefined) return await next();
  const { kind, status, text } = reply;
  setHeaders(reply, (name, value) => ctx.set(name, value as string));
  if (kind === "redirect") ctx.redirect(text);
  else if (kind === "text") ctx.body = text;
  else ctx.body = kind === "empty" ? null : toReadable(reply);
  if (kind === "events") ctx.type = "text/event-stream";
  ctx.status = status;
};

/** Writes to Node's response. */
function raw(ctx: Koa.ParameterizedContext<State>): void {
  ctx.respond = false;
  ctx.state.session.update("visits", (visits = 0) => visits + 1);
  if (ctx.path === "/raw-refused") ctx.res.writeHead(99).end("never sent");
  if (ctx.path === "/raw-fails") {
    ctx.state.session.set("trouble", "fails");
    ctx.res.write("never sent");
    setTimeout(() => ctx.res.end("never sent"), 10);
  }
  if (ctx.path === "/raw") {
    ctx.res.writeHead(200, { "x-own": "1" });
    ctx.res.write("se");
    setTimeout(() => ctx.res.end("nt"), 10);
  }
}

const session = koaSession(sessions);
const admin = koaSession(adminSessions);
const inner = new Koa<State>().use(session).use(admin).use(handle);
const outer = new Koa<State>().use(admin).use(session).use(handle);
const app = new Koa<State>();
app.on("error", report);
app.use(mount("/outer", outer)).use(session).use(mount("/inner", inner)).use(handle);
announceServer(app.listen(0));
