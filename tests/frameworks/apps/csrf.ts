/** Checks CSRF tokens in an app of each framework with a body parser. Prints what failed as JSON. */
import { expressSession } from "@pagi/session/express";
import { honoSession, type SessionEnv } from "@pagi/session/hono";
import { type SessionEvent, SessionMiddleware } from "@pagi/session";
import { type Visitor, visitor, type VisitorTarget } from "@pagi/session/testing";
import express from "express";
import Fastify from "fastify";
import { Hono } from "hono";
import Koa from "koa";
import multer from "multer";

type Data = { orders: number };

const events: SessionEvent[] = [];
const sessions = new SessionMiddleware<Data>({
  secret: "the secret of the tests: 32 bytes or more",
  onEvent: (event) => void events.push(event),
});
const session = expressSession(sessions);

const expressApp = express();
expressApp.use(session, express.urlencoded({ extended: false }), multer().none());
expressApp.use((req, _res, next) => {
  sessions.verifyCsrf(req, session.of(req)).then(() => next(), next);
});
expressApp.get("/", (req, res) => void res.send(session.of(req).csrfToken()));
expressApp.post("/", (req, res) => {
  session.of(req).update("orders", (orders = 0) => orders + 1);
  res.send("ordered");
});

const compat = expressSession(sessions, { compat: true });
const compatApp = express();
compatApp.use(express.urlencoded({ extended: false }), multer().none(), compat);
compatApp.use((req, _res, next) => {
  compat.verifyCsrf(req).then(() => next(), next);
});
compatApp.get("/", (req, res) => void res.send(compat.csrfToken(req)));
compatApp.post("/", (req, res) => {
  const own = compat.of(req)!;
  own.orders = (own.orders ?? 0) + 1;
  res.send("ordered");
});

const hono = new Hono<SessionEnv<Data>>();
hono.use(honoSession(sessions), async (c, next) => {
  await sessions.verifyCsrf(c.req.raw, c.get("session"));
  await next();
});
hono.get("/", (c) => c.text(c.get("session").csrfToken()));
hono.post("/", async (c) => {
  await c.req.parseBody();
  c.get("session").update("orders", (orders = 0) => orders + 1);
  return c.text("ordered");
});

const fastify = Fastify();
fastify.addContentTypeParser(
  "application/x-www-form-urlencoded",
  { parseAs: "string" },
  (_request, body, done) => done(null, Object.fromEntries(new URLSearchParams(String(body)))),
);
fastify.addHook("onRequest", (request, reply, done) => {
  session(request.raw, reply.raw, (error) => done(error as Error | undefined));
});
fastify.addHook("preHandler", async (request) => {
  await sessions.verifyCsrf(request, session.of(request.raw));
});
fastify.get("/", (request) => session.of(request.raw).csrfToken());
fastify.post("/", (request) => {
  session.of(request.raw).update("orders", (orders = 0) => orders + 1);
  return "ordered";
});

const koa = new Koa();
koa.silent = true;
koa.use((ctx, next) =>
  new Promise<void>((resolve, reject) => {
    session(ctx.req, ctx.res, () => next().then(resolve, reject));
  })
);
koa.use(async (ctx) => {
  await sessions.verifyCsrf(ctx.req, session.of(ctx.req));
  if (ctx.method === "GET") ctx.body = session.of(ctx.req).csrfToken();
  else {
    session.of(ctx.req).update("orders", (orders = 0) => orders + 1);
    ctx.body = "ordered";
  }
});

const APPS: Record<string, VisitorTarget> = {
  Express: expressApp,
  "Express with compat": compatApp,
  Hono: hono,
  Fastify: fastify,
};
const failures: string[] = [];

async function check(name: string, app: VisitorTarget, bodies: (token: string) => BodyInit[]) {
  const ada: Visitor<Data> = await visitor(sessions, { subject: "ada" });
  const token = await (await ada.fetch(app)).text();
  const from = "http://localhost/form";
  const expect = async (what: string, expected: number, init: object) => {
    const { status } = await ada.fetch(app, "/", { method: "POST", ...init });
    if (status !== expected) failures.push(`${name}: ${what}: ${status}`);
  };
  for (const body of bodies(token)) await expect("a form with the token", 200, { body, from });
  for (const body of bodies("x")) await expect("a form with another token", 403, { body, from });
  const headers = { "x-csrf-token": token };
  await expect("a header", 200, { headers });
  await expect("no token", 403, {});
  await expect("another site", 403, { headers, from: "https://evil.example/" });
  const orders = (await ada.session())?.get("orders", 0);
  if (orders !== bodies(token).length + 1) failures.push(`${name}: ${orders} orders`);
}

const urlencoded = (_csrf: string) => new URLSearchParams({ _csrf });
const multipart = (token: string) => {
  const form = new FormData();
  form.set("_csrf", token);
  return form;
};

for (const [name, app] of Object.entries(APPS)) {
  await check(name, app, (token) => {
    return name === "Fastify" ? [urlencoded(token)] : [urlencoded(token), multipart(token)];
  });
}
// Without a body parser.
await check("Koa", koa, () => []);
const refused = events.filter(({ type }) => type === "request-failed").length;
console.log(JSON.stringify({ apps: Object.keys(APPS).length + 1, failures, refused }));
