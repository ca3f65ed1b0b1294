import { RedisStore, type Session, SessionMiddleware } from "@pagi/session";
import { Redis } from "@upstash/redis/cloudflare";

interface Env {
  SESSION_SECRET: string;
  UPSTASH_REDIS_REST_URL: string;
  UPSTASH_REDIS_REST_TOKEN: string;
}
interface Data {
  name: string;
}

/** The handler of this isolate. The first request makes it, because secrets arrive with `env`. */
let handler: ((request: Request) => Promise<Response>) | undefined;

export default {
  fetch: (request: Request, env: Env) => (handler ??= makeHandler(env))(request),
};

function makeHandler(env: Env) {
  const redis = new Redis({
    url: env.UPSTASH_REDIS_REST_URL,
    token: env.UPSTASH_REDIS_REST_TOKEN,
  });
  const sessions = new SessionMiddleware<Data>({
    secret: env.SESSION_SECRET,
    store: new RedisStore(redis),
  });
  return sessions.handler(respond);
}

async function respond(request: Request, session: Session<Data>): Promise<Response> {
  const { pathname } = new URL(request.url);
  if (request.method === "POST" && pathname === "/login") {
    const name = String((await request.formData()).get("name"));
    // Check the password here. A new subject gives the session a new ID.
    session.subject = name;
    session.set("name", name);
    return seeOther("/");
  }
  if (request.method === "POST" && pathname === "/logout") {
    session.destroy();
    return seeOther("/");
  }
  const name = session.get("name", undefined);
  return page(name === undefined ? LOGIN : `<h1>Hello, ${escape(name)}</h1>${LOGOUT}`);
}

const LOGIN =
  '<form method="post" action="/login"><input name="name"><button>Sign in</button></form>';
const LOGOUT = '<form method="post" action="/logout"><button>Sign out</button></form>';

function page(html: string): Response {
  return new Response(html, { headers: { "content-type": "text/html; charset=utf-8" } });
}

function seeOther(location: string): Response {
  return new Response(null, { status: 303, headers: { location } });
}

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
