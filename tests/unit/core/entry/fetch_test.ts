import {
  assert,
  assertEquals,
  assertFalse,
  assertInstanceOf,
  assertMatch,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  BearerState,
  MemoryStore,
  Session,
  SessionError,
  type SessionOptions,
} from "@pagi/session";
import { cookieOf, failing, idOf, requestWith, rig } from "../../../_kit/helpers.ts";

/** The Response as a server's upgrade makes it: its status is 101. */
const upgrade = (response: Response) => Object.defineProperty(response, "status", { value: 101 });

const setCookies = (response: Response) => response.headers.getSetCookie();

Deno.test("SessionMiddleware.run() stores and sends nothing when 1000 visitors write nothing", async () => {
  const { sessions, store } = rig();
  const handler = sessions.handler((_request, session) => new Response(session.get("n", "you")));
  for (let i = 0; i < 1000; i++) {
    const response = await handler(requestWith({ cookie: `pagi_session=${idOf(`${i % 10}`)}` }));
    assertEquals(setCookies(response), []);
    assertEquals(response.headers.get("cache-control"), null);
  }
  assertEquals(store.size, 0);
});

Deno.test("SessionMiddleware.run() saves and sends an untouched session with saveUninitialized", async () => {
  const { answer, store } = rig({ saveUninitialized: true });
  const response = await answer(new Response("ok"), { write: false });
  assertEquals([setCookies(response).length, store.size], [1, 1]);
});

Deno.test("SessionMiddleware.run() hands back the response as it is when the session was not used", async () => {
  const { answer, signIn } = rig();
  const cookie = await signIn();
  for (const response of [new Response("x"), new Response(null), Response.redirect("http://a/")]) {
    assertStrictEquals(await answer(response, { cookie, write: false }), response);
    assertEquals(response.headers.get("vary"), null);
  }
});

Deno.test("SessionMiddleware.run() sends the cookie with no-store when the session was written", async () => {
  const { answer, store, events } = rig();
  for (const response of [new Response("x"), new Response(null, { status: 204 })]) {
    const answered = await answer(response);
    assertEquals(setCookies(answered).length, 1);
    assertMatch(setCookies(answered)[0]!, /^pagi_session=[0-9a-f]{64}; Path=\/; HttpOnly; /);
    assertEquals(answered.headers.get("cache-control"), "no-store");
  }
  assertEquals([store.size, events], [2, []]);
});

Deno.test("SessionMiddleware.run() keeps a Cache-Control that shared caches obey, and replaces others", async () => {
  const { answer, events } = rig();
  const controlOf = async (own: string) => {
    const headers = { "Cache-Control": own };
    return (await answer(new Response("x", { headers }))).headers.get("cache-control");
  };
  for (const own of ["private, max-age=60", "no-cache", "No-Store"]) {
    assertEquals(await controlOf(own), own);
  }
  assertEquals(events, []);
  for (const own of ["max-age=60, Public", "private, s-maxage=5", "max-age=60", "immutable"]) {
    assertEquals(await controlOf(own), "private, no-store");
  }
  assertEquals(events, Array(4).fill("public-response"));
});

Deno.test("SessionMiddleware.run() merges Vary when the session was read", async () => {
  const reads = async (options: Partial<SessionOptions>, vary?: string) => {
    const response = new Response("x", { headers: vary === undefined ? {} : { vary } });
    const read = (session: Session) => (session.exists("n"), response);
    return (await rig(options).sessions.run(requestWith(), read)).headers.get("vary");
  };
  assertEquals(await reads({}), "Cookie");
  assertEquals(await reads({}, "Accept"), "Accept, Cookie");
  assertEquals(await reads({}, "Accept, cookie"), "Accept, cookie");
  assertEquals(await reads({}, "*"), "*");
  assertEquals(await reads({}, "X-Cookie"), "X-Cookie, Cookie");
  assertEquals(await reads({ state: new BearerState() }), "Authorization");
});

Deno.test("SessionMiddleware.run() puts the cookie on a redirect and on a fetched response", async () => {
  const { answer } = rig();
  const redirect = await answer(Response.redirect("http://localhost/in", 303));
  assertEquals([redirect.status, redirect.headers.get("location")], [303, "http://localhost/in"]);
  assertEquals(setCookies(redirect).length, 1);
  const fetched = await answer(await fetch("data:text/plain,hello"));
  assertEquals([await fetched.text(), setCookies(fetched).length], ["hello", 1]);
});

