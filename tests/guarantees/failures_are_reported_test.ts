/** A request that fails because of its session is an event, or a line in the log. */
import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import {
  type App,
  CookieStore,
  MemoryStore,
  SessionError,
  type SessionEvent,
  SessionMiddleware,
  type SessionOptions,
  type VersionedStore,
} from "@pagi/session";
import { abortSession, expressSession } from "@pagi/session/express";
import { honoSession } from "@pagi/session/hono";
import { call, cookieOf, fakeClock, NAVIGATION, requestWith, scopeWith } from "../_kit/helpers.ts";
import { around, type Call, SECRET, slow } from "../_kit/stores.ts";

const cookie = `pagi_session=${"a".repeat(64)}`;

/** A store that fails in the named calls, with or without a promise. */
function down(isSlow: boolean, calls: readonly Call[]): VersionedStore {
  const inner = new MemoryStore();
  return around(isSlow ? slow(inner) : inner, (name, call) => {
    if (!calls.includes(name)) return call();
    const error = new Error("connection refused");
    if (isSlow) return Promise.reject(error);
    throw error;
  });
}

function listening(store: VersionedStore, options: Partial<SessionOptions> = {}) {
  const events: SessionEvent[] = [];
  const onEvent = (event: SessionEvent) => void events.push(event);
  return {
    events,
    sessions: new SessionMiddleware({ secret: SECRET, store, onEvent, ...options }),
  };
}

/** Runs `work`, and resolves to the lines that it writes to the console. */
async function logged(work: () => Promise<void>): Promise<string[]> {
  const lines: string[] = [];
  const { error, warn } = console;
  console.error = (text: string) => void lines.push(`error ${text}`);
  console.warn = (text: string) => void lines.push(`warn ${text}`);
  try {
    await work();
  } finally {
    Object.assign(console, { error, warn });
  }
  return lines;
}

const write = (sessions: SessionMiddleware) =>
  sessions.handler((_request, session) => {
    session.set("n", 1);
    return new Response();
  });

/** Each entry point with a request that writes to its session. */
const ENTRIES: Record<string, (sessions: SessionMiddleware) => Promise<unknown>> = {
  handler: async (sessions) => {
    assertEquals((await write(sessions)(requestWith({ cookie }))).status, 503);
  },
  run: (sessions) =>
    sessions.run(requestWith({ cookie }), (session) => (session.set("n", 1), new Response())),
  "open and answer": async (sessions) => {
    try {
      const open = await sessions.open(requestWith({ cookie }));
      open.session.set("n", 1);
      await open.commit(new Headers());
    } catch (error) {
      assertEquals((await sessions.answer(error, requestWith())).status, 503);
    }
  },
  wrap: (sessions) => {
    const app: App = async (scope, _receive, send) => {
      (scope["pagi.session"] as Record<string, unknown>).n = 1;
      await send({ type: "http.response.start", status: 200, headers: [] });
    };
    return call(sessions.wrap(app), scopeWith({ cookie }));
  },
  "wrap, behind an app with an error page": async (sessions) => {
    const app: App = async (scope, _receive, send) => {
      (scope["pagi.session"] as Record<string, unknown>).n = 1;
      const start = (status: number) => send({ type: "http.response.start", status, headers: [] });
      await start(200).catch(() => start(500));
    };
    await call(sessions.wrap(app), scopeWith({ cookie }));
  },
  "wrap, for a WebSocket": (sessions) =>
    call(sessions.wrap(() => {}), { ...scopeWith({ cookie }), type: "websocket" }),
  hono: async (sessions) => {
    const values = new Map<string, unknown>();
    const c = {
      req: { raw: requestWith({ cookie }) },
      error: undefined,
      res: new Response() as Response | undefined,
      get: (key: string) => values.get(key),
      set: (key: string, value: unknown) => void values.set(key, value),
    };
    await honoSession(sessions)(c, () => {
      (values.get("session") as { set(key: string, value: number): void }).set("n", 1);
      return Promise.resolve();
    });
    assertEquals(c.res?.status, 503);
  },
  express: (sessions) =>
    new Promise((resolve) => {
      const req = { method: "GET", url: "/", headers: { cookie } };
      expressSession(sessions)(req, {} as never, resolve);
    }),
};

