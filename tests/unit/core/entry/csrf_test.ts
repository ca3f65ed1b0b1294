import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  BearerState,
  CookieStore,
  MemoryStore,
  type NodeRequest,
  Session,
  SessionError,
  type SessionEvent,
  SessionMiddleware,
  type SessionOptions,
  type VerifyCsrfOptions,
} from "@pagi/session";
import { testClock, type Visitor, visitor, type VisitorInit } from "@pagi/session/testing";

const SECRET = "the secret of the tests: 32 bytes or more";
const POST = { method: "POST" };

/** A plain store, as PAGI's. */
function plainStore() {
  const records = new Map<string, Record<string, unknown>>();
  return {
    get: (id: string) => Promise.resolve(records.get(id)),
    set: (id: string, data: Record<string, unknown>) =>
      Promise.resolve(void records.set(id, { ...data })),
    delete: (id: string) => Promise.resolve(void records.delete(id)),
  };
}

/** Sessions, and an app in which each path does one thing and responds with a token. */
function setUp(options: Partial<SessionOptions> = {}, csrf: VerifyCsrfOptions = {}) {
  const clock = testClock();
  const events: SessionEvent[] = [];
  const onEvent = (event: SessionEvent) => void events.push(event);
  const sessions = new SessionMiddleware<{ n: number }>({
    secret: SECRET,
    now: clock.now,
    onEvent,
    ...options,
  });
  const acts: Record<string, (session: Session<{ n: number }>) => unknown> = {
    "/login": (session) => session.subject = "ada",
    "/regenerate": (session) => session.regenerate(),
    "/rotate": (session) => session.rotate(),
    "/restart": (session) => session.restart(),
    "/write": (session) => session.set("n", 1),
    "/save": async (session) => await session.regenerate().set("n", 2).save(),
  };
  const app = sessions.handler(async (request, session) => {
    await sessions.verifyCsrf(request, session, csrf);
    await acts[new URL(request.url).pathname]?.(session);
    return new Response(session.csrfToken());
  });
  const failures = () => events.filter(({ type }) => type === "request-failed");
  return { sessions, app, clock, failures };
}

type App = ReturnType<typeof setUp>["app"];

/** Opens a page, and returns the token on it. */
async function tokenOn(client: Visitor<{ n: number }>, app: App, path = "/"): Promise<string> {
  return await (await client.fetch(app, path)).text();
}

/** The status of the response to a POST with a token. */
async function post(
  client: Visitor<{ n: number }>,
  app: App,
  token?: string,
  init: VisitorInit = {},
): Promise<number> {
  const headers = new Headers(init.headers);
  if (token !== undefined) headers.set("x-csrf-token", token);
  return (await client.fetch(app, "/write", { ...POST, ...init, headers })).status;
}

Deno.test("verifyCsrf() accepts the token of the session in a header and refuses any other", async () => {
  const { sessions, app, failures } = setUp();
  const [ada, eve] = [await visitor(sessions), await visitor(sessions)];
  const token = await tokenOn(ada, app);
  assertEquals(await post(ada, app, token), 200);
  assertEquals(failures(), []);
  const [last] = token.slice(-1);
  const wrong = [
    undefined,
    "",
    "x",
    token.slice(1),
    token + "A",
    token.slice(0, -1) + (last === "A" ? "B" : "A"),
    (token.startsWith("A") ? "B" : "A") + token.slice(1),
    await tokenOn(eve, app),
  ];
  for (const one of wrong) assertEquals(await post(ada, app, one), 403);
  assertEquals(failures().length, wrong.length);
  for (const { message } of failures()) assert(message.includes("ERR_SESSION_CSRF"));
});

Deno.test("verifyCsrf() accepts the form field _csrf and leaves the body to the handler", async () => {
  const { sessions } = setUp();
  const app = sessions.handler(async (request, session) => {
    await sessions.verifyCsrf(request, session);
    if (request.method === "GET") return new Response(session.csrfToken());
    return new Response((await request.formData()).get("name"));
  });
  const ada = await visitor(sessions);
  const _csrf = await tokenOn(ada, app);
  const form = new FormData();
  form.set("_csrf", _csrf);
  form.set("name", "tea");
  for (const body of [form, new URLSearchParams({ _csrf, name: "tea" })]) {
    const response = await ada.fetch(app, "/", { method: "POST", body });
    assertEquals([response.status, await response.text()], [200, "tea"]);
  }
});

