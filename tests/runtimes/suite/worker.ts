/** The suite in workerd: a worker that runs the cases and serves the app on several stores. */
import { SessionMiddleware, type SessionStore } from "@pagi/session";
import { CookieStore } from "@pagi/session/store/cookie";
import { HashedStore } from "@pagi/session/store/hashed";
import { MemoryStore } from "@pagi/session/store/memory";
import { RedisStore } from "@pagi/session/store/redis";
import { SealedStore } from "@pagi/session/store/sealed";
import { type Data, SECRET } from "./_kit.ts";
import { tap } from "./_tap.ts";
import { all } from "./all.ts";
import { app } from "./http.ts";
import type { Modules } from "./subpaths.ts";

interface Env {
  /** The URL that accepts Redis commands over HTTP. */
  REDIS?: string;
}

const on = (store: SessionStore) => app(new SessionMiddleware<Data>({ secret: SECRET, store }));
const sealed = (store: MemoryStore) => new SealedStore(new HashedStore(store), { secret: SECRET });

// Created when the worker starts: there, workerd forbids random numbers and timers.
const apps: Record<string, ReturnType<typeof app>> = {
  memory: on(new MemoryStore()),
  sealed: on(sealed(new MemoryStore())),
  cookie: on(new CookieStore({ secret: SECRET })),
};

export function worker(modules: Modules) {
  return {
    async fetch(request: Request, env: Env): Promise<Response> {
      const name = new URL(request.url).pathname.split("/")[1]!;
      if (name === "suite") return new Response(await suite(modules));
      if (name === "redis") apps.redis ??= on(new RedisStore(redisOverHttp(env.REDIS!)));
      return await apps[name]?.(request) ?? new Response("There is no such store", { status: 404 });
    },
  };
}

async function suite(modules: Modules): Promise<string> {
  let lines = "";
  for await (const line of tap(all(modules))) lines += `${line}\n`;
  return lines;
}

/** Sends Redis commands with fetch, as workers do for hosted Redis. */
function redisOverHttp(url: string) {
  return async (...command: string[]): Promise<unknown> => {
    const response = await fetch(url, { method: "POST", body: JSON.stringify(command) });
    const { result, error } = await response.json() as { result: unknown; error?: string };
    if (error !== undefined) throw new Error(error);
    return result;
  };
}
