import { SessionMiddleware } from "@pagi/session";
import { expressSession } from "@pagi/session/express";
import { socketioSession } from "@pagi/session/socketio";
import express from "express";
import { createServer } from "node:http";
import { Server } from "socket.io";

const sessions = new SessionMiddleware({ secret: "replace this with: openssl rand -hex 32" });

const app = express();
app.use(expressSession(sessions));
app.use(express.urlencoded());
app.get("/", ({ session }, res) => {
  const name = session.get("name", undefined);
  res.send(
    name === undefined
      ? `<form method="post" action="/login"><input name="name"> <button>Sign in</button></form>`
      : `<p>Hello, ${escapeHtml(name)}</p> <ul></ul> <form id="chat"><input></form>
         <form method="post" action="/logout"><button>Sign out</button></form>
         <script src="/socket.io/socket.io.js"></script>
         <script>
           const socket = io();
           const list = document.querySelector("ul");
           socket.on("message", (line) => list.append(line, document.createElement("br")));
           document.querySelector("#chat").onsubmit = (event) => {
             event.preventDefault();
             socket.emit("message", event.target[0].value);
           };
         </script>`,
  );
});
app.post("/login", ({ body: { name }, session }, res) => {
  // A new subject also changes the session's ID.
  session.subject = name;
  session.set("name", name);
  res.redirect(303, "/");
});
app.post("/logout", ({ session }, res) => {
  session.destroy();
  res.redirect(303, "/");
});

const server = createServer(app);
const io = new Server(server);
const session = socketioSession(sessions);
io.use(session);
io.use((socket, next) => {
  next(session.of(socket).subject === undefined ? new Error("Sign in first") : undefined);
});
io.on("connection", (socket) => {
  const { subject } = session.of(socket);
  socket.use((_packet, next) => {
    session.of(socket).touch().then(
      (isActive) => isActive ? next() : socket.disconnect(true),
      next,
    );
  });
  socket.on("message", (text) => io.emit("message", `${subject}: ${text}`));
});

function escapeHtml(text) {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}

server.listen(process.env.PORT ?? 3000);
