/**
 * Tests the adapters with minimal stand-ins for the frameworks. `tests/frameworks` runs the real
 * ones.
 */
import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { type Session, SessionError, type SessionMiddleware } from "@pagi/session";
import { elysiaSession } from "@pagi/session/elysia";
import { abortSession, expressSession } from "@pagi/session/express";
import { h3Session, type H3SessionEvent } from "@pagi/session/h3";
import { type HonoContext, honoSession, type SessionEnv } from "@pagi/session/hono";
import { type OakContext, oakSession } from "@pagi/session/oak";
import { failing, idOf, requestWith, rig } from "../../_kit/helpers.ts";
import { nodeResponse, slow } from "../../_kit/node_response.ts";

const unknownId = { cookie: `pagi_session=${idOf("a")}` };

/** Stands in for Hono's context. */
function honoContext(headers: Record<string, string> = {}): HonoContext {
  const values = new Map<string, unknown>();
  return {
    req: { raw: requestWith(headers) },
    error: undefined,
    res: new Response("page"),
    get: (key) => values.get(key),
    set: (key, value) => void values.set(key, value),
  };
}

Deno.test("honoSession() sets the session and replaces the response", async () => {
  const { sessions } = rig();
  const [c, middleware] = [honoContext(), honoSession(sessions)];
  await middleware(c, async () => {
    const session = c.get("session") as Session;
    // A second middleware finds the session of the first.
    await middleware(c, async () => assertStrictEquals(await c.get("session"), session));
    session.set("n", 1);
  });
  assertEquals(c.res!.headers.getSetCookie().length, 1);
});

Deno.test("honoSession() saves nothing when Hono has responded to an error", async () => {
  const { sessions, store } = rig();
  const c = honoContext();
  const page = new Response("sorry", { status: 500 });
  await honoSession(sessions)(c, async () => {
    (c.get("session") as Session).set("n", 1);
    await Promise.resolve(Object.assign(c, { error: new Error("boom"), res: page }));
  });
  assertEquals(store.size, 0);
  assertStrictEquals(c.res, page);
  await assertRejects(() =>
    honoSession(sessions)(honoContext(), () => Promise.reject(new Error("x")))
  );
});

Deno.test("honoSession() responds to a session error", async () => {
  const c = honoContext(unknownId);
  const { sessions } = rig({ store: failing("read") });
  await honoSession(sessions)(c, () => Promise.reject(new Error("never called")));
  assertEquals(c.res!.status, 503);
});

/** Stands in for oak's context. */
function oakContext(headers: Record<string, string> = {}) {
  const dom = new Response("page");
  const response = {
    headers: new Headers() as Headers,
    status: 200,
    body: "page" as unknown,
    writable: true,
    toDomResponse() {
      const { status, headers } = this;
      const made = () => new Response("page", { status, headers });
      return Promise.resolve(this.writable ? made() : dom);
    },
  };
  const request = {
    headers: new Headers(headers),
    method: "GET",
    url: new URL("http://localhost/?x"),
  };
  const state: { session?: unknown } = {};
  const ctx: OakContext = { request, response, respond: true, state };
  return { ctx, dom, response };
}

const write = (ctx: OakContext) => () =>
  Promise.resolve(void (ctx.state.session as Session).set("n", 1));

Deno.test("oakSession() reports a Secure cookie over plain HTTP", async () => {
  for (const scheme of ["http", "https"]) {
    const { events, sessions } = rig({ cookieOptions: { secure: true } });
    const { ctx } = oakContext({ host: "shop.example" });
    Object.assign(ctx.request, { url: new URL(`${scheme}://shop.example/`) });
    await oakSession(sessions)(ctx, write(ctx));
    assertEquals(events, scheme === "http" ? ["cookie-dropped"] : []);
  }
});

Deno.test("oakSession() adds the headers to the response that is sent", async () => {
  const { events, sessions } = rig();
  const middleware = oakSession(sessions);
  const { ctx, response } = oakContext();
  await middleware(ctx, () => middleware(ctx, write(ctx)));
  assertEquals(response.headers.getSetCookie().length, 1);

  const own = oakContext();
  own.response.writable = false;
  await middleware(own.ctx, write(own.ctx));
  const sent = await own.response.toDomResponse();
  assertEquals([sent.headers.getSetCookie().length, await sent.text()], [1, "page"]);

  const upgraded = oakContext();
  upgraded.ctx.respond = false;
  await middleware(upgraded.ctx, write(upgraded.ctx));
  assertEquals(events, ["headers-dropped"]);
});

Deno.test("oakSession() responds to a session error, and rethrows the app's errors", async () => {
  for (const method of ["read", "create"]) {
    for (const writable of [true, false]) {
      const { ctx, response } = oakContext(unknownId);
      response.writable = writable;
      await oakSession(rig({ store: failing(method) }).sessions)(ctx, write(ctx));
      assertEquals([(await response.toDomResponse()).status, ctx.respond], [503, true]);
    }
  }
  const { store, sessions } = rig();
  const { ctx } = oakContext();
  await assertRejects(() =>
    oakSession(sessions)(ctx, async () => {
      await write(ctx)();
      throw new RangeError("mine");
    }), RangeError);
  assertEquals(store.size, 0);
});

