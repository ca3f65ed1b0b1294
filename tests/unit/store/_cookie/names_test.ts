/** A sealed session and what it is carried under: a value of one name is nobody's under another. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  BearerState,
  CallbackState,
  CookieState,
  HeaderState,
  MemoryStore,
  type Session,
  SessionError,
  SessionMiddleware,
  type SessionState,
} from "@pagi/session";
import {
  LegacyCookie,
  LegacySessions,
  MigratingState,
  type MigratingStateOptions,
} from "@pagi/session/migrate";
import { CookieStore, type CookieStoreOptions } from "../../../../store/cookie.ts";
import { valueOf } from "../../../_kit/cookie_store.ts";
import { cookieOf, idOf, requestWith } from "../../../_kit/helpers.ts";

const secret = "one secret for all, of 32 bytes and more";

/** A server with sealed sessions; all of these have the same secret and purpose. */
function serve(state: SessionState, options: Partial<CookieStoreOptions> = {}) {
  const events: string[] = [];
  const store = new CookieStore({ secret, ...options });
  const sessions = new SessionMiddleware({
    secret: "the secret for IDs: 32 bytes or more",
    store,
    state,
    onEvent: ({ type }) => void (type !== "store-without-guarantees" && events.push(type)),
  });
  const visit = (headers: Record<string, string>, act: (session: Session) => unknown = () => {}) =>
    sessions.run(requestWith(headers), async (session) => {
      await act(session);
      return Response.json(session.slice(...session.keys()));
    });
  const load = async (headers: Record<string, string>) =>
    (await sessions.load(requestWith(headers)))?.get("user");
  const signIn = async () => {
    const response = await visit({}, (session) => session.set("user", "ada"));
    return response.headers.get("x-id") ?? valueOf(cookieOf(response));
  };
  return { sessions, store, events, visit, load, signIn };
}

const cookieCalled = (cookieName: string) => new CookieState({ cookieName });
const signOut = (session: Session) => session.destroy();

/** Ways to carry a session, each with what a client sends of a value. */
type Carrier = readonly [state: SessionState, sent: (value: string) => Record<string, string>];
const CARRIERS: readonly Carrier[] = [
  [cookieCalled("customer"), (value) => ({ cookie: `customer=${value}` })],
  [cookieCalled("admin"), (value) => ({ cookie: `admin=${value}` })],
  [cookieCalled("x-id"), (value) => ({ cookie: `x-id=${value}` })],
  [new HeaderState({ headerName: "X-Id", emit: "X-Id" }), (value) => ({ "x-id": value })],
  [new HeaderState({ headerName: "X-Key", emit: "X-Id" }), (value) => ({ "x-key": value })],
  [new BearerState({ emit: "X-Id" }), (value) => ({ authorization: `Bearer ${value}` })],
  ...[undefined, "mine"].map((name) => {
    const state = new CallbackState({
      extract: (scope) => scope.headers?.find(([name]) => name === "x-own")?.[1],
      inject: (headers, id) => void headers.push(["x-id", id]),
      name,
    });
    return [state, (value: string) => ({ "x-own": value })] as const;
  }),
];

Deno.test("an encrypted session opens only with the State that carried it", async () => {
  for (const [from] of CARRIERS) {
    const value = await serve(from).signIn();
    for (const [to, sent] of CARRIERS) {
      const here = serve(to);
      assertEquals(await here.load(sent(value)), from === to ? "ada" : undefined);
      const seen = await (await here.visit(sent(value))).json();
      assertEquals(seen, from === to ? { user: "ada" } : {});
      const open = await here.sessions.open(requestWith(sent(value)));
      assertEquals(open.session.get("user", undefined), from === to ? "ada" : undefined);
      await open.abort();
      assertEquals(here.events, []);
    }
  }
});

Deno.test("an encrypted session is not written or sent when its name is another", async () => {
  const value = await serve(cookieCalled("customer")).signIn();
  const admin = serve(cookieCalled("admin"));
  const read = await admin.visit({ cookie: `admin=${value}` });
  assertEquals(read.headers.getSetCookie(), []);
  const written = await admin.visit({ cookie: `admin=${value}` }, (session) => session.set("n", 1));
  assertEquals(await written.json(), { n: 1 });
  assert(cookieOf(written) !== `admin=${value}`);
});

