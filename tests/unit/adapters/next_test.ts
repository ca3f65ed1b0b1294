/** Tests the adapter for Next.js with stand-ins for it. `tests/frameworks` runs Next.js itself. */
import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { CallbackState, CookieStore, SessionError, type SessionMiddleware } from "@pagi/session";
import { type NextCookieOptions, nextSession } from "@pagi/session/next";
import { cookieOf, failing, requestWith, rig, SECRET } from "../../_kit/helpers.ts";

/** Stands in for `next/headers` during one request. */
function nextHeaders(cookie?: string) {
  const incoming = new Headers(cookie === undefined ? {} : { cookie });
  const set: [name: string, value: string, options: NextCookieOptions][] = [];
  const jar = new Map<string, string>();
  for (const pair of cookie?.split("; ") ?? []) {
    const mark = pair.indexOf("=");
    // Next ignores a value that it cannot decode.
    if (!pair.endsWith("%")) jar.set(pair.slice(0, mark), decodeURIComponent(pair.slice(mark + 1)));
  }
  const store = {
    getAll: () => [...jar].map(([name, value]) => ({ name, value })),
    set(name: string, value: string, options: NextCookieOptions) {
      set.push([name, value, options]);
      jar.set(name, value);
    },
  };
  return {
    set,
    cookies: () => Promise.resolve(store),
    headers: () => Promise.resolve(incoming),
  };
}

/** The error that Next's `redirect` or `notFound` throws. */
function nextError(digest: string): Error {
  return Object.assign(new Error(digest), { digest });
}

const redirect = (path = "/") => nextError(`NEXT_REDIRECT;push;${path};307;`);

/** Signs in with an action. Returns the cookie. */
async function signIn(sessions: SessionMiddleware, cookie?: string): Promise<string> {
  const next = nextHeaders(cookie);
  await nextSession(sessions, next).action((session) => void (session.subject = "user-7"))();
  const [name, value] = next.set.at(-1)!;
  return `${name}=${value}`;
}

Deno.test("nextSession() throws unless it gets the functions of next/headers", () => {
  const { sessions } = rig();
  for (const wrong of [undefined, {}, { cookies() {} }]) {
    assertThrows(() => nextSession(sessions, wrong as never), TypeError, "next/headers");
  }
  assertThrows(() => nextSession({} as never, nextHeaders()), TypeError, "nextSession");
});

Deno.test("action() saves, sets the cookie as Next.js takes it, and returns the result", async () => {
  const { sessions, store } = rig({
    cookieOptions: { secure: true, priority: "High", domain: "example.com", partitioned: true },
  });
  const next = nextHeaders();
  const add = nextSession(sessions, next).action((session, by: number) => {
    session.set("n", by);
    return by + 1;
  });
  assertEquals(await add(1), 2);
  assertEquals(store.size, 1);
  const [[name, value, options]] = next.set as [typeof next.set[0]];
  assertEquals([name, value.length, next.set.length], ["pagi_session", 64, 1]);
  assertEquals(options, {
    httpOnly: true,
    path: "/",
    sameSite: "lax",
    secure: true,
    priority: "high",
    domain: "example.com",
    partitioned: true,
    maxAge: 3600,
  });
});

Deno.test("action() saves before a redirect, and nothing before another error", async () => {
  for (const [error, isSaved] of [[redirect(), true], [new Error("boom"), false]] as const) {
    const { sessions, store } = rig();
    const next = nextHeaders();
    const fail = nextSession(sessions, next).action((session) => {
      session.set("n", 1);
      throw error;
    });
    assertStrictEquals(await fail().catch((one: unknown) => one), error);
    assertEquals([store.size, next.set.length], isSaved ? [1, 1] : [0, 0]);
  }
});

Deno.test("action() sets the cookie of save() although it throws", async () => {
  const { sessions, store } = rig();
  const next = nextHeaders();
  await assertRejects(
    nextSession(sessions, next).action(async (session) => {
      await session.set("n", 1).save();
      throw new Error("boom");
    }),
  );
  assertEquals([store.size, next.set.length], [1, 1]);
});

Deno.test("action() rejects with the error of a session, and removes the cookie if it says so", async () => {
  const { sessions } = rig({ store: failing("create") });
  const next = nextHeaders();
  const write = nextSession(sessions, next).action((session) => void session.set("n", 1));
  await assertRejects(write, SessionError);
  assertEquals(next.set, []);
  const broken = rig({ store: failing("delete") });
  const cookie = await signIn(broken.sessions);
  const leaving = nextHeaders(cookie);
  const logout = nextSession(broken.sessions, leaving).action((session) => session.destroy());
  await assertRejects(logout, SessionError);
  assertEquals(leaving.set.map(([name, value, { maxAge }]) => [name, value, maxAge]), [
    ["pagi_session", "", 0],
  ]);
});

Deno.test("two actions of one request have one session", async () => {
  const { sessions, store } = rig();
  const next = nextHeaders();
  const session = nextSession(sessions, next);
  const inner = session.action((session) => void session.set("b", 2));
  const outer = session.action(async (session) => {
    session.set("a", 1);
    await inner();
  });
  await outer();
  await inner();
  assertEquals([store.size, next.set.length], [1, 1]);
  const current = await session.read();
  assertEquals([current.get("a"), current.get("b")], [1, 2]);
});

