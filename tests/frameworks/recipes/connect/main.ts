import { SessionMiddleware } from "@pagi/session";
import { abortSession, connectSession } from "@pagi/session/connect";
import connect from "connect";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

const sessions = new SessionMiddleware<{ name: string }>({
  secret: "replace this with: openssl rand -hex 32",
});
const session = connectSession(sessions);

const app = connect();
app.use(session);

app.use("/login", async (req, res, next) => {
  try {
    const name = new URLSearchParams(await textOf(req)).get("name")!;
    // A new subject also changes the session's ID.
    session.of(req).subject = name;
    session.of(req).set("name", name);
    redirect(res, "/");
  } catch (error) {
    next(error);
  }
});

app.use("/logout", (req, res) => {
  session.of(req).destroy();
  redirect(res, "/");
});

app.use("/", (req, res) => {
  const name = session.of(req).get("name", undefined);
  res.setHeader("content-type", "text/html; charset=utf-8");
  res.end(
    name === undefined
      ? `<form method="post" action="/login"><input name="name"> <button>Sign in</button></form>`
      : `<p>Hello, ${escapeHtml(name)}</p>
         <form method="post" action="/logout"><button>Sign out</button></form>`,
  );
});

// After the routes: a route that throws saves nothing.
app.use(abortSession);

createServer(app).listen(Number(process.env.PORT ?? 3000));

async function textOf(req: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of req) text += chunk;
  return text;
}

function redirect(res: ServerResponse, path: string): void {
  res.writeHead(303, { location: path }).end();
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
