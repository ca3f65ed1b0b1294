import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  type App,
  BearerState,
  builder,
  CallbackState,
  CookieState,
  CookieStore,
  FirstState,
  HeaderState,
  SessionMiddleware,
  type SessionOptions,
} from "@pagi/session";
import { testClock, visitor } from "@pagi/session/testing";

type Data = { cart: string[]; seen?: number };

function make(options: Partial<SessionOptions> = {}) {
  const clock = testClock();
  const secret = "the secret of the tests: 32 bytes or more";
  return { clock, sessions: new SessionMiddleware<Data>({ secret, now: clock.now, ...options }) };
}

const count = (sessions: SessionMiddleware<Data>) =>
  sessions.handler((_request, session) => {
    session.update("seen", (seen = 0) => seen + 1);
    return new Response(String(session.get("seen")));
  });

Deno.test("visitor() has a stored session with its subject and data", async () => {
  const { sessions } = make();
  const ada = await visitor(sessions, { subject: "user-7", data: { cart: ["tea"] } });
  const session = await ada.session();
  assertEquals([session?.subject, session?.get("cart")], ["user-7", ["tea"]]);
  assertEquals((await sessions.list("user-7")).length, 1);
  assertEquals(session?.toJSON().state, "readOnly");
});

Deno.test("visitor() has no session when neither subject nor data is given", async () => {
  const { sessions } = make();
  const nobody = await visitor(sessions);
  assertEquals(await nobody.session(), undefined);
  assertEquals(await (await nobody.fetch(count(sessions))).text(), "1");
  assertEquals((await nobody.session())?.get("seen"), 1);
});

Deno.test("Visitor.fetch() keeps the cookies of each visitor apart", async () => {
  const { sessions } = make();
  const handler = count(sessions);
  const [ada, bob] = [await visitor(sessions), await visitor(sessions)];
  for (const expected of ["1", "2"]) {
    assertEquals(await (await ada.fetch(handler)).text(), expected);
  }
  assertEquals(await (await bob.fetch(handler)).text(), "1");
});

Deno.test("Visitor.session() is undefined after a logout and after expiry", async () => {
  const { sessions, clock } = make({ expire: 600 });
  const ada = await visitor(sessions, { subject: "a" });
  const logOut = sessions.handler((_request, session) => {
    session.destroy();
    return new Response();
  });
  const bob = await visitor(sessions, { subject: "b" });
  await ada.fetch(logOut, "/logout", { method: "POST" });
  assertEquals(await ada.session(), undefined);
  assertEquals((await bob.session())?.subject, "b");
  clock.advance(700);
  assertEquals(await bob.session(), undefined);
  // The cookie is gone as well.
  assertEquals(bob.request().headers.get("cookie"), null);
});

Deno.test("Visitor.session() finds a cookie whose path is not that of the address", async () => {
  const state = new CookieState({ cookieOptions: { path: "/admin" } });
  const { sessions } = make({ state });
  const ada = await visitor(sessions, { subject: "a" });
  assertEquals((await ada.session())?.subject, "a");
  assertEquals(ada.request("/").headers.get("cookie"), null);
  assertEquals(ada.request("/admin/x").headers.has("cookie"), true);
});

for (
  const [name, state] of [
    ["BearerState", new BearerState({ emit: "X-Token" })],
    ["HeaderState", new HeaderState({ headerName: "X-Session", emit: "X-Token" })],
    [
      "HeaderState with a scheme",
      new HeaderState({ headerName: "Authorization", pattern: /^Bearer (.+)$/, emit: "X-Token" }),
    ],
    ["FirstState", new FirstState(new CookieState(), new BearerState({ emit: "X-Token" }))],
    ["FirstState that ends in a cookie", new FirstState(new BearerState(), new CookieState())],
  ] as const
) {
  Deno.test(`visitor() presents its session and follows a new ID when the State is ${name}`, async () => {
    const { sessions } = make({ state });
    const ada = await visitor(sessions, { subject: "a" });
    const before = (await ada.session())?.id;
    const renew = sessions.handler((_request, session) => {
      session.regenerate();
      return new Response();
    });
    assertEquals((await ada.fetch(renew)).status, 200);
    const after = await ada.session();
    assertEquals(after?.subject, "a");
    assertEquals(after?.id === before, false);
  });
}

Deno.test("Visitor.presented takes an ID from the body of a response", async () => {
  const { sessions } = make({ state: new BearerState() });
  const logIn = sessions.handler(async (_request, session) => {
    session.subject = "a";
    return Response.json({ token: await session.save() });
  });
  const ada = await visitor(sessions);
  const { token } = await (await ada.fetch(logIn, "/login", { method: "POST" })).json();
  ada.presented = token;
  assertEquals((await ada.session())?.subject, "a");
});

