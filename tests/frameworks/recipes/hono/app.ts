import { SessionMiddleware } from "@pagi/session";
import { honoSession, type SessionEnv } from "@pagi/session/hono";
import { Hono } from "hono";
import { html } from "hono/html";

type Data = { name: string };
const sessions = new SessionMiddleware<Data>({ secret: "replace this with: openssl rand -hex 32" });

const app = new Hono<SessionEnv<Data>>();
app.use(honoSession(sessions));

app.get("/", (c) => {
  const name = c.get("session").get("name", undefined);
  return c.html(
    name === undefined
      ? html`<form method="post" action="/login"><input name="name"> <button>Sign in</button></form>`
      : html`
        <p>Hello, ${name}</p>
        <form method="post" action="/logout"><button>Sign out</button></form>
      `,
  );
});

app.post("/login", async (c) => {
  const session = c.get("session");
  const name = String((await c.req.formData()).get("name"));
  // Check the password here. A new subject also changes the session's ID.
  session.subject = name;
  session.set("name", name);
  return c.redirect("/", 303);
});

app.post("/logout", (c) => {
  c.get("session").destroy();
  return c.redirect("/", 303);
});

export default app;