Deno.test("verifyCsrf() refuses a form without a token, and one that it cannot read", async () => {
  const { sessions, app } = setUp();
  const ada = await visitor(sessions, { data: { n: 1 } });
  const token = await tokenOn(ada, app);
  const file = new FormData();
  file.set("_csrf", new File([token], "token"));
  const multipart = { "content-type": "multipart/form-data; boundary=x" };
  const json = { "content-type": "application/json" };
  const forms: VisitorInit[] = [
    { body: new URLSearchParams({ csrf: token }) },
    { body: file },
    { body: "--x\r\nbroken", headers: multipart },
    { body: JSON.stringify({ _csrf: token }), headers: json },
    { body: `_csrf=${token}`, headers: { "content-type": "text/plain" } },
  ];
  for (const init of forms) assertEquals(await post(ada, app, undefined, init), 403);
});

Deno.test("verifyCsrf() says what to do when the body of a form was read before", async () => {
  const { sessions } = setUp();
  const ada = await visitor(sessions);
  const app = (options?: (form: FormData) => VerifyCsrfOptions) =>
    sessions.handler(async (request, session) => {
      if (request.method === "GET") return new Response(session.csrfToken());
      const form = await request.formData();
      await sessions.verifyCsrf(request, session, options?.(form));
      return new Response();
    });
  const body = new URLSearchParams({ _csrf: await tokenOn(ada, app()) });
  await assertRejects(
    () => ada.fetch(app(), "/", { method: "POST", body }),
    TypeError,
    "its body was read",
  );
  const fromForm = app((form) => ({ token: form.get("_csrf") }));
  assertEquals((await ada.fetch(fromForm, "/", { method: "POST", body })).status, 200);
});

Deno.test("verifyCsrf() passes methods that change nothing", async () => {
  const { sessions, app } = setUp();
  const ada = await visitor(sessions);
  for (const method of ["GET", "HEAD", "OPTIONS"]) {
    assertEquals((await ada.fetch(app, "/", { method, from: "https://evil.example" })).status, 200);
  }
  for (const method of ["POST", "PUT", "PATCH", "DELETE", "get-it"]) {
    assertEquals((await ada.fetch(app, "/", { method })).status, 403, method);
  }
});

Deno.test("verifyCsrf() refuses a page of another origin although it has the token", async () => {
  const { sessions, app } = setUp();
  const url = "https://www.shop.example/";
  const ada = await visitor(sessions, { url });
  const token = await tokenOn(ada, app);
  for (
    const from of ["https://evil.example", "https://api.shop.example", "http://www.shop.example"]
  ) {
    // Without the browser's own header, as in older browsers, Origin decides.
    for (const names of [["origin", "sec-fetch-site"], ["origin"]]) {
      const { headers } = ada.request("/", { ...POST, from });
      const sent = Object.fromEntries(names.map((name) => [name, headers.get(name)!]));
      assertEquals(await post(ada, app, token, { headers: sent }), 403, from);
    }
  }
  const own = { from: url };
  assertEquals(await post(ada, app, token, own), 200);
  assertEquals(await post(ada, app, token, { headers: { "sec-fetch-site": "none" } }), 200);
  assertEquals(await post(ada, app, undefined, own), 403);
});

Deno.test("verifyCsrf() compares Origin with the host when there is no Sec-Fetch-Site", async () => {
  const { sessions, app } = setUp();
  const ada = await visitor(sessions, { url: "http://10.0.0.7:8000/" });
  const token = await tokenOn(ada, app);
  const status = (headers: Record<string, string>) => post(ada, app, token, { headers });
  assertEquals(await status({ origin: "http://10.0.0.7:8000" }), 200);
  for (const origin of ["null", "http://10.0.0.7", "https://evil.example", "x", "file://", ""]) {
    assertEquals(await status({ origin }), 403, origin);
  }
  const origin = "https://shop.example";
  for (
    const [name, value, expected] of [
      ["host", "shop.example", 200],
      ["host", "shop.example:443", 200],
      ["host", "shop.example:80", 403],
      ["x-forwarded-host", "shop.example, 10.0.0.7", 200],
      ["x-forwarded-host", "shop.example.evil.example", 403],
      ["x-forwarded-host", "]", 403],
    ] as const
  ) {
    assertEquals(await status({ origin, [name]: value }), expected, `${name}: ${value}`);
  }
});

