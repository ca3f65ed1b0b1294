import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import {
  type CookieOptions,
  CookieState,
  MemoryStore,
  Session,
  SessionMiddleware,
} from "@pagi/session";
import { abortSession, expressSession } from "@pagi/session/express";
import { cookieOf, rig, SECRET } from "../../_kit/helpers.ts";
import { nodeResponse, slow } from "../../_kit/node_response.ts";

// deno-lint-ignore no-explicit-any -- as code for express-session sees a request
type Any = any;

const DAY = 86_400;

interface Visit {
  cookie?: string;
  options?: Any;
  /** A middleware of these sessions, by default a new one with these options. */
  middleware?: Any;
}

/** Runs a handler behind the middleware. Resolves to its request and its Set-Cookie headers. */
async function visit(
  sessions: SessionMiddleware,
  handle: (req: Any, res: Any) => unknown,
  { cookie = "", options = {}, middleware }: Visit = {},
) {
  const req: Any = { method: "GET", url: "/", headers: { cookie } };
  const { res, headers } = nodeResponse();
  const open = middleware ?? expressSession(sessions, { compat: true, ...options });
  const error = await new Promise<unknown>((resolve) => {
    open(req, res as Any, (error?: unknown) => {
      if (error !== undefined) {
        resolve(error);
        return void res.end();
      }
      Promise.resolve(handle(req, res)).then(() => {
        res.once("close", () => resolve(undefined));
        res.end();
      });
    });
  });
  const set = [headers.get("set-cookie") ?? []].flat() as string[];
  return { req, set, cookie: set.length > 0 ? cookieOf(set.at(-1)!) : cookie, error };
}

/** Calls a method of `req.session`. Resolves to the error that its callback gets. */
function call(req: Any, method: string): Promise<Any> {
  return new Promise((resolve) => req.session[method](resolve));
}

/** Lets what was started go on. */
const turn = () => new Promise((resolve) => setTimeout(resolve));

const show = async (sessions: SessionMiddleware, cookie: string) => {
  const { cookie: _, ...values } = (await sessions.load(
    { headers: { cookie } },
  ))?.data ?? {} as Any;
  return Object.fromEntries(Object.entries(values).filter(([key]) => !key.startsWith("_")));
};

Deno.test("expressSession() refuses options that it does not know or that need compat", () => {
  const { sessions } = rig();
  const make = (options: Any) => () => expressSession(sessions, options);
  assertThrows(make({ compat: "yes" }), TypeError, "compat must be true or false");
  assertThrows(make({ compat: true, resave: false }), TypeError, 'no option "resave"');
  assertThrows(make({ compat: true, unset: "drop" }), TypeError, '"keep" or "destroy"');
  assertThrows(make({ compat: true, subject: "user" }), TypeError, "must be a function");
  assertThrows(make({ unset: "keep" }), TypeError, "unset needs compat: true");
  assertThrows(make(null), TypeError, "options must be an object");
});

Deno.test("req.session saves each property on its own", async () => {
  const { sessions } = rig();
  const { cookie } = await visit(sessions, ({ session }) => {
    Object.assign(session, { a: 1, nested: { list: [1] }, gone: 1, _own: 1 });
  });
  await visit(sessions, async ({ session }) => {
    session.nested.list.push(2);
    delete session.gone;
    await visit(sessions, ({ session }) => session.other = 1, { cookie });
  }, { cookie });
  assertEquals(await show(sessions, cookie), { a: 1, nested: { list: [1, 2] }, other: 1 });
  assertEquals((await visit(sessions, ({ session }) => session._own, { cookie })).set, []);
});

Deno.test("req.session hides no method behind a key of the same name, and keeps the key", async () => {
  const { sessions, signIn } = rig();
  const cookie = await signIn();
  await sessions.update(
    (await sessions.load({ headers: { cookie } }))!,
    (data: Any) => data.save = "text",
  );
  const { req, error } = await visit(sessions, (req) => {
    req.session.a = 1;
    return call(req, "save");
  }, { cookie });
  assertEquals([error, typeof req.session.save], [undefined, "function"]);
  assertEquals(await show(sessions, cookie), { n: 1, save: "text", a: 1 });
});

