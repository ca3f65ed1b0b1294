/** Fastify 5, or 4: `FASTIFY=4 node fastify.ts`. */
import { fastifySession } from "@pagi/session/fastify";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { announceServer, bodyOf, httpError, setHeaders, toReadable } from "./_node.ts";
import { adminSessions, answer, pathsBelow, report, sessions, TWICE } from "./_work.ts";

const { default: fastify } = process.env.FASTIFY === "4"
  ? await import("fastify4") as never
  : await import("fastify");

const app = fastify();
const session = fastifySession(sessions);
const admin = fastifySession(adminSessions);
// The work reads the body.
app.removeAllContentTypeParsers();
app.addContentTypeParser("*", (_request, _payload, done) => done(null));
app.addHook("onError", (_request, _reply, error, done) => {
  report(error);
  done();
});
app.setErrorHandler((error) => {
  if (!(error instanceof Error)) throw new Error(String(error));
  if (error.message === TWICE) throw new Error(TWICE);
  throw error;
});
await app.register(async (outer) => {
  await outer.register(admin);
  await outer.register(session);
  serve(outer, "/outer");
});
await app.register(async (main) => {
  await main.register(session);
  serve(main, "");
  await main.register(async (inner) => {
    await inner.register(session);
    await inner.register(admin);
    serve(inner, "/inner");
  });
});
await app.listen({ port: 0, host: "127.0.0.1" });
announceServer(app.server);

function serve(app: FastifyInstance, prefix: Parameters<typeof pathsBelow>[0]): void {
  for (const path of pathsBelow(prefix)) app.all(path, handle);
}

async function handle(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  const answered = (await answer({
    url: request.url,
    session: session.of(request),
    admin: /^\/(inner|outer)\//.test(request.url) ? admin.of(request) : undefined,
    body: bodyOf(request.raw),
    refuse: httpError,
  }))!;
  const { kind, status, text } = answered;
  setHeaders(answered, (name, value) => reply.header(name, value));
  reply.code(status);
  if (kind === "redirect") return reply.redirect(text, status);
  if (kind === "events") reply.type("text/event-stream");
  if (kind === "text" || kind === "empty") return reply.send(kind === "text" ? text : undefined);
  return reply.send(toReadable(answered));
}
