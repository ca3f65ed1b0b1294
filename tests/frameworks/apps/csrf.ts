/** Checks CSRF tokens in an app of each framework with a body parser. Prints what failed as JSON. */
import { expressSession } from "@pagi/session/express";
import { fastifySession } from "@pagi/session/fastify";
import { honoSession, type SessionEnv } from "@pagi/session/hono";
import { koaSession, type SessionState } from "@pagi/session/koa";
import { type SessionEvent, SessionMiddleware } from "@pagi/session";
import { type Visitor, visitor, type VisitorTarget } from "@pagi/session/testing";
import formbody from "@fastify/formbody";
import express from "express";
import Fastify from "fastify";
import { Hono } from "hono";
import Koa from "koa";
import { koaBody } from "koa-body";
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
const plugin = fastifySession(sessions);
await fastify.register(plugin);
await fastify.register(formbody);
fastify.addHook("preHandler", async (request) => {
  await sessions.verifyCsrf(request, plugin.of(request));
});
fastify.get("/", (request) => plugin.of(request).csrfToken());
fastify.post("/", (request) => {
  plugin.of(request).update("orders", (orders = 0) => orders + 1);
  return "ordered";
});

type Form = { _csrf?: string } | undefined;
const koa = new Koa<SessionState<Data>>();
koa.silent = true;
koa.use(koaSession(sessions));
koa.use(koaBody());
koa.use(async (ctx) => {
  const { session } = ctx.state;
  await sessions.verifyCsrf(ctx.req, session, { token: (ctx.request.body as Form)?._csrf });
  if (ctx.method === "GET") ctx.body = session.csrfToken();
  else {
    session.update("orders", (orders = 0) => orders + 1);
    ctx.body = "ordered";
  }
});

const APPS: Record<string, VisitorTarget> = {
  Express: expressApp,
  "Express with compat": compatApp,
  Hono: hono,
  Fastify: fastify,
  Koa: koa,
};
/** Apps whose parser takes no multipart forms. */
const URLENCODED = ["Fastify", "Koa"];
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
    return URLENCODED.includes(name) ? [urlencoded(token)] : [urlencoded(token), multipart(token)];
  });
}
const refused = events.filter(({ type }) => type === "request-failed").length;
console.log(JSON.stringify({ apps: Object.keys(APPS).length, failures, refused }));
