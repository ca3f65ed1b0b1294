/** Tests the adapter for h3 2 on h3 itself: what the cases for every framework do not cover. */
import type { ServerResponse } from "node:http";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { H3, type H3Event, HTTPError, HTTPResponse, onError } from "h3";
import { defineWebSocketHandler } from "h3";
import { fromNodeHandler, serve } from "h3/node";
import { h3Session } from "../../adapters/h3.ts";
import type { Session } from "../../mod.ts";
import { cookieNames, get, rig as makeRig, sessionCookies, UNWRITABLE } from "./_rig.ts";

function rig(key?: string) {
  const made = makeRig(key);
  return { ...made, session: h3Session(made.sessions) };
}

/** Sends a first request, whose handler writes and then does this. */
async function first(handle: (event: H3Event, session: Session) => unknown, app = new H3()) {
  const { session, ...rest } = rig();
  app.config.silent = true;
  app.use(session);
  app.get("/", (event) => {
    session.of(event).set("n", 1);
    return handle(event, session.of(event));
  });
  return { ...rest, response: await app.fetch(get()) };
}

Deno.test("h3Session() adds the cookie to every kind of result", async () => {
  const results: Record<string, (event: H3Event) => unknown> = {
    text: () => "text",
    nothing: () => undefined,
    null: () => null,
    json: () => ({ a: 1 }),
    bytes: () => new Uint8Array([1]),
    stream: () => new Response("stream").body,
    "a Response": () => new Response("page", { headers: { vary: "origin" } }),
    "an error's Response": () => new Response("page", { status: 422 }),
    "a redirect": () => Response.redirect("http://localhost/"),
    "an HTTPResponse": () => new HTTPResponse("page", { status: 422, headers: { vary: "origin" } }),
    "headers of its own": (event) => {
      event.res.headers.set("vary", "origin");
      event.res.headers.append("set-cookie", "own=1");
      return "text";
    },
  };
  for (const [name, handle] of Object.entries(results)) {
    const { response, store } = await first(handle);
    await response.text();
    assertEquals([sessionCookies(response).length, store.size], [1, 1], name);
    assertEquals(response.headers.get("cache-control"), "no-store", name);
    const vary = response.headers.get("vary")!.toLowerCase().split(", ").sort().join();
    assertEquals(vary.replace("origin", ""), vary.includes("origin") ? "cookie," : "cookie", name);
    assertEquals(
      response.headers.getSetCookie().length,
      name === "headers of its own" ? 2 : 1,
      name,
    );
  }
});

Deno.test("h3Session() changes no Response that the app returns to all clients", async () => {
  const shared = new Response(null, { status: 204 });
  const one = await first(() => shared);
  const other = await first(() => shared);
  assertEquals(shared.headers.getSetCookie(), []);
  assert(sessionCookies(one.response)[0] !== sessionCookies(other.response)[0]);
});

Deno.test("h3Session() saves nothing if the handler fails, unless save() did", async () => {
  const ways: Record<string, (app: H3) => unknown> = {
    "h3's page": () => {},
    "onError with a body": (app) => app.config.onError = () => "page",
    "onError with a Response": (app) => app.config.onError = () => new Response("page"),
    "onError without a result": (app) => app.config.onError = () => {},
    "a middleware with a body": (app) => app.use(onError(() => "page")),
    "a middleware with a Response": (app) =>
      app.use(onError(() => new Response("page", { status: 500 }))),
  };
  const failures: Record<string, () => unknown> = {
    "an HTTPError": () => {
      throw new HTTPError({ status: 401, headers: { vary: "origin" } });
    },
    "an error": () => {
      throw new Error("boom");
    },
    "a rejection": () => Promise.reject(new Error("boom")),
    "a returned error": () => new HTTPError({ status: 401 }),
    "no error": () => {
      throw "boom";
    },
  };
  for (const [way, prepare] of Object.entries(ways)) {
    for (const [failure, fail] of Object.entries(failures)) {
      for (const isSaved of [false, true]) {
        const app = new H3();
        prepare(app);
        const { response, store, events } = await first(async (_event, session) => {
          if (isSaved) await session.save();
          return fail();
        }, app);
        const expected = isSaved ? 1 : 0;
        const name = `${way}, ${failure}, ${isSaved}`;
        assertEquals([store.size, sessionCookies(response).length], [expected, expected], name);
        assertEquals(events, [], name);
      }
    }
  }
});

Deno.test("h3Session() answers a session error with headers of its own only", async () => {
  const { response, events } = await first((event, session) => {
    session.set("big", UNWRITABLE);
    event.res.status = 201;
    event.res.headers.set("etag", '"own"');
    event.res.headers.append("set-cookie", "own=1");
    event.res.errHeaders.set("x-own", "1");
    return new Response("page", { headers: { "x-page": "1" } });
  });
  assertEquals([response.status, response.headers.getSetCookie()], [503, []]);
  for (const name of ["etag", "x-own", "x-page"]) assertEquals(response.headers.get(name), null);
  assert(events.some(({ type }) => type === "request-failed"));
});

Deno.test("h3Session() saves what a middleware wrote before a page that does not exist", async () => {
  const { session, store } = rig();
  const app = new H3({ silent: true });
  app.use(session);
  app.use((event) => void session.of(event).set("n", 1));
  const response = await app.fetch(get());
  assertEquals([response.status, sessionCookies(response).length, store.size], [404, 1, 1]);
});

