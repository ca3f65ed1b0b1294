import { assertEquals, assertFalse, assertMatch, assertRejects, assertThrows } from "@std/assert";
import {
  type App,
  type Event,
  type HeaderPair,
  MemoryStore,
  type Scope,
  Session,
  type SessionApp,
  SessionError,
  type SessionEvent,
  SessionMiddleware,
  type SessionOptions,
  type SessionScope,
} from "@pagi/session";
import { Client, respond } from "./_client.ts";

/** Sessions on a clock that the test moves, with what happened to see. */
function setUp(options: Partial<SessionOptions> = {}) {
  const clock = { seconds: 1_700_000_000 };
  const now = () => clock.seconds * 1000;
  const store = new MemoryStore({ now });
  const events: SessionEvent[] = [];
  const sessions = new SessionMiddleware({
    secret: "test",
    store,
    now,
    onEvent: (event) => events.push(event),
    ...options,
  });
  /** An app that does `work` on its session and answers. */
  const app = (work: (scope: SessionScope) => unknown, headers?: HeaderPair[]): App =>
    sessions.wrap(async (scope, _receive, send) => {
      await work(scope);
      await respond(send, headers);
    });
  return { clock, store, sessions, events, app };
}

const set = (key: string, value: unknown) => (scope: SessionScope) => {
  scope["pagi.session"][key] = value;
};

Deno.test("wrap() passes a scope through untouched when it has a session", async () => {
  const { sessions } = setUp();
  const seen: Scope[] = [];
  const scope = { type: "http", headers: [], "pagi.session": {} };
  const app = sessions.wrap((scope) => void seen.push(scope));
  await app(scope, () => Promise.reject(), () => Promise.resolve());
  assertEquals(seen[0] === scope, true);
});

Deno.test("wrap() passes a scope through untouched when it has no headers", async () => {
  const { sessions } = setUp();
  const seen: Scope[] = [];
  const scope = { type: "lifespan" };
  const app = sessions.wrap((scope) => void seen.push(scope));
  await app(scope, () => Promise.reject(), () => Promise.resolve());
  assertEquals(seen[0] === scope, true);
});

Deno.test("wrap() leaves the outer scope clean", async () => {
  const { app } = setUp();
  const scope: Scope = { type: "http", headers: [] };
  await app(set("a", 1))(scope, () => Promise.reject(), () => Promise.resolve());
  assertEquals(Object.keys(scope), ["type", "headers"]);
});

for (const type of ["websocket", "sse"]) {
  Deno.test(`wrap() gives a ${type} scope the stored session, deeply frozen`, async () => {
    const { app, clock } = setUp();
    const client = new Client(app(set("cart", { apples: 1 })));
    await client.request();
    clock.seconds += 5;
    let checked = 0;
    const socket = app((scope) => {
      const data = scope["pagi.session"];
      assertEquals(scope["pagi.session_id"], client.id);
      assertEquals(data._last_access, clock.seconds - 5);
      assertThrows(() => (data.cart as Record<string, number>).apples = 2, TypeError);
      assertThrows(() => data.other = 1, TypeError);
      const error = assertThrows(() => new Session(scope).set("other", 1), SessionError);
      assertEquals(error.code, "ERR_SESSION_READ_ONLY");
      checked++;
    });
    await new Client(socket, client.cookie).request({ type });
    assertEquals(checked, 1);
  });

  Deno.test(`wrap() gives a ${type} scope an empty session and no id when there is none`, async () => {
    const { app, store } = setUp();
    const socket = app((scope) => {
      assertEquals({ ...scope["pagi.session"] }, {});
      assertFalse("pagi.session_id" in scope);
      assertThrows(() => scope["pagi.session"].a = 1, TypeError);
    });
    await new Client(socket, `pagi_session=${"0".repeat(64)}`).request({ type });
    assertEquals(store.size, 0);
  });
}

