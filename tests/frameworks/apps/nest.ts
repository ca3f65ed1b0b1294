/** Nest 11 on Express, or on Fastify: `PLATFORM=fastify node nest.ts`. */
import "reflect-metadata";
import { All, Controller, HttpException, Module, Req, Res } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { FastifyAdapter } from "@nestjs/platform-fastify";
import { nestSession } from "@pagi/session/nest";
import type { Response } from "express";
import type { FastifyReply } from "fastify";
import type { IncomingMessage } from "node:http";
import { announceServer, bodyOf, send, setHeaders, toReadable } from "./_node.ts";
import { adminSessions, answer, pathsBelow, type Reply, sessions } from "./_work.ts";

type Request = IncomingMessage & { originalUrl: string; raw?: IncomingMessage };

const session = nestSession(sessions);
const admin = nestSession(adminSessions);

class Pages {
  async handle(request: Request, response: Response | FastifyReply): Promise<void> {
    const reply = (await answer({
      url: request.originalUrl,
      session: session.of(request),
      admin: admin.of(request),
      body: bodyOf(request.raw ?? request),
      refuse: (status) => new HttpException("refused", status),
    }))!;
    if ("raw" in response) await sendByFastify(response, reply);
    else sendByExpress(response, reply);
  }
}

function sendByExpress(res: Response, reply: Reply): void {
  const { kind, status, text } = reply;
  if (kind === "stream" || kind === "events") return send(res, reply);
  setHeaders(reply, (name, value) => res.setHeader(name, value));
  if (kind === "redirect") return res.redirect(status, text);
  res.status(status);
  if (kind === "text") res.send(text);
  else res.end();
}

async function sendByFastify(res: FastifyReply, reply: Reply): Promise<void> {
  const { kind, status, text } = reply;
  setHeaders(reply, (name, value) => res.header(name, value));
  if (kind === "redirect") return void res.redirect(text, status);
  res.code(status);
  if (kind === "events") res.type("text/event-stream");
  await res.send(kind === "text" ? text : kind === "empty" ? undefined : toReadable(reply));
}

class AppModule {}

// Node does not run decorators, so they are called.
const descriptor = Object.getOwnPropertyDescriptor(Pages.prototype, "handle")!;
const paths = ["", "/inner", "/outer"].flatMap((prefix) => pathsBelow(prefix as ""));
All(paths)(Pages.prototype, "handle", descriptor);
Req()(Pages.prototype, "handle", 0);
Res()(Pages.prototype, "handle", 1);
Controller()(Pages);
Module({ controllers: [Pages] })(AppModule);
Reflect.defineMetadata("design:paramtypes", [Object, Object], Pages.prototype, "handle");

// The work reads the body.
const options = { logger: false, bodyParser: false } as const;
const app = process.env.PLATFORM === "fastify"
  ? await NestFactory.create(AppModule, fastifyAdapter(), options)
  : await NestFactory.create(AppModule, options);
session.install(app);
admin.install(app);
await app.listen(0, "127.0.0.1");
announceServer(app.getHttpServer());

function fastifyAdapter(): FastifyAdapter {
  const adapter = new FastifyAdapter();
  adapter.getInstance().addContentTypeParser("*", (_request, _payload, done) => done(null));
  return adapter;
}