Deno.test("visitor() calls present when the State reads the ID in a way of its own", async () => {
  const state = new CallbackState({
    extract: ({ headers = [] }) => headers.find(([name]) => name === "x-key")?.[1]?.slice(4),
    inject: () => {},
    clear: () => {},
  });
  const { sessions } = make({ state });
  await assertRejects(
    () => visitor(sessions, { subject: "a" }),
    TypeError,
    "Set the option present",
  );
  const ada = await visitor(sessions, {
    subject: "a",
    present: (headers, id) => headers.set("x-key", `key=${id}`),
  });
  assertEquals((await ada.session())?.subject, "a");
});

Deno.test("visitor() works with a CookieStore", async () => {
  const secret = "the secret of the tests: 32 bytes or more";
  const { sessions } = make({ store: new CookieStore({ secret }), onEvent: () => {} });
  const ada = await visitor(sessions, { data: { cart: ["tea"] } });
  await ada.fetch(count(sessions));
  assertEquals((await ada.session())?.slice("cart", "seen"), { cart: ["tea"], seen: 1 });
});

Deno.test("visitor() refuses an address whose browser drops the cookie", async () => {
  const { sessions } = make({ cookieOptions: { domain: "shop.example", secure: true } });
  await assertRejects(() => visitor(sessions, { subject: "a" }), TypeError, "Set url");
  const ada = await visitor(sessions, { subject: "a", url: "https://www.shop.example/" });
  assertEquals((await ada.session())?.subject, "a");
  assertEquals(ada.request("https://api.shop.example/").headers.has("cookie"), true);
});

Deno.test("visitor() refuses wrong arguments", async () => {
  const { sessions } = make();
  await assertRejects(() => visitor({} as never), TypeError, "it takes a SessionMiddleware");
  await assertRejects(() => visitor(sessions, { url: "/cart" }), TypeError, "complete URL");
  await assertRejects(() => visitor(sessions, { user: "a" } as never), TypeError, '"user"');
  const ada = await visitor(sessions);
  for (const target of [{}, 7, undefined]) {
    await assertRejects(() => ada.fetch(target as never), TypeError, "Cannot visit the app");
  }
  await assertRejects(() => ada.fetch(() => "text"), TypeError, "must return a Response");
  assertThrows(() => ada.request("http://["), TypeError);
});

Deno.test("Visitor.fetch() calls objects with fetch or handle", async () => {
  const { sessions } = make();
  const ada = await visitor(sessions);
  const handler = count(sessions);
  assertEquals(await (await ada.fetch({ fetch: handler })).text(), "1");
  assertEquals(await (await ada.fetch({ handle: handler })).text(), "2");
  assertEquals((await ada.fetch({ handle: () => undefined })).status, 404);
});

Deno.test("Visitor.fetch() calls a PAGI app with the request's method, path and body", async () => {
  const { sessions } = make();
  const seen: unknown[] = [];
  const app = builder((b) => {
    b.enable(sessions);
    return async (scope, receive, send) => {
      const { body } = await receive();
      seen.push(scope.method, scope.path, scope.query_string);
      seen.push(new TextDecoder().decode(body as Uint8Array));
      scope["pagi.session"].cart = ["tea"];
      const headers = [["content-type", "text/plain"]];
      await send({ type: "http.response.start", status: 201, headers });
      await send({ type: "http.response.body", body: "do", more: true });
      await send({ type: "http.response.body", body: new TextEncoder().encode("ne") });
      seen.push((await receive()).type);
    };
  });
  const ada = await visitor(sessions);
  const response = await ada.fetch(app, "/a%20b?c=d", { method: "PUT", body: "text" });
  assertEquals([response.status, await response.text()], [201, "done"]);
  assertEquals(seen, ["PUT", "/a b", "c=d", "text", "http.disconnect"]);
  assertEquals((await ada.session())?.get("cart"), ["tea"]);
});

Deno.test("Visitor.fetch() explains a PAGI app that sends nothing", async () => {
  const { sessions } = make();
  const ada = await visitor(sessions);
  const app = async (_scope: unknown, _receive: unknown, _send: unknown) => {};
  await assertRejects(() => ada.fetch(app), TypeError, "without http.response.start");
});

/** Redirects from `/STATUS`, and otherwise shows the request. */
async function redirecting(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  const status = Number(pathname.slice(1));
  if (status) return new Response(null, { status, headers: { location: "/end?x=1" } });
  if (pathname === "/loop") return Response.redirect(request.url, 302);
  if (pathname === "/away") return Response.redirect("https://other.example/", 302);
  const type = request.headers.get("content-type");
  return Response.json([request.method, request.url, await request.text(), type]);
}