Deno.test("req.session.regenerate() keeps nothing, for a session with a user too", async () => {
  const { sessions, clock } = rig({ absoluteExpire: 100 });
  const options = { subject: ({ user }: { user?: string }) => user };
  const first = await visit(sessions, (req) => {
    Object.assign(req.session, { user: "ada", _own: 1 });
    return call(req, "save");
  }, { options });
  assertEquals((await sessions.list("ada")).length, 1);
  clock.advance(60);
  const second = await visit(sessions, async (req) => {
    const { id } = req.session;
    assertEquals(await call(req, "regenerate"), undefined);
    assert(req.session.id !== id);
    assertEquals(Object.keys(req.session), ["cookie"]);
  }, { cookie: first.cookie, options });
  assertEquals(second.set.length, 1);
  assert(second.cookie !== first.cookie);
  assertEquals(await sessions.list("ada"), []);
  // Its absolute lifetime begins again.
  clock.advance(60);
  assert(await sessions.load({ headers: { cookie: second.cookie } }) !== undefined);
  assertEquals(await sessions.load({ headers: { cookie: first.cookie } }), undefined);
});

Deno.test("req.session.regenerate() keeps nothing that another request adds at that time", async () => {
  const { sessions, signIn } = rig();
  const cookie = await signIn();
  const { cookie: after } = await visit(sessions, async (req) => {
    assertEquals(req.session.n, 1);
    await visit(sessions, ({ session }) => session.added = 1, { cookie });
    assertEquals(await call(req, "regenerate"), undefined);
  }, { cookie });
  assert(after !== cookie);
  assertEquals(await show(sessions, after), {});
});

Deno.test("req.session writes after a save() only what has changed since", async () => {
  const { sessions, signIn } = rig();
  const cookie = await signIn();
  await visit(sessions, async (req) => {
    req.session.a = 1;
    await call(req, "save");
    await visit(sessions, ({ session }) => Object.assign(session, { a: 2, n: 2 }), { cookie });
    req.session.b = 1;
  }, { cookie });
  assertEquals(await show(sessions, cookie), { a: 2, n: 2, b: 1 });
});

Deno.test("Passport's user becomes the subject, if it is an id", async () => {
  for (
    const [user, subject] of [["u7", "u7"], [7, "7"], [{ id: 7 }, undefined], ["", undefined]]
  ) {
    const { sessions } = rig();
    const { cookie } = await visit(sessions, (req) => req.session.passport = { user });
    assertEquals((await sessions.load({ headers: { cookie } }))?.subject, subject);
    const after = await visit(sessions, (req) => delete req.session.passport.user, { cookie });
    assertEquals((await sessions.load({ headers: { cookie: after.cookie } }))?.subject, undefined);
    assertEquals(after.cookie === cookie, subject === undefined);
  }
});

Deno.test("a subject that the app did not set stays when other data change", async () => {
  const { sessions } = rig();
  const headers = new Headers();
  const open = await sessions.open({ headers: {} });
  open.session.subject = "ada";
  await open.commit(headers);
  const cookie = cookieOf(headers.getSetCookie()[0]!);
  await visit(sessions, (req) => req.session.a = 1, { cookie });
  assertEquals((await sessions.load({ headers: { cookie } }))?.subject, "ada");
});

Deno.test("operations of req.session run one after the other", async () => {
  const { sessions } = rig({ store: slow() });
  const order: string[] = [];
  const { cookie, set } = await visit(sessions, ({ session }) => {
    session.a = 1;
    session.save(() => order.push("saved"));
    session.regenerate(() => order.push("regenerated"));
    session.save(() => order.push("saved again"));
  });
  assertEquals([order, set.length], [["saved", "regenerated", "saved again"], 1]);
  assertEquals(await show(sessions, cookie), {});
});

Deno.test("a save() that fails in the background fails the response", async () => {
  const { sessions, events } = rig({ store: slow("create") });
  const { error, set } = await visit(sessions, ({ session }) => {
    session.a = 1;
    session.save();
  });
  assertEquals([(error as Any).code, set], ["ERR_SESSION_STORE", []]);
  assert(events.includes("request-failed"));
});

Deno.test("a reload() that fails in the background fails the response", async () => {
  const { sessions } = rig();
  const { error } = await visit(sessions, ({ session }) => void session.reload());
  assertEquals((error as Error).message, "failed to load session");
});

