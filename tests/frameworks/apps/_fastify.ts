import { fastifySession } from "@pagi/session/fastify";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { announceServer, bodyOf, httpError, setHeaders, toReadable } from "./_node.ts";
import { adminSessions, answer, paths, report, sessions, TWICE } from "./_work.ts";

const session = fastifySession(sessions);
const admin = fastifySession(adminSessions);

/** Serves an app of Fastify 4 or 5. The types that it uses are the same in both. */
export async function serve(app: FastifyInstance): Promise<void> {
  // The work reads the body.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", (_request, _payload, done) => done(null));
  app.setErrorHandler<Error & { status?: number }>((error, _request, reply) => {
    report(error);
    if (error.message === TWICE) throw error;
    return reply.code(error.status ?? 500).send(String(error.message));
  });
  await app.register(async (child) => {
    await child.register(admin);
    await child.register(session);
    addWork(child, true);
  }, { prefix: "/outer" });
  await app.register(async (child) => {
    await child.register(session);
    addWork(child, false);
    await child.register(async (inner) => {
      await inner.register(session);
      await inner.register(admin);
      addWork(inner, true);
    }, { prefix: "/inner" });
  });
  await app.listen({ port: 0, host: "127.0.0.1" });
  announceServer(app.server);
}

function addWork(app: FastifyInstance, isNested: boolean): void {
  for (const path of paths) {
    app.all(path, async (request, reply) => await handle(request, reply, isNested));
  }
}

async function handle(
  request: FastifyRequest,
  reply: FastifyReply,
  isNested: boolean,
): Promise<unknown> {
  const answered = (await answer({
    url: request.url,
    session: session.of(request),
    admin: isNested ? admin.of(request) : undefined,
    body: bodyOf(request.raw),
    refuse: httpError,
  }))!;
  const { kind, status, text } = answered;
  setHeaders(answered, (name, value) => reply.header(name, value));
  if (kind === "redirect") return reply.code(status).redirect(text);
  reply.code(status);
  if (kind === "events") reply.type("text/event-stream");
  if (kind === "stream" || kind === "events") return reply.send(toReadable(answered));
  return kind === "text" ? text : reply.send();
}
