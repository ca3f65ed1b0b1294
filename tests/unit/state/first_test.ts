import { assertEquals, assertMatch, assertNotEquals, assertThrows } from "@std/assert";
import {
  BearerState,
  CallbackState,
  CookieState,
  CookieStore,
  FirstState,
  type HeaderPair,
  HeaderState,
  MemoryStore,
  type Session,
  SessionMiddleware,
  type SessionState,
} from "@pagi/session";
import { ConnectCookie, MigratingState } from "@pagi/session/migrate";
import { cookieOf, idOf, NAVIGATION, requestWith, scopeWith, SECRET } from "../../_kit/helpers.ts";
import { ALL, ENDING, type Rig, testOn, VERSIONED } from "../../_kit/stores.ts";

const EMIT = "X-Session";
const both = (): SessionState => new FirstState(new BearerState({ emit: EMIT }), new CookieState());
const options = { state: both() };
const ID = idOf("a");

/** Sends a request with these headers. */
function send(
  { sessions }: Pick<Rig, "sessions">,
  headers: Record<string, string>,
  work: (session: Session) => unknown,
): Promise<Response> {
  return sessions.run(requestWith(headers), async (session) => {
    await work(session);
    return new Response();
  });
}

const bearer = (value: string | null) => ({ authorization: `Bearer ${value}` });

/** Opens a session in a browser, and another one of an API client. */
async function openBoth(rig: Rig) {
  const page = await send(rig, {}, (session) => session.set("client", "browser"));
  const cookie = cookieOf(page);
  const first = await rig.server({ state: new BearerState({ emit: EMIT }) })
    .run(requestWith(), (session) => new Response(session.set("client", "api").id));
  return { cookie, token: first.headers.get(EMIT)! };
}

Deno.test("FirstState() takes States only, and at least one", () => {
  assertThrows(() => new FirstState(), TypeError, "at least one");
  for (const wrong of [undefined, {}, CookieState, "cookie"]) {
    assertThrows(() => new FirstState(new CookieState(), wrong as never), TypeError, "extract");
  }
});

Deno.test("FirstState.extract() finds what the first State finds", async () => {
  const state = both();
  assertEquals(await state.extract(scopeWith({ ...bearer("t"), cookie: "pagi_session=c" })), "t");
  assertEquals(await state.extract(scopeWith({ cookie: "pagi_session=c" })), "c");
  assertEquals(await state.extract(scopeWith({ authorization: "Basic dTpw" })), undefined);
});

Deno.test("FirstState.extract() asks the next State if one finds nothing, however it says so", async () => {
  for (const nothing of [undefined, null, "", [], { id: [], mustInject: true }]) {
    for (const found of [nothing, Promise.resolve(nothing)]) {
      const empty = new CallbackState({ extract: () => found as never });
      const state = new FirstState(empty, new CookieState());
      assertEquals(await state.extract(scopeWith({ cookie: "pagi_session=c" })), "c");
    }
  }
});

Deno.test("FirstState.extract() finds several candidates and translated IDs", async () => {
  for (const found of [["a", "b"], { id: "a", mustInject: true as const }]) {
    const state = new FirstState(new CallbackState({ extract: () => found }), new CookieState());
    assertEquals(await state.extract(scopeWith({ cookie: "pagi_session=c" })), found);
  }
});

Deno.test("FirstState.extract() does not ask the States after the first that finds an ID", () => {
  const never = new CallbackState({
    extract: () => {
      throw new Error("asked");
    },
  });
  assertEquals(new FirstState(new BearerState(), never).extract(scopeWith(bearer("t"))), "t");
});

Deno.test("FirstState has the headers of all States, and is otherwise as the last one", () => {
  const state = new FirstState(
    new BearerState(),
    new HeaderState({ headerName: "Authorization" }),
    new CookieState({ cookieName: "sid", cookieOptions: { maxAge: 5 } }),
  );
  assertEquals(state.vary, ["Authorization", "Cookie"]);
  assertEquals([state.name, state.maxAge, state.isExplicit], ["sid", 5, undefined]);
  const headers: HeaderPair[] = [];
  state.inject(headers, ID, {});
  state.clear(headers);
  assertEquals(headers.map(([, value]) => value.split(";")[0]), [`sid=${ID}`, "sid="]);
});

testOn(
  ALL,
  "a client that presented nothing is answered by the last State",
  options,
  async (rig) => {
    const response = await send(rig, {}, (session) => session.set("n", 1));
    assertEquals(response.headers.getSetCookie().length, 1);
    assertEquals(response.headers.get(EMIT), null);
    assertEquals(response.headers.get("vary"), "Authorization, Cookie");
  },
);