Deno.test("a session stays bound to its name after a write, a touch, a new ID and a new secret", async () => {
  let now = 1_700_000_000_000;
  const clock = () => now;
  const names = ["customer", "admin"] as const;
  for (const change of ["write", "touch", "regenerate", "secret"] as const) {
    const make = (name: string, secrets: string[]) => {
      const store = new CookieStore({ secret: secrets, now: clock });
      return new SessionMiddleware({
        secret: "the secret of the tests: 32 bytes or more",
        store,
        cookieName: name,
        now: clock,
      });
    };
    const [customer, admin] = names.map((name) => make(name, [secret]));
    const first = await customer!.run(requestWith({}), (session) => {
      session.set("user", "ada");
      return new Response();
    });
    now += 61_000;
    const fresh = [`${secret}, new`, secret];
    const server = change === "secret" ? make("customer", fresh) : customer!;
    const cookie = cookieOf(first);
    const next = await server.run(requestWith({ cookie }), (session) => {
      if (change === "write") session.set("n", 1);
      if (change === "regenerate") session.regenerate();
      return new Response();
    });
    const value = valueOf(cookieOf(next));
    assertEquals(
      (await server.load(requestWith({ cookie: `customer=${value}` })))?.get("user"),
      "ada",
    );
    const other = change === "secret" ? make("admin", fresh) : admin!;
    assertEquals(await other.load(requestWith({ cookie: `admin=${value}` })), undefined);
  }
});

Deno.test("a cookie is ignored when it was encrypted for another name", async () => {
  const [customer, admin] = [serve(cookieCalled("customer")), serve(cookieCalled("admin"))];
  const [foreign, own] = [await customer.signIn(), await admin.signIn()];
  for (const values of [[foreign, own], [own, foreign]]) {
    const cookie = values.map((value) => `admin=${value}`).join("; ");
    assertEquals(await admin.load({ cookie }), "ada");
  }
  assertEquals(await admin.load({ cookie: `admin=${foreign}; admin=${foreign}x` }), undefined);
  assertEquals(admin.events, []);
});

Deno.test("sessions.destroy() and update() accept only values of their own State's name", async () => {
  const revocations = new MemoryStore();
  const customer = serve(cookieCalled("customer"), { revocations });
  const admin = serve(cookieCalled("admin"), { revocations });
  const value = await customer.signIn();
  await admin.sessions.destroy(value);
  assertEquals(await customer.load({ cookie: `customer=${value}` }), "ada");
  const update = ({ sessions }: typeof customer) => () => sessions.update(value, () => {});
  const errors = [
    await assertRejects(update(admin), SessionError),
    await assertRejects(update(customer), SessionError),
  ];
  assertEquals(errors.map(({ code }) => code), ["ERR_SESSION_INTERRUPTED", "ERR_SESSION_STORE"]);
  await customer.sessions.destroy(value);
  assertEquals(await customer.load({ cookie: `customer=${value}` }), undefined);
});

Deno.test("destroy() ends only the session of its name when revocations are on", async () => {
  const revocations = new MemoryStore();
  const customer = serve(cookieCalled("customer"), { revocations });
  const admin = serve(cookieCalled("admin"), { revocations });
  const [one, other] = [await customer.signIn(), await admin.signIn()];
  await customer.visit({ cookie: `customer=${one}; admin=${other}` }, signOut);
  assertEquals(await customer.load({ cookie: `customer=${one}` }), undefined);
  assertEquals(await admin.load({ cookie: `admin=${other}` }), "ada");
});

Deno.test("CookieStore.open() opens a value without a name only when no name is given", async () => {
  const store = new CookieStore({ secret });
  const { signal } = new AbortController();
  const now = Math.floor(Date.now() / 1000);
  const text = JSON.stringify({ _created: now });
  const seal = (name?: string) =>
    store.seal(idOf("5"), text, { lastAccess: now, ttl: 60, name, signal });
  for (const sealed of [undefined, "", "sid"]) {
    const value = (await seal(sealed))!;
    for (const opened of [undefined, "", "sid"]) {
      const found = await store.open(value, { name: opened, signal });
      assertEquals(found?.id, sealed === opened ? idOf("5") : undefined);
    }
  }
  const value = await store.set(idOf("5"), { user: "ada" });
  assertEquals((await store.get(value))?.user, "ada");
  assertEquals(await serve(cookieCalled("sid")).load({ cookie: `sid=${value}` }), undefined);
});

Deno.test('format "pagi" binds no name, like the Perl module', async () => {
  const value = await serve(cookieCalled("customer"), { format: "pagi" }).signIn();
  assertEquals(
    await serve(cookieCalled("admin"), { format: "pagi" }).load({ cookie: `admin=${value}` }),
    "ada",
  );
});

