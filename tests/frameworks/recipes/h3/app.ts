import { SessionMiddleware } from "@pagi/session";
import { h3Session } from "@pagi/session/h3";
import { H3, html, redirect, serve } from "h3";

const sessions = new SessionMiddleware<{ name: string }>({
  secret: "replace this with: openssl rand -hex 32",
});
const session = h3Session(sessions);

const app = new H3();
app.use(session);

app.get("/", (event) => {
  const name = session.of(event).get("name", undefined);
  return name === undefined
    ? html`<form method="post" action="/login"><input name="name"> <button>Sign in</button></form>`
    : html`
      <p>Hello, ${name}</p>
      <form method="post" action="/logout"><button>Sign out</button></form>
    `;
});

app.post("/login", async (event) => {
  const name = String((await event.req.formData()).get("name"));
  // Check the password here. A new subject also changes the session's ID.
  session.of(event).subject = name;
  session.of(event).set("name", name);
  return redirect("/", 303);
});

app.post("/logout", (event) => {
  session.of(event).destroy();
  return redirect("/", 303);
});

serve(app);
