import { type Session, SessionMiddleware } from "@pagi/session";
import { h3Session } from "@pagi/session/h3";
import { createEventStream, H3, HTTPError } from "h3";

type Data = { visits: number; failedLogins: number };
type AdminData = { level: number };
const secret = "replace this with: openssl rand -hex 32";
const sessions = new SessionMiddleware<Data>({ secret });
const adminSessions = new SessionMiddleware<AdminData>({ secret, key: "admin" });
const session = h3Session(sessions);
const admin = h3Session(adminSessions);

const app = new H3();
app.use(session);
app.use("/admin/**", admin);
app.get("/admin/level", (event) => admin.of(event).get("level", 0));

app.post("/password", async (event) => {
  await session.of(event).update("failedLogins", (count = 0) => count + 1).save();
  throw new HTTPError({ status: 401 });
});

app.get("/import", (event) => {
  const current = session.of(event);
  const stream = createEventStream(event);
  void sessions.update(current, (data) => void (data.visits = (data.visits ?? 0) + 1))
    .then(() => stream.push("finished"))
    .finally(() => stream.close());
  return stream.send();
});

export { app };
export type { Session };
