import { type Session, SessionMiddleware } from "@pagi/session";
import { abortSession, expressSession } from "@pagi/session/express";
import express from "express";

type Data = { name: string };

declare global {
  namespace Express {
    interface Request {
      session: Session<Data>;
    }
  }
}

const sessions = new SessionMiddleware<Data>({
  secret: "replace this with: openssl rand -hex 32",
});

const app = express();
app.use(expressSession(sessions));
app.use(express.urlencoded({ extended: false }));

app.get("/", (req, res) => {
  const name = req.session.get("name", undefined);
  res.send(
    name === undefined
      ? `<form method="post" action="/login"><input name="name"> <button>Sign in</button></form>`
      : `<p>Hello, ${escapeHtml(name)}</p>
         <form method="post" action="/logout"><button>Sign out</button></form>`,
  );
});

app.post("/login", (req, res) => {
  const { name } = req.body;
  // A new subject also changes the session's ID.
  req.session.subject = name;
  req.session.set("name", name);
  res.redirect(303, "/");
});

app.post("/logout", (req, res) => {
  req.session.destroy();
  res.redirect(303, "/");
});

// After the routes: a route that throws saves nothing.
app.use(abortSession);

app.listen(Number(process.env.PORT ?? 3000));

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
