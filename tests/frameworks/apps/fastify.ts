import fastify, { type FastifyReply, type FastifyRequest } from "fastify";
import { fastifySession } from "../recipes/fastify.ts";
import { announceServer, bodyOf, httpError, setHeaders, toReadable } from "./_node.ts";
import { answer, paths, report, sessions } from "./_work.ts";

const app = fastify();
const session = fastifySession(app, sessions);
// The work reads the body.
app.removeAllContentTypeParsers();
app.addContentTypeParser("*", (_request, _payload, done) => done(null));
app.addHook("onError", (_request, _reply, error, done) => {
  report(error);
  done();
});
for (const path of paths) app.all(path, handle);
await app.listen({ port: 0, host: "127.0.0.1" });
announceServer(app.server);

async function handle(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  const answered = (await answer({
    url: request.url,
    session: session.of(request),
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