Deno.test("oakSession() rejects a state that several requests share", async () => {
  const middleware = oakSession(rig().sessions);
  const [first, second] = [oakContext(), oakContext()];
  const shared = { ...second.ctx, state: first.ctx.state };
  await middleware(first.ctx, () => Promise.resolve());
  await assertRejects(() => middleware(shared, () => Promise.resolve()), TypeError, "shared");
});

/** Stands in for Elysia: calls the plugin's hooks as Elysia does. */
function elysia(sessions = rig().sessions) {
  type Fetch = (...args: never[]) => unknown;
  let around: (fetch: Fetch) => (request: Request) => unknown = () => () => undefined;
  let listen: (context: object) => void = () => {};
  let derive: (context: object) => object = () => ({});
  const app = {
    wrap: (given: typeof around) => around = given as never,
    onError: (_scope: object, given: typeof listen) => listen = given,
    derive: (_scope: object, given: typeof derive) => derive = given,
  };
  elysiaSession(sessions)(app as never);
  const handle = (request: Request, respond: (session: Session) => unknown) => {
    const inner = (request: Request) =>
      respond((derive({ request }) as { session: Session }).session);
    return around(around(inner as Fetch) as Fetch)(request) as Promise<Response | undefined>;
  };
  return { derive: (request: Request) => derive({ request }), handle, listen };
}

Deno.test("elysiaSession() saves the changes of a handler unless it threw", async () => {
  const { sessions, store } = rig();
  const { handle, listen } = elysia(sessions);
  const request = requestWith();
  const failed = await handle(request, (session) => {
    session.set("n", 1);
    listen({ request, error: new Error("boom") });
    return new Response("sorry", { status: 500 });
  });
  assertEquals([failed!.status, store.size], [500, 0]);
  const page = await handle(
    requestWith(),
    (session) => (session.set("n", 1), new Response("page")),
  );
  assertEquals([page!.headers.getSetCookie().length, store.size], [1, 1]);
});

Deno.test("elysiaSession() lets an upgrade pass, and responds to a session error", async () => {
  const { sessions, store } = rig();
  const upgrade = (session: Session) => void session.set("n", 1);
  assertEquals(await elysia(sessions).handle(requestWith(), upgrade), undefined);
  assertEquals(store.size, 0);
  const failed = elysia(rig({ store: failing("read") }).sessions);
  assertEquals((await failed.handle(requestWith(unknownId), upgrade))!.status, 503);
  assertThrows(() => failed.derive(requestWith()), TypeError, "aot");
});

/** Calls the middleware and then `app`, and waits for pending work. */
async function visit(
  store: ReturnType<typeof slow>,
  app: (res: never, session: Session, req: object) => unknown,
  before: (res: never) => void = () => {},
) {
  const session = expressSession(rig({ store }).sessions);
  const { res, ...rest } = nodeResponse();
  before(res as never);
  const req = { method: "GET", url: "/", headers: {} };
  const errors: unknown[] = [];
  await new Promise<void>((resolve) => {
    session(req, res, (error) => {
      if (error !== undefined) errors.push(error);
      else app(res as never, session.of(req), req);
      resolve();
    });
  });
  await new Promise((resolve) => setTimeout(resolve));
  return { errors, req, res, ...rest };
}

type Res = ReturnType<typeof nodeResponse>["res"];

Deno.test("expressSession() sends nothing before the session is saved", async () => {
  let [hadRoom, wasSent]: unknown[] = [];
  const { headers, sent } = await visit(slow(), (res: Res, session) => {
    session.set("n", 1);
    res.writeHead(201, "Made", { "x-own": "1", vary: "Accept" });
    hadRoom = [res.write("a"), res.write("much")];
    wasSent = res.headersSent;
    assertThrows(() => res.setHeader("x-late", "1"), Error, "after they are sent");
    assertThrows(() => res.writeHead(500), Error, "after they are sent");
    res.statusCode = 500;
  });
  assertEquals(wasSent, true);
  assertEquals([hadRoom, sent], [[true, false], [201, "a", "much", "drain"]]);
  assertEquals([headers.get("x-own"), headers.get("vary")], ["1", "Accept, Cookie"]);
  assert(headers.has("set-cookie"));
});

Deno.test("expressSession() accepts every form of headers that writeHead accepts", async () => {
  for (const list of [["a", "1", "B", "2", "b", "3"], [["a", "1"], ["b", "2"], ["b", "3"]]]) {
    const { headers } = await visit(slow(), (res: Res) => void res.writeHead(200, list).end());
    assertEquals([headers.get("a"), headers.get("b")], ["1", ["2", "3"]]);
  }
});

Deno.test("expressSession() passes the error of a save on and discards the response", async () => {
  const { errors, headers, res, sent } = await visit(slow("create"), (res: Res, session) => {
    session.set("n", 1);
    res.setHeader("etag", "1");
    res.end("page");
  });
  assertEquals(errors.map((error) => (error as SessionError).status), [503]);
  assertEquals([sent, headers.has("etag")], [[], false]);
  res.end("sorry");
});