Deno.test("abortSession() discards what req.session has, and keeps what save() has saved", async () => {
  const { sessions, store } = rig();
  const abort = (req: Any) => new Promise<void>((done) => abortSession(1, req, {}, () => done()));
  const none = await visit(sessions, (req) => {
    req.session.a = 1;
    return abort(req);
  });
  assertEquals([none.set, store.size], [[], 0]);
  const { cookie } = await visit(sessions, async (req) => {
    req.session.a = 1;
    await call(req, "save");
    req.session.b = 1;
    await abort(req);
  });
  assertEquals(await show(sessions, cookie), { a: 1 });
});

Deno.test("req.sessionStore ends a session by its id, and begins a new one", async () => {
  const { sessions, signIn, store } = rig();
  const cookie = await signIn();
  await visit(sessions, async (req) => {
    const { id } = req.session;
    await new Promise((resolve) => req.sessionStore.regenerate(req, resolve));
    assert(req.sessionID !== id);
    const other = (await signIn()).split("=")[1];
    await new Promise((resolve) => req.sessionStore.destroy(other, resolve));
  }, { cookie });
  assertEquals(store.size, 1);
});

Deno.test("req.session.destroy() cannot be undone by a session that the app has kept", async () => {
  const { sessions, signIn, store } = rig();
  const { set } = await visit(sessions, async (req) => {
    const { session } = req;
    await call(req, "destroy");
    session.a = 1;
    const error = await new Promise<Any>((resolve) => session.save(resolve));
    assertEquals([error.code, req.session], ["ERR_SESSION_COMMITTED", undefined]);
  }, { cookie: await signIn() });
  assertEquals([set.map(cookieOf), store.size], [["pagi_session="], 0]);
});

/** A middleware whose cookie has these options. */
function withCookie(cookieOptions: CookieOptions) {
  return new SessionMiddleware({
    secret: SECRET,
    store: new MemoryStore(),
    state: new CookieState({ cookieName: "sid", cookieOptions }),
    onEvent() {},
  });
}

Deno.test("req.session.cookie begins with the attributes of the middleware's cookie", async () => {
  const sessions = withCookie({
    path: "/a",
    domain: "example.com",
    secure: true,
    sameSite: "None",
    partitioned: true,
    priority: "High",
    maxAge: 60,
  });
  const { req, set } = await visit(sessions, (req) => req.session.a = 1);
  const { expires, ...data } = JSON.parse(JSON.stringify(req.session)).cookie;
  assertEquals(data, {
    originalMaxAge: 60_000,
    path: "/a",
    domain: "example.com",
    httpOnly: true,
    secure: true,
    sameSite: "none",
    partitioned: true,
    priority: "high",
  });
  assert(expires !== null);
  assertMatch(
    set[0]!,
    /^sid=\w{64}; Path=\/a; Domain=example.com; HttpOnly; Secure; SameSite=None; Partitioned; Priority=High; Max-Age=60; Expires=\w{3}, [^;]+ GMT$/,
  );
});

Deno.test("req.session.cookie gives other attributes to a session's cookie and to its removal", async () => {
  const sessions = withCookie({ maxAge: false });
  const { cookie, set } = await visit(sessions, (req) => {
    assertEquals([req.session.cookie.maxAge, req.session.cookie.expires], [null, null]);
    req.session.cookie.path = "/app";
    req.session.cookie.domain = ".example.com";
  });
  assertMatch(set[0]!, /^sid=\w{64}; Path=\/app; Domain=example.com; HttpOnly; SameSite=Lax$/);
  const changed = await visit(sessions, (req) => req.session.cookie.httpOnly = false, { cookie });
  assertMatch(changed.set[0]!, /^sid=\w{64}; Path=\/app; Domain=example.com; SameSite=Lax$/);
  const { set: cleared } = await visit(sessions, (req) => call(req, "destroy"), { cookie });
  assertMatch(cleared[0]!, /^sid=; Path=\/app; Domain=example.com; .*Max-Age=0$/);
});

