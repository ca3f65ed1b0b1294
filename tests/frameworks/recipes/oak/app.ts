import { Application, Router } from "@oakserver/oak";
import { SessionMiddleware } from "@pagi/session";
import { oakSession, type SessionState } from "@pagi/session/oak";

type Data = { name: string };
const sessions = new SessionMiddleware<Data>({ secret: "replace this with: openssl rand -hex 32" });

const app = new Application<SessionState<Data>>();
app.use(oakSession(sessions));

const router = new Router<SessionState<Data>>();

router.get("/", ({ state, response }) => {
  const name = state.session.get("name", undefined);
  response.type = "html";
  response.body = name === undefined
    ? `<form method="post" action="/login"><input name="name"> <button>Sign in</button></form>`
    : `<p>Hello, ${escapeHtml(name)}</p>
       <form method="post" action="/logout"><button>Sign out</button></form>`;
});

router.post("/login", async ({ state, request, response }) => {
  const name = (await request.body.form()).get("name") ?? "";
  // Check the password here. A new subject also changes the session's ID.
  state.session.subject = name;
  state.session.set("name", name);
  response.redirect("/");
});

router.post("/logout", ({ state, response }) => {
  state.session.destroy();
  response.redirect("/");
});

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}

app.use(router.routes());
await app.listen({ port: Number(process.env.PORT ?? 8000) });