Deno.test("expressSession() responds if the server ignores the error", async () => {
  const { setTimeout } = globalThis;
  const timers: (() => void)[] = [];
  globalThis.setTimeout = ((work: () => void, wait?: number) => {
    return wait === 10_000 ? timers.push(work) : setTimeout(work, wait);
  }) as typeof setTimeout;
  try {
    const { errors, headers, sent } = await visit(slow("create"), (res: Res, session) => {
      session.set("n", 1);
      res.end("page");
    });
    for (const timer of timers) timer();
    assertEquals([errors.length, timers.length, sent], [1, 1, [503, "end"]]);
    assertEquals(headers.get("connection"), "close");
    // An error page that was sent is not followed by another response.
    for (const timer of timers) timer();
    assertEquals(sent, [503, "end"]);
  } finally {
    globalThis.setTimeout = setTimeout;
  }
});

Deno.test("expressSession() makes the response look ended while it is held", async () => {
  const states: unknown[] = [];
  const { res, sent } = await visit(slow(), (res: Res, session) => {
    session.set("n", 1);
    const look = () => states.push([res.headersSent, res.writableEnded, res.finished]);
    look();
    res.write("a");
    look();
    states.push(res.writableLength);
    // Middleware of Connect's time calls it for the same purpose.
    res._implicitHeader();
    res.end();
    look();
  });
  assertEquals(states, [[false, false, false], [true, false, false], 1, [true, true, true]]);
  assertEquals([sent, res.finished, res.writableEnded], [[200, "a", "end"], true, true]);
});

Deno.test("expressSession() sends nothing that comes after the end, and tells its callback", async () => {
  const codes: unknown[] = [];
  const note = (error?: unknown) => void codes.push((error as { code?: string })?.code);
  const { sent } = await visit(slow(), (res: Res, session) => {
    session.set("n", 1);
    res.end("a");
    res.write("b", note);
    (res.end as (chunk: string, callback: unknown) => unknown)("c", note);
    res.end();
  });
  // Node ignores an empty end.
  assertEquals(sent.filter((one) => one !== "end"), [200, "a"]);
  assertEquals(codes, ["ERR_STREAM_WRITE_AFTER_END", "ERR_STREAM_WRITE_AFTER_END"]);
});

Deno.test("expressSession() refuses chunks as Node does", async () => {
  const codes: unknown[] = [];
  await visit(slow(), (res: Res, session) => {
    session.set("n", 1);
    res.flushHeaders();
    const attempts = [null, undefined, 1, new Uint8Array(1)].map((chunk) => () => res.write(chunk));
    for (const attempt of [...attempts, () => res.end({}), () => res.end(null)]) {
      try {
        attempt();
        codes.push("accepted");
      } catch (error) {
        codes.push((error as { code: string }).code);
      }
    }
  });
  const [empty, type, accepted] = ["ERR_STREAM_NULL_VALUES", "ERR_INVALID_ARG_TYPE", "accepted"];
  assertEquals(codes, [empty, type, type, accepted, type, accepted]);
});

Deno.test("expressSession() completes the head before it saves the session", async () => {
  const { headers, sent } = await visit(slow(), (res: Res, session) => {
    const { writeHead } = res;
    res.writeHead = (status) => {
      res.setHeader("cache-control", "public, max-age=60");
      session.set("n", 1);
      return writeHead.call(res, status);
    };
    res.end("page");
  });
  // A response with a new ID must not be stored for everybody.
  assertEquals(headers.get("cache-control"), "private, no-store");
  assertEquals(sent, [200, "page", "end"]);
});

Deno.test("expressSession() calls listeners of drain that another middleware keeps", async () => {
  const moved: (() => void)[] = [];
  let drains = 0;
  const { sent } = await visit(slow(), (res: Res, session) => {
    session.set("n", 1);
    res.on("drain", () => drains++);
    assertEquals(res.write("much"), false);
  }, (res: Res) => {
    res.on = (_event, listener) => (moved.push(listener), res);
  });
  assertEquals([moved.length, drains, sent], [1, 1, [200, "much", "drain"]]);
});

Deno.test("expressSession() gives the error handling the response as it was", async () => {
  const own = nodeResponse().res;
  const called: unknown[] = [];
  const { errors, res, sent } = await visit(slow("create"), (res: Res, session) => {
    session.set("n", 1);
    const { write, end } = res;
    let isEnded = false;
    // Middleware that remembers the end would not let an error page through.
    res.write = (chunk) => !isEnded && write.call(res, chunk);
    res.end = (chunk) => (isEnded || end.call(res, chunk), isEnded = true, res);
    write.call(res, "a", (error) => called.push(error));
    res.end("page");
  });
  assertEquals([errors.length, called], [1, [errors[0]]]);
  assertEquals([res.headersSent, res.writableEnded, res.finished], [false, false, false]);
  for (const name of ["write", "end", "writeHead", "on"] as const) {
    assertStrictEquals(res[name], Object.getPrototypeOf(res)[name]);
    assertEquals(Object.hasOwn(res, name), Object.hasOwn(own, name));
  }
  res.end("sorry");
  assertEquals(sent, [200, "sorry", "end"]);
});