Deno.test("State.name is the name of the cookie or header", () => {
  const states = [
    new CookieState(),
    cookieCalled("sid"),
    new HeaderState({ headerName: "X-Id" }),
    new BearerState(),
    new CallbackState({ extract: () => undefined }),
    new CallbackState({ extract: () => undefined, name: "mine" }),
    new MigratingState({ state: cookieCalled("new"), legacy: cookieCalled("old") }),
  ];
  const names = ["pagi_session", "sid", "header x-id", "header authorization", undefined, "mine"];
  assertEquals(states.map(({ name }) => name), [...names, "new"]);
  assertEquals(new LegacyCookie({ cookieName: "old" }).name, "old");
});

Deno.test("SessionMiddleware() and CallbackState() throw when a name is not a string", () => {
  const name = 1 as unknown as string;
  assertThrows(() => new CallbackState({ extract: () => undefined, name }), TypeError, "name");
  const state = { extract: () => undefined, inject: () => {}, name };
  assertThrows(
    () => new SessionMiddleware({ secret: "the secret of the tests: 32 bytes or more", state }),
    TypeError,
    "name",
  );
});

Deno.test("a State's own name is used when the name beside an ID is not a string", async () => {
  const value = await serve(cookieCalled("sid")).signIn();
  for (const name of [undefined, null, 1n, {}, "sid"]) {
    const extract = () => ({ id: value, mustInject: true, name }) as unknown as string;
    const { load } = serve({ extract, inject: () => {}, name: "sid" });
    assertEquals(await load({}), "ada");
  }
});

/** A server whose cookie was called `old` and is called `new` from now on. */
const renaming = (
  options: Partial<CookieStoreOptions> = {},
  more: Partial<MigratingStateOptions> = {},
) =>
  serve(
    new MigratingState({ state: cookieCalled("new"), legacy: cookieCalled("old"), ...more }),
    options,
  );
const CLEARED = "old=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0";

Deno.test("a renamed cookie is accepted, sent under its new name and cleared under its old one", async () => {
  for (const legacy of [cookieCalled("old"), new LegacyCookie({ cookieName: "old" })]) {
    const value = await serve(cookieCalled("old")).signIn();
    const { visit, load } = renaming({}, { legacy });
    assertEquals(await load({ cookie: `old=${value}` }), "ada");
    const response = await visit({ cookie: `old=${value}` });
    assertEquals(await response.json(), { user: "ada" });
    const [removed, given, ...more] = response.headers.getSetCookie();
    assertEquals([removed, more], [CLEARED, []]);
    assert(given!.startsWith("new="));
    const cookie = cookieOf(given!);
    assertEquals(await load({ cookie }), "ada");
    assertEquals(await serve(cookieCalled("new")).load({ cookie }), "ada");
    const moved = cookie.slice("new=".length);
    // Neither under the other's name.
    assertEquals(await load({ cookie: `old=${moved}` }), undefined);
    assertEquals(await load({ cookie: `new=${value}` }), undefined);
  }
});

Deno.test("a renamed cookie keeps its ID, and destroy() ends both", async () => {
  const revocations = new MemoryStore();
  const before = serve(cookieCalled("old"), { revocations });
  const value = await before.signIn();
  const { visit, load } = renaming({ revocations });
  let id: string | undefined;
  const written = await visit({ cookie: `old=${value}` }, (session) => {
    id = session.id;
    session.set("n", 1);
  });
  const moved = cookieOf(written.headers.getSetCookie()[1]!);
  const logout = await visit({ cookie: moved }, (session) => {
    assertEquals(session.id, id);
    session.destroy();
  });
  assertEquals(logout.headers.getSetCookie().length, 2);
  assertEquals(await load({ cookie: `old=${value}` }), undefined);
  assertEquals(await load({ cookie: moved }), undefined);
});

Deno.test("a client of a renamed cookie gets a new ID when it regenerates", async () => {
  const revocations = new MemoryStore();
  const value = await serve(cookieCalled("old"), { revocations }).signIn();
  const { visit, load } = renaming({ revocations });
  const login = await visit({ cookie: `old=${value}` }, (session) => session.regenerate());
  const late = await visit({ cookie: `old=${value}` });
  assertEquals([await late.json(), late.headers.getSetCookie()], [{}, []]);
  assertEquals(await load({ cookie: cookieOf(login.headers.getSetCookie()[1]!) }), "ada");
});

Deno.test("two cookies of the old name are refused when they have two sessions, not when they have one", async () => {
  const before = serve(cookieCalled("old"));
  const [one, other] = [await before.signIn(), await before.signIn()];
  const { visit, load, events } = renaming();
  assertEquals(await load({ cookie: `old=${one}; old=${other}` }), undefined);
  assertEquals(events, ["ambiguous"]);
  const again = await visit({ cookie: `old=${one}; old=junk` });
  assertEquals(await again.json(), { user: "ada" });
  assertEquals(again.headers.getSetCookie().length, 2);
});

