import { SessionMiddleware } from "@pagi/session";
import { socketioSession } from "@pagi/session/socketio";
import { Server } from "socket.io";

type Data = { count: number };
type Admin = { level: number };

const secret = "replace this with: openssl rand -hex 32";
const sessions = new SessionMiddleware<Data>({ secret });
const session = socketioSession(sessions);

const io = new Server(3000, {
  cors: { origin: "https://app.example", credentials: true },
  connectionStateRecovery: { skipMiddlewares: false },
});
io.use(session);

io.on("connection", (socket) => {
  socket.on("add", async () => {
    await sessions.update(session.of(socket), (data) => {
      data.count = (data.count ?? 0) + 1;
    });
  });
});

const admins = new SessionMiddleware<Admin>({ secret, key: "admin" });
const admin = socketioSession(admins);
io.of("/admin").use(admin).on("connection", (socket) => {
  socket.emit("level", admin.of(socket).get("level", 0));
});