Deno.test("verifyCsrf() accepts the origins that it is given, with a token", async () => {
  const { sessions, app } = setUp({ cookieOptions: { domain: "shop.example", secure: true } }, {
    origins: ["https://www.shop.example"],
  });
  const ada = await visitor(sessions, { url: "https://api.shop.example/", data: { n: 0 } });
  const token = await tokenOn(ada, app);
  const from = "https://www.shop.example/";
  assertEquals(await post(ada, app, token, { from }), 200);
  assertEquals(await post(ada, app, undefined, { from }), 403);
  assertEquals(await post(ada, app, token, { from: "https://old.shop.example/" }), 403);
});

Deno.test("csrfToken() returns another text each time, and all are valid", async () => {
  const { sessions, app } = setUp();
  const ada = await visitor(sessions);
  const tokens = [];
  for (let count = 0; count < 5; count++) tokens.push(await tokenOn(ada, app));
  assertEquals(new Set(tokens).size, 5);
  for (const token of tokens) {
    assertEquals(/^[0-9a-f]{64}$/.test(token), true);
    assertEquals(await post(ada, app, token), 200);
  }
});

Deno.test("csrfToken() saves a new session and writes nothing into a stored one", async () => {
  const store = new MemoryStore();
  const { sessions, app } = setUp({ store });
  const ada = await visitor(sessions);
  await tokenOn(ada, app);
  assertEquals(store.size, 1);
  assertEquals((await ada.session())?.keys(), []);
  const calls: string[] = [];
  const counting = new Proxy(store, {
    get(target, name) {
      const value = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        calls.push(String(name));
        return value.apply(target, args);
      };
    },
  });
  const again = setUp({ store: counting });
  assertEquals((await ada.fetch(again.app, "/")).headers.has("set-cookie"), false);
  assertEquals(calls.filter((name) => name !== "read" && name !== "accepts"), []);
});

for (
  const [name, options] of [
    ["MemoryStore", () => ({})],
    ["CookieStore", () => ({ store: new CookieStore({ secret: SECRET }) })],
    ["a plain store", () => ({ store: plainStore() })],
  ] as [string, () => Partial<SessionOptions>][]
) {
  Deno.test(`csrfToken() is invalid after a login and a regeneration, with ${name}`, async () => {
    for (const path of ["/login", "/regenerate", "/save"]) {
      const { sessions, app } = setUp(options());
      const ada = await visitor(sessions, { data: { n: 0 } });
      const before = await tokenOn(ada, app);
      const after = await tokenOn(ada, app, path);
      assertEquals(await post(ada, app, before), 403, path);
      assertEquals(await post(ada, app, after), 200, path);
      assertEquals(await post(ada, app, await tokenOn(ada, app)), 200, path);
    }
  });

  Deno.test(`csrfToken() of a new session is valid after its first response, with ${name}`, async () => {
    for (const path of ["/", "/login", "/regenerate", "/rotate", "/restart", "/write", "/save"]) {
      const { sessions, app } = setUp(options());
      const ada = await visitor(sessions);
      assertEquals(await post(ada, app, await tokenOn(ada, app, path)), 200, path);
    }
  });

  Deno.test(`csrfToken() of a restarted session belongs to the new one, with ${name}`, async () => {
    const { sessions, app } = setUp(options());
    const ada = await visitor(sessions, { data: { n: 0 } });
    const before = await tokenOn(ada, app);
    const after = await tokenOn(ada, app, "/restart");
    assertEquals(await post(ada, app, before), 403);
    assertEquals(await post(ada, app, after), 200);
  });

  Deno.test(`csrfToken() of a rotation is valid with ${name}`, async () => {
    const { sessions, app } = setUp(options());
    const ada = await visitor(sessions, { data: { n: 0 } });
    const before = await tokenOn(ada, app);
    const after = await tokenOn(ada, app, "/rotate");
    // Each new ID of a plain store is another key.
    assertEquals(await post(ada, app, before), name === "a plain store" ? 403 : 200);
    assertEquals(await post(ada, app, after), 200);
  });
}

