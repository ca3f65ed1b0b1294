import { CookieStore, type Session, SessionMiddleware } from "@pagi/session";

interface Env {
  SESSION_SECRET: string;
}
interface Data {
  visits: number;
}

let handler: ((request: Request) => Promise<Response>) | undefined;

export default {
  fetch: (request: Request, env: Env) => (handler ??= makeHandler(env))(request),
};

function makeHandler({ SESSION_SECRET: secret }: Env) {
  const sessions = new SessionMiddleware<Data>({ secret, store: new CookieStore({ secret }) });
  return sessions.handler(respond);
}

function respond(_request: Request, session: Session<Data>): Response {
  session.update("visits", (visits = 0) => visits + 1);
  return new Response(`Visit ${session.get("visits")}`);
}
