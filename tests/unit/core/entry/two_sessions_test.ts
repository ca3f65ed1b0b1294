/** A shop and an admin area in one app, each with sessions of its own. */
import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import {
  type App,
  builder,
  type HeaderPair,
  MemoryStore,
  Session,
  SessionError,
  type SessionEvent,
  SessionMiddleware,
  type SessionOptions,
} from "@pagi/session";
import { call, cookieOf, requestWith, scopeWith, SECRET } from "../../../_kit/helpers.ts";
import { Client, respond } from "../../../_kit/client.ts";
import { VERSIONED } from "../../../_kit/stores.ts";
import { FaultyStore } from "../../../_kit/faulty_store.ts";

/** Makes the middlewares of a shop and of its admin area. */
function apart(options: Partial<SessionOptions> = {}) {
  const events: SessionEvent["type"][] = [];
  const onEvent = ({ type }: SessionEvent) => void events.push(type);
  const shop = new SessionMiddleware({ secret: SECRET, onEvent });
  const admin = new SessionMiddleware({ secret: SECRET, key: "admin", onEvent, ...options });
  return { shop, admin, events };
}

const cookiesOf = (response: Response) =>
  Object.fromEntries(
    response.headers.getSetCookie().map((one) => cookieOf(one).split("=") as [string, string]),
  );

Deno.test("SessionMiddleware() names the cookie after the key, and refuses other values", () => {
  assertEquals(apart().admin.key, "admin");
  for (const key of ["", "1", "a b", "a.b", "__proto__", 1, null]) {
    assertThrows(() => apart({ key: key as never }), TypeError, "key must be");
  }
});

for (const [name, open] of Object.entries(VERSIONED)) {
  Deno.test(`${name}: nested fetch handlers have a session each, at any depth`, async () => {
    const stores = [await open(Date.now), await open(Date.now), await open(Date.now)];
    const [outer, middle, inner] = stores.map(({ store }, at) =>
      new SessionMiddleware({ secret: SECRET, store, key: `level${at}`, onEvent: () => {} })
    ) as [SessionMiddleware, SessionMiddleware, SessionMiddleware];
    const rewritten = (request: Request) => new Request("http://localhost/inner", request);
    for (const pass of [(request: Request) => request, rewritten]) {
      const app = outer.handler((request, first) =>
        middle.run(pass(request), async (second) =>
          await inner.handler((_request, third) => {
            first.update("n", (n) => Number(n ?? 0) + 1);
            second.update("n", (n) => Number(n ?? 0) + 10);
            third.update("n", (n) => Number(n ?? 0) + 100);
            return new Response([first, second, third].map((one) => one.get("n")).join());
          })(pass(pass(request))))
      );
      const page = await app(requestWith());
      assertEquals(await page.text(), "1,10,100");
      const cookies = cookiesOf(page);
      assertEquals(Object.keys(cookies).sort(), [0, 1, 2].map((at) => `pagi_session_level${at}`));
      assertEquals(new Set(Object.values(cookies)).size, 3);
      const cookie = Object.entries(cookies).map((pair) => pair.join("=")).join("; ");
      assertEquals(await (await app(requestWith({ cookie }))).text(), "2,20,200");
    }
    for (const { close } of stores) close?.();
  });
}

Deno.test("a Response for one client is not sent to another, with several middlewares either", async () => {
  const { shop, admin } = apart();
  const page = new Response("page");
  const app = shop.handler((request, session) =>
    admin.run(request, (other) => {
      session.set("n", 1);
      other.set("n", 1);
      return page;
    })
  );
  assertEquals((await app(requestWith())).headers.getSetCookie().length, 2);
  await assertRejects(() => app(requestWith()), TypeError, "second client");
  // Nor while the first request is still in progress.
  const shared = new Response("page");
  let release = () => {};
  const wait = new Promise<void>((resolve) => release = resolve);
  const slow = shop.run(requestWith(), async (session) => {
    await wait;
    session.set("n", 1);
    return shared;
  });
  await admin.run(requestWith(), (session) => (session.set("n", 1), shared));
  release();
  await assertRejects(() => slow, TypeError, "second client");
});