Deno.test("a request is refused when it has too many cookies of the old name", async () => {
  const before = serve(cookieCalled("old"));
  const values = [await before.signIn()];
  for (let at = 0; at < 3; at++) values.push((await before.signIn()).slice(0, -4) + "AAAA");
  values.push(await before.signIn());
  const { load, events } = renaming();
  assertEquals(await load({ cookie: values.map((value) => `old=${value}`).join("; ") }), undefined);
  assertEquals(events, ["ambiguous"]);
});

Deno.test("the old name is not looked up when a client sends the new one", async () => {
  const value = await serve(cookieCalled("old")).signIn();
  const own = await serve(cookieCalled("new")).signIn();
  const { visit, load } = renaming();
  const response = await visit(
    { cookie: `old=${value}; new=${own}` },
    (session) => session.set("n", 1),
  );
  assertEquals(await response.json(), { user: "ada", n: 1 });
  assertEquals(await load({ cookie: `old=${value}; new=junk` }), undefined);
});

Deno.test("a cookie is accepted only under the names that it was encrypted for when it was renamed twice", async () => {
  const middle = new MigratingState({ state: cookieCalled("b"), legacy: cookieCalled("a") });
  for (
    const state of [
      new MigratingState({ state: cookieCalled("c"), legacy: middle }),
      new MigratingState({
        state: new MigratingState({ state: cookieCalled("c"), legacy: cookieCalled("b") }),
        legacy: cookieCalled("a"),
      }),
    ]
  ) {
    const { load } = serve(state);
    for (const made of ["a", "b", "c"]) {
      const value = await serve(cookieCalled(made)).signIn();
      for (const sent of ["a", "b", "c"]) {
        const expected = sent === made ? "ada" : undefined;
        assertEquals(await load({ cookie: `${sent}=${value}` }), expected, `${made} as ${sent}`);
      }
    }
  }
});

Deno.test("a session under our former name is found when another library's cookie is read, too", async () => {
  const value = await serve(cookieCalled("old")).signIn();
  const legacy = { get: () => ({ user: "eve" }) };
  const { load } = serve(
    new MigratingState({
      state: new MigratingState({ state: cookieCalled("new"), legacy: cookieCalled("old") }),
      legacy: new LegacyCookie({ cookieName: "theirs" }),
      sessions: new LegacySessions({
        secret: "the secret of the tests: 32 bytes or more",
        store: new CookieStore({ secret }),
        legacy,
      }),
    }),
  );
  assertEquals(await load({ cookie: "theirs=abc" }), "eve");
  assertEquals(await load({ cookie: `old=${value}; theirs=abc` }), "ada");
});

Deno.test("a stored session keeps its ID and gets the new name when its cookie was renamed", async () => {
  const store = new MemoryStore();
  const make = (state: SessionState) =>
    new SessionMiddleware({ secret: "the secret of the tests: 32 bytes or more", store, state });
  const first = await make(cookieCalled("old")).run(requestWith({}), (session) => {
    session.set("user", "ada");
    return new Response();
  });
  const state = new MigratingState({ state: cookieCalled("new"), legacy: cookieCalled("old") });
  const next = await make(state).run(
    requestWith({ cookie: cookieOf(first) }),
    (session) => new Response(session.get("user") as string),
  );
  assertEquals(await next.text(), "ada");
  const [removed, given] = next.headers.getSetCookie();
  assertEquals([removed, cookieOf(given!)], [CLEARED, cookieOf(first).replace("old", "new")]);
});

Deno.test("LegacySessions encrypts moved sessions for the State's name", async () => {
  const records = new Map<string, object>([["abc", { user: "ada" }]]);
  const store = new CookieStore({ secret });
  const { visit, load } = renaming({}, {
    legacy: new LegacyCookie({ cookieName: "old" }),
    sessions: new LegacySessions({
      secret: "the secret of the tests: 32 bytes or more",
      store,
      legacy: { get: (id) => records.get(id) },
    }),
  });
  const response = await visit({ cookie: "old=abc" });
  assertEquals(await response.json(), { user: "ada" });
  const cookie = cookieOf(response.headers.getSetCookie()[1]!);
  assertEquals(await load({ cookie }), "ada");
  // Our own is alive, so the old one is not asked for.
  records.set("abc", { user: "eve" });
  assertEquals(await load({ cookie: `${cookie}; old=abc` }), "ada");
  assertEquals(
    await serve(cookieCalled("other")).load({ cookie: cookie.replace("new", "other") }),
    undefined,
  );
});
