import { SessionMiddleware } from "@pagi/session";
import { elysiaSession } from "@pagi/session/elysia";
import { Elysia, t } from "elysia";

const sessions = new SessionMiddleware<{ name: string }>({
  secret: "replace this with: openssl rand -hex 32",
});

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}

new Elysia()
  .use(elysiaSession(sessions))
  .get("/", ({ session, set }) => {
    const name = session.get("name", undefined);
    set.headers["content-type"] = "text/html; charset=utf-8";
    return name === undefined
      ? `<form method="post" action="/login"><input name="name"> <button>Sign in</button></form>`
      : `<p>Hello, ${escapeHtml(name)}</p>
         <form method="post" action="/logout"><button>Sign out</button></form>`;
  })
  .post("/login", ({ session, body: { name }, redirect }) => {
    // Check the password here. A new subject also changes the session's ID.
    session.subject = name;
    session.set("name", name);
    return redirect("/", 303);
  }, { body: t.Object({ name: t.String() }) })
  .post("/logout", ({ session, redirect }) => {
    session.destroy();
    return redirect("/", 303);
  })
  .listen(process.env.PORT ?? 3000);