Deno.test("SessionMiddleware.run() keeps every Set-Cookie of the app, on a copy too", async () => {
  const { answer } = rig();
  for (const body of ["x", null]) {
    const headers: [string, string][] = [["set-cookie", "a=1"], ["set-cookie", "b=2; Path=/"]];
    const response = await answer(new Response(body, { headers }));
    assertEquals(setCookies(response).slice(0, 2), ["a=1", "b=2; Path=/"]);
    assertEquals(setCookies(response).length, 3);
  }
});

Deno.test("SessionMiddleware.run() leaks no cookie when a Response without a body is used again", async () => {
  const { answer } = rig();
  const notFound = new Response(null, { status: 404, statusText: "Gone fishing" });
  const [first, second] = [await answer(notFound), await answer(notFound)];
  assertEquals(setCookies(await answer(notFound, { write: false })), []);
  assertEquals([setCookies(first).length, setCookies(second).length], [1, 1]);
  assertFalse(cookieOf(first) === cookieOf(second));
  assertEquals([second.status, second.statusText], [404, "Gone fishing"]);
  assertEquals([...notFound.headers], []);
});

Deno.test("SessionMiddleware.run() throws when a Response with a body is used again", async () => {
  const { answer } = rig();
  const page = new Response("hello");
  const cookies = setCookies(await answer(page));
  await assertRejects(() => answer(page), TypeError, "Response");
  assertEquals(setCookies(page), cookies);
});

Deno.test("SessionMiddleware.run() takes a success that names its body's type at its word", async () => {
  const typed = { headers: { "content-type": "text/plain" } };
  for (
    const [init, isCopied] of [
      [{ ...typed, status: 200 }, false],
      [{ ...typed, status: 299 }, false],
      [{ ...typed, status: 300 }, true],
      [{ status: 200 }, true],
      [{ status: 404 }, true],
    ] as const
  ) {
    const { answer } = rig();
    const page = new Response(null, init);
    assertEquals(await answer(page) !== page, isCopied, JSON.stringify(init));
  }
  // And any that has one, as only once can it be sent.
  const page = new Response("gone", { status: 410 });
  assertStrictEquals(await rig().answer(page), page);
});

Deno.test("SessionMiddleware.run() leaks no cookie where a Response keeps the headers that it is given", async () => {
  const { Response } = globalThis;
  // As the one does that @hono/node-server puts in its place.
  globalThis.Response = class extends Response {
    constructor(body?: BodyInit | null, init: ResponseInit = {}) {
      super(body, init);
      const { headers } = init;
      if (headers instanceof Headers) Object.defineProperty(this, "headers", { value: headers });
    }
  } as typeof Response;
  try {
    const { answer } = rig();
    const notFound = new Response(null, { status: 404 });
    const sent = await answer(notFound);
    assertEquals([setCookies(sent).length, setCookies(notFound).length], [1, 0]);
  } finally {
    globalThis.Response = Response;
  }
});

Deno.test("SessionMiddleware.run() leaks no cookie to those who come later when a Response is used again", async () => {
  const typed = { headers: { "content-type": "text/plain" } };
  for (const page of [new Response("x"), new Response("x", typed), new Response(null, typed)]) {
    const { answer, sessions } = rig();
    await answer(page);
    for (const act of [() => page, (session: Session) => (session.keys(), page)]) {
      const sent = await sessions.run(requestWith(), act).then(setCookies, (error) => {
        assertInstanceOf(error, TypeError);
        return [];
      });
      assertEquals(sent.length, 0, "another client got the first one's cookie");
    }
  }
});

Deno.test("SessionMiddleware.run() leaks no cookie to one who came before when a Response is used again", async () => {
  const { answer } = rig();
  for (const page of [new Response("x"), new Response(null)]) {
    // Handed to the server, which may not have sent it yet.
    const first = await answer(page, { write: false });
    await answer(page).catch((error) => assertInstanceOf(error, TypeError));
    assertEquals(setCookies(first).length, 0, "the first client got another's cookie");
  }
});

