/** Counts visits with a store of Deno Deploy's page: `redis`, behind HTTP, or `cookie`. */
import { type Session, SessionMiddleware } from "@pagi/session";
import { anyRedis } from "../../integration/_servers.ts";
import { UpstashBridge } from "../../integration/_upstash.ts";

const secret = "a test's secret of 32 bytes or more";
Deno.env.set("SESSION_SECRET", secret);

async function openSessions(name: string | undefined): Promise<SessionMiddleware> {
  if (name === "cookie") return (await import("../recipes/deno-deploy/cookie.ts")).sessions;
  const redis = await anyRedis();
  const { url, token } = await UpstashBridge.start(redis.port);
  Deno.env.set("UPSTASH_REDIS_REST_URL", url);
  Deno.env.set("UPSTASH_REDIS_REST_TOKEN", token);
  const { store } = await import("../recipes/deno-deploy/redis.ts");
  return new SessionMiddleware({ secret, store });
}

function respond(_request: Request, session: Session): Response {
  session.update("visits", (visits) => Number(visits ?? 0) + 1);
  return new Response(`Visit ${session.get("visits")}`);
}

const sessions = await openSessions(Deno.args[0]);
Deno.serve({
  hostname: "127.0.0.1",
  port: Number(Deno.env.get("PORT") ?? 0),
  onListen: ({ port }) => console.log(`listening ${port}`),
}, sessions.handler(respond));