Deno.test("a call that a handler left behind does not count as its request", async () => {
  const { shop, admin } = apart();
  const shared = new Response("page");
  let later: Promise<unknown> | undefined;
  let release = () => {};
  const wait = new Promise<void>((resolve) => release = resolve);
  await shop.run(requestWith(), (session) => {
    session.set("n", 1);
    later = wait.then(() => admin.run(requestWith(), (other) => (other.set("n", 1), shared)));
    return shared;
  });
  release();
  await assertRejects(() => later!, TypeError, "second client");
});

Deno.test("the same middleware twice has one session for a Request", async () => {
  const { shop, admin } = apart();
  const request = requestWith();
  let outer: Session | undefined;
  const response = await shop.run(request, (session) => {
    outer = session;
    session.set("a", 1);
    return admin.run(request, () =>
      shop.handler((_request, again) => {
        assertStrictEquals(again, outer);
        again.set("b", 2);
        return new Response();
      })(request));
  });
  assertEquals(Object.keys(cookiesOf(response)), ["pagi_session"]);
  const loaded = await shop.load(requestWith({ cookie: cookieOf(response) }));
  assertEquals(loaded!.slice("a", "b"), { a: 1, b: 2 });
  // The next request with the same object, for example in a test, is another one.
  await shop.run(request, (session) => {
    assert(session !== outer);
    return new Response();
  });
});

Deno.test("the same middleware twice saves nothing if the inner handler throws", async () => {
  const store = new MemoryStore();
  const sessions = new SessionMiddleware({ secret: SECRET, store });
  const request = requestWith();
  const boom = new Error("boom");
  const thrown = await assertRejects(() =>
    sessions.run(request, () =>
      sessions.run(request, (session) => {
        session.set("n", 1);
        throw boom;
      }))
  );
  assertStrictEquals(thrown, boom);
  assertEquals(store.size, 0);
});

Deno.test("the inner session that fails is answered, and the outer one saved", async () => {
  const store = new FaultyStore(new MemoryStore());
  store.fault = { operation: "create", kind: "rejects" };
  const { shop, admin, events } = apart({ store: store as never });
  const app = shop.handler((request, session) => {
    session.set("n", 1);
    return admin.handler((_request, other) => (other.set("n", 1), new Response("page")))(request);
  });
  const response = await app(requestWith());
  assertEquals([response.status, Object.keys(cookiesOf(response))], [503, ["pagi_session"]]);
  assertEquals(events, ["request-failed"]);
});

Deno.test("sessions.open() returns the first session until that is committed", async () => {
  const { shop, admin } = apart();
  for (const request of [requestWith(), { headers: {} }, scopeWith()]) {
    const [first, other] = [await shop.open(request), await admin.open(request)];
    const again = await shop.open(request);
    assertStrictEquals(again.session, first.session);
    assert(again.session as unknown !== other.session);
    again.session.set("n", 1);
    const headers = new Headers();
    await again.commit(headers);
    await again.abort();
    assertEquals([...headers], []);
    again.run(() => first.session.set("m", 2));
    await first.commit(headers);
    assertEquals(headers.getSetCookie().length, 1);
    const next = await shop.open(request);
    assert(next.session !== first.session);
    await Promise.all([next.abort(), other.abort()]);
  }
});

Deno.test("wrap() puts the session of a middleware with a key beside another", async () => {
  const { shop, admin, events } = apart();
  const app: App = async (scope, _receive, send) => {
    new Session(scope).update("n", (n) => Number(n ?? 0) + 1);
    const other = scope["pagi.session.admin"] as Record<string, unknown>;
    new Session(other).set("n", "admin");
    assertEquals(scope["pagi.session_id.admin"], other._id);
    await respond(send);
    assertEquals(scope["pagi.session_id"], new Session(scope).id);
  };
  for (const [outer, inner] of [[shop, admin], [admin, shop]] as const) {
    const client = new Client(outer.wrap(inner.wrap(outer.wrap(app))));
    const { headers } = await client.request();
    const names = headers.filter(([name]) => name === "set-cookie").map(([, one]) =>
      one.split("=")[0]
    );
    assertEquals(names.sort(), ["pagi_session", "pagi_session_admin"]);
  }
  assertEquals(events, []);
});