Deno.test("expressSession() keeps the cookie of a saved session on an error page", async () => {
  const { errors, headers, res } = await visit(slow(), (res: Res, session) => {
    session.set("n", 1);
    res.setHeader("etag", "1");
    res.end("page");
  }, (res: Res) => {
    res.end = () => {
      throw new RangeError("Invalid trailer");
    };
  });
  assert(errors[0] instanceof RangeError);
  assertEquals([headers.has("set-cookie"), headers.has("etag")], [true, false]);
  Object.getPrototypeOf(res).end.call(res);
});

Deno.test("expressSession() reports a failed save although the client has gone", async () => {
  const { errors, sent } = await visit(slow("create"), (res: Res, session) => {
    session.set("n", 1);
    res.write("page");
    Object.assign(res, { destroyed: true });
  });
  assertEquals([errors.map((error) => (error as SessionError).status), sent], [[503], []]);
});

Deno.test("expressSession() opens the session of a WebSocket's handshake for reading", async () => {
  const { sessions, store } = rig();
  const { res } = nodeResponse();
  const { end } = res;
  for (const response of [{}, { setHeader() {}, writeHead() {}, end() {} }, res]) {
    const session = expressSession(sessions);
    const req = { headers: unknownId, upgrade: response === res };
    const error = await new Promise((resolve) => session(req, response, resolve));
    assertEquals(error, undefined);
    assertThrows(() => session.of(req).set("n", 1), Error, "read");
    assertEquals(session.of(req).get("n", 0), 0);
  }
  assertEquals([store.size, res.end], [0, end]);
  const failed = expressSession(rig({ store: failing("read") }).sessions);
  const error = await new Promise((resolve) => failed({ headers: unknownId }, {}, resolve));
  assertEquals((error as SessionError).code, "ERR_SESSION_STORE");
});

Deno.test("expressSession() sends an empty response when the app is still writing", async () => {
  const { headers, res, sent, listeners } = await visit(slow("create"), (res: Res, session) => {
    session.set("n", 1);
    res.write("page");
  });
  // The app can go on: its output is dropped.
  const empty = [503, "end", "drain"];
  assertEquals([sent, res.statusCode, headers.get("connection")], [empty, 503, "close"]);
  assertEquals([res.write("more"), res.end("more"), sent], [true, res, empty]);
  assertEquals(listeners.map(([event]) => event), ["close"]);
});

Deno.test("abortSession() discards changes and passes the error on", async () => {
  const { store, sessions } = rig();
  const session = expressSession(sessions);
  const req = { headers: {} };
  const { res } = nodeResponse();
  assertThrows(() => session.of(req), TypeError, "middleware");
  await new Promise<void>((resolve) => session(req, res, () => resolve()));
  session.of(req).set("n", 1);
  const error = new Error("boom");
  const next = (req: { headers: Record<string, string> }) =>
    new Promise((resolve) => abortSession(error, req, res, resolve));
  assertStrictEquals(await next(req), error);
  assertStrictEquals(await next({ headers: {} }), error);
  res.end("sorry");
  assertEquals(store.size, 0);
});

Deno.test("expressSession() saves nothing with a status of 500 or more", async () => {
  for (const [status, size] of [[499, 1], [500, 0], [503, 0]] as const) {
    const store = slow();
    const { headers, sent } = await visit(store, (res: Res, session) => {
      session.set("n", 1);
      res.writeHead(status);
      res.end("page");
    });
    assertEquals([store.size, headers.has("set-cookie")], [size, size > 0]);
    assertEquals(sent, [status, "page", "end"]);
  }
});

Deno.test("expressSession() ends a destroyed session also with a status of 500", async () => {
  const store = slow();
  const first = await visit(store, (res: Res, session) => {
    session.set("n", 1);
    res.end("page");
  });
  const [cookie] = (first.headers.get("set-cookie") as string[])[0]!.split(";");
  const { sessions } = rig({ store });
  const session = expressSession(sessions);
  const { res } = nodeResponse();
  const req = { headers: { cookie: cookie! } };
  await new Promise((resolve) => session(req, res, resolve));
  session.of(req).destroy();
  res.statusCode = 500;
  res.end("sorry");
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals(await sessions.load({ headers: req.headers }), undefined);
});

/** The work of a handler that counts a failed login and throws. */
async function countAndThrow(session: Session, error: Error): Promise<never> {
  await session.set("failures", 1).save();
  session.get("failures");
  throw error;
}

