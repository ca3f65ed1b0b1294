/** Serves a Lambda handler as a function URL does, with a Redis behind HTTP. */
import { anyRedis } from "../../integration/_servers.ts";
import { UpstashBridge } from "../../integration/_upstash.ts";

const redis = await anyRedis();
const { url, token } = await UpstashBridge.start(redis.port);
Deno.env.set("SESSION_SECRET", "a test's secret of 32 bytes or more");
Deno.env.set("UPSTASH_REDIS_REST_URL", url);
Deno.env.set("UPSTASH_REDIS_REST_TOKEN", token);
const { handler } = await import("../recipes/aws-lambda/handler.ts");

Deno.serve({
  hostname: "127.0.0.1",
  port: Number(Deno.env.get("PORT") ?? 0),
  onListen: ({ port }) => console.log(`listening ${port}`),
}, async (request) => {
  const { pathname, search, host } = new URL(request.url);
  const { cookie, ...headers } = Object.fromEntries(request.headers);
  const event = {
    version: "2.0",
    rawPath: pathname,
    rawQueryString: search.slice(1),
    ...(cookie === undefined ? {} : { cookies: cookie.split("; ") }),
    headers: { ...headers, host },
    requestContext: { domainName: host, http: { method: request.method, path: pathname } },
    body: request.body === null ? undefined : btoa(await request.text()),
    isBase64Encoded: request.body !== null,
  };
  const result = await handler(event as never, {});
  const response = new Response(result.body, {
    status: result.statusCode,
    headers: result.headers as HeadersInit,
  });
  for (const cookie of result.cookies ?? []) response.headers.append("set-cookie", cookie);
  return response;
});
