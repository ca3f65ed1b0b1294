import { SessionMiddleware } from "@pagi/session";
import { connectSession } from "@pagi/session/connect";
import { createServer } from "node:http";

const sessions = new SessionMiddleware<{ visits: number }>({
  secret: "replace this with: openssl rand -hex 32",
});

const session = connectSession(sessions);
const server = createServer((req, res) => {
  session(req, res, (error) => {
    if (error !== undefined) return void res.writeHead(503).end();
    session.of(req).update("visits", (visits = 0) => visits + 1);
    res.end(`Visit ${session.of(req).get("visits")}`);
  });
});

export { server };