Deno.test("wrap() neither saves nor sends a new session when nothing was written", async () => {
  const { app, store } = setUp();
  const answer = await new Client(app(() => {})).request();
  assertEquals([answer.cookies, store.size], [[], 0]);
  assertEquals(answer.headers, []);
});

Deno.test("wrap() saves and sends an untouched session with saveUninitialized", async () => {
  const { app, store } = setUp({ saveUninitialized: true });
  const answer = await new Client(app(() => {})).request();
  assertEquals([answer.cookies.length, store.size], [1, 1]);
});

Deno.test("wrap() never adopts an id that the server did not issue", async () => {
  const { app, store } = setUp();
  const invented = "ab".repeat(32);
  const client = new Client(app(set("a", 1)), `pagi_session=${invented}`);
  await client.request();
  assertMatch(client.id!, /^[0-9a-f]{64}$/);
  assertEquals([client.id === invented, await store.get(invented)], [false, undefined]);
});

Deno.test("wrap() sees every change: raw, nested and through the accessor", async () => {
  const { app, store } = setUp();
  const client = new Client(app((scope) => {
    const session = new Session(scope);
    const step = session.get("step", 0) as number;
    if (step === 0) session.set({ step: 1, cart: { apples: 1 } });
    if (step === 1) (session.get("cart") as { apples: number }).apples++;
    if (step === 1) scope["pagi.session"].step = 2;
  }));
  await client.request();
  await client.request();
  await client.request();
  const { step, cart } = (await store.get(client.id!))!;
  assertEquals([step, cart], [2, { apples: 2 }]);
});

Deno.test("wrap() sends the cookie of a changed session when a touch would be due, not before", async () => {
  const { app, clock, store } = setUp();
  let n = 0;
  const client = new Client(app((scope) => void (scope["pagi.session"].n = ++n)));
  assertEquals((await client.request()).cookies.length, 1);
  clock.seconds += 59;
  assertEquals((await client.request()).cookies, []);
  // So that a client that writes often is sent its cookie as well.
  assertEquals((await store.get(client.id!))?._last_access, clock.seconds - 59);
  clock.seconds += 1;
  assertMatch((await client.request()).cookies[0]!, /Max-Age=3600$/);
  assertEquals(await store.get(client.id!).then((hash) => [hash?.n, hash?._last_access]), [
    3,
    clock.seconds,
  ]);
});

Deno.test("wrap() never moves the time of the last use back", async () => {
  const { app, clock, store } = setUp({ expire: 60 });
  const client = new Client(app(set("a", 1)));
  await client.request();
  const reader = new Client(app(() => {}), client.cookie);
  const slow = app(async (scope) => {
    clock.seconds += 50;
    await reader.request();
    scope["pagi.session"].a = 2;
  });
  await new Client(slow, client.cookie).request();
  assertEquals((await store.get(client.id!))?._last_access, clock.seconds);
});

Deno.test("wrap() takes keys in another order for no change", async () => {
  const { app } = setUp();
  const client = new Client(app(({ "pagi.session": data }) => {
    delete data.a;
    Object.assign(data, { b: { d: 2, c: 1 } });
    data.a = 1;
  }));
  await client.request();
  assertEquals((await client.request()).cookies, []);
});

Deno.test("wrap() expires a session that was idle for more than expire, and not before", async () => {
  const { app, clock } = setUp({ expire: 100, touchInterval: 1000 });
  const client = new Client(app((scope) => new Session(scope).set("a", 1)));
  await client.request();
  const first = client.id;
  clock.seconds += 100;
  await client.request();
  assertEquals(client.id, first);
  clock.seconds += 101;
  await client.request();
  assertFalse(client.id === first);
});