for (const [name, enter] of Object.entries(ENTRIES)) {
  Deno.test(`a request that fails is one event when it came through ${name}`, async () => {
    for (const isSlow of [false, true]) {
      for (const failing of ["read", "create"] as const) {
        const isRead = name === "express" || name.endsWith("WebSocket");
        const { events, sessions } = listening(down(isSlow, [isRead ? "read" : failing]));
        await Promise.resolve(enter(sessions)).catch(() => {});
        assertEquals(events.map(({ type }) => type), ["request-failed"], `${isSlow} ${failing}`);
        const [{ message, cause }] = events as [SessionEvent];
        assertMatch(message, /^A request failed: ERR_SESSION_STORE: Cannot \w+ the session: /);
        assertEquals((cause as { code?: string }).code, "ERR_SESSION_STORE");
      }
    }
  });
}

Deno.test("each failed request is an event of its own, also when onError answers it", async () => {
  const { events, sessions } = listening(down(true, ["read"]), {
    onError: () => new Response("sorry", { status: 500 }),
  });
  for (let i = 0; i < 3; i++) {
    assertEquals((await write(sessions)(requestWith({ cookie }))).status, 500);
  }
  assertEquals(events.length, 3);
});

Deno.test("a handler's own error is not reported", async () => {
  const { events, sessions } = listening(new MemoryStore());
  const failing = sessions.handler(() => Promise.reject(new Error("the app's")));
  await assertRejects(() => failing(requestWith()), Error, "the app's");
  assertEquals(events, []);
});

Deno.test("a change that a session refuses is one event when the app's framework gets the error", async () => {
  const { events, sessions } = listening(new MemoryStore());
  const login = sessions.handler((_request, session) => (session.subject = "ada", new Response()));
  const old = cookieOf(await write(sessions)(requestWith()));
  await login(requestWith({ cookie: old }));
  const req = { method: "GET", url: "/", headers: { cookie: old } };
  const request = new Request("http://localhost/");
  const ways: Record<string, () => Promise<unknown>> = {
    async "open.abort(error)"() {
      const open = await sessions.open(req);
      const error = assertThrows(() => open.session.set("n", 2), SessionError);
      await open.abort(error);
      assertEquals((await sessions.answer(error, request)).status, 409);
    },
    async "abortSession()"() {
      const session = expressSession(sessions);
      const none = () => ({});
      const names = ["getHeaders", "getHeader", "setHeader", "removeHeader", "writeHead", "write"];
      names.push("end", "flushHeaders", "emit", "once");
      const res = Object.fromEntries(names.map((name) => [name, none])) as never;
      await new Promise<void>((resolve) => session(req, res, () => resolve()));
      const thrown = assertThrows(() => session.of(req).set("n", 2), SessionError);
      const passed = await new Promise((resolve) => abortSession(thrown, req, res, resolve));
      assertEquals(passed, thrown);
    },
  };
  for (const [way, fail] of Object.entries(ways)) {
    events.length = 0;
    await fail();
    assertEquals(events.map(({ type }) => type), ["request-failed"], way);
  }
  events.length = 0;
  await (await sessions.open(req)).abort(new Error("the app's"));
  await (await sessions.open(req)).abort();
  assertEquals(events, []);
});

Deno.test("a failed logout is one event when Express passes its error on without the headers", async () => {
  const { events, sessions } = listening(down(true, ["replace", "delete"]));
  const cookie = cookieOf(await write(sessions)(requestWith()));
  const open = await sessions.open(requestWith({ cookie }));
  open.session.destroy();
  const error = await assertRejects(async () => await open.commit(new Headers()), SessionError);
  assertEquals(error.headers.length, 2);
  await open.abort(new SessionError(error.code, error.message, { cause: error }));
  assertEquals(events.map(({ type }) => type), ["request-failed"]);
});