testOn(ALL, "each client is answered by the State that found its ID", options, async (rig) => {
  const { cookie, token } = await openBoth(rig);
  const page = await send(rig, { cookie }, (session) => {
    assertEquals(session.get("client"), "browser");
    session.regenerate();
  });
  assertEquals([page.headers.getSetCookie().length, page.headers.get(EMIT)], [1, null]);
  const api = await send(rig, bearer(token), (session) => {
    assertEquals(session.get("client"), "api");
    session.regenerate();
  });
  assertEquals(api.headers.getSetCookie(), []);
  const renewed = api.headers.get(EMIT);
  assertNotEquals(renewed, null);
  await send(rig, bearer(renewed), (session) => assertEquals(session.get("client"), "api"));
  await send(rig, { cookie: cookieOf(page) }, (session) => {
    assertEquals(session.get("client"), "browser");
  });
});

testOn(ALL, "if a client sends two IDs, only the first counts", options, async (rig) => {
  const { cookie, token } = await openBoth(rig);
  const response = await send(rig, { cookie, ...bearer(token) }, (session) => {
    assertEquals(session.get("client"), "api");
    session.destroy();
  });
  assertEquals(response.headers.getSetCookie(), []);
  await send(rig, { cookie }, (session) => assertEquals(session.get("client"), "browser"));
});

testOn(ALL, "an unknown token does not open the cookie's session", options, async (rig) => {
  const { cookie } = await openBoth(rig);
  const response = await send(rig, { cookie, ...bearer("unknown") }, (session) => {
    assertEquals([session.absence, session.exists("client")], ["unknown", false]);
    session.set("n", 1);
  });
  assertEquals(response.headers.getSetCookie(), []);
  assertNotEquals(response.headers.get(EMIT), null);
});

testOn(ENDING, "a logout clears the ID where the client has it", options, async (rig) => {
  const { cookie, token } = await openBoth(rig);
  const api = await send(rig, bearer(token), (session) => session.destroy());
  assertEquals(api.headers.getSetCookie(), []);
  const page = await send(rig, { cookie }, (session) => session.destroy());
  assertMatch(page.headers.getSetCookie()[0]!, /Max-Age=0/);
  for (const headers of [{ cookie }, bearer(token)]) {
    await send(rig, headers, (session) => assertEquals(session.exists("client"), false));
  }
});

testOn(
  VERSIONED,
  "a replaced ID is unknown in a header and refused in a cookie",
  options,
  async (rig) => {
    const { cookie, token } = await openBoth(rig);
    for (
      const [headers, absence] of [[{ cookie }, "replaced"], [bearer(token), "unknown"]] as const
    ) {
      await send(rig, headers, (session) => session.regenerate());
      await send(rig, headers, (session) => assertEquals(session.absence, absence));
      const scope = { ...scopeWith(headers), type: "websocket" };
      const app = rig.sessions.wrap(({ "pagi.session": data }) => {
        assertEquals(rig.isVersioned && Object.keys(data).includes("client"), false);
      });
      await app(scope, () => Promise.reject(), () => Promise.resolve());
    }
  },
);

testOn(VERSIONED, "the cookie is renewed by its own lifetime, and a header is not", {
  state: new FirstState(
    new BearerState({ emit: EMIT }),
    new CookieState({ cookieOptions: { maxAge: 100 } }),
  ),
}, async (rig) => {
  const { cookie, token } = await openBoth(rig);
  rig.clock.advance(70);
  const page = await send(rig, { cookie }, () => {});
  assertEquals(page.headers.getSetCookie().length, 1);
  const api = await send(rig, bearer(token), () => {});
  assertEquals(api.headers.get(EMIT), null);
  const opened = await send(rig, { ...bearer(token), ...NAVIGATION }, () => {});
  assertEquals(opened.headers.getSetCookie(), []);
});

testOn(VERSIONED, "a login of README's recipe leaves a planted ID worthless", {
  state: new FirstState(new BearerState(), new CookieState()),
}, async (rig) => {
  for (const carry of [(id: string) => ({ cookie: `pagi_session=${id}` }), bearer]) {
    // The attacker's own session, whose ID they make the victim send.
    let planted: string | undefined;
    await send(rig, {}, async (session) => {
      planted = await session.set("client", "attacker").save();
    });
    let token: string | undefined;
    await send(rig, carry(planted!), async (session) => {
      session.subject = "ada";
      token = await session.save();
    });
    assertNotEquals(token, planted);
    for (const attempt of [{ cookie: `pagi_session=${planted}` }, bearer(planted!)]) {
      await send(rig, attempt, (session) => assertEquals(session.subject, undefined));
    }
    await send(rig, bearer(token!), (session) => assertEquals(session.subject, "ada"));
  }
});

