import { SessionMiddleware } from "@pagi/session";
import { expressSession } from "@pagi/session/express";
import { wsSession } from "@pagi/session/ws";
import express from "express";
import { createServer } from "node:http";
import { WebSocketServer } from "ws";

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
         <script>
           const socket = new WebSocket(location.href.replace("http", "ws") + "chat");
           const list = document.querySelector("ul");
           socket.onmessage = ({ data }) => list.append(data, document.createElement("br"));
           document.querySelector("#chat").onsubmit = (event) => {
             event.preventDefault();
             socket.send(event.target[0].value);
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

const session = wsSession(sessions);
const chat = new WebSocketServer({ noServer: true, path: "/chat" });
chat.on("connection", (socket, request) => {
  const { subject } = session.of(request);
  socket.on("error", console.error);
  socket.on("message", async (text) => {
    const isActive = await session.of(request).touch().catch(() => false);
    if (!isActive) return socket.close(4401, "The session has ended");
    for (const client of chat.clients) client.send(`${subject}: ${text}`);
  });
});

const server = createServer(app);
server.on("upgrade", session.upgrade(chat, { accept: ({ subject }) => subject !== undefined }));
server.listen(process.env.PORT ?? 3000);

function escapeHtml(text) {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
