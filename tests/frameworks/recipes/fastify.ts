import type { OpenSession, Session, SessionMiddleware } from "@pagi/session";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

export function fastifySession<Data extends object>(
  app: FastifyInstance,
  sessions: SessionMiddleware<Data>,
): { of(request: FastifyRequest): Session<Data> } {
  const opened = new WeakMap<FastifyRequest, OpenSession<Data>>();

  app.addHook("onRequest", async (request) => {
    opened.set(request, await sessions.open(request.raw));
  });
  app.addHook("preValidation", (request, _reply, done) => opened.get(request)!.run(done));
  app.addHook("onError", async (request, _reply, error) => {
    await opened.get(request)?.abort(error);
  });
  app.addHook("onSend", async (request, reply, payload) => {
    try {
      await opened.get(request)?.commit(headersOf(reply));
      return payload;
    } catch (error) {
      const answer = await sessions.answer(error, new Request(`http://${request.host}/`));
      for (const name of Object.keys(reply.getHeaders())) reply.removeHeader(name);
      reply.code(answer.status);
      for (const [name, value] of answer.headers) reply.header(name, value);
      return await answer.text();
    }
  });
  return { of: (request) => opened.get(request)!.session };
}

function headersOf(reply: FastifyReply) {
  const get = (name: string) => reply.getHeader(name)?.toString();
  return {
    get,
    set: (name: string, value: string) => reply.header(name, value),
    append(name: string, value: string) {
      // Fastify itself keeps a Set-Cookie beside another.
      const old = name === "set-cookie" ? undefined : get(name);
      reply.header(name, old === undefined ? value : `${old}, ${value}`);
    },
  };
}