/** The headers of a WebSocket's handshake, as a browser sends them. */
const HANDSHAKE = {
  connection: "Upgrade",
  upgrade: "websocket",
  "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
  "sec-websocket-version": "13",
};

Deno.test("h3Session() stores no new session when a connection becomes a WebSocket", async () => {
  const { session, store, events } = rig();
  const app = new H3({ silent: true });
  app.use(session);
  app.get(
    "/page",
    (event) => session.of(event).update("n", (n) => (n as number ?? 0) + 1).get("n"),
  );
  app.get(
    "/",
    defineWebSocketHandler((event: H3Event) => {
      session.of(event).update("n", (n) => (n as number ?? 0) + 1);
      return {};
    }),
  );
  const response = await app.fetch(get("/", HANDSHAKE));
  assert("crossws" in response, "a server for WebSockets needs the hooks");
  assertEquals([response.headers.getSetCookie(), store.size], [[], 0]);
  assertEquals(events.map(({ type }) => type), ["headers-dropped"]);

  const [cookie] = sessionCookies(await app.fetch(get("/page")));
  const known = { cookie: cookie!.split(";")[0]! };
  assert("crossws" in await app.fetch(get("/", { ...HANDSHAKE, ...known })));
  assertEquals(await (await app.fetch(get("/page", known))).text(), "3");

  // A server that opens no WebSockets sends the response of such a handler.
  const refused = await app.fetch(get("/"));
  assertEquals([refused.status, sessionCookies(refused).length], [426, 1]);
});

Deno.test("h3Session() serves a page that a client asks for with a handshake's headers", async () => {
  const { session, store, events } = rig();
  const app = new H3({ silent: true });
  app.use(session);
  app.get("/", (event) => session.of(event).set("n", 1) && "page");
  app.get(
    "/refused",
    (event) => session.of(event).set("n", 1) && new Response("", { status: 403 }),
  );
  const response = await app.fetch(get("/", HANDSHAKE));
  assertEquals([response.status, sessionCookies(response).length, store.size], [200, 1, 1]);
  // The server for WebSockets on Node has passed these on, and drops the page.
  const upgraded = async (path: string) => {
    const request = get(path, HANDSHAKE);
    Object.assign(request, { runtime: { name: "node", node: { req: {}, upgrade: {} } } });
    return await app.fetch(request);
  };
  assertEquals([(await upgraded("/")).status, store.size], [200, 1]);
  assertEquals(events.map(({ type }) => type), ["headers-dropped"]);
  assertEquals([sessionCookies(await upgraded("/refused")).length, store.size], [1, 2]);
});

Deno.test("h3Session() keeps two middlewares apart, at any depth", async () => {
  const mounts: Record<string, (inner: H3) => (app: H3) => unknown> = {
    "an app": (inner) => (app) => app.mount("/in", inner),
    "a fetch handler": (inner) => (app) => app.mount("/in", (request) => inner.fetch(request)),
    "a copy of the request": (inner) => (app) =>
      app.all("/in/**", ({ req }) => inner.fetch(new Request(new URL("/", req.url), req))),
  };
  for (const [name, mount] of Object.entries(mounts)) {
    for (const isSwapped of [false, true]) {
      const [shop, admin] = [rig(), rig("admin")];
      const [outer, other] = isSwapped ? [admin, shop] : [shop, admin];
      const inner = new H3({ silent: true });
      inner.use(other.session);
      if (name !== "a copy of the request") inner.use(outer.session);
      inner.get("/", (event) => {
        other.session.of(event).set("who", "inner");
        return "page";
      });
      const app = new H3({ silent: true });
      app.use(outer.session);
      app.use((event) => void outer.session.of(event).set("who", "outer"));
      mount(inner)(app);
      const response = await app.fetch(get("/in"));
      assertEquals([response.status, await response.text()], [200, "page"], name);
      const names = cookieNames(response);
      assertEquals(names, ["pagi_session", "pagi_session_admin"], name);
      assertEquals([shop.store.size, admin.store.size], [1, 1], name);
    }
  }
  const [shop, other] = [rig(), rig()];
  const app = new H3({ silent: true });
  app.use(shop.session).use(other.session);
  let failure: Error | undefined;
  app.config.onError = ({ cause }) => void (failure = cause as Error);
  assertEquals((await app.fetch(get())).status, 500);
  await assertRejects(() => Promise.reject(failure), TypeError, "option key");
});

Deno.test("h3Session() saves before a handler for Node sends something", async () => {
  const { session, store, events } = rig();
  const app = new H3({ silent: true });
  app.use(session);
  app.use((event) =>
    void session.of(event).set("n", event.req.url.endsWith("/big") ? UNWRITABLE : 1)
  );
  app.all(
    "/**",
    fromNodeHandler((_request, nodeResponse) => {
      const response = nodeResponse as ServerResponse;
      response.setHeader("x-own", "1");
      response.write("page");
      response.end();
    }),
  );
  const server = serve(app, { port: 0, hostname: "127.0.0.1", silent: true });
  await server.ready();
  try {
    const page = await fetch(server.url!);
    assertEquals([page.status, sessionCookies(page).length, await page.text()], [200, 1, "page"]);
    assertEquals(store.size, 1);
    const failed = await fetch(new URL("/big", server.url!));
    assertEquals([failed.status, failed.headers.get("x-own"), sessionCookies(failed)], [
      503,
      null,
      [],
    ]);
    assert(!(await failed.text()).includes("page"));
    assertEquals(events.map(({ type }) => type), ["request-failed"]);
  } finally {
    await server.close(true);
  }
});