testOn(ALL, "sessions.load() reads what the first State finds", options, async (rig) => {
  const { cookie, token } = await openBoth(rig);
  for (const [headers, client] of [[{ cookie }, "browser"], [bearer(token), "api"]] as const) {
    assertEquals((await rig.sessions.load(requestWith(headers)))?.get("client"), client);
  }
});

Deno.test("an encrypted session is bound to the State that carries it", async () => {
  const store = new CookieStore({ secret: SECRET, revocations: new MemoryStore() });
  const sessions = new SessionMiddleware({ secret: SECRET, store, state: both() });
  const alone = new SessionMiddleware({ secret: SECRET, store, state: new BearerState() });
  const page = await send({ sessions }, {}, (session) => session.set("n", 1));
  const value = cookieOf(page).slice("pagi_session=".length);
  const isThere = (session: Session) => session.exists("n");
  let found: unknown;
  await send({ sessions }, bearer(value), (session) => found = isThere(session));
  assertEquals(found, false);
  // A new session of an API client, a change, a new ID and a touch.
  let token = "unknown";
  for (const work of ["set", "change", "regenerate", "read"]) {
    const response = await send({ sessions }, bearer(token), (session) => {
      if (work === "regenerate") session.regenerate();
      else if (work !== "read") session.set("n", work);
    });
    token = response.headers.get(EMIT) ?? token;
    const loaded = await alone.load(requestWith(bearer(token)));
    assertEquals(loaded?.exists("n"), true, work);
  }
});

Deno.test("a FirstState may be one of the States of another", async () => {
  const state = new FirstState(
    new FirstState(new BearerState(), new HeaderState({ headerName: "X-Key", emit: EMIT })),
    new CookieState(),
  );
  const sessions = new SessionMiddleware({ secret: SECRET, state });
  const response = await send({ sessions }, { "x-key": "unknown" }, (s) => s.set("n", 1));
  assertEquals([response.headers.getSetCookie().length, response.headers.has(EMIT)], [0, true]);
  const reversed = new FirstState(new CookieState(), new FirstState(new BearerState(), both()));
  const others = new SessionMiddleware({ secret: SECRET, state: reversed });
  const fresh = await send({ sessions: others }, {}, (s) => s.set("n", 1));
  assertEquals(fresh.headers.getSetCookie().length, 1);
});

Deno.test("a value that a client can make is not taken for a State", async () => {
  const json = (scope: { headers?: unknown }) =>
    JSON.parse((scope.headers as HeaderPair[])[0]![1]) as never;
  const sessions = new SessionMiddleware({
    secret: SECRET,
    state: new FirstState(new CallbackState({ extract: json }), new CookieState()),
  });
  for (const sent of ["1", "{}", '{"id":{"id":"a"}}', '{"state":{},"extracted":"a"}', '[["a"]]']) {
    const response = await send({ sessions }, { a: sent }, (session) => session.set("n", 1));
    assertEquals(response.status, 200);
  }
});

Deno.test("MigratingState refuses a FirstState, and works in one", async () => {
  const legacy = new ConnectCookie({ secret: "keyboard cat" });
  assertThrows(() => new MigratingState({ state: both(), legacy }), TypeError, "FirstState");
  const renamed = new MigratingState({
    state: new CookieState({ cookieName: "new" }),
    legacy: new CookieState({ cookieName: "old" }),
  });
  const sessions = new SessionMiddleware({
    secret: SECRET,
    state: new FirstState(new BearerState(), renamed),
    generateId: () => ID,
  });
  await send({ sessions }, {}, (session) => session.set("n", 1));
  const response = await send({ sessions }, { cookie: `old=${ID}` }, (session) => {
    session.set("n", session.get("n"));
    session.set("m", 1);
  });
  assertEquals(response.headers.getSetCookie().map((one) => one.split(";")[0]), [
    "old=",
    `new=${ID}`,
  ]);
});

Deno.test("SessionMiddleware() refuses a State whose choose is not a function", () => {
  const state = Object.assign(new CookieState(), { choose: 1 }) as never;
  assertThrows(() => new SessionMiddleware({ secret: SECRET, state }), TypeError, "choose");
});