Deno.test("csrfToken() stays valid when values change and time passes", async () => {
  const { sessions, app, clock } = setUp({ rotateInterval: 600 });
  const ada = await visitor(sessions, { data: { n: 0 } });
  const token = await tokenOn(ada, app);
  await sessions.update((await ada.session())!, (data) => void (data.n = 5));
  const before = (await ada.session())?.id;
  clock.advance(1000);
  await ada.fetch(app, "/", { headers: { "sec-fetch-dest": "document" } });
  assert((await ada.session())?.id !== before);
  assertEquals(await post(ada, app, token), 200);
});

Deno.test("csrfToken() is valid while a secret is being replaced", async () => {
  const store = new MemoryStore();
  const next = "another secret of the tests: 32 bytes";
  const [old, both] = [setUp({ store }), setUp({ store, secret: [next, SECRET] })];
  const ada = await visitor(old.sessions, { data: { n: 0 } });
  const token = await tokenOn(ada, old.app);
  assertEquals(await post(ada, both.app, token), 200);
  assertEquals(await post(ada, old.app, await tokenOn(ada, both.app)), 403);
  assertEquals(await post(ada, setUp({ store, secret: next }).app, token), 403);
});

Deno.test("csrfToken() lets a client with a replaced ID sign in", async () => {
  const { sessions, app } = setUp();
  const ada = await visitor(sessions, { data: { n: 0 } });
  const cookie = ada.request().headers.get("cookie")!;
  const current = await tokenOn(ada, app, "/regenerate");
  // The response was lost.
  const lost = await visitor(sessions);
  const headers = { cookie };
  const token = await (await lost.fetch(app, "/", { headers })).text();
  assertEquals(await post(lost, app, current, { headers }), 403);
  assertEquals(await post(ada, app, token), 403);
  const login = { ...POST, headers: { cookie, "x-csrf-token": token } };
  assertEquals((await lost.fetch(app, "/login", login)).status, 200);
  assertEquals((await lost.session())?.subject, "ada");
});

Deno.test("csrfToken() waits for an asynchronous generateId with advice", async () => {
  const newId = () => crypto.randomUUID().replaceAll("-", "");
  const generateId = () => Promise.resolve(newId() + newId());
  const { sessions, app } = setUp({ generateId });
  const ada = await visitor(sessions, { data: { n: 0 } });
  await assertRejects(
    () => ada.fetch(app, "/restart"),
    TypeError,
    "Call await session.save() first",
  );
  assertEquals(await post(ada, app, await tokenOn(ada, app, "/save")), 200);
});

Deno.test("csrfToken() works on sessions for reading if they are stored", async () => {
  const { sessions, app } = setUp();
  const ada = await visitor(sessions, { data: { n: 0 } });
  assertEquals(await post(ada, app, (await ada.session())!.csrfToken()), 200);
  const empty = await sessions.open({ headers: {}, upgrade: true });
  const error = assertThrows(() => empty.session.csrfToken(), SessionError);
  assertEquals(error.code, "ERR_SESSION_READ_ONLY");
});

Deno.test("csrfToken() throws when a new session can no longer be saved", async () => {
  const { sessions } = setUp();
  let late: Session<{ n: number }>;
  await sessions.run(new Request("http://localhost/"), (session) => {
    late = session;
    return new Response();
  });
  const error = assertThrows(() => late.csrfToken(), SessionError);
  assertEquals(error.code, "ERR_SESSION_COMMITTED");
});

Deno.test("csrfToken() of Session.fromData() is a text", () => {
  assertEquals(typeof Session.fromData({}).csrfToken(), "string");
});

Deno.test("verifyCsrf() reads the header and the parsed body of a Node request", async () => {
  const { sessions, app } = setUp();
  const ada = await visitor(sessions, { data: { n: 0 } });
  const _csrf = await tokenOn(ada, app);
  const { cookie } = Object.fromEntries(ada.request().headers) as { cookie: string };
  const verify = async (request: Partial<NodeRequest>) => {
    const headers = { cookie, host: "localhost", ...request.headers };
    const whole = { method: "POST", url: "/", ...request, headers };
    const open = await sessions.open(whole);
    try {
      await sessions.verifyCsrf(whole, open.session);
      return "passed";
    } catch (error) {
      return (error as SessionError).code;
    } finally {
      await open.abort();
    }
  };
  assertEquals(await verify({ headers: { "x-csrf-token": _csrf } }), "passed");
  assertEquals(await verify({ body: { _csrf } }), "passed");
  for (const body of [undefined, null, "_csrf", { _csrf: [_csrf] }, { _csrf: "x" }, {}]) {
    assertEquals(await verify({ body }), "ERR_SESSION_CSRF");
  }
  const foreign = { "x-csrf-token": _csrf, origin: "https://evil.example" };
  assertEquals(await verify({ headers: foreign }), "ERR_SESSION_CSRF");
});

