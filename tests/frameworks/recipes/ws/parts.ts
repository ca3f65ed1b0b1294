import { SessionMiddleware } from "@pagi/session";
import { wsSession } from "@pagi/session/ws";
import { createServer } from "node:http";
import { WebSocketServer } from "ws";

type Data = { count: number };
type Admin = { level: number };

const secret = "replace this with: openssl rand -hex 32";
const sessions = new SessionMiddleware<Data>({ secret });
const session = wsSession(sessions);
const server = createServer();

const news = new WebSocketServer({ noServer: true, path: "/news" });
news.on("connection", (socket, request) => {
  socket.on("message", async () => {
    const own = await sessions.update(session.of(request), (data) => {
      data.count = (data.count ?? 0) + 1;
    });
    socket.send(`Message ${own.get("count")}`);
  });
});
server.on("upgrade", session.upgrade(news, { origins: ["https://app.example"] }));

const admins = new SessionMiddleware<Admin>({ secret, key: "admin" });
const admin = wsSession(admins);
const control = new WebSocketServer({ noServer: true, path: "/admin" });
server.on(
  "upgrade",
  admin.upgrade(control, { accept: (own) => own.get("level", 0) > 5 ? true : 403 }),
);
