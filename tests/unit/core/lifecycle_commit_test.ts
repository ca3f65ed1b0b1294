import { assertEquals, assertFalse, assertRejects, assertThrows } from "@std/assert";
import { type Event, type HeaderPair, Session, type SessionApp, SessionError } from "@pagi/session";
import { Client, respond } from "../../_kit/client.ts";
import { set, setUp } from "../../_kit/pagi_app.ts";

Deno.test("wrap() gives a new ID, keeps the data and invalidates the old ID when the app regenerates", async () => {
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

Deno.test("wrap() shows the new ID after the response started", async () => {
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

Deno.test("wrap() leaves neither `_regenerated` nor `_destroyed` in the data after the response started", async () => {
  const { sessions } = setUp();
  for (const act of ["regenerate", "destroy"] as const) {
    let data: Record<string, unknown> = {};
    const app = sessions.wrap(async (scope, _receive, send) => {
      data = scope["pagi.session"];
      const session = new Session(scope).set("a", 1)[act]();
      await respond(send);
      assertEquals(
        assertThrows(() => session.set("a", 2), SessionError).code,
        "ERR_SESSION_COMMITTED",
      );
    });
    await new Client(app).request();
    assertEquals(Object.keys(data).sort(), ["_created", "_id", "_last_access", "a"]);
  }
});

Deno.test("wrap() gives a new ID when the session gets a subject", async () => {
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

Deno.test("wrap() ends the session and clears the cookie when the app destroys and does anything else", async () => {
  const { app, store } = setUp();
  const client = new Client(app(set("a", 1)));
  await client.request();
  const destroy = app((scope) => void new Session(scope).set("b", 2).regenerate().destroy());
  const { cookies } = await new Client(destroy, client.cookie).request();
  assertEquals(cookies, ["pagi_session=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0"]);
  assertEquals(store.size, 0);
});

Deno.test("wrap() commits once and passes a second start through unchanged", async () => {
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

Deno.test("wrap() does not change the app's header list", async () => {
  const headers: HeaderPair[] = [["content-type", "text/plain"]];
  const { app } = setUp();
  await new Client(app(set("a", 1), headers)).request();
  assertEquals(headers, [["content-type", "text/plain"]]);
});

Deno.test("wrap() sends the body after the start", async () => {
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

Deno.test("wrap() saves nothing when the app throws before it responds", async () => {
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

Deno.test("wrap() ends the session when the app destroys it and then throws", async () => {
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

Deno.test("wrap() makes writes throw after the response started", async () => {
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
        () => session.rotate(),
        () => session.restart(),
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
  assertEquals(checked, 9);
});

Deno.test("wrap() saves __proto__ and constructor like any other key", async () => {
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

Deno.test("wrap() rejects and sends nothing when JSON cannot represent the data", async () => {
  const { app, store } = setUp();
  const client = new Client(app(set("n", 1n)));
  const error = await assertRejects(() => client.request(), SessionError);
  assertEquals([error.code, store.size], ["ERR_SESSION_DATA", 0]);
});

Deno.test("wrap() sends an ID with a Cache-Control that no shared cache stores", async () => {
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
  const two: HeaderPair[] = [["cache-control", "max-age=0"], ["Cache-Control", "private"]];
  assertEquals((await new Client(app(set("a", 1), two)).request()).headers.slice(0, -1), two);
  assertEquals(events, []);
  for (const shared of ["public, max-age=60", "s-maxage=600", "no-cache, PUBLIC", "max-age=60"]) {
    const { headers } = await new Client(app(set("a", 1), [["Cache-Control", shared]])).request();
    assertEquals(headers.filter(([name]) => /^cache/i.test(name)), [[
      "cache-control",
      "private, no-store",
    ]]);
  }
  assertEquals(events.map(({ type }) => type), Array(4).fill("public-response"));
});

Deno.test("wrap() adds Vary when the option is on", async () => {
  const { app } = setUp({ vary: true });
  const { headers } = await new Client(app(() => {}, [["Vary", "Accept"]])).request();
  assertEquals(headers, [["Vary", "Accept"], ["vary", "Cookie"]]);
  const named = await new Client(app(() => {}, [["vary", "accept, cookie"]])).request();
  assertEquals(named.headers.length, 1);
});

Deno.test("wrap() rejects and sends nothing when a client has two active sessions", async () => {
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

Deno.test("wrap() finds the only active session when it is in one of the first four cookies", async () => {
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

Deno.test("wrap() rejects when the app is not a function", () => {
  assertThrows(() => setUp().sessions.wrap("app" as unknown as SessionApp), TypeError, "function");
});

Deno.test("send() passes an event on when it is not the response's start", async () => {
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