Deno.test("SessionMiddleware.run() never rebuilds a 101", async () => {
  const { answer, events } = rig();
  const response = upgrade(new Response(null));
  assertStrictEquals(await answer(response), response);
  assertEquals([setCookies(response).length, events], [1, []]);
  const immutable = upgrade(Response.redirect("http://a/"));
  assertStrictEquals(await answer(immutable), immutable);
  assertEquals(events, ["headers-dropped"]);
});

Deno.test("SessionMiddleware.run() cancels the body that it drops when the commit fails", async () => {
  const { answer } = rig({ store: failing("create") });
  let cancelled = false;
  const body = new ReadableStream({ cancel: () => void (cancelled = true) });
  const error = await assertRejects(() => answer(new Response(body)), SessionError);
  assertEquals([error.code, cancelled], ["ERR_SESSION_STORE", true]);
});

Deno.test("SessionMiddleware.run() does not wait for a body whose cancel never ends", async () => {
  const { answer } = rig({ store: failing("create") });
  const body = new ReadableStream({ cancel: () => new Promise(() => {}) });
  const ended = answer(new Response(body)).catch((error) => error);
  await assertRejects(() => answer(new Response("x")), SessionError);
  for (let turn = 0; turn < 100; turn++) await Promise.resolve();
  assertInstanceOf(await Promise.race([ended, Promise.resolve("it waits")]), SessionError);
});

Deno.test("SessionMiddleware.run() throws and saves nothing when the handler returns no Response", async () => {
  const { sessions, store } = rig();
  for (const wrong of [undefined, null, "text", {}, { headers: {} }]) {
    const handler = sessions.handler((_request, session) => (session.set("n", 1), wrong as never));
    await assertRejects(() => handler(requestWith()), TypeError, "Response");
  }
  assertEquals(store.size, 0);
  assertThrows(() => sessions.handler(undefined as never), TypeError, "function");
});

Deno.test("SessionMiddleware.handler() passes request, session and further arguments on", async () => {
  const { sessions } = rig();
  let seen: unknown[] = [];
  const handler = sessions.handler((...args: unknown[]) => (seen = args, new Response()));
  const [request, info] = [requestWith(), { remoteAddr: "x" }];
  await handler(request, info, 7);
  assert(seen[1] instanceof Session);
  assert(seen[0] === request && seen[2] === info && seen[3] === 7 && seen.length === 4);
});

Deno.test("SessionMiddleware.handler() hands the app's errors on as they are, and saves nothing", async () => {
  let asked = 0;
  const { sessions, store } = rig({ onError: () => (asked++, new Response()) });
  for (const error of [new RangeError("mine"), "text", undefined, { status: 404 }]) {
    const fails = sessions.handler((_request, session) => {
      session.set("n", 1);
      throw error;
    });
    assertStrictEquals(await fails(requestWith()).catch((caught) => caught), error);
  }
  assertEquals([store.size, asked], [0, 0]);
});

Deno.test("SessionMiddleware.handler() hands a typo in the app on, and does not ask onError", async () => {
  let asked = 0;
  for (const options of [{}, { onError: () => (asked++, new Response()) }]) {
    const handler = rig(options).sessions.handler((_request, session) =>
      new Response(session.get("typo") as string)
    );
    const error = await assertRejects(() => handler(requestWith()), SessionError);
    assertEquals([error.code, asked], ["ERR_SESSION_KEY", 0]);
  }
});

Deno.test("SessionMiddleware.handler() answers 409 when the session was ended meanwhile", async () => {
  const { sessions, signIn, store } = rig();
  const cookie = await signIn();
  const response = await sessions.handler(async (_request, session) => {
    await sessions.destroy(session);
    session.set("n", 5);
    return new Response("never sent");
  })(requestWith({ cookie }));
  assertEquals([response.status, setCookies(response), store.size], [409, [], 0]);
  assertEquals(
    [response.headers.get("content-type"), await response.text()],
    [
      "text/plain",
      "Your session ended or changed while this request was under way. Please try again.\n",
    ],
  );
});

Deno.test("SessionMiddleware.handler() answers 503 when others always come first", async () => {
  const { sessions, signIn } = rig({ store: Object.assign(new MemoryStore(), { replace() {} }) });
  const write = sessions.handler((_request, session) => {
    session.set("n", 2);
    return new Response();
  });
  const response = await write(requestWith({ cookie: await signIn() }));
  assertEquals([response.status, response.headers.get("retry-after")], [503, "1"]);
  assertEquals(await response.text(), "The session is busy. Please try again.\n");
});