Deno.test("req.session.cookie.maxAge counts from the last request, and is in milliseconds", async () => {
  const { sessions } = rig();
  const { cookie, set } = await visit(sessions, (req) => {
    const { cookie } = req.session;
    cookie.maxAge = 90_500;
    assertEquals([cookie.originalMaxAge, cookie.maxAge > 90_000], [90_500, true]);
    cookie.expires = new Date(Date.now() + 5_000);
    req.session.touch();
    assert(cookie.maxAge > 4_000 && cookie.maxAge <= 5_000);
    cookie.maxAge = 90_500;
    assertThrows(() => cookie.maxAge = "1d", TypeError, "maxAge");
  });
  assertMatch(set[0]!, /; Max-Age=91; Expires=/);
  const { req, set: again } = await visit(sessions, (req) => req.session.a = 1, { cookie });
  // Nothing about the cookie has changed, so that it is not sent again.
  assertEquals([req.session.cookie.originalMaxAge, again], [91_000, []]);
  const ended = await visit(sessions, (req) => req.session.cookie.expires = null, { cookie });
  assertMatch(ended.set[0]!, /SameSite=Lax$/);
});

Deno.test("req.session.cookie.maxAge is the lifetime of the stored session, too", async () => {
  const { sessions, clock } = rig();
  const lives = async (cookie: string) =>
    await sessions.load({ headers: { cookie } }) !== undefined;
  const { cookie } = await visit(sessions, (req) => {
    req.session.a = 1;
    req.session.cookie.maxAge = 30 * DAY * 1000;
  });
  clock.advance(20 * DAY);
  const later = await visit(sessions, (req) => req.session.a = 2, { cookie });
  assertEquals(later.req.session.cookie.originalMaxAge, 30 * DAY * 1000);
  clock.advance(20 * DAY);
  assert(await lives(cookie));
  // The middleware's own idle time, and a cookie that ends with the browser.
  const { set } = await visit(sessions, (req) => req.session.cookie.maxAge = null, { cookie });
  assertMatch(set[0]!, /SameSite=Lax$/);
  clock.advance(3500);
  assert(await lives(cookie));
  clock.advance(DAY);
  assertEquals(await lives(cookie), false);
});

Deno.test("req.session.cookie.maxAge stays when a user signs in, and ends with regenerate()", async () => {
  const { sessions } = rig();
  const options = { subject: ({ user }: { user?: string }) => user };
  const first = await visit(sessions, (req) => {
    req.session.cookie.maxAge = 30 * DAY * 1000;
    return call(req, "save");
  }, { options });
  const second = await visit(sessions, (req) => req.session.user = "ada", {
    cookie: first.cookie,
    options,
  });
  assert(second.cookie !== first.cookie);
  assertMatch(second.set[0]!, /Max-Age=2592000/);
  const session = await sessions.load({ headers: { cookie: second.cookie } });
  assertEquals([session?.subject, session?.lifetime?.idle], ["ada", 30 * DAY]);

  const third = await visit(sessions, async (req) => {
    await call(req, "regenerate");
    assertEquals(req.session.cookie.originalMaxAge, 3_600_000);
  }, { cookie: second.cookie, options });
  assertMatch(third.set[0]!, /Max-Age=3600/);
  const { cookie } = await visit(sessions, (req) => req.session.cookie.maxAge = DAY * 1000);
  const stranger = await visit(sessions, (req) => call(req, "regenerate"), { cookie });
  assertMatch(stranger.set[0]!, /Max-Age=3600/);
  assertEquals((await sessions.load({ headers: { cookie: third.cookie } }))?.lifetime, undefined);
});

Deno.test("req.session.cookie.maxAge may be longer than a session can live, or in the past", async () => {
  for (const [maxAge, idle, sent] of [[50 * 365 * DAY, 3650 * DAY, 400 * DAY], [-DAY, 1, 0]]) {
    const { sessions } = rig();
    const { set } = await visit(sessions, (req) => {
      req.session.a = 1;
      req.session.cookie.maxAge = maxAge! * 1000;
    });
    assertMatch(set[0]!, new RegExp(`Max-Age=${sent};`));
    const session = await sessions.load({ headers: { cookie: cookieOf(set[0]!) } });
    assertEquals(session?.lifetime, { idle, persistent: true });
  }
});