Deno.test("wrap() passes the session of another middleware through, and reports that", async () => {
  for (const type of ["http", "websocket"]) {
    const { shop, events } = apart();
    const other = new SessionMiddleware({
      secret: SECRET,
      cookieName: "other",
      onEvent: ({ type }) => void events.push(type),
    });
    let seen: unknown;
    const app: App = (scope) => void (seen = scope["pagi.session"]);
    const inner = other.wrap(app);
    let outer: unknown;
    const spy: App = (scope, receive, send) => {
      outer = scope["pagi.session"];
      return inner(scope, receive, send);
    };
    const scope = { type, headers: [] };
    await shop.wrap(spy)(scope, () => Promise.reject(), () => Promise.resolve());
    assertStrictEquals(seen, outer);
    assertEquals(events, ["place-taken"]);
  }
  // A test's own values, or another library's.
  const { shop, events } = apart();
  const scope = { type: "http", headers: [] as HeaderPair[], "pagi.session": {} };
  await shop.wrap(() => {})(scope, () => Promise.reject(), () => Promise.resolve());
  assertEquals(events, []);
});

Deno.test("wrap() of a middleware with a key gives a WebSocket its own session", async () => {
  const { shop, admin } = apart();
  const response = await admin.run(requestWith(), (session) => {
    session.set("role", "root");
    return new Response();
  });
  let seen: unknown;
  const app: App = (scope) => {
    seen = [scope["pagi.session"], scope["pagi.session.admin"]].map((one) =>
      Object.keys(one as object)
    );
  };
  const scope = { ...scopeWith({ cookie: cookieOf(response) }), type: "websocket" };
  await shop.wrap(admin.wrap(app))(scope, () => Promise.reject(), () => Promise.resolve());
  assertEquals(seen, [[], ["_created", "role", "_id", "_last_access"]]);
});

Deno.test("builder() mounts an admin area with its own session", async () => {
  const { admin } = apart();
  const page: App = async (scope, _receive, send) => {
    new Session(scope).set("n", 1);
    const other = scope["pagi.session.admin"] as object | undefined;
    if (other !== undefined) new Session(other).set("n", 1);
    await respond(send);
  };
  const app = builder((b) => {
    b.enable("Session", { secret: SECRET });
    b.mount("/admin", admin.wrap(page));
    return page;
  });
  const count = async (path: string) => (await new Client(app).request({ path })).cookies.length;
  assertEquals([await count("/"), await count("/admin/users")], [1, 2]);
});

/** A shop, and an admin area around it whose store refuses to save. */
function apartAndFailing() {
  const store = new FaultyStore(new MemoryStore());
  store.fault = { operation: "create", kind: "rejects" };
  return apart({ store });
}

/** The ways in which the outer handler hands the inner one the request and takes its response. */
const WAYS: Record<string, (inner: (request: Request) => Promise<Response>) => typeof inner> = {
  "the same Request": (inner) => inner,
  "a new Request": (inner) => (request) => inner(new Request("http://localhost/inner", request)),
  "a new Response": (inner) => async (request) => {
    const { body, headers } = await inner(request);
    return new Response(body, { headers });
  },
};