Deno.test("Visitor.fetch() follows redirects with the method that browsers use", async () => {
  const { sessions } = make();
  const ada = await visitor(sessions);
  const end = "http://localhost/end?x=1";
  const post = { method: "POST", body: "text", redirect: "follow" } as const;
  for (const status of [301, 302, 303]) {
    const response = await ada.fetch(redirecting, `/${status}`, post);
    assertEquals(await response.json(), ["GET", end, "", null], String(status));
  }
  for (const status of [307, 308]) {
    const response = await ada.fetch(redirecting, `/${status}`, post);
    const [method, url, body, type] = await response.json();
    assertEquals([method, url, body], ["POST", end, "text"]);
    assertEquals(type.startsWith("text/plain"), true);
  }
  const put = await ada.fetch(redirecting, "/302", { ...post, method: "PUT" });
  assertEquals((await put.json())[0], "PUT");
});

Deno.test("Visitor.fetch() returns a redirect unless it is to follow it", async () => {
  const { sessions } = make();
  const ada = await visitor(sessions);
  assertEquals((await ada.fetch(redirecting, "/303")).status, 303);
  const away = await ada.fetch(redirecting, "/away", { redirect: "follow" });
  assertEquals([away.status, away.headers.get("location")], [302, "https://other.example/"]);
  await assertRejects(
    () => ada.fetch(redirecting, "/loop", { redirect: "follow" }),
    TypeError,
    "more than 20 times",
  );
  await assertRejects(
    () => ada.fetch(redirecting, "/303", { redirect: "error" }),
    TypeError,
    "it redirects",
  );
});

Deno.test("Visitor.fetch() keeps the cookies of a redirect", async () => {
  const { sessions } = make();
  const ada = await visitor(sessions);
  const app = sessions.handler((request, session) => {
    if (request.method === "GET") return new Response(session.subject ?? "nobody");
    session.subject = "a";
    return new Response(null, { status: 303, headers: { location: "/" } });
  });
  const response = await ada.fetch(app, "/login", { method: "POST", redirect: "follow" });
  assertEquals(await response.text(), "a");
});

Deno.test("Visitor.fetch() says where a request comes from", async () => {
  const { sessions } = make({ cookieOptions: { secure: true } });
  const url = "https://www.shop.example/";
  const ada = await visitor(sessions, { subject: "a", url });
  const sent = (from: string, method: string) => {
    const { headers } = ada.request("/", { from, method });
    return [headers.get("sec-fetch-site"), headers.get("origin"), headers.has("cookie")];
  };
  assertEquals(sent("https://evil.example/", "POST"), [
    "cross-site",
    "https://evil.example",
    false,
  ]);
  assertEquals(sent("https://evil.example/", "GET"), ["cross-site", null, true]);
  assertEquals(sent("https://api.shop.example/", "POST"), [
    "same-site",
    "https://api.shop.example",
    true,
  ]);
  assertEquals(sent(url, "POST"), ["same-origin", "https://www.shop.example", true]);
});

Deno.test("Visitor.take() takes the cookies of a response that it did not fetch", async () => {
  const { sessions } = make();
  const ada = await visitor(sessions);
  ada.take(await count(sessions)(ada.request("/")));
  assertEquals((await ada.session())?.get("seen"), 1);
});

Deno.test("Visitor.restartBrowser() drops a session cookie without a lifetime", async () => {
  const { sessions } = make({ cookieOptions: { maxAge: false } });
  const ada = await visitor(sessions, { subject: "a" });
  ada.restartBrowser();
  assertEquals(await ada.session(), undefined);
  const kept = make().sessions;
  const bob = await visitor(kept, { subject: "b" });
  bob.restartBrowser();
  assertEquals((await bob.session())?.subject, "b");
});

Deno.test("fetch() rejects when its signal aborts, and a PAGI app learns that the client has left", async () => {
  const ada = await visitor(make().sessions);
  const controller = new AbortController();
  const seen: unknown[] = [];
  const left = Promise.withResolvers<void>();
  const app: App = async (_scope, receive, send) => {
    await receive();
    await send({ type: "http.response.start", status: 200, headers: [] });
    await send({ type: "http.response.body", body: "data: 1", more: true });
    const leaving = receive();
    controller.abort(new Error("enough"));
    seen.push((await leaving).type);
    left.resolve();
  };
  const init = { signal: controller.signal };
  await assertRejects(() => ada.fetch(app, "/", init), Error, "enough");
  await left.promise;
  assertEquals(seen, ["http.disconnect"]);
  await assertRejects(() => ada.fetch(app, "/", init), Error, "enough");
});
