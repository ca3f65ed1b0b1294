/** A worker that counts visits in Redis. */
import { RedisStore, type Session, SessionMiddleware } from "@pagi/session";
import { Redis } from "@upstash/redis/cloudflare";

interface Data {
  visits: number;
}

let handler: ((request: Request) => Promise<Response>) | undefined;

export default {
  fetch: (request: Request, env: Record<string, string>) => (handler ??= makeHandler(env))(request),
};

function makeHandler(env: Record<string, string>) {
  const redis = new Redis({
    url: env.UPSTASH_REDIS_REST_URL,
    token: env.UPSTASH_REDIS_REST_TOKEN,
  });
  const store = new RedisStore(redis);
  return new SessionMiddleware<Data>({ secret: env.SESSION_SECRET!, store }).handler(respond);
}

function respond(_request: Request, session: Session<Data>): Response {
  session.update("visits", (visits = 0) => visits + 1);
  return new Response(`Visit ${session.get("visits")}`);
}