Deno.test("wrap() ends a session after absoluteExpire however much it is used", async () => {
  const { app, clock } = setUp({ expire: 100, absoluteExpire: 150 });
  const client = new Client(app((scope) => {
    const session = new Session(scope);
    session.set("n", session.get("n", 0) as number + 1);
  }));
  await client.request();
  const first = client.id;
  clock.seconds += 90;
  const { cookies } = await client.request();
  assertMatch(cookies[0]!, /Max-Age=60$/);
  assertEquals(client.id, first);
  clock.seconds += 61;
  await client.request();
  assertFalse(client.id === first);
});

Deno.test("wrap() touches once an interval, and then sends the cookie again", async () => {
  const { app, clock, store } = setUp({ expire: 3600 });
  const client = new Client(app(set("a", 1)));
  await client.request();
  const reader = new Client(app(() => {}), client.cookie);
  clock.seconds += 59;
  assertEquals((await reader.request()).cookies, []);
  clock.seconds += 1;
  assertEquals((await reader.request()).cookies.length, 1);
  assertEquals((await store.get(client.id!))?._last_access, clock.seconds);
  assertEquals((await reader.request()).cookies, []);
});

Deno.test("wrap() touches without a cookie when rolling is off", async () => {
  const { app, clock, store } = setUp({ rolling: false });
  const client = new Client(app(set("a", 1)));
  await client.request();
  clock.seconds += 60;
  assertEquals((await client.request()).cookies, []);
  assertEquals((await store.get(client.id!))?._last_access, clock.seconds);
});

Deno.test("wrap() caps touchInterval at a twentieth of expire", async () => {
  const { app, clock, store } = setUp({ expire: 100, touchInterval: 60 });
  const client = new Client(app(set("a", 1)));
  await client.request();
  clock.seconds += 5;
  await client.request();
  assertEquals((await store.get(client.id!))?._last_access, clock.seconds);
});

Deno.test("wrap() gives a new id on regenerate, keeps the data and kills the old id", async () => {
  const { app, store } = setUp();
  const client = new Client(app(set("a", 1)));
  await client.request();
  const old = client.cookie;
  const rotate = app((scope) => void new Session(scope).set("b", 2).regenerate());
  const rotating = new Client(rotate, old);
  await rotating.request();
  assertFalse(rotating.cookie === old);
  const hash = await store.get(rotating.id!);
  assertEquals([hash?.a, hash?.b, hash?._id], [1, 2, rotating.id]);
  assertEquals(await store.get(client.id!), undefined);
});

Deno.test("wrap() shows the new id after the response was started", async () => {
  const { sessions } = setUp();
  const seen: unknown[] = [];
  const client = new Client(sessions.wrap(async (scope, _receive, send) => {
    const session = new Session(scope).regenerate().set("a", 1);
    await respond(send);
    seen.push(scope["pagi.session_id"], session.id, scope["pagi.session"]._regenerated);
  }));
  await client.request();
  assertEquals(seen, [client.id, client.id, undefined]);
});

Deno.test("wrap() gives a new id when the session gets a subject", async () => {
  const { app, store } = setUp();
  const client = new Client(app(set("a", 1)));
  await client.request();
  const old = client.id;
  const login = new Client(app((scope) => void (new Session(scope).subject = "u7")), client.cookie);
  await login.request();
  assertFalse(login.id === old);
  assertEquals((await store.get(login.id!))?._subject, "u7");
  assertEquals(await store.get(old!), undefined);
});

Deno.test("wrap() lets destroy win over everything, and clears the client", async () => {
  const { app, store } = setUp();
  const client = new Client(app(set("a", 1)));
  await client.request();
  const destroy = app((scope) => void new Session(scope).set("b", 2).regenerate().destroy());
  const { cookies } = await new Client(destroy, client.cookie).request();
  assertEquals(cookies, ["pagi_session=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0"]);
  assertEquals(store.size, 0);
});

Deno.test("wrap() commits once: a second start passes through as it is", async () => {
  const { sessions } = setUp();
  const client = new Client(sessions.wrap(async (scope, _receive, send) => {
    scope["pagi.session"].a = 1;
    await respond(send);
    await respond(send);
  }));
  const { events } = await client.request();
  assertEquals(events.map((event) => (event.headers as unknown[] | undefined)?.length), [
    2,
    undefined,
    0,
    undefined,
  ]);
});

