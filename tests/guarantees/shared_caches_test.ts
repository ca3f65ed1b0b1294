/** A shared cache never gives one client's session to another, through any entry point. */
import { assertEquals } from "@std/assert";
import { type HeaderPair, Session, SessionMiddleware } from "@pagi/session";
import {
  call,
  cookieOf,
  fakeClock,
  NAVIGATION,
  requestWith,
  rig,
  scopeWith,
  sentHeader,
} from "../_kit/helpers.ts";
import { type Way, WAYS } from "../_kit/entry_points.ts";

type Act = (session: Session) => unknown;

/** Every use of the accessor that reads or changes the session. */
const READS: Record<string, Act> = {
  id: (session) => session.id,
  data: (session) => session.data,
  subject: (session) => session.subject,
  get: (session) => session.get("n", 0),
  exists: (session) => session.exists("n"),
  keys: (session) => session.keys(),
  slice: (session) => session.slice("n"),
};
const WRITES: Record<string, Act> = {
  set: (session) => session.set("m", 1),
  "set subject": (session) => session.subject = "ada",
  update: (session) => session.update("n", (n) => Number(n ?? 0) + 1),
  delete: (session) => session.delete("n"),
  clear: (session) => session.clear(),
  regenerate: (session) => session.regenerate(),
  destroy: (session) => session.destroy(),
};

/** Sets up a server and a client. `answers` has the responses of every fetch entry point. */
function setUp({ state, present, told }: Way) {
  const clock = fakeClock();
  const sessions = new SessionMiddleware({
    secret: "the secret of the tests: 32 bytes or more",
    state,
    now: clock.now,
  });
  const signIn = async () =>
    told(await sessions.run(requestWith(), (session) => (session.set("n", 1), new Response())))!;
  const entryPoints = {
    run: (request: Request, act: Act) =>
      sessions.run(request, async (session) => (await act(session), new Response("x"))),
    handler: (request: Request, act: Act) =>
      sessions.handler(async (_, session) => (await act(session), new Response("x")))(request),
  };
  const request = (id: string, headers = {}) => requestWith({ ...present(id), ...headers });
  return { clock, entryPoints, signIn, request };
}

for (const way of WAYS) {
  const vary = way.state.vary!.join(", ");

  Deno.test(`${way.name}: a response varies by cookie when the handler used the session, and only then`, async () => {
    const { entryPoints, signIn, request } = setUp(way);
    for (const entryPoint of Object.values(entryPoints)) {
      for (const [name, act] of Object.entries({ ...READS, ...WRITES })) {
        const response = await entryPoint(request(await signIn()), act);
        assertEquals(response.headers.get("vary"), vary, name);
        // The page of a visitor without a session depends on the cookie, too.
        assertEquals((await entryPoint(requestWith(), act)).headers.get("vary"), vary, name);
      }
      const untouched = await entryPoint(request(await signIn()), () => {});
      assertEquals(untouched.headers.get("vary"), null);
    }
  });

  Deno.test(`${way.name}: a response is no-store when it sends an ID, and only then`, async () => {
    const { clock, entryPoints, signIn, request } = setUp(way);
    for (const entryPoint of Object.values(entryPoints)) {
      for (const [name, act] of Object.entries({ ...READS, ...WRITES })) {
        for (
          const [late, headers] of [
            [0, {}],
            [0, NAVIGATION],
            [61, {}],
            [61, NAVIGATION],
          ] as const
        ) {
          const id = await signIn();
          clock.advance(late);
          const response = await entryPoint(request(id, headers), act);
          const isTold = way.told(response) !== undefined;
          const cacheControl = response.headers.get("cache-control");
          const isNavigation = headers === NAVIGATION;
          const when = `${name}, ${late} s later, ${isNavigation ? "a" : "no"} navigation`;
          assertEquals(cacheControl, isTold ? "no-store" : null, when);
          // Not with each write, but always if the ID is another, and with a navigation when a touch
          // is due. A header cannot be taken back from a client that has logged out.
          const isCookie = way.name === "CookieState";
          const isDue = (late > 0 && isNavigation) || ["regenerate", "set subject"].includes(name);
          assertEquals(isTold, name === "destroy" ? isCookie : isDue, when);
        }
      }
    }
  });
}

Deno.test("a response varies by cookie when the handler's write was refused", async () => {
  const { sessions, signIn } = rig();
  const cookie = `${await signIn()}; ${await signIn()}`;
  for (const act of Object.values(WRITES)) {
    const response = await sessions.run(requestWith({ cookie }), (session) => {
      try {
        act(session);
        return new Response("done");
      } catch {
        return new Response("sign in first");
      }
    });
    assertEquals(await response.text(), "sign in first");
    assertEquals(response.headers.get("vary"), "Cookie");
  }
});