Deno.test("read() sees what an action has changed, and several cookies of a client", async () => {
  const { sessions } = rig();
  const cookie = await signIn(sessions);
  const next = nextHeaders(`theme=a%20b; ${cookie}`);
  const session = nextSession(sessions, next);
  assertEquals((await session.read()).subject, "user-7");
  await session.action((session) => session.destroy())();
  assertEquals((await session.read()).subject, undefined);
  const other = await signIn(sessions);
  // Next's `getAll` shows only one of them.
  const both = nextSession(sessions, nextHeaders(`${cookie.replace(/\w$/, "0")}; x; ${other}`));
  assertEquals((await both.read()).subject, "user-7");
});

Deno.test("read() returns a session for reading", async () => {
  const { sessions } = rig();
  const current = await nextSession(sessions, nextHeaders("bad=%")).read();
  assertEquals(current.get("n", undefined), undefined);
  assertThrows(() => current.set("n", 1), SessionError);
});

Deno.test("action() refuses what Next.js cannot send", async () => {
  const store = new CookieStore({ secret: SECRET, format: "pagi" });
  const write = (sessions: SessionMiddleware) =>
    nextSession(sessions, nextHeaders()).action((session) => void session.set("n", "x".repeat(99)));
  await assertRejects(write(rig({ store }).sessions), TypeError, "encode its value");
  const state = new CallbackState({
    extract: () => undefined,
    inject: (headers, id) => void headers.push(["X-Session", id]),
  });
  await assertRejects(write(rig({ state }).sessions), TypeError, "Use a route handler");
});

Deno.test("route() answers redirect(), and saves nothing before another error", async () => {
  const { sessions, store } = rig();
  const { route } = nextSession(sessions, nextHeaders());
  const request = requestWith();
  const moved = await route((_request, session) => {
    session.set("n", 1);
    throw redirect("/a;b");
  })(request);
  assertEquals([moved.status, moved.headers.get("location")], [307, "/a;b"]);
  assertEquals([moved.headers.getSetCookie().length, store.size], [1, 1]);
  for (const error of [new Error("boom"), nextError("NEXT_HTTP_ERROR_FALLBACK;404"), "text"]) {
    const fail = route((_request, session) => {
      session.set("n", 1);
      throw error;
    });
    assertStrictEquals(await fail(requestWith()).catch((one: unknown) => one), error);
  }
  assertEquals(store.size, 1);
});

Deno.test("route() answers an error after save() itself", async () => {
  const errors = [[new Error("boom"), 500], [nextError("NEXT_HTTP_ERROR_FALLBACK;403"), 403]];
  for (const [error, status] of errors as [Error, number][]) {
    const { sessions } = rig();
    const page = await nextSession(sessions, nextHeaders()).route(async (_request, session) => {
      await session.set("n", 1).save();
      throw error;
    })(requestWith());
    assertEquals([page.status, page.headers.getSetCookie().length], [status, 1]);
  }
});

Deno.test("route() passes the context on, and answers a session error", async () => {
  const { sessions } = rig();
  const { route } = nextSession(sessions, nextHeaders());
  const show = route((_request, _session, { id }: { id: string }) => new Response(id));
  assertEquals(await (await show(requestWith(), { id: "7" })).text(), "7");
  const broken = nextSession(rig({ store: failing("create") }).sessions, nextHeaders());
  const write = broken.route((_request, session) => {
    session.set("n", 1);
    return new Response();
  });
  assertEquals((await write(requestWith())).status, 503);
});

Deno.test("proxy() shows its cookies to the page that follows", async () => {
  const { sessions } = rig();
  const { proxy } = nextSession(sessions, nextHeaders());
  const goOn = () => new Response(null, { headers: { "x-middleware-next": "1" } });
  const page = await proxy((_request, session) => {
    session.set("n", 1);
    return goOn();
  })(requestWith());
  const cookie = cookieOf(page);
  assert(page.headers.get("x-middleware-set-cookie")!.startsWith(cookie));
  const read = await proxy((_request, session) => {
    assertEquals(session.get("n"), 1);
    return goOn();
  })(requestWith({ cookie }));
  assertEquals(read.headers.has("x-middleware-set-cookie"), false);
});

Deno.test("proxy() extends the session of a page that only reads", async () => {
  const { sessions, clock } = rig();
  const { proxy } = nextSession(sessions, nextHeaders());
  const cookie = await signIn(sessions);
  for (let hours = 0; hours < 3; hours++) {
    clock.advance(3500);
    let subject: string | undefined;
    await proxy((_request, session) => {
      subject = session.subject;
      return new Response();
    })(requestWith({ cookie }));
    assertEquals(subject, "user-7");
  }
});

Deno.test("proxy() opens the session of an action for reading", async () => {
  const { sessions } = rig();
  const cookie = await signIn(sessions);
  const { proxy } = nextSession(sessions, nextHeaders());
  const request = new Request("http://localhost/", { method: "POST", headers: { cookie } });
  const page = await proxy((_request, session) => {
    assertThrows(() => session.set("n", 1), SessionError);
    return new Response(session.subject);
  })(request);
  assertEquals([await page.text(), page.headers.getSetCookie()], ["user-7", []]);
  const broken = nextSession(rig({ store: failing("read") }).sessions, nextHeaders());
  const refused = await broken.proxy(() => new Response())(
    new Request("http://localhost/", { method: "POST", headers: { cookie } }),
  );
  assertEquals(refused.status, 503);
});