Deno.test("wrap() keeps the app's header list as it was", async () => {
  const headers: HeaderPair[] = [["content-type", "text/plain"]];
  const { app } = setUp();
  await new Client(app(set("a", 1), headers)).request();
  assertEquals(headers, [["content-type", "text/plain"]]);
});

Deno.test("wrap() holds the body back until the start was sent", async () => {
  const { sessions } = setUp();
  const client = new Client(sessions.wrap(async (scope, _receive, send) => {
    scope["pagi.session"].a = 1;
    const start = send({ type: "http.response.start", status: 200, headers: [] });
    const body = send({ type: "http.response.body", body: "ok" });
    await Promise.all([start, body]);
  }));
  const { events } = await client.request();
  assertEquals(events.map(({ type }) => type), ["http.response.start", "http.response.body"]);
});

Deno.test("wrap() saves nothing when the app throws before it answers", async () => {
  const { app, sessions, store } = setUp();
  const client = new Client(app(set("a", 1)));
  await client.request();
  const failing: SessionApp = (scope) => {
    scope["pagi.session"].a = 2;
    throw new Error("app");
  };
  await assertRejects(
    () => new Client(sessions.wrap(failing), client.cookie).request(),
    Error,
    "app",
  );
  assertEquals((await store.get(client.id!))?.a, 1);
});

Deno.test("wrap() keeps what the app destroyed destroyed when the app throws", async () => {
  const { app, sessions, store } = setUp();
  const client = new Client(app(set("a", 1)));
  await client.request();
  const failing: SessionApp = (scope) => {
    new Session(scope).destroy();
    throw new Error("app");
  };
  await assertRejects(
    () => new Client(sessions.wrap(failing), client.cookie).request(),
    Error,
    "app",
  );
  assertEquals(store.size, 0);
});

Deno.test("wrap() makes a late write loud", async () => {
  const { sessions } = setUp();
  let checked = 0;
  const late: SessionApp = async (scope, _receive, send) => {
    const session = new Session(scope).set("a", 1);
    await respond(send);
    for (
      const write of [
        () => session.set("a", 2),
        () => session.update("a", () => 2),
        () => session.delete("a"),
        () => session.clear(),
        () => session.regenerate(),
        () => session.destroy(),
        () => session.subject = "u",
      ]
    ) {
      assertEquals(assertThrows(write, SessionError).code, "ERR_SESSION_COMMITTED");
      checked++;
    }
    assertThrows(() => scope["pagi.session"].a = 2, TypeError);
    assertEquals(session.get("a"), 1);
  };
  await new Client(sessions.wrap(late)).request();
  assertEquals(checked, 7);
});

Deno.test("wrap() keeps every key as data: __proto__ and constructor are keys like any other", async () => {
  const { app } = setUp();
  const client = new Client(app((scope) => {
    const data = scope["pagi.session"];
    if (data.round === 2) {
      assertEquals(
        Object.keys(data).filter((key) => !key.startsWith("_id")).includes("__proto__"),
        true,
      );
      assertEquals([data["__proto__"], data.constructor, data.toString], [
        { a: 1 },
        "c",
        undefined,
      ]);
      assertEquals(({} as Record<string, unknown>).a, undefined);
    }
    data["__proto__"] = { a: 1 };
    Object.assign(data, { constructor: "c", round: 2 });
  }));
  await client.request();
  await client.request();
});

Deno.test("wrap() refuses data that JSON cannot carry, and sends nothing", async () => {
  const { app, store } = setUp();
  const client = new Client(app(set("n", 1n)));
  const error = await assertRejects(() => client.request(), SessionError);
  assertEquals([error.code, store.size], ["ERR_SESSION_DATA", 0]);
});

