/** Tests the adapter for Hono on Hono itself, with Hono's own middleware on both sides of it. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { type Context, Hono, type MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { cache } from "hono/cache";
import { compress } from "hono/compress";
import { cors } from "hono/cors";
import { csrf } from "hono/csrf";
import { etag } from "hono/etag";
import { HTTPException } from "hono/http-exception";
import { jsxRenderer } from "hono/jsx-renderer";
import { logger } from "hono/logger";
import { prettyJSON } from "hono/pretty-json";
import { secureHeaders } from "hono/secure-headers";
import { streamSSE, streamText } from "hono/streaming";
import { timeout } from "hono/timeout";
import { timing } from "hono/timing";
import { honoSession, type SessionEnv } from "../../adapters/hono.ts";
import type { Session } from "../../mod.ts";
import { cookieNames, get, rig as makeRig, sessionCookies, UNWRITABLE } from "./_rig.ts";

type Env = SessionEnv & SessionEnv<Record<string, unknown>, "admin">;

function rig(key?: string) {
  const made = makeRig(key);
  return { ...made, session: honoSession(made.sessions) };
}

/** Hono's own middleware. */
const OTHERS: Record<string, () => MiddlewareHandler> = {
  etag: () => etag(),
  compress: () => compress({ threshold: 0 }),
  cors: () => cors({ origin: "http://localhost", credentials: true }),
  csrf: () => csrf(),
  "secure-headers": () => secureHeaders(),
  logger: () => logger(() => {}),
  timeout: () => timeout(5000),
  timing: () => timing(),
  "pretty-json": () => prettyJSON(),
  "body-limit": () => bodyLimit({ maxSize: 1000 }),
  "jsx-renderer": () => jsxRenderer(({ children }) => children as never),
  "a header after next": () => async (c, next) => {
    await next();
    c.header("x-after", "1");
    c.res.headers.append("vary", "x-other");
  },
  "a copied response": () => async (c, next) => {
    await next();
    c.res = new Response(c.res.body, c.res);
  },
};

/** Ways to respond. Each is called after a write to the session. */
const WAYS: Record<string, (c: Context) => Response | Promise<Response>> = {
  text: (c) => c.text("page"),
  html: (c) => c.html("<p>page</p>"),
  json: (c) => c.json({ page: 1 }),
  "no body": (c) => c.body(null, 204),
  redirect: (c) => c.redirect("/"),
  "an own Response": () => new Response("page", { headers: { vary: "origin" } }),
  "an immutable Response": () => Response.redirect("http://localhost/"),
  "not found": (c) => c.notFound(),
  rendered: (c) => c.render("page"),
  stream: (c) => streamText(c, async (stream) => void await stream.write("page")),
  events: (c) => streamSSE(c, (stream) => stream.writeSSE({ data: "page" })),
};

/** Ways to fail. */
const FAILURES: Record<string, () => Promise<never>> = {
  "an error": () => Promise.reject(new Error("boom")),
  "an HTTPException": () => Promise.reject(new HTTPException(401, { message: "boom" })),
  "an HTTPException with a response": () =>
    Promise.reject(new HTTPException(401, { res: new Response("boom", { status: 401 }) })),
  "an HTTPException with an immutable response": () =>
    Promise.reject(new HTTPException(401, { res: Response.redirect("http://localhost/") })),
};

/** Calls an app with a session, and another middleware on one side of it. */
async function call(other: MiddlewareHandler, isInside: boolean, handle: (c: Context) => unknown) {
  const { session, ...rest } = rig();
  const app = new Hono();
  for (const one of isInside ? [session, other] : [other, session]) app.use(one);
  app.onError((error, c) =>
    error instanceof HTTPException ? error.getResponse() : c.text("error", 500)
  );
  app.get("/", async (c) => {
    (c.get("session" as never) as Session).set("n", 1);
    return await handle(c) as Response;
  });
  const request = get("/", { "accept-encoding": "gzip", origin: "http://localhost" });
  return { ...rest, response: await app.fetch(request) };
}

for (const [name, other] of Object.entries(OTHERS)) {
  Deno.test(`honoSession() works beside Hono's ${name}, on both sides`, async (t) => {
    for (const isInside of [true, false]) {
      for (const [way, respond] of Object.entries(WAYS)) {
        // Some of them cannot change the headers of a Response that the app has not made by `c`.
        if (way === "an immutable Response" && isInside) continue;
        await t.step(`${way}, ${isInside ? "inside" : "outside"}`, async () => {
          const { response, store } = await call(other(), isInside, respond);
          assertEquals([sessionCookies(response).length, store.size], [1, 1]);
          assertMatch(response.headers.get("cache-control")!, /no-store|no-cache/);
          assert(response.headers.get("vary")?.toLowerCase().includes("cookie"));
          await response.text();
        });
      }
      for (const [way, fail] of Object.entries(FAILURES)) {
        await t.step(`${way}, ${isInside ? "inside" : "outside"}`, async () => {
          const lost = await call(other(), isInside, fail);
          assertEquals([sessionCookies(lost.response).length, lost.store.size], [0, 0]);
          const kept = await call(other(), isInside, async (c) => {
            await (c.get("session" as never) as Session).save();
            await fail();
          });
          assertEquals([sessionCookies(kept.response).length, kept.store.size], [1, 1]);
          await lost.response.body?.cancel();
          await kept.response.body?.cancel();
        });
      }
      await t.step(`a failed save, ${isInside ? "inside" : "outside"}`, async () => {
        const { response, events } = await call(other(), isInside, (c) => {
          (c.get("session" as never) as Session).set("n", UNWRITABLE);
          c.header("x-own", "1");
          return c.text("never sent");
        });
        assertEquals([response.status, response.headers.get("x-own")], [503, null]);
        assertEquals(events.map(({ type }) => type), ["request-failed"]);
        await response.text();
      });
    }
  });
}