Deno.test("honoSession() puts the cookie of save() on the page of an error", async () => {
  const { sessions, store, events } = rig();
  for (const status of [401, 500]) {
    const c = honoContext();
    await honoSession(sessions)(c, async () => {
      const error = await countAndThrow(c.get("session") as Session, new Error("x")).catch((e) =>
        e
      );
      Object.assign(c, { error, res: Response.json("sorry", { status }) });
    });
    assertEquals([c.res!.status, c.res!.headers.getSetCookie().length], [status, 1]);
    assertEquals(c.res!.headers.get("cache-control"), "no-store");
  }
  assertEquals([store.size, events], [2, []]);
});

Deno.test("elysiaSession() puts the cookie of save() on the page of an error", async () => {
  const { sessions, store, events } = rig();
  const { handle, listen } = elysia(sessions);
  const request = requestWith();
  const page = await handle(request, async (session) => {
    listen({ request, error: await countAndThrow(session, new Error("x")).catch((e) => e) });
    return new Response("sorry", { status: 401 });
  });
  assertEquals([page!.status, page!.headers.getSetCookie().length], [401, 1]);
  assertEquals([store.size, events], [1, []]);
});

Deno.test("elysiaSession() passes on what an error handler of the app throws", async () => {
  const { sessions, store } = rig();
  const { handle, listen } = elysia(sessions);
  const request = requestWith();
  const error = new Error("twice");
  const thrown = await assertRejects(() =>
    handle(request, (session) => {
      session.set("n", 1);
      listen({ request, error });
      throw error;
    })
  );
  assertEquals([thrown, store.size], [error, 0]);
});

Deno.test("elysiaSession() makes functions that Elysia can tell apart", () => {
  const texts = new Set<string>();
  const app = { wrap: (given: unknown) => texts.add(String(given)), onError() {}, derive() {} };
  for (const { sessions } of [rig(), rig()]) elysiaSession(sessions)(app as never);
  assertEquals(texts.size, 2);
});

Deno.test("oakSession() never gives an object that the app shares one client's cookie", async () => {
  const { sessions } = rig();
  const headers = new Headers({ vary: "Origin" });
  const page = new Response(null, { status: 204, headers });
  const redirect = Response.redirect("http://localhost/");
  for (let client = 0; client < 2; client++) {
    for (const shared of [headers, page, redirect]) {
      const { ctx, response } = oakContext();
      await oakSession(sessions)(ctx, async () => {
        await write(ctx)();
        if (shared instanceof Headers) response.headers = shared;
        else {Object.assign(response, {
            writable: false,
            toDomResponse: () => Promise.resolve(shared),
          });}
      });
      assertEquals((await response.toDomResponse()).headers.getSetCookie().length, 1);
    }
  }
  const all = [headers, page.headers, redirect.headers];
  assertEquals(all.flatMap((one) => one.getSetCookie()), []);
});

Deno.test("oakSession() stores no new session for an upgraded connection", async () => {
  const { sessions, store, events } = rig();
  const { ctx, response } = oakContext();
  const upgrade = { status: 101, headers: new Headers() } as Response;
  await oakSession(sessions)(ctx, async () => {
    await write(ctx)();
    Object.assign(response, { writable: false, toDomResponse: () => Promise.resolve(upgrade) });
  });
  assertStrictEquals(await response.toDomResponse(), upgrade);
  assertEquals([store.size, events], [0, ["headers-dropped"]]);
});

Deno.test("oakSession() puts the cookies of save() on every page of an error", async () => {
  const failures = [
    new RangeError("mine"),
    Object.freeze(new Error("frozen")),
    Object.assign(new Error("x"), { headers: {} }),
    new SessionError("ERR_SESSION_COMMITTED", "saved already"),
    "text",
    null,
  ];
  for (const failure of failures) {
    for (const writable of [true, false]) {
      const [shop, admin] = [rig(), rig({ key: "admin" })];
      const { ctx, response } = oakContext();
      let thrown: unknown;
      try {
        await oakSession(shop.sessions)(
          ctx,
          () =>
            oakSession(admin.sessions)(ctx, async () => {
              await (ctx.state.session as Session).set("n", 1).save();
              await (ctx.state.admin as Session).set("n", 1).save();
              throw failure;
            }),
        );
      } catch (error) {
        thrown = error;
      }
      assertStrictEquals(thrown, failure);
      // This is what oak does: it drops all headers, or sends the app's own Response.
      if (thrown !== undefined) {
        Object.assign(response, { headers: new Headers(), status: 500, writable });
      }
      const { headers } = await response.toDomResponse();
      assertEquals(namesOf(headers.getSetCookie()), NAMES, String(failure));
      assertEquals([headers.get("cache-control"), headers.get("vary")], ["no-store", "Cookie"]);
      assertEquals([shop.store.size, admin.store.size], [1, 1]);
    }
  }
  const { sessions } = rig();
  const { ctx, response } = oakContext();
  await oakSession(sessions)(ctx, async () => {
    await (ctx.state.session as Session).set("n", 1).save();
    await sessions.update(idOf("a"), () => {});
  });
  assertEquals([response.status, response.headers.getSetCookie().length], [409, 1]);
});