Deno.test("the app's Cache-Control stays when an ID is sent, except when it allows sharing, which emits an event", async () => {
  for (
    const [own, types] of [
      ["no-cache", []],
      ["private, max-age=60", []],
      ["public, max-age=60", ["public-response"]],
      ["s-maxage=60", ["public-response"]],
      ["PUBLIC", ["public-response"]],
      ["public, no-cache", ["public-response"]],
      // Any cache may keep a response with an age or without a rule.
      ["max-age=60", ["public-response"]],
      ["stale-while-revalidate=60", ["public-response"]],
      ["No-Store", []],
    ] as const
  ) {
    const { answer, events } = rig();
    const headers = { "cache-control": own };
    const response = await answer(new Response("x", { headers }));
    const isShared = types.length > 0;
    assertEquals(response.headers.get("cache-control"), isShared ? "private, no-store" : own);
    assertEquals([events, response.headers.getSetCookie().length], [[...types], 1]);
  }
});

Deno.test("wrap() sends no-store with an ID, and Vary only when the option is on", async () => {
  for (const vary of [false, true]) {
    const { sessions, signIn } = rig({ vary });
    const app = (act: Act, headers: HeaderPair[] = []) =>
      sessions.wrap(async (scope, _receive, send) => {
        act(new Session(scope));
        await send({ type: "http.response.start", status: 200, headers });
      });
    const cookie = await signIn();
    const read = await call(app(READS.get!), scopeWith({ cookie }));
    assertEquals(sentHeader(read, "cache-control"), []);
    assertEquals(sentHeader(read, "vary"), vary ? ["Cookie"] : []);
    const rotated = await call(app(WRITES.regenerate!), scopeWith({ cookie }));
    assertEquals(sentHeader(rotated, "cache-control"), ["no-store"]);
    assertEquals(sentHeader(rotated, "set-cookie").length, 1);
    // As the app wrote it, and once.
    const next = cookieOf(sentHeader(rotated, "set-cookie")[0]!);
    const own: HeaderPair[] = [["Vary", "Accept, cookie"], ["Cache-Control", "private"]];
    const kept = await call(app(WRITES.regenerate!, own), scopeWith({ cookie: next }));
    assertEquals(sentHeader(kept, "vary"), ["Accept, cookie"]);
    assertEquals(sentHeader(kept, "cache-control"), ["private"]);
  }
});

Deno.test("the error response is no-store when the session fails", async () => {
  for (const act of [WRITES.set!, WRITES.destroy!]) {
    const { sessions, store, signIn } = rig();
    const cookie = await signIn();
    store.replace = store.delete = () => {
      throw new Error("connection refused");
    };
    const handler = sessions.handler((_request, session) => (act(session), new Response("x")));
    const response = await handler(requestWith({ cookie }));
    assertEquals([response.status, response.headers.get("cache-control")], [503, "no-store"]);
  }
});

/** Headers that no cache obeys in deciding what to store. */
const OTHERS = ["set-cookie", "vary", "content-type"];

/** Headers of a response, and which of them a shared cache could store it by. */
const STORABLE: [own: Record<string, string>, by: readonly string[]][] = [
  [{}, []],
  [{ "cache-control": "" }, []],
  [{ "cache-control": "private" }, []],
  [{ "cache-control": "PRIVATE ,\tMax-Age=60" }, []],
  [{ "cache-control": 'no-store, x="public, s-maxage=60"' }, []],
  [{ "cache-control": "no-cache" }, []],
  [{ "cache-control": "private, no-store, must-understand" }, []],
  [{ pragma: "no-cache", expires: "0" }, []],
  [{ expires: "Thu, 01 Jan 1970 00:00:00 GMT" }, []],
  [{ "cache-control": "private", "cdn-cache-control": "no-store" }, []],
  [{ "cache-control": "private", "cdn-cache-control": "private, max-age=60" }, []],
  [{ "cache-control": "private", "cdn-cache-control": "" }, []],
  [{ "cdn-cache-control": "no-store" }, []],
  [{ "cache-control": "private", "surrogate-control": 'content="ESI/1.0"' }, []],
  [{ "cache-control": "private", "surrogate-control": "no-store" }, []],
  [{ "cache-control": "max-age=0, must-revalidate" }, ["cache-control"]],
  [{ "cache-control": 'x="private, no-store"' }, ["cache-control"]],
  [{ "cache-control": 'x="a\\", private"' }, ["cache-control"]],
  [{ "cache-control": "x-private, max-age=60" }, ["cache-control"]],
  [{ "cache-control": "private-ish, no-store-remote" }, ["cache-control"]],
  // These concern some of the headers only, and not every cache keeps to that.
  [{ "cache-control": 'private="set-cookie", max-age=60' }, ["cache-control"]],
  [{ "cache-control": 'no-cache="set-cookie", max-age=60' }, ["cache-control"]],
  [{ "cache-control": "no-store, must-understand" }, ["cache-control"]],
  [{ "cache-control": "private, s-maxage=60" }, ["cache-control"]],
  // A cache that asks whether the page has changed serves it, with its old headers, if it has not.
  [{ "cache-control": "no-cache", etag: '"1"' }, ["cache-control"]],
  [
    { "cache-control": "no-cache", "last-modified": "Thu, 01 Jan 1970 00:00:00 GMT" },
    ["cache-control"],
  ],
  [{ expires: "Fri, 01 Jan 2100 00:00:00 GMT" }, ["cache-control"]],
  [{ "cdn-cache-control": "max-age=60" }, ["cache-control", "cdn-cache-control"]],
  [
    { "cache-control": "private", "CDN-Cache-Control": "public" },
    ["cache-control", "cdn-cache-control"],
  ],
  [
    { "cache-control": "no-store", "cdn-cache-control": "no-cache", etag: '"1"' },
    ["cache-control", "cdn-cache-control"],
  ],
  [
    { "cache-control": "private", "surrogate-control": 'max-age=60, content="ESI/1.0"' },
    ["cache-control", "surrogate-control"],
  ],
  [
    { "cache-control": "private", "edge-control": "!no-store, cache-maxage=1d" },
    ["cache-control", "edge-control"],
  ],
  [
    {
      "cache-control": "public",
      "vercel-cdn-cache-control": "max-age=60",
      "cloudflare-cdn-cache-control": "no-store",
      "surrogate-control": "max-age=60",
    },
    ["cache-control", "surrogate-control", "vercel-cdn-cache-control"],
  ],
];