Deno.test("honoSession() keeps two middlewares apart, at any depth", async () => {
  const mounts: Record<string, (app: Hono<Env>, inner: Hono<Env>) => unknown> = {
    route: (app, inner) => app.route("/in", inner),
    mount: (app, inner) => app.mount("/in", inner.fetch),
    "mount of the same request": (app, inner) =>
      app.mount("/in", inner.fetch, { replaceRequest: false }),
    "a handler's own fetch": (app, inner) => app.all("/in/*", (c) => inner.fetch(c.req.raw)),
  };
  for (const [name, mount] of Object.entries(mounts)) {
    for (const isSwapped of [false, true]) {
      const [shop, admin] = [rig(), rig("admin")];
      const [outer, other] = isSwapped ? [admin, shop] : [shop, admin];
      const inner = new Hono<Env>();
      inner.use(other.session);
      if (name === "route") inner.use(outer.session);
      const handle = (c: Context<Env>) => {
        c.get(isSwapped ? "session" : "admin").set("who", "inner");
        return c.text("page");
      };
      inner.get("/", handle);
      inner.get("/in", handle);
      const app = new Hono<Env>();
      app.use(outer.session);
      app.use(async (c, next) => {
        c.get(isSwapped ? "admin" : "session").set("who", "outer");
        await next();
      });
      mount(app, inner);
      const response = await app.fetch(get("/in"));
      assertEquals([response.status, await response.text()], [200, "page"], name);
      assertEquals(cookieNames(response), ["pagi_session", "pagi_session_admin"], name);
      assertEquals([shop.store.size, admin.store.size], [1, 1], name);
    }
  }
});

Deno.test("honoSession() mounts a handler of sessions.handler", async () => {
  const [shop, admin] = [rig(), rig("admin")];
  const app = new Hono<Env>();
  app.use(shop.session);
  const handler = admin.sessions.handler((_request, session) => {
    session.set("role", "root");
    return new Response("page");
  });
  app.mount("/in", handler);
  app.all("/direct", (c) => handler(c.req.raw));
  for (const path of ["/in", "/direct"]) {
    for (const _ of [1, 2]) {
      const response = await app.fetch(get(path));
      assertEquals([response.status, cookieNames(response)], [200, ["pagi_session_admin"]], path);
    }
  }
});

Deno.test("honoSession() never gives a shared Response one client's cookie", async () => {
  const { session } = rig();
  const shared = new Response(null, { status: 204 });
  const app = new Hono<Env>();
  app.use(session);
  app.get("/", (c) => {
    c.get("session").set("n", 1);
    return shared;
  });
  const [one, other] = [await app.fetch(get()), await app.fetch(get())];
  assert(sessionCookies(one)[0] !== sessionCookies(other)[0]);
  assertEquals(shared.headers.getSetCookie(), []);
});

Deno.test("honoSession() lets hono/cache store no cookie", async () => {
  const stored = new Map<string, Response>();
  const fake = {
    open: () =>
      Promise.resolve({
        match: (key: RequestInfo) => Promise.resolve(stored.get(String(key))?.clone()),
        put: (key: RequestInfo, response: Response) => {
          stored.set(String(key), response);
          return Promise.resolve();
        },
      }),
  };
  const before = Object.getOwnPropertyDescriptor(globalThis, "caches")!;
  Object.defineProperty(globalThis, "caches", { configurable: true, value: fake });
  try {
    for (const isInside of [true, false]) {
      stored.clear();
      const { session } = rig();
      const app = new Hono<Env>();
      const caching = cache({ cacheName: "pages", wait: true });
      for (const one of isInside ? [session, caching] : [caching, session]) app.use(one);
      app.get("/", (c) => {
        c.get("session").set("n", 1);
        return c.text("page");
      });
      await (await app.fetch(get())).text();
      for (const response of stored.values()) assertEquals(sessionCookies(response), []);
      const again = await app.fetch(get());
      assertEquals(await again.text(), "page");
    }
  } finally {
    Object.defineProperty(globalThis, "caches", before);
  }
});