Deno.test("a cookie that browsers would refuse fails the response before anything is saved", async () => {
  const { sessions, store } = rig();
  for (const attributes of [{ sameSite: "none" }, { domain: "a;b" }, { maxAge: NaN }]) {
    const { error, set } = await visit(sessions, (req) => {
      Object.assign(req.session.cookie, attributes);
      req.session.a = 1;
    });
    assert(error instanceof TypeError);
    assertEquals([set, store.size], [[], 0]);
  }
});

Deno.test("req.session.cookie.serialize() escapes the value", async () => {
  const { req } = await visit(rig().sessions, () => {});
  req.session.cookie.maxAge = null;
  assertEquals(
    req.session.cookie.serialize("name", "a b;"),
    "name=a%20b%3B; Path=/; HttpOnly; SameSite=Lax",
  );
});

Deno.test("a cookie without a lifetime is sent again only if the client does not have it", async () => {
  const sessions = new SessionMiddleware({
    secret: SECRET,
    touchInterval: 0,
    cookieOptions: { maxAge: false },
  });
  const first = await visit(sessions, (req) => req.session.a = 1);
  assertEquals(first.set.length, 1);
  const again = await visit(sessions, (req) => req.session.a = 2, {
    cookie: `x=1; ${first.cookie}`,
  });
  assertEquals(again.set, []);
});

Deno.test("of() returns req.session, and throws for a request from elsewhere", async () => {
  const { sessions } = rig();
  const middleware = expressSession(sessions, { compat: true });
  const req: Any = { method: "GET", url: "/", headers: {} };
  await new Promise<void>((next) => middleware(req, nodeResponse().res as Any, () => next()));
  assert(middleware.of(req) === req.session);
  await assertRejects(async () =>
    await Promise.resolve().then(() => middleware.of({ headers: {} }))
  );
});

Deno.test("req.session.cookie takes what express-session takes as the end of its lifetime", async () => {
  const hour = 3_600_000;
  const ends: [name: string, (cookie: Any) => void, maxAge: number | undefined][] = [
    ["maxAge = null", (cookie) => cookie.maxAge = null, undefined],
    ["maxAge = false", (cookie) => cookie.maxAge = false, undefined],
    ["expires = false", (cookie) => cookie.expires = false, undefined],
    ["expires = null", (cookie) => cookie.expires = null, undefined],
    ["maxAge = 0", (cookie) => cookie.maxAge = 0, 0],
    ["maxAge = Date", (cookie) => cookie.maxAge = new Date(Date.now() + hour / 2), 1800],
    ["expires = Date", (cookie) => cookie.expires = new Date(Date.now() + hour / 2), 1800],
    ["expires = text", (cookie) => cookie.expires = new Date(Date.now() + hour / 2).toJSON(), 1800],
    ["expires = number", (cookie) => cookie.expires = Date.now() + hour / 2, 1800],
  ];
  for (const [name, assign, maxAge] of ends) {
    const { sessions, signIn } = rig();
    const { set } = await visit(sessions, ({ session }) => assign(session.cookie), {
      cookie: await signIn(),
    });
    const found = /Max-Age=(\d+)/.exec(set[0]!)?.[1];
    assertEquals(found === undefined ? undefined : Number(found), maxAge, name);
  }
});

Deno.test("req.session.cookie = { … } gives the session's cookie other attributes", async () => {
  const copies: [name: string, (cookie: Any) => unknown][] = [
    ["attributes", () => ({ maxAge: 5000, path: "/shop" })],
    ["JSON", (cookie) => {
      Object.assign(cookie, { maxAge: 5000, path: "/shop" });
      return JSON.parse(JSON.stringify(cookie));
    }],
    ["structuredClone", (cookie) => {
      Object.assign(cookie, { maxAge: 5000, path: "/shop" });
      return structuredClone(cookie);
    }],
    ["the cookie itself", (cookie) => Object.assign(cookie, { maxAge: 5000, path: "/shop" })],
  ];
  for (const [name, copy] of copies) {
    const { sessions, signIn } = rig();
    const { set, req } = await visit(sessions, ({ session }) => {
      session.cookie = copy(session.cookie);
    }, { cookie: await signIn() });
    assertMatch(set[0]!, /; Path=\/shop; HttpOnly; SameSite=Lax; Max-Age=5;/, name);
    assertEquals(req.session.cookie.originalMaxAge, 5000, name);
  }
  const { sessions } = rig();
  const { error } = await visit(sessions, ({ session }) => {
    assertThrows(() => session.cookie = null, TypeError, "expected an object of attributes");
    assertThrows(() => session.cookie = "chocolate", TypeError, "got a string");
  });
  assertEquals(error, undefined);
});