Deno.test("without onEvent, failed requests are one line a minute, which counts the others", async () => {
  const clock = fakeClock();
  const store = down(false, ["read"]);
  const sessions = new SessionMiddleware({ secret: SECRET, store, now: clock.now });
  const fail = () => write(sessions)(requestWith({ cookie }));
  const lines = await logged(async () => {
    for (let i = 0; i < 50; i++) await fail();
    clock.advance(60);
    for (let i = 0; i < 50; i++) await fail();
  });
  const line = "error @pagi/session: request-failed: A request failed: ERR_SESSION_STORE: " +
    "Cannot read the session: the store failed";
  assertEquals(lines, [line, `${line} (and 49 more since the last line)`]);
});

Deno.test("without onEvent, a second kind of event is written at the same time", async () => {
  const clock = fakeClock();
  const store = down(false, ["create"]);
  const lines = await logged(async () => {
    const sessions = new SessionMiddleware({ secret: "keyboard cat", store, now: clock.now });
    await write(sessions)(requestWith());
  });
  assertEquals(lines.map((line) => line.split(": ").slice(0, 2).join(": ")), [
    "warn @pagi/session: short-secret",
    "error @pagi/session: request-failed",
  ]);
});

Deno.test("without onEvent, the properties of a store that the app chose are not written", async () => {
  const store = new CookieStore({ secret: SECRET });
  const { events } = listening(store as unknown as VersionedStore);
  assertEquals(events.map(({ type }) => type), ["store-without-guarantees"]);
  const make = () => Promise.resolve(void new SessionMiddleware({ secret: SECRET, store }));
  assertEquals(await logged(make), []);
});

Deno.test("with onError, failed requests are not written to the console", async () => {
  const store = down(false, ["read"]);
  const sessions = new SessionMiddleware({ secret: SECRET, store, onError: () => undefined });
  assertEquals(await logged(async () => void await write(sessions)(requestWith({ cookie }))), []);
});

Deno.test("a client that keeps sending a replaced ID is reported once, and late requests are not", async () => {
  const clock = fakeClock();
  const { events, sessions } = listening(slow(new MemoryStore({ now: clock.now })), {
    now: clock.now,
  });
  const visit = (cookie: string, headers = {}) =>
    sessions.run(requestWith({ cookie, ...headers }), (session) => new Response(session.id));
  const login = (cookie: string) =>
    sessions.run(requestWith({ cookie }), (session) => {
      session.subject = "ada";
      return new Response();
    });
  const old = cookieOf(await write(sessions)(requestWith()));
  await login(old);
  for (const seconds of [0, 5, 100]) {
    clock.advance(seconds);
    await visit(old);
  }
  assertEquals(events, []);
  clock.advance(60);
  for (const headers of [{}, {}, NAVIGATION]) await visit(old, headers);
  assertEquals(events.map(({ type }) => type), ["session-lost"]);
  assert(events[0]!.message.includes("until it opens a page or signs in"));
});

Deno.test("a client is reported as lost when its ID was replaced so often that no record holds it", async () => {
  const clock = fakeClock();
  const { events, sessions } = listening(slow(new MemoryStore({ now: clock.now })), {
    now: clock.now,
  });
  const regenerate = async (cookie: string) =>
    cookieOf(
      await sessions.run(requestWith({ cookie }), (session) => {
        session.regenerate();
        return new Response();
      }),
    );
  const first = cookieOf(await write(sessions)(requestWith()));
  let current = first;
  for (let count = 0; count < 10; count++) current = await regenerate(current);
  clock.advance(200);
  for (let count = 0; count < 3; count++) {
    await sessions.run(requestWith({ cookie: first }), (session) => new Response(session.id));
  }
  assertEquals(events.map(({ type }) => type), ["session-lost"]);
});
