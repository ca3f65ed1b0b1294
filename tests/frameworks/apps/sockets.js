/**
 * A server with Socket.IO, and with two WebSocket servers of `ws`. `/visit` writes to the session,
 * `/noted` tells what happened.
 */
import { MemoryStore, SessionMiddleware } from "@pagi/session";
import { expressSession } from "@pagi/session/express";
import { socketioSession } from "@pagi/session/socketio";
import { wsSession } from "@pagi/session/ws";
import express from "express";
import { createServer } from "node:http";
import { Server } from "socket.io";
import { WebSocketServer } from "ws";

const noted = { events: [], printed: 0 };
console.error = () => noted.printed++;

class SlowStore extends MemoryStore {
  async read(id, ...rest) {
    await new Promise((resolve) => setTimeout(resolve, 2));
    if (id === "d".repeat(32)) throw new Error("secret-host refused the connection");
    return super.read(id, ...rest);
  }
}

const options = {
  secret: "a test's secret of 32 bytes or more",
  touchInterval: 0,
  onEvent: ({ type }) => void noted.events.push(type),
};
const sessions = new SessionMiddleware({ ...options, store: new SlowStore() });
const adminSessions = new SessionMiddleware({ ...options, key: "admin", store: new MemoryStore() });

const app = express();
app.use(expressSession(sessions));
app.get("/visit", (req, res) => {
  req.session.update("visits", (visits = 0) => visits + 1);
  res.send("Welcome");
});
app.get("/sign-in", (req, res) => {
  req.session.subject = "ada";
  res.send("Welcome");
});
app.get("/logout", (req, res) => {
  req.session.destroy();
  res.send("Bye");
});
app.get("/noted", (_req, res) => res.json(noted));

/** Reads the session and tries to write to it. */
function describe(session) {
  try {
    session.set("visits", 100);
  } catch ({ code }) {
    return `Visits ${session.get("visits", 0)}, ${session.subject}, ${code}`;
  }
}

const server = createServer(app);
const io = new Server(server, {
  destroyUpgrade: false,
  cors: { origin: ["https://app.example", /\.partner\.example$/] },
});
const session = socketioSession(sessions);
const admin = socketioSession(adminSessions);
io.engine.use(session);
io.use(session);
io.use(session);
io.of("/admin").use(session).use(admin);
for (const namespace of [io, io.of("/admin")]) {
  namespace.on("connection", (socket) => {
    const isSame = socket.request.session === session.of(socket);
    socket.emit("session", `${describe(session.of(socket))}, ${isSame}`);
    socket.on("add", async (done) => {
      const own = await sessions.update(session.of(socket), (data) => {
        data.visits = (data.visits ?? 0) + 1;
      });
      done(own.get("visits"));
    });
    socket.use((_packet, next) => {
      session.of(socket).touch().then(
        (isActive) => isActive ? next() : socket.disconnect(true),
        next,
      );
    });
  });
}
io.of("/admin").on("connection", (socket) => {
  socket.emit("admin", admin.of(socket).absence, socket.request.admin === admin.of(socket));
});

const wsSessions = wsSession(sessions);
const open = new WebSocketServer({ noServer: true, path: "/open" });
open.on("connection", (socket, request) => {
  const own = wsSessions.of(request);
  socket.send(`${describe(own)}, ${own === request.session}`);
  socket.on("message", async () => {
    if (await own.touch()) socket.send("active");
    else socket.close(4401);
  });
});
const users = new WebSocketServer({ noServer: true, path: "/users" });
users.on("connection", (socket, request) => {
  if (request.url === "/users?throw") throw new Error("boom");
  socket.send(`Hello, ${wsSessions.of(request).subject}`);
});
server.on("upgrade", wsSessions.upgrade(open, { origins: ["https://app.example"] }));
server.on(
  "upgrade",
  wsSessions.upgrade(users, {
    async accept({ subject }, { url }) {
      await undefined;
      if (url === "/users?accept-throws") throw new Error("boom");
      return url === "/users?teapot" ? 418 : subject !== undefined;
    },
  }),
);
server.listen(0, () => console.log(`listening ${server.address().port}`));

const alone = createServer();
const only = new WebSocketServer({ noServer: true, path: "/only" });
alone.on("upgrade", wsSessions.upgrade(only));
alone.on("upgrade", wsSessions.upgrade(new WebSocketServer({ noServer: true, path: "/other" })));
alone.listen(0, () => noted.alone = alone.address().port);