Deno.test("req.session.cookie stays when the app deletes all properties", async () => {
  const { sessions, signIn } = rig();
  const cookie = await signIn();
  const { req, error } = await visit(sessions, ({ session }) => {
    for (const key of Object.keys(session)) delete session[key];
    session.a = 1;
  }, { cookie });
  assertEquals([error, typeof req.session.cookie.maxAge], [undefined, "number"]);
  assertEquals(await show(sessions, cookie), { a: 1 });
});

Deno.test("req.session starts with the middleware's cookie if a key cookie holds something else", async () => {
  const { sessions, signIn } = rig();
  const cookie = await signIn();
  await sessions.update(
    (await sessions.load({ headers: { cookie } }))!,
    (data: Any) => data.cookie = "chocolate",
  );
  const { req, error } = await visit(sessions, ({ session }) => session.a = 1, { cookie });
  assertEquals([error, req.session.cookie.path], [undefined, "/"]);
});

Deno.test("copies and wrappers of req.session work", async () => {
  const { sessions, signIn } = rig();
  const cookie = await signIn();
  await visit(sessions, async (req) => {
    const { session } = req;
    const { cookie: copied, ...values } = structuredClone(session);
    assertEquals([values, typeof copied.originalMaxAge], [{ n: 1 }, "number"]);
    // As lodash's cloneDeep makes it.
    const cloned = Object.assign(Object.create(Object.getPrototypeOf(session.cookie)), {
      ...session.cookie,
    });
    assertEquals(typeof cloned.maxAge, "number");
    assertEquals(cloned.toJSON(), session.cookie.toJSON());
    for (const wrapper of [new Proxy(session, {}), Object.create(session)]) {
      session.a = (session.a ?? 0) + 1;
      assertEquals(await new Promise((resolve) => wrapper.save(resolve)), undefined);
    }
    // A library puts the same session in its place.
    Object.defineProperty(req, "session", { value: session, configurable: true });
    session.b = 1;
  }, { cookie });
  assertEquals(await show(sessions, cookie), { n: 1, a: 2, b: 1 });
});

Deno.test("a method of req.session with null for a callback is one without", async () => {
  const { sessions, signIn } = rig();
  const cookie = await signIn();
  const { error } = await visit(sessions, async ({ session }) => {
    session.a = 1;
    session.save(null);
    await call({ session }, "save");
  }, { cookie });
  assertEquals(error, undefined);
  assertEquals(await show(sessions, cookie), { n: 1, a: 1 });
});

Deno.test("changes of req.session while the response streams are saved at its end", async () => {
  const { sessions, signIn } = rig();
  for (const cookie of ["", await signIn()]) {
    const { cookie: after } = await visit(sessions, async (req, res) => {
      req.session.a = 1;
      res.write("first");
      await turn();
      req.session.a = 2;
      req.session.b = 1;
    }, { cookie });
    await turn();
    const { n: _, ...values } = await show(sessions, after);
    assertEquals(values, { a: 2, b: 1 });
  }
});

Deno.test("changes at the end of a response overwrite nothing that was saved in the meantime", async () => {
  const { sessions, signIn } = rig();
  const cookie = await signIn();
  await visit(sessions, async (req, res) => {
    req.session.a = 1;
    res.write("first");
    await turn();
    await visit(sessions, ({ session }) => session.a = 2, { cookie });
    req.session.b = 1;
  }, { cookie });
  await turn();
  assertEquals(await show(sessions, cookie), { n: 1, a: 2, b: 1 });
});

Deno.test("changes at the end of a response are an event if they cannot be saved", async () => {
  const { sessions, signIn, events } = rig();
  const cookie = await signIn();
  await visit(sessions, async (req, res) => {
    req.session.a = 1;
    res.write("first");
    await turn();
    await visit(sessions, (req) => call(req, "destroy"), { cookie });
    req.session.b = 1;
  }, { cookie });
  await turn();
  assertEquals(await show(sessions, cookie), {});
  assertEquals(events.filter((type) => type === "request-failed").length, 1);
});

