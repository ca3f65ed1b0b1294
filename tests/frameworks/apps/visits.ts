/** Visits an app of each framework with `visitor`. Prints what failed as JSON. */
import "reflect-metadata";
import { honoSession, type SessionEnv } from "@pagi/session/hono";
import { expressSession } from "@pagi/session/express";
import { oakSession, type SessionState } from "@pagi/session/oak";
import { type Session, SessionMiddleware } from "@pagi/session";
import { visitor, type VisitorTarget } from "@pagi/session/testing";
import { Module } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { Application } from "@oakserver/oak";
import connect from "connect";
import { Elysia } from "elysia";
import express from "express";
import express4 from "express4";
import Fastify from "fastify";
import { H3 } from "h3";
import { Hono } from "hono";
import Koa from "koa";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

type Data = { seen: number };

const sessions = new SessionMiddleware<Data>({
  secret: "the secret of the tests: 32 bytes or more",
});
const session = expressSession(sessions);

/** Counts a visit, and says what the app saw of the request. */
function work(own: Session<Data>, method: string, host: string | null | undefined, body: string) {
  own.update("seen", (seen = 0) => seen + 1);
  return [own.subject, own.get("seen"), method, host, body].join();
}

async function read(req: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of req) text += chunk;
  return text;
}

async function respond(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const text = work(session.of(req), req.method!, req.headers.host, await read(req));
  res.setHeader("Set-Cookie", ["a=1; Path=/", "b=2; Path=/"]);
  res.statusCode = 201;
  res.end(text);
}

const listener = (req: IncomingMessage, res: ServerResponse) =>
  session(req, res, () => void respond(req, res));

const hono = new Hono<SessionEnv<Data>>();
hono.use(honoSession(sessions));
hono.put("/visit", async (c) => {
  const { url } = c.req;
  c.header("set-cookie", "a=1; Path=/", { append: true });
  return c.text(work(c.get("session"), "PUT", new URL(url).host, await c.req.text()), 201);
});

const fetchHandler = sessions.handler(async (request, own) => {
  const text = work(own, request.method, new URL(request.url).host, await request.text());
  return new Response(text, { status: 201, headers: { "set-cookie": "a=1; Path=/" } });
});
const h3 = new H3().all("/**", (event) => fetchHandler(event.req as Request));
const elysia = new Elysia().mount(fetchHandler);

const koa = new Koa();
koa.use((ctx) => {
  ctx.respond = false;
  listener(ctx.req, ctx.res);
});

const fastify = Fastify();
fastify.all("/visit", (request, reply) => {
  reply.hijack();
  listener(request.raw, reply.raw);
});
// Fastify would read the body itself.
fastify.addContentTypeParser("*", (_request, _payload, done) => done(null));
fastify.addContentTypeParser("text/plain", (_request, _payload, done) => done(null));

const oak = new Application<SessionState<Data>>();
oak.use(oakSession(sessions));
oak.use(async (ctx) => {
  const { method, url } = ctx.request;
  ctx.response.body = work(ctx.state.session, method, url.host, await ctx.request.body.text());
  ctx.response.status = 201;
  ctx.response.headers.append("set-cookie", "a=1; Path=/");
});

class NestModule {}
Module({})(NestModule);
const nest = await NestFactory.create(NestModule, { logger: false });
nest.use(session, respond);

const running = createServer(listener);
await new Promise<void>((ready) => running.listen(0, "127.0.0.1", ready));
const { port } = running.address() as AddressInfo;

const APPS: Record<string, VisitorTarget> = {
  "a fetch handler": fetchHandler,
  "Hono": hono,
  "h3": h3,
  "Elysia": elysia,
  "oak": oak,
  "Connect": connect().use(session).use(respond),
  "Express 5": express().use(session, respond),
  "Express 4": express4().use(session, respond),
  "Koa": koa,
  "Fastify": fastify,
  "Nest": nest,
  "an http.Server": createServer(listener),
  "a running http.Server": running,
  "a URL": `http://127.0.0.1:${port}`,
};
// On Node and Bun, oak needs its own server.
if ("Bun" in globalThis || !("Deno" in globalThis)) delete APPS.oak;

const failures: string[] = [];
for (const [name, app] of Object.entries(APPS)) {
  try {
    const ada = await visitor(sessions, { subject: "ada", url: "http://shop.example/" });
    const texts: string[] = [];
    for (const body of ["x", "y"]) {
      const headers = { "content-type": "text/plain" };
      const response = await ada.fetch(app, "/visit?q", { method: "PUT", body, headers });
      texts.push(`${response.status} ${await response.text()}`);
    }
    const host = name === "a URL" ? `127.0.0.1:${port}` : "shop.example";
    const expected = [`201 ada,1,PUT,${host},x`, `201 ada,2,PUT,${host},y`].join();
    if (texts.join() !== expected) failures.push(`${name}: ${texts.join()} for ${expected}`);
    const simultaneous = Array.from({ length: 5 }, () => ada.fetch(app, "/visit", { method: "PUT" }));
    for (const { status } of await Promise.all(simultaneous)) {
      if (status !== 201) failures.push(`${name}: ${status}`);
    }
    const seen = (await ada.session())?.get("seen");
    if (seen !== 7) failures.push(`${name}: seen ${seen} times`);
    const { headers } = ada.request();
    if (!headers.get("cookie")?.includes("a=1")) failures.push(`${name}: a cookie was lost`);
  } catch (error) {
    failures.push(`${name}: ${error instanceof Error ? error.stack : error}`);
  }
}
// An app that responds before it has read the body, and one that never ends its response.
const hasty = createServer((_req, res) => res.writeHead(413).end("too large"));
const endless = createServer((_req, res) => res.write("data: 1"));
try {
  const ada = await visitor(sessions);
  const body = new Uint8Array(5_000_000);
  const { status } = await ada.fetch(hasty, "/", { method: "POST", body });
  if (status !== 413) failures.push(`a large body: ${status}`);
  const enough = new AbortController();
  const reason = new Error("enough");
  setTimeout(() => enough.abort(reason), 100);
  const result = await ada.fetch(endless, "/", { signal: enough.signal }).catch((error) => error);
  if (result !== reason) failures.push(`a response without an end: ${result}`);
} catch (error) {
  failures.push(`a special app: ${error instanceof Error ? error.stack : error}`);
}
await new Promise((done) => running.close(done));
console.log(JSON.stringify({ apps: Object.keys(APPS).length, failures }));
