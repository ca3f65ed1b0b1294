import formbody from "@fastify/formbody";
import { type Session, SessionMiddleware } from "@pagi/session";
import { fastifySession } from "@pagi/session/fastify";
import fastify from "fastify";

type Data = { name: string };
declare module "fastify" {
  interface FastifyRequest {
    session: Session<Data>;
  }
}

const sessions = new SessionMiddleware<Data>({
  secret: "replace this with: openssl rand -hex 32",
});

const app = fastify({ logger: true });
await app.register(fastifySession(sessions));
await app.register(formbody);

app.get("/", ({ session }, reply) => {
  const name = session.get("name", undefined);
  reply.type("text/html").send(
    name === undefined
      ? `<form method="post" action="/login"><input name="name"> <button>Sign in</button></form>`
      : `<p>Hello, ${escapeHtml(name)}</p>
         <form method="post" action="/logout"><button>Sign out</button></form>`,
  );
});

app.post<{ Body: { name: string } }>("/login", {
  schema: {
    body: { type: "object", required: ["name"], properties: { name: { type: "string" } } },
  },
}, async ({ session, body: { name } }, reply) => {
  // A new subject also changes the session's ID.
  session.subject = name;
  session.set("name", name);
  return reply.redirect("/", 303);
});

app.post("/logout", async ({ session }, reply) => {
  session.destroy();
  return reply.redirect("/", 303);
});

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}

await app.listen({ port: Number(process.env.PORT ?? 3000) });
