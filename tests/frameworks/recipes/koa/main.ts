import Router from "@koa/router";
import { SessionMiddleware } from "@pagi/session";
import { koaSession, type SessionState } from "@pagi/session/koa";
import Koa from "koa";
import { koaBody } from "koa-body";

type State = SessionState<{ name: string }>;

const sessions = new SessionMiddleware<{ name: string }>({
  secret: "replace this with: openssl rand -hex 32",
});

const router = new Router<State>();

router.get("/", (ctx) => {
  const name = ctx.state.session.get("name", undefined);
  ctx.type = "html";
  ctx.body = name === undefined
    ? `<form method="post" action="/login"><input name="name"> <button>Sign in</button></form>`
    : `<p>Hello, ${escapeHtml(name)}</p>
       <form method="post" action="/logout"><button>Sign out</button></form>`;
});

router.post("/login", (ctx) => {
  const { name } = ctx.request.body as { name: string };
  // A new subject also changes the session's ID.
  ctx.state.session.subject = name;
  ctx.state.session.set("name", name);
  ctx.status = 303;
  ctx.redirect("/");
});

router.post("/logout", (ctx) => {
  ctx.state.session.destroy();
  ctx.status = 303;
  ctx.redirect("/");
});

const app = new Koa<State>();
app.use(koaSession(sessions));
app.use(koaBody());
app.use(router.routes());
app.listen(Number(process.env.PORT ?? 3000));

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