Deno.test("wrap() sends no-store with an id unless the app says otherwise", async () => {
  const { app, events } = setUp();
  const plain = await new Client(app(set("a", 1))).request();
  assertEquals(plain.headers.filter(([name]) => name === "cache-control"), [[
    "cache-control",
    "no-store",
  ]]);
  const own = await new Client(app(set("a", 1), [["Cache-Control", "private"]])).request();
  assertEquals(own.headers.filter(([name]) => /^cache/i.test(name)), [[
    "Cache-Control",
    "private",
  ]]);
  assertEquals(events, []);
  await new Client(app(set("a", 1), [["cache-control", "public, max-age=60"]])).request();
  await new Client(app(set("a", 1), [["cache-control", "s-maxage=600"]])).request();
  assertEquals(events.map(({ type }) => type), ["public-response", "public-response"]);
});

Deno.test("wrap() adds Vary when it is asked to", async () => {
  const { app } = setUp({ vary: true });
  const { headers } = await new Client(app(() => {}, [["Vary", "Accept"]])).request();
  assertEquals(headers, [["Vary", "Accept"], ["vary", "Cookie"]]);
  const named = await new Client(app(() => {}, [["vary", "accept, cookie"]])).request();
  assertEquals(named.headers.length, 1);
});

Deno.test("wrap() refuses a client with two live sessions, and sends it nothing", async () => {
  const { app, events, store } = setUp();
  const [one, two] = [new Client(app(set("a", 1))), new Client(app(set("a", 2)))];
  await one.request();
  await two.request();
  const both = `${one.cookie}; ${two.cookie}`;
  const seen: unknown[] = [];
  const reader = app((scope) => {
    seen.push({ ...scope["pagi.session"] }, scope["pagi.session_id"]);
    const error = assertThrows(() => new Session(scope).set("a", 3), SessionError);
    seen.push(error.code);
  });
  const { cookies } = await new Client(reader, both).request();
  assertEquals([seen, cookies], [[{}, undefined, "ERR_SESSION_AMBIGUOUS"], []]);
  assertEquals([events.map(({ type }) => type), store.size], [["ambiguous"], 2]);
});

Deno.test("wrap() takes the one live session among several cookies, up to the fourth", async () => {
  const { app, events } = setUp();
  const client = new Client(app(set("a", 1)));
  await client.request();
  const dead = (digit: string) => `pagi_session=${digit.repeat(64)}`;
  const seen: unknown[] = [];
  const reader = app((scope) => void seen.push(scope["pagi.session"].a));
  const junk = "pagi_session=junk; pagi_session=";
  const among = (others: number) =>
    [junk, ...["1", "2", "3", "4"].slice(0, others).map(dead), client.cookie].join("; ");
  await new Client(reader, among(3)).request();
  assertEquals([seen, events], [[1], []]);
  // Behind the fourth nobody looks: then no cookie may take the place of the client's own.
  const writer = app(async (scope) => {
    seen.push(scope["pagi.session"].a);
    await assertRejects(async () => void await new Session(scope).set("a", 2), SessionError);
  });
  assertEquals((await new Client(writer, among(4)).request()).cookies, []);
  assertEquals([seen, events.map(({ type }) => type)], [[1, undefined], ["ambiguous"]]);
});

Deno.test("wrap() rejects when the app is no function", () => {
  assertThrows(() => setUp().sessions.wrap("app" as unknown as SessionApp), TypeError, "function");
});

Deno.test("send() passes on events that are not the response's start", async () => {
  const { sessions } = setUp();
  const early: Event = { type: "http.response.early_hints", headers: [] };
  const client = new Client(sessions.wrap(async (scope, _receive, send) => {
    await send(early);
    scope["pagi.session"].a = 1;
    await respond(send);
  }));
  const { events, cookies } = await client.request();
  assertEquals([events[0] === early, cookies.length], [true, 1]);
});
