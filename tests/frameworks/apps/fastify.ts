import fastify from "fastify";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { fastifySession } from "../recipes/fastify.ts";
import { announce, eventOf, ownHeaders, parts, paths, sessions, work } from "./_work.ts";

const app = fastify();
const session = fastifySession(app, sessions);
for (const path of paths) app.get(path, async (request) => await work[path]!(session.of(request)));
app.get("/headers-then-fails", async (request, reply) => {
  return reply.headers(ownHeaders).send(await work["/store-fails"]!(session.of(request)));
});
app.get("/redirect", async (request, reply) => {
  await work["/visit"]!(session.of(request));
  return reply.redirect("/read");
});
app.get("/throw", async (request) => {
  await work["/visit"]!(session.of(request));
  throw new Error("boom");
});
app.get("/stream", async (request, reply) => {
  await work["/visit"]!(session.of(request));
  return reply.send(Readable.from(parts(session.of(request))));
});
app.get("/events", (request, reply) => {
  reply.type("text/event-stream").send(eventOf(session.of(request)));
});
await app.listen({ port: 0, host: "127.0.0.1" });
announce((app.server.address() as AddressInfo).port);