Deno.test("expressSession() puts the cookie of save() on the page of an error", async () => {
  for (const isAborted of [false, true]) {
    const store = slow();
    const { headers, sent } = await visit(store, async (res: Res, session, req) => {
      const error = await countAndThrow(session, new Error("x")).catch((e) => e);
      const page = () => void res.end("sorry");
      if (isAborted) abortSession(error, req as never, res, page);
      else page();
    });
    assertEquals([sent, headers.has("set-cookie")], [[200, "sorry", "end"], true]);
    assertEquals(store.size, 1);
  }
});

/** The sessions of a shop and of its admin area, and another shop in the same place. */
function apart() {
  const [shop, other, admin] = [rig(), rig(), rig({ key: "admin" })];
  return { shop: shop.sessions, other: other.sessions, admin: admin.sessions };
}

const NAMES = ["pagi_session", "pagi_session_admin"];
const namesOf = (cookies: readonly string[]) => cookies.map((one) => one.split("=")[0]).sort();

/** Writes to both sessions, and asserts that neither has what is in the other. */
function useBoth(first: unknown, second: unknown): void {
  const [shop, admin] = [first as Session, second as Session];
  shop.set("cart", "tea");
  assertEquals(admin.exists("cart"), false);
  admin.set("role", "root");
  assertEquals(shop.exists("role"), false);
}

Deno.test("honoSession() keeps two middlewares apart, at any depth", async () => {
  const { shop, other, admin } = apart();
  for (const [outer, inner] of [[shop, admin], [admin, shop]] as const) {
    const c = honoContext();
    const [first, second] = [honoSession(outer), honoSession(inner)];
    await first(c, () =>
      second(c, () =>
        first(c, async () => {
          await Promise.resolve();
          useBoth(c.get("session"), c.get("admin"));
        })));
    assertEquals(namesOf(c.res!.headers.getSetCookie()), NAMES);
  }
  const c = honoContext();
  await assertRejects(
    () => honoSession(shop)(c, () => honoSession(other)(c, () => Promise.resolve())),
    TypeError,
    "option key",
  );
});

Deno.test("oakSession() keeps two middlewares apart, at any depth", async () => {
  const { shop, other, admin } = apart();
  for (const [outer, inner] of [[shop, admin], [admin, shop]] as const) {
    const { ctx, response } = oakContext();
    const [first, second] = [oakSession(outer), oakSession(inner)];
    await first(ctx, () =>
      second(ctx, () =>
        first(ctx, async () => {
          await Promise.resolve();
          useBoth(ctx.state.session, ctx.state.admin);
        })));
    assertEquals(namesOf(response.headers.getSetCookie()), NAMES);
  }
  const { ctx } = oakContext();
  await assertRejects(
    () => oakSession(shop)(ctx, () => oakSession(other)(ctx, () => Promise.resolve())),
    TypeError,
    "option key",
  );
});

Deno.test("oakSession() sends the cookie of an inner session although the outer one fails", async () => {
  for (const writable of [true, false]) {
    const outer = rig({ store: failing("create") });
    const inner = rig({ key: "admin" });
    const { ctx, response } = oakContext();
    const save = oakSession(inner.sessions);
    await oakSession(outer.sessions)(ctx, () =>
      save(ctx, async () => {
        await write(ctx)();
        (ctx.state.admin as Session).set("n", 1);
        response.writable = writable;
      }));
    const { status, headers } = await response.toDomResponse();
    assertEquals([status, namesOf(headers.getSetCookie())], [503, ["pagi_session_admin"]]);
    assertEquals(inner.store.size, 1);
  }
});

Deno.test("elysiaSession() keeps two middlewares apart, at any depth", async () => {
  const { shop, other, admin } = apart();
  /** Nests the plugins as Elysia does, the last of them innermost. */
  const nest = (...all: (typeof shop)[]) => {
    type Around = (fetch: (request: Request) => unknown) => (request: Request) => unknown;
    const arounds: Around[] = [];
    const derives: ((context: object) => object)[] = [];
    const app = {
      wrap: (around: Around) => arounds.push(around),
      onError: () => {},
      derive: (_scope: object, derive: (context: object) => object) => derives.push(derive),
    };
    for (const sessions of all) elysiaSession(sessions)(app as never);
    const inner = (request: Request) => {
      const context = Object.assign({}, ...derives.map((derive) => derive({ request })));
      useBoth(context.session, context.admin);
      return Promise.resolve(new Response("page"));
    };
    return arounds.reduceRight((fetch: (request: Request) => unknown, wrap) => wrap(fetch), inner);
  };
  for (const all of [[shop, admin, shop], [admin, shop, admin]]) {
    const page = await nest(...all)(requestWith()) as Response;
    assertEquals(namesOf(page.headers.getSetCookie()), NAMES);
  }
  await assertRejects(
    async () => void await nest(shop, other)(requestWith()),
    TypeError,
    "option key",
  );
});