/** The entry points. Each answers with these headers, and resolves to those that were sent. */
const SERVERS: Record<
  string,
  (
    sessions: SessionMiddleware,
    cookie: Record<string, string>,
    own: Record<string, string>,
    act: Act,
  ) => Promise<Headers>
> = {
  async run(sessions, cookie, own, act) {
    const response = await sessions.run(requestWith(cookie), (session) => {
      act(session);
      return new Response("x", { headers: own });
    });
    return response.headers;
  },
  async wrap(sessions, cookie, own, act) {
    const app = sessions.wrap(async (scope, _receive, send) => {
      act(new Session(scope));
      const headers = Object.entries(own);
      await send({ type: "http.response.start", status: 200, headers });
    });
    const [start] = await call(app, scopeWith(cookie));
    return new Headers(start!.headers as HeaderPair[]);
  },
  async "open with Headers"(sessions, cookie, own, act) {
    const open = await sessions.open(requestWith(cookie));
    act(open.session);
    const headers = new Headers(own);
    await open.commit(headers);
    return headers;
  },
  async "open with a response that does not list its headers"(sessions, cookie, own, act) {
    const open = await sessions.open(requestWith(cookie));
    act(open.session);
    const headers = new Headers(own);
    await open.commit({
      // As Koa does.
      get: (name) => headers.get(name) ?? "",
      append: (name, value) => headers.append(name, value),
      set: (name, value) => headers.set(name, value),
    });
    return headers;
  },
};

for (const [name, serve] of Object.entries(SERVERS)) {
  Deno.test(`no header lets a shared cache store an ID, and a renewal is left out (${name})`, async () => {
    for (const [own, by] of STORABLE) {
      const { sessions, clock, events, signIn } = rig();
      const sent = (headers: Headers) => ({
        cookies: headers.getSetCookie().length,
        ...Object.fromEntries([...headers].filter(([name]) => !OTHERS.includes(name))),
      });
      const before = sent(new Headers(own));
      const what = JSON.stringify(own);
      // A new ID must be sent.
      const made = await serve(sessions, {}, own, (session) => session.set("n", 1));
      const replaced = by.length > 0
        ? Object.fromEntries(by.map((one) => [one, "private, no-store"]))
        : own["cache-control"]
        ? {}
        : { "cache-control": "no-store" };
      assertEquals(
        sent(made),
        { ...before, ...replaced, cookies: 1 } as never,
        what,
      );
      assertEquals(events, by.length > 0 ? ["public-response"] : [], what);
      // So must the end of a session.
      const cleared = await serve(
        sessions,
        { cookie: await signIn() },
        own,
        (one) => one.destroy(),
      );
      assertEquals(
        sent(cleared),
        { ...before, ...replaced, cookies: 1 } as never,
        what,
      );
      // A renewal can wait.
      events.length = 0;
      const cookie = await signIn();
      clock.advance(120);
      const renewed = await serve(sessions, { cookie, ...NAVIGATION }, own, () => {});
      assertEquals(
        sent(renewed),
        (by.length > 0 ? before : { ...before, ...replaced, cookies: 1 }) as never,
        what,
      );
      assertEquals(events, [], what);
    }
  });
}

Deno.test("the response of onError is not stored by shared caches either when it clears a cookie", async () => {
  const { sessions, store, signIn, events } = rig({
    onError: () =>
      new Response("sorry", {
        headers: { "cache-control": "public, max-age=60", "cdn-cache-control": "max-age=60" },
      }),
  });
  const cookie = await signIn();
  store.delete = store.replace = () => {
    throw new Error("connection refused");
  };
  const handler = sessions.handler((_request, session) => (session.destroy(), new Response("x")));
  const { headers } = await handler(requestWith({ cookie }));
  assertEquals(headers.getSetCookie().length, 1);
  for (const name of ["cache-control", "cdn-cache-control"]) {
    assertEquals(headers.get(name), "private, no-store");
  }
  assertEquals(events, ["request-failed", "public-response"]);
});
