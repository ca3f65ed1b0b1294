/**
 * A server whose WebSocket handshakes go through the middleware: socket.io's, those of `ws`, and
 * those that an app passes on with a response of its own. `/visit` writes to the session.
 */
import { MemoryStore, SessionMiddleware } from "@pagi/session";
import { expressSession } from "@pagi/session/express";
import express from "express";
import { createServer, ServerResponse } from "node:http";
import { Server } from "socket.io";
import { WebSocketServer } from "ws";

class SlowStore {
  constructor() {
    const inner = new MemoryStore();
    for (const name of ["read", "create", "replace", "touch", "delete"]) {
      this[name] = async (id, ...rest) => {
        await new Promise((resolve) => setTimeout(resolve, 2));
        if (id === "d".repeat(32)) throw new Error("connection refused");
        return inner[name](id, ...rest);
      };
    }
  }
}

const session = expressSession(
  new SessionMiddleware({
    secret: "a test's secret of 32 bytes or more",
    store: process.env.STORE === "memory" ? new MemoryStore() : new SlowStore(),
    onEvent: () => {},
  }),
);

/** Reads the session and tries to write to it. */
function describe(request) {
  const own = session.of(request);
  let refusal = "no refusal";
  try {
    own.set("visits", 100);
  } catch ({ code }) {
    refusal = code;
  }
  return `Visits ${own.get("visits", 0)}, ${own === request.session}, ${refusal}`;
}

const app = express();
app.get("/visit", session, (req, res) => {
  req.session.update("visits", (visits = 0) => visits + 1);
  res.send("Welcome");
});
app.get("/count", session, (req, res) => res.send(`Visits ${req.session.get("visits", 0)}`));

const server = createServer(app);
const io = new Server(server);
io.engine.use(session);
io.on("connection", (socket) => socket.emit("session", describe(socket.request)));

const sockets = new WebSocketServer({ noServer: true });
server.on("upgrade", (request, socket, head) => {
  const { pathname } = new URL(request.url, "http://localhost");
  // As express-ws does: a response that belongs to no connection.
  const responses = { "/empty": {}, "/own-response": new ServerResponse(request) };
  const response = responses[pathname];
  if (response === undefined) return;
  session(request, response, (error) => {
    if (error !== undefined) {
      socket.end(`HTTP/1.1 ${error.status} Unavailable\r\nConnection: close\r\n\r\n`);
      return;
    }
    sockets.handleUpgrade(request, socket, head, (client) => client.send(describe(request)));
  });
});
server.listen(0, () => console.log(`listening ${server.address().port}`));