Deno.test("expressSession() keeps two middlewares apart, at any depth", async () => {
  for (const isSlow of [false, true]) {
    const stores = [1, 2].map(() => isSlow ? slow() : rig().store);
    const shop = rig({ store: stores[0]! }).sessions;
    const admin = rig({ store: stores[1]!, key: "admin" }).sessions;
    for (const [outer, inner] of [[shop, admin], [admin, shop]] as const) {
      const [first, second] = [expressSession(outer), expressSession(inner)];
      const { res, headers, sent } = nodeResponse();
      const req = { headers: {} } as { headers: object; session: Session; admin: Session };
      const next = (middleware: typeof first) =>
        new Promise<unknown>((resolve) => middleware(req as never, res, resolve));
      for (const one of [first, second, first]) assertEquals(await next(one), undefined);
      useBoth(req.session, req.admin);
      assertStrictEquals(first.of(req as never), outer === shop ? req.session : req.admin);
      assertThrows(() => req.admin = req.session, TypeError, "req.admin");
      res.writeHead(201);
      res.write("a");
      res.end("b");
      await new Promise((resolve) => setTimeout(resolve));
      assertEquals(namesOf(headers.get("set-cookie") as string[]), NAMES);
      assertEquals(sent.filter((one) => one !== "drain"), [201, "a", "b", "end"]);
    }
    assertEquals(stores.map(({ size }) => size), [2, 2]);
  }
});

Deno.test("expressSession() refuses a place that is taken", async () => {
  const { shop, other } = apart();
  const url = rig({ key: "url" }).sessions;
  for (const [first, second] of [[shop, other], [shop, url]] as const) {
    const { res } = nodeResponse();
    const req = { url: "/", headers: {} };
    const next = (sessions: typeof first) =>
      new Promise<unknown>((resolve) => expressSession(sessions)(req, res, resolve));
    assertEquals(await next(first), undefined);
    const error = await next(second);
    assert(error instanceof TypeError && error.message.includes("option key"));
    assertEquals(req.url, "/");
  }
});

Deno.test("abortSession() discards the changes of every middleware", async () => {
  const [shop, admin] = [rig(), rig({ key: "admin" })];
  const { res } = nodeResponse();
  const req = { headers: {} } as {
    headers: Record<string, string>;
    session: Session;
    admin: Session;
  };
  for (const { sessions } of [shop, admin]) {
    await new Promise<void>((resolve) => expressSession(sessions)(req, res, () => resolve()));
  }
  useBoth(req.session, req.admin);
  await new Promise((resolve) => abortSession(new Error("x"), req, res, resolve));
  res.end("sorry");
  assertEquals([shop.store.size, admin.store.size], [0, 0]);
});

Deno.test("SessionEnv types each middleware's session under its key", () => {
  type Variables =
    (SessionEnv<{ cart: string }> & SessionEnv<{ role: string }, "admin">)["Variables"];
  const { shop, admin } = apart();
  const read = ({ session, admin }: Variables): string => {
    // @ts-expect-error: the admin area has no cart
    admin.get("cart", "");
    // @ts-expect-error: the shop has no role
    session.get("role", "");
    return session.get("cart", "") + admin.get("role", "");
  };
  assertEquals([typeof read, shop.key, admin.key], ["function", undefined, "admin"]);
});

/** Stands in for h3's event. */
function h3Event(headers: Record<string, string> = {}) {
  const res = { headers: new Headers(), errHeaders: new Headers() };
  const context: { session?: Session; admin?: Session } = {};
  return { req: requestWith(headers), res, context };
}

/** Stands in for the event of Nitro 3.0, whose h3 is older. */
function olderEvent(headers: Record<string, string> = {}) {
  const { req, context } = h3Event(headers);
  return { req, context, res: { headers: new Headers() } };
}

Deno.test("h3Session() adds the headers to those that h3 merges into the response", async () => {
  const { sessions } = rig();
  const session = h3Session(sessions);
  const event = h3Event();
  const page = await session(event, () => {
    session.of(event).set("n", 1);
    assertStrictEquals(session.of(event), event.context.session);
    return "page";
  });
  assertEquals([page, event.res.headers.getSetCookie().length], ["page", 1]);
  assertThrows(() => session.of(h3Event()), TypeError, "has not come through");
});

Deno.test("h3Session() lets an older h3 change no Response of the app", async () => {
  const { sessions } = rig();
  const shared = new Response("page");
  const event = olderEvent();
  const write = () => void event.context.session!.set("n", 1);
  event.res.headers.append("set-cookie", "own=1");
  event.res.headers.set("vary", "origin");
  const page = await h3Session(sessions)(event, () => (write(), shared)) as Response;
  assertEquals([shared.headers.getSetCookie(), [...event.res.headers]], [[], []]);
  assertEquals([page.headers.getSetCookie().length, page.headers.get("vary")], [
    2,
    "origin, Cookie",
  ]);
  assertEquals(await page.text(), "page");
});

