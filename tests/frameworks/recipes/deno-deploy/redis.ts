import { RedisStore } from "@pagi/session";
import { Redis } from "@upstash/redis";

const store = new RedisStore(
  new Redis({
    url: Deno.env.get("UPSTASH_REDIS_REST_URL")!,
    token: Deno.env.get("UPSTASH_REDIS_REST_TOKEN")!,
  }),
);

export { store };