for (const [way, through] of Object.entries(WAYS)) {
  Deno.test(`the error of an outer session has the cookie of the inner one, with ${way}`, async () => {
    const { shop, admin, events } = apartAndFailing();
    const inner = shop.handler((_request, session) => {
      session.set("n", 1);
      return new Response("never sent", { headers: { "x-own": "1" } });
    });
    const app = admin.handler(async (request, own) => {
      own.set("n", 1);
      return await through(inner)(request);
    });
    const page = await app(requestWith());
    assertEquals([page.status, page.headers.get("x-own")], [503, null]);
    assertEquals(page.headers.get("cache-control"), "no-store");
    assertEquals(Object.keys(cookiesOf(page)), ["pagi_session"]);
    assertEquals(page.headers.getSetCookie().length, 1);
    const { pagi_session } = cookiesOf(page);
    const request = requestWith({ cookie: `pagi_session=${pagi_session}` });
    assertEquals((await shop.load(request))?.get("n"), 1);
    assertEquals(events, ["request-failed"]);
  });
}

Deno.test("the error of the outermost of three sessions has both cookies", async () => {
  const { shop, admin } = apartAndFailing();
  const middle = new SessionMiddleware({ secret: SECRET, key: "middle" });
  const app = admin.handler((request, own) => {
    own.set("n", 1);
    return middle.run(request, (session) => {
      session.set("n", 1);
      return shop.run(request, (other) => (other.set("n", 1), new Response()));
    });
  });
  const cookies = Object.keys(cookiesOf(await app(requestWith())));
  assertEquals(cookies.sort(), ["pagi_session", "pagi_session_middle"]);
});

Deno.test("a handler that throws after an inner one has saved reports the inner cookie", async () => {
  const { shop, admin, events } = apart();
  const app = admin.handler(async (request) => {
    await shop.run(request, (session) => (session.set("n", 1), new Response()));
    throw new Error("boom");
  });
  await assertRejects(() => app(requestWith()), Error, "boom");
  assertEquals(events, ["headers-dropped"]);
});

Deno.test("the cookie for a request of the handler's own is not the client's", async () => {
  const { shop, admin } = apartAndFailing();
  const app = admin.handler(async (_request, own) => {
    own.set("n", 1);
    await shop.run(requestWith(), (session) => (session.set("n", 1), new Response()));
    return new Response();
  });
  assertEquals((await app(requestWith())).headers.getSetCookie(), []);
});

Deno.test("sessions.open(): the error of an outer session has the cookie of the inner one", async () => {
  const { shop, admin } = apartAndFailing();
  const request = requestWith();
  const outer = await admin.open(request);
  const inner = await shop.open(request);
  inner.session.set("n", 1);
  outer.session.set("n", 1);
  await inner.commit(new Headers());
  const error = await assertRejects(async () => await outer.commit(new Headers()));
  const page = await admin.answer(error, request);
  assertEquals([page.status, Object.keys(cookiesOf(page))], [503, ["pagi_session"]]);
  // A second commit, onto the error response, does not repeat it.
  await outer.commit(page.headers);
  assertEquals(page.headers.getSetCookie().length, 1);
});

Deno.test("sessions.open(): an error after an inner session was saved carries its cookie", async () => {
  const { shop, admin } = apart();
  const request = requestWith();
  const outer = await admin.open(request);
  const inner = await shop.open(request);
  inner.session.set("n", 1);
  await inner.commit(new Headers());
  await outer.abort(new Error("boom"));
  const headers = new Headers();
  await outer.commit(headers);
  assertEquals(headers.getSetCookie().length, 1);
  assertEquals(headers.get("cache-control"), "no-store");
});

Deno.test("wrap(): the error of an outer session carries the cookie of the inner one", async () => {
  const { shop, admin, events } = apartAndFailing();
  const app: App = admin.wrap(shop.wrap(async (scope, _receive, send) => {
    (scope["pagi.session"] as { n?: number }).n = 1;
    (scope["pagi.session.admin"] as unknown as { n?: number }).n = 1;
    await send({ type: "http.response.start", status: 200, headers: [] });
  }));
  const error = await assertRejects(
    async () => await call(app),
    SessionError,
  );
  assertEquals(error.headers.map(([name]) => name), ["set-cookie", "cache-control"]);
  assertEquals(events, ["request-failed"]);
});