Deno.test("h3Session() puts the cookie of save() on the error of an older h3", async () => {
  const own = new Headers({ vary: "origin" });
  for (const headers of [own, undefined]) {
    const { sessions } = rig();
    const [event, error] = [olderEvent(), Object.assign(new Error("boom"), headers && { headers })];
    const failed = h3Session(sessions)(event, async () => {
      await event.context.session!.set("n", 1).save();
      throw error;
    });
    assertStrictEquals(await failed.catch((one: unknown) => one), error);
    const added = (error as unknown as { headers: Headers }).headers;
    assertEquals(added.getSetCookie().length, 1);
    const vary = headers === undefined ? "Cookie" : "origin, Cookie";
    assertEquals(added.get("vary"), vary);
  }
});

Deno.test("h3Session() responds to a session error", async () => {
  const { sessions } = rig({ store: failing("read") });
  for (const event of [h3Event(unknownId), olderEvent(unknownId)]) {
    const page = await h3Session(sessions)(event, () => Promise.reject(new Error("never called")));
    assertEquals((page as Response).status, 503);
  }
});

/** Lets `open` return a response that is ready. */
function withReady(sessions: SessionMiddleware): SessionMiddleware {
  const open = sessions.open.bind(sessions);
  const response = new Response("ready", { status: 401 });
  const openReady = async (request: Request) => Object.assign(await open(request), { response });
  return Object.assign(sessions, { open: openReady }) as SessionMiddleware;
}

Deno.test("the adapters send a response that is ready in place of calling the handler", async () => {
  const event: H3SessionEvent = h3Event();
  const unused = () => Promise.reject(new Error("never called"));
  const page = await h3Session(withReady(rig().sessions))(event, unused) as Response;
  assertEquals([page.status, await page.text()], [401, "ready"]);
  const { ctx, response } = oakContext();
  await oakSession(withReady(rig().sessions))(ctx, unused);
  assertEquals(response.status, 401);
});

Deno.test("h3Session() keeps two middlewares apart, at any depth", async () => {
  const { shop, other, admin } = apart();
  for (const [outer, inner] of [[shop, admin], [admin, shop]] as const) {
    const event = h3Event();
    const [first, second] = [h3Session(outer), h3Session(inner)];
    await first(
      event,
      () =>
        second(
          event,
          () => first(event, () => useBoth(event.context.session, event.context.admin)),
        ),
    );
    assertEquals(namesOf(event.res.headers.getSetCookie()), NAMES);
  }
  const event = h3Event();
  await assertRejects(
    () => h3Session(shop)(event, () => h3Session(other)(event, () => undefined)),
    TypeError,
    "option key",
  );
});

Deno.test("h3Session() puts the cookie of save() on a Response of onError", async () => {
  const { sessions } = rig();
  const config = { onError: (_error: unknown, _event: unknown) => new Response("sorry") };
  const event = { ...h3Event(), app: { config } };
  await assertRejects(() =>
    h3Session(sessions)(event, async () => {
      await event.context.session!.set("n", 1).save();
      throw new Error("boom");
    }) as Promise<unknown>
  );
  const page = await config.onError(new Error("boom"), event);
  assertEquals([await page.text(), page.headers.getSetCookie().length], ["sorry", 1]);
  assertEquals((await config.onError(new Error("boom"), h3Event())).headers.getSetCookie(), []);
});

Deno.test("h3Session() stores no new session when a connection becomes a WebSocket", async () => {
  const hooked = () => Object.assign(new Response(null, { status: 426 }), { crossws: {} });
  const node = { upgrade: {} };
  const cases: [
    name: string,
    headers: object,
    runtime: object,
    result: () => unknown,
    stored: 0 | 1,
  ][] = [
    ["a handshake", { upgrade: "WebSocket" }, {}, hooked, 0],
    ["a plain request for a WebSocket's route", {}, {}, hooked, 1],
    ["a page", { upgrade: "websocket" }, {}, () => "page", 1],
    ["a page that Node's server drops", { upgrade: "websocket" }, { node }, () => "page", 0],
    ["an error that it sends", {}, { node }, () => new Response(null, { status: 403 }), 1],
  ];
  for (const [name, headers, runtime, result, stored] of cases) {
    const { sessions, store } = rig();
    const event = { ...h3Event(headers as Record<string, string>), runtime };
    const answered = await h3Session(sessions)(event, () => {
      event.context.session!.set("n", 1);
      return result();
    });
    const { headers: sent, errHeaders } = event.res;
    const cookies = [...sent.getSetCookie(), ...errHeaders.getSetCookie()];
    assertEquals([store.size, cookies.length], [stored, stored], name);
    if (result === hooked) assert("crossws" in (answered as object), name);
  }
});

Deno.test("h3Session() saves before the app uses Node's response itself", async () => {
  for (const [store, expected] of [[slow(), "page"], [slow("create"), 503]] as const) {
    const { sessions } = rig({ store });
    const { res, sent } = nodeResponse();
    const runtime = { node: { res } };
    const event = { ...h3Event(), runtime };
    await h3Session(sessions)(event, async () => {
      event.context.session!.set("n", 1);
      const { res } = runtime.node;
      res.write("page");
      res.end();
      while (!sent.includes("end")) await Promise.resolve();
      return Symbol.for("h3.handled");
    });
    assert(sent.includes(expected), String(sent));
    assertEquals(sent.includes("page"), expected === "page");
  }
});