Deno.test("verifyCsrf() takes the token of a PAGI app as an option", async () => {
  const { sessions, app } = setUp();
  const ada = await visitor(sessions, { data: { n: 0 } });
  const token = await tokenOn(ada, app);
  const pagi = sessions.wrap(async (scope, receive, send) => {
    const { body } = await receive();
    const form = new URLSearchParams(new TextDecoder().decode(body as Uint8Array));
    const session = new Session<{ n: number }>(scope);
    const options = { token: form.get("t") };
    const isAccepted = await sessions.verifyCsrf(scope, session, options).then(
      () => true,
      () => false,
    );
    await send({ type: "http.response.start", status: isAccepted ? 200 : 403, headers: [] });
    await send({ type: "http.response.body", body: "" });
  });
  const send = async (t: string) => {
    const body = new URLSearchParams({ t });
    return (await ada.fetch(pagi, "/", { method: "POST", body })).status;
  };
  assertEquals([await send(token), await send("x")], [200, 403]);
});

Deno.test("verifyCsrf() checks the origin of a WebSocket's handshake", async () => {
  const { sessions } = setUp();
  const ada = await visitor(sessions, { data: { n: 0 }, url: "https://shop.example/" });
  const verify = async (headers: HeadersInit) => {
    const request = ada.request("/chat", { headers });
    await sessions.verifyCsrf(request, (await sessions.load(request))!);
  };
  const upgrade = "websocket";
  await verify({ upgrade, origin: "https://shop.example" });
  await assertRejects(() => verify({ upgrade, origin: "https://evil.example" }), SessionError);
  const site = { upgrade, "sec-fetch-site": "same-site" };
  await assertRejects(() => verify(site), SessionError);
});

Deno.test("verifyCsrf() passes a request whose ID came in a header", async () => {
  const { sessions, app } = setUp({ state: new BearerState() });
  const ada = await visitor(sessions, { data: { n: 0 } });
  assertEquals(await post(ada, app), 200);
});

Deno.test("verifyCsrf() refuses wrong arguments", async () => {
  const { sessions } = setUp();
  const other = setUp();
  const request = new Request("http://localhost/", POST);
  const verify = (session: unknown, options?: unknown) =>
    sessions.verifyCsrf(request, session as never, options as never);
  await assertRejects(() => verify({}), TypeError, "expected a Session");
  await assertRejects(() => verify(undefined), TypeError, "expected a Session");
  await assertRejects(() => verify(Session.fromData({})), TypeError, "this middleware");
  await other.sessions.run(request, async (session) => {
    await assertRejects(() => verify(session), TypeError, "this middleware");
    return new Response();
  });
  await sessions.run(request, async (session) => {
    await assertRejects(() => verify(session, { origin: "x" }), TypeError, '"origin"');
    for (const origins of ["https://a.example", ["a.example"], ["https://a.example/"], [7]]) {
      await assertRejects(() => verify(session, { origins }), TypeError, "list of origins");
    }
    const error = await assertRejects(() => verify(session, { token: 7 }), SessionError);
    assertEquals(error.code, "ERR_SESSION_CSRF");
    return new Response();
  });
});

Deno.test("verifyCsrf() refuses a request with several session IDs", async () => {
  const { sessions, app } = setUp();
  const [ada, eve] = [
    await visitor(sessions, { data: { n: 0 } }),
    await visitor(sessions, { data: { n: 0 } }),
  ];
  const token = await tokenOn(ada, app);
  const cookie = eve.request().headers.get("cookie")!;
  assertEquals(await post(ada, app, token, { headers: { cookie } }), 403);
  assertEquals((await ada.fetch(app, "/", { headers: { cookie } })).status, 400);
});
