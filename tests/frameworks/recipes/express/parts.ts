import { SessionMiddleware } from "@pagi/session";
import { abortSession, expressSession } from "@pagi/session/express";
import express, { type NextFunction, type Request, type Response } from "express";
import { createServer } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

type Data = { name: string; failures: number };
type Admin = { level: number };

const secret = "replace this with: openssl rand -hex 32";
const sessions = new SessionMiddleware<Data>({ secret });
const admins = new SessionMiddleware<Admin>({ secret, key: "admin" });

export const app = express();

const session = expressSession(sessions);
app.use(session);

app.get("/name", (req, res) => {
  res.send(session.of(req).get("name", "nobody"));
});

app.post("/password", async (req, res) => {
  if (await isRight(req)) return void res.redirect(303, "/");
  const own = session.of(req).update("failures", (failures = 0) => failures + 1);
  await own.save();
  throw Object.assign(new Error("Wrong password"), { status: 401 });
});

app.use(abortSession);
app.use((error: Error & { status?: number }, _req: Request, res: Response, next: NextFunction) => {
  if (res.headersSent) return next(error);
  res.status(error.status ?? 500).send("Something broke");
});

app.get("/report", async (req, res) => {
  session.of(req).set("name", "Ada");
  await pipeline(Readable.from(["one", "two"]), res);
});

app.get("/events", (req, res) => {
  res.writeHead(200, { "content-type": "text/event-stream" });
  const own = session.of(req);
  const timer = setInterval(() => res.write(`data: ${own.get("name", "nobody")}\n\n`), 1000);
  res.on("close", () => clearInterval(timer));
});

const admin = expressSession(admins);
app.use("/admin", admin, (req, res) => {
  res.send(`${session.of(req).get("name", "nobody")}, level ${admin.of(req).get("level", 0)}`);
});

export const server = createServer(app);

function isRight(_req: Request): Promise<boolean> {
  return Promise.resolve(false);
}