Deno.test("SessionMiddleware.handler() answers 503 with Retry-After when the store fails", async () => {
  let handled = 0;
  for (const method of ["read", "create"]) {
    const { sessions } = rig({ store: failing(method) });
    const handler = sessions.handler((_request, session) => {
      handled++;
      session.set("n", 1);
      return new Response();
    });
    const response = await handler(requestWith({ cookie: `pagi_session=${idOf("a")}` }));
    assertEquals([response.status, setCookies(response)], [503, []]);
    assertMatch(response.headers.get("retry-after")!, /^[1-9]\d*$/);
    assertEquals(response.headers.get("cache-control"), "no-store");
    assertEquals(await response.text(), "Sessions are unavailable. Please try again.\n");
  }
  // A store that cannot be read never means a fresh session.
  assertEquals(handled, 1);
});

Deno.test("SessionMiddleware.handler() answers 400 when a client with two sessions writes", async () => {
  const { sessions, signIn } = rig();
  const cookie = `${await signIn()}; ${await signIn()}`;
  const read = sessions.handler((_request, session) => new Response(session.get("n", "none")));
  const reads = await read(requestWith({ cookie }));
  assertEquals([await reads.text(), setCookies(reads)], ["none", []]);
  const write = sessions.handler((_request, session) => new Response(session.set("n", 5).id));
  const writes = await write(requestWith({ cookie }));
  assertEquals([writes.status, setCookies(writes)], [400, []]);
  assertEquals(
    await writes.text(),
    "Your browser sent more than one session. Please delete this site's cookies.\n",
  );
});

/** Logs out while the store cannot delete. */
async function failedLogout(options: Partial<SessionOptions> = {}) {
  const store = failing("delete");
  const { sessions, signIn } = rig({ ...options, store });
  const request = requestWith({ cookie: await signIn() });
  return sessions.handler((_request, session) => (session.destroy(), new Response("bye")))(request);
}

Deno.test("SessionMiddleware.handler() clears the cookie on its answer when a logout fails", async () => {
  const response = await failedLogout();
  assertEquals([response.status, setCookies(response).length], [503, 1]);
  assertMatch(setCookies(response)[0]!, /^pagi_session=; Path=\/; .*Max-Age=0$/);
});

Deno.test("SessionMiddleware.handler() answers what onError makes of the error, with the headers", async () => {
  const seen: unknown[] = [];
  const response = await failedLogout({
    onError: async (error, request) => {
      seen.push(error.code, request instanceof Request);
      return await new Response("sorry", { status: 500 });
    },
  });
  assertEquals(seen, ["ERR_SESSION_STORE", true]);
  assertEquals([response.status, await response.text()], [500, "sorry"]);
  assertEquals(setCookies(response).length, 1);
  assertEquals(response.headers.get("cache-control"), "no-store");
});

Deno.test("SessionMiddleware.load() finds the session for reading, and keeps it from being changed", async () => {
  const { sessions, signIn, clock } = rig();
  assertEquals(await sessions.load(requestWith()), undefined);
  assertEquals(
    await sessions.load(requestWith({ cookie: `pagi_session=${idOf("a")}` })),
    undefined,
  );
  const cookie = await signIn();
  const scope = { type: "websocket", headers: [["cookie", cookie]] as [string, string][] };
  await sessions.update(cookie.split("=")[1]!, (data) => void (data.nested = { list: [1] }));
  for (const source of [requestWith({ cookie }), scope]) {
    const session = (await sessions.load(source))!;
    assertEquals([session.get("n"), session.id], [1, cookie.split("=")[1]]);
    assertThrows(() => (session.get("nested") as { list: number[] }).list.push(2), TypeError);
    const error = assertThrows(() => session.set("n", 2), SessionError);
    assertEquals(error.code, "ERR_SESSION_READ_ONLY");
  }
  // Looking on does not keep it alive.
  for (let i = 0; i < 3; i++) {
    clock.advance(1500);
    await sessions.load(requestWith({ cookie }));
  }
  assertEquals(await sessions.load(requestWith({ cookie })), undefined);
});