Deno.test("the methods of SessionMiddleware take req.session", async () => {
  const { sessions, signIn } = rig();
  const options = { subject: ({ user }: { user?: string }) => user };
  const { cookie } = await visit(sessions, ({ session }) => session.user = "ada", { options });
  await visit(sessions, async (req) => {
    const session = req.session;
    const [listed] = await sessions.list("ada", { current: session });
    assertEquals(listed!.current, true);
    const token = new Session(session).csrfToken();
    const post = { ...req, method: "POST", headers: { ...req.headers } };
    await assertRejects(() => sessions.verifyCsrf(post, session), "no CSRF token");
    post.headers["x-csrf-token"] = token;
    await sessions.verifyCsrf(post, session);
    await sessions.update(session, (data: Any) => data.updated = 1);
    session.own = 1;
  }, { cookie, options });
  assertEquals(await show(sessions, cookie), { user: "ada", updated: 1, own: 1 });
  await visit(sessions, async ({ session }) => {
    assertEquals(await sessions.destroyAll("ada", { except: session }), 0);
    assertEquals(await sessions.destroy(session), true);
  }, { cookie, options });
  assertEquals(await show(sessions, cookie), {});
  assertEquals(await show(sessions, await signIn()), { n: 1 });
});

Deno.test("req.sessionStore.get() reads another session, and is not a use of it", async () => {
  const { sessions, signIn } = rig();
  const cookie = await signIn();
  const id = cookie.split("=")[1]!;
  await visit(sessions, async ({ sessionStore }) => {
    const get = (id: string) =>
      new Promise<Any>((resolve) =>
        sessionStore.get(id, (error: unknown, session: unknown) => resolve([error, session]))
      );
    const [error, session] = await get(id);
    assertEquals([error, session.n, session.cookie.path], [null, 1, "/"]);
    assert(session.cookie.expires instanceof Date);
    assertEquals(await get("0".repeat(64)), [null, undefined]);
    assertEquals(await get("no; cookie"), [null, undefined]);
  });
});

Deno.test("csrfToken() and verifyCsrf() protect an app with express-session's interface", async () => {
  const { sessions } = rig({ onEvent: () => {} });
  const session = expressSession(sessions, { compat: true });
  let token = "";
  const make = async (req: Any) => {
    await session.verifyCsrf(req);
    token = session.csrfToken(req);
    // Libraries and apps keep tokens of their own there.
    assertEquals(req.session.csrfToken, undefined);
  };
  const post = async (cookie: string, options?: Any) => {
    let status: unknown;
    await visit(sessions, async (req) => {
      Object.assign(req, { method: "POST", body: { _csrf: token } });
      status = await session.verifyCsrf(req, options).then(() => 200, ({ status }) => status);
    }, { cookie, middleware: session });
    return status;
  };
  // A visitor whose session is otherwise empty gets one.
  const first = await visit(sessions, make, { middleware: session });
  assertEquals(await post(first.cookie), 200);
  assertEquals(await post(first.cookie, { token: "x" }), 403);
  assertEquals(await post(""), 403);
  const other = await visit(sessions, ({ session }) => session.n = 1);
  assertEquals(await post(other.cookie), 403);

  // After a login, the token from before is invalid, and a new one can be had in the same response.
  const before = token;
  const signedIn = await visit(sessions, async (req) => {
    await call(req, "regenerate");
    req.session.passport = { user: "ada" };
    await call(req, "save");
    token = session.csrfToken(req);
  }, { cookie: first.cookie, middleware: session });
  assertEquals(await post(signedIn.cookie), 200);
  token = before;
  assertEquals(await post(signedIn.cookie), 403);
});

Deno.test("csrfToken() and verifyCsrf() refuse a request from elsewhere, and an ended session", async () => {
  const { sessions, signIn } = rig();
  const session = expressSession(sessions, { compat: true });
  const req: Any = { method: "POST", url: "/", headers: {} };
  assertThrows(() => session.csrfToken(req), TypeError, "has not come through the middleware");
  await assertRejects(() => session.verifyCsrf(req), TypeError, "has not come through");
  await visit(sessions, async (req) => {
    await call(req, "destroy");
    assertThrows(() => session.csrfToken(req), Error, "Cannot make a CSRF token");
  }, { cookie: await signIn(), middleware: session });
});
