import { SessionMiddleware } from "@pagi/session";
import { fastifySession } from "@pagi/session/fastify";
import fastify from "fastify";

type Shop = { cart: string[]; failures: number };
type Admin = { level: number };

const secret = "replace this with: openssl rand -hex 32";
const sessions = new SessionMiddleware<Shop>({ secret });
const app = fastify();

const session = fastifySession(sessions);
await app.register(session);
app.get("/cart", (request) => session.of(request).get("cart", []));

app.post("/login", async (request, reply) => {
  session.of(request).update("failures", (failures = 0) => failures + 1);
  await session.of(request).save();
  throw Object.assign(new Error("Wrong password"), { statusCode: 401 });
});

app.get("/events", (request, reply) => {
  const user = session.of(request).subject;
  reply.hijack();
  reply.raw.writeHead(200, { "content-type": "text/event-stream" });
  const timer = setInterval(() => {
    session.of(request).touch().then(
      (isActive) => isActive ? reply.raw.write(`data: ${user}\n\n`) : reply.raw.end(),
      () => reply.raw.end(),
    );
  }, 1000);
  reply.raw.on("close", () => clearInterval(timer));
});

const admins = new SessionMiddleware<Admin>({ secret, key: "admin" });
const admin = fastifySession(admins);
await app.register(async (area) => {
  await area.register(admin);
  area.get("/", (request) => `Level ${admin.of(request).get("level", 0)}`);
}, { prefix: "/admin" });

const response = await app.inject("/cart");

export { app, response };
