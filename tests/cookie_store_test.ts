import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertThrows,
} from "@std/assert";
import {
  CookieState,
  HeaderState,
  MemoryStore,
  type Session,
  type SessionError,
  SessionMiddleware,
  type SessionOptions,
} from "@pagi/session";
import { CookieStore, type CookieStoreOptions } from "../store/cookie.ts";
import { openStore } from "../_store_face.ts";
import { call, cookieOf, fakeClock, idOf, requestWith, scopeWith } from "./_helpers.ts";

const secret = "a secret of more than 32 bytes, for tests";
const { signal } = new AbortController();

function setUp(options: Partial<CookieStoreOptions> = {}, session: Partial<SessionOptions> = {}) {
  const clock = fakeClock();
  const store = new CookieStore({ secret, now: clock.now, ...options });
  const events: string[] = [];
  const sessions = new SessionMiddleware({
    secret: "ids",
    store,
    now: clock.now,
    onEvent: ({ type }) => void events.push(type),
    ...session,
  });
  /** Answers a request with this cookie; the response tells the id and the data. */
  const visit = (
    cookie: string | undefined,
    act: (session: Session) => unknown = () => {},
  ) =>
    sessions.run(requestWith(cookie === undefined ? {} : { cookie }), async (session) => {
      await act(session);
      return Response.json({ id: session.id, ...session.slice(...session.keys()) });
    });
  const signIn = async () =>
    cookieOf(await visit(undefined, (session) => session.set("user", "ada")));
  const load = async (cookie: string) => {
    const found = await sessions.load(requestWith({ cookie }));
    return found?.slice(...found.keys());
  };
  return { clock, store, events, sessions, visit, signIn, load };
}

const valueOf = (cookie: string) => cookie.slice(cookie.indexOf("=") + 1);

for (
  const [options, type, why] of [
    [undefined, TypeError, "options must be an object"],
    [{}, TypeError, "secret must be a string"],
    [{ secret: [] }, TypeError, "secret must be a string"],
    [{ secret: [secret, 1] }, TypeError, "secret must be a string"],
    [{ secret: "x".repeat(31) }, RangeError, "32 bytes"],
    [{ secret: [secret, "é".repeat(15)] }, RangeError, "32 bytes"],
    [{ secret, purpose: 1 }, TypeError, "purpose"],
    [{ secret, format: "jwt" }, TypeError, "format"],
    [{ secret, now: 1 }, TypeError, "now"],
    [{ secret, revocations: {} }, TypeError, "revocations"],
    [{ secret, revocationCache: 1 }, TypeError, "revocationCache needs revocations"],
    [
      { secret, revocations: new MemoryStore(), revocationCache: -1 },
      RangeError,
      "revocationCache",
    ],
    [{ secret, format: "pagi", revocations: new MemoryStore() }, TypeError, "would not ask"],
    [{ secret, expire: 1 }, TypeError, 'no option "expire"'],
  ] as [CookieStoreOptions, typeof TypeError, string][]
) {
  Deno.test(`new CookieStore() throws a ${type.name}: ${why} (${JSON.stringify(options)})`, () => {
    const error = assertThrows(() => new CookieStore(options), type, why);
    assert(!error.message.includes(secret));
  });
}

Deno.test("new CookieStore() counts a secret's bytes, and copies the list", async () => {
  const secrets = ["é".repeat(16)];
  const store = new CookieStore({ secret: secrets });
  const value = await store.set("a", { n: 1 });
  secrets[0] = secret;
  assertEquals((await store.get(value))?.n, 1);
});

Deno.test("new CookieStore() draws no randomness and does no crypto", () => {
  const { getRandomValues, subtle } = crypto;
  const fail = () => {
    throw new Error("forbidden here");
  };
  const { importKey } = subtle;
  try {
    Object.assign(crypto, { getRandomValues: fail });
    Object.assign(subtle, { importKey: fail });
    new CookieStore({ secret: [secret, secret], revocations: new MemoryStore() });
    new CookieStore({ secret, format: "pagi" });
  } finally {
    Object.assign(crypto, { getRandomValues });
    Object.assign(subtle, { importKey });
  }
});

Deno.test("CookieStore.set() and get() keep PAGI's hash, by themselves", async () => {
  const clock = fakeClock();
  const store = new CookieStore({ secret, now: clock.now });
  const value = await store.set("a", { user: "Adéle 世", nested: { list: [1] } });
  const now = clock.seconds();
  assertEquals(await store.get(value), {
    _id: "a",
    _created: now,
    user: "Adéle 世",
    nested: { list: [1] },
    _last_access: now,
  });
  const hash = { _id: idOf("1"), _created: 5, _subject: "ada", n: 1, _last_access: 7 };
  assertEquals(await store.get(await store.set(idOf("1"), hash)), hash);
  clock.advance(399 * 86_400);
  assertEquals((await store.get(value))?.user, "Adéle 世");
  await store.delete(value);
  clock.advance(2 * 86_400);
  assertEquals(await store.get(value), undefined);
});

Deno.test("CookieStore.set() refuses what JSON cannot carry", async () => {
  const store = new CookieStore({ secret });
  for (const format of [undefined, "pagi"] as const) {
    const store = new CookieStore({ secret, format });
    const error = await assertRejects(() => store.set("a", { n: 1n })) as SessionError;
    assertEquals(error.code, "ERR_SESSION_DATA");
  }
  await assertRejects(() => store.set("", {}), TypeError);
});

Deno.test("CookieStore.open() gives the text as it was sealed, with its own note", async () => {
  const clock = fakeClock();
  const store = new CookieStore({ secret, now: clock.now });
  const lastAccess = clock.seconds() - 10;
  const text = '{"_created":1,"a":[1, 2]}';
  const value = await store.seal(idOf("2"), text, { lastAccess, ttl: 60, signal });
  const opened = await store.open(value!, { signal });
  assertEquals(opened, { id: idOf("2"), text, lastAccess, version: "70" });
  clock.advance(60);
  assertEquals((await store.open(value!, { signal }))?.text, text);
  clock.advance(1);
  assertEquals(await store.open(value!, { signal }), undefined);
});

Deno.test("a session lives in its cookie, and what was sealed shows nothing of it", async () => {
  const { visit, signIn, events } = setUp();
  const cookie = await signIn();
  const { id, ...data } = await (await visit(cookie)).json();
  assertEquals(data, { user: "ada" });
  assertMatch(id, /^[0-9a-f]{64}$/);
  const bytes = atob(valueOf(cookie).replaceAll("-", "+").replaceAll("_", "/"));
  assert(!bytes.includes("ada") && !cookie.includes(id));
  assertEquals(events, ["store-without-guarantees"]);
});

Deno.test("a request that only reads sends nothing, one that writes sends another value", async () => {
  const { visit, signIn, load } = setUp();
  const cookie = await signIn();
  assertEquals((await visit(cookie)).headers.get("set-cookie"), null);
  const written = cookieOf(await visit(cookie, (session) => session.set("n", 1)));
  assertNotEquals(written, cookie);
  assertEquals(await load(written), { user: "ada", n: 1 });
});

Deno.test("a write keeps the id, and regenerate() gives the session a new one", async () => {
  const { visit, signIn } = setUp();
  const cookie = await signIn();
  const idIn = async (cookie: string) => (await (await visit(cookie)).json()).id;
  const written = cookieOf(await visit(cookie, (session) => session.set("n", 1)));
  assertEquals(await idIn(written), await idIn(cookie));
  const rotated = cookieOf(await visit(written, (session) => session.regenerate()));
  assertNotEquals(await idIn(rotated), await idIn(cookie));
  const subject = cookieOf(await visit(rotated, (session) => session.subject = "user-7"));
  assertNotEquals(await idIn(subject), await idIn(rotated));
  // What cannot be promised: the old value is still there.
  assertEquals((await (await visit(cookie)).json()).user, "ada");
});

Deno.test("a touch seals the session again, and without one it expires", async () => {
  const { visit, signIn, load, clock } = setUp({}, { expire: 3600 });
  const cookie = await signIn();
  clock.advance(59);
  assertEquals((await visit(cookie)).headers.get("set-cookie"), null);
  clock.advance(1);
  const touched = cookieOf(await visit(cookie));
  clock.advance(3590);
  assertEquals([await load(cookie), await load(touched)], [undefined, { user: "ada" }]);
  clock.advance(20);
  assertEquals(await load(touched), undefined);
});

Deno.test("a logout clears the cookie, and its copy lives on, as the page says", async () => {
  const { visit, signIn, load } = setUp();
  const cookie = await signIn();
  const logout = await visit(cookie, (session) => session.destroy());
  assertMatch(logout.headers.get("set-cookie")!, /^pagi_session=; .*Max-Age=0$/);
  assertEquals(await load(cookie), { user: "ada" });
});

Deno.test("whatever else a client presents is no session, and all of it looks alike", async () => {
  const { signIn, store, events, sessions } = setUp();
  const cookie = await signIn();
  const value = valueOf(cookie);
  const other = new CookieStore({ secret, purpose: "other" });
  const foreign = new CookieStore({ secret: `${secret}!` });
  const session = [idOf("1"), '{"_created":1}', { lastAccess: 2e9, ttl: 1e9, signal }] as const;
  const forged: string[] = [
    "",
    "x",
    `${value}A`,
    value.slice(1),
    value.slice(0, -1),
    value.slice(0, 40) + (value[40] === "A" ? "B" : "A") + value.slice(41),
    (await other.seal(...session))!,
    (await foreign.seal(...session))!,
    '{"_id":"1","_created":2000000000,"user":"admin"}',
    btoa('{"_id":"1","_created":2000000000,"user":"admin"}'),
    `AQ${btoa('{"user":"admin"}').replaceAll("=", "")}`,
    "eyJhbGciOiJub25lIn0.eyJ1c2VyIjoiYWRtaW4ifQ.",
    idOf("1"),
    "A".repeat(200),
    `AQ${"A".repeat(200)}`,
    `AQ${"A".repeat(6000)}`,
    "é世".repeat(50),
    "%00%00",
  ];
  const answers = new Set<string>();
  const app = sessions.wrap(async (scope, _receive, send) => {
    const { _id, ...data } = scope["pagi.session"];
    await send({
      type: "http.response.start",
      status: 200,
      headers: [["x", JSON.stringify(data)]],
    });
  });
  for (const junk of [undefined, ...forged]) {
    // A scope takes what a Request would not.
    const scope = scopeWith(junk === undefined ? [] : [["cookie", `pagi_session=${junk}`]]);
    answers.add(JSON.stringify(await call(app, scope)));
    assertEquals(await sessions.load(scope), undefined);
    if (junk === undefined) continue;
    assertEquals([await store.get(junk), await store.open(junk, { signal })], [
      undefined,
      undefined,
    ]);
  }
  assertEquals(answers.size, 1);
  assertEquals(events, ["store-without-guarantees"]);
});

Deno.test("what has no value's form, or is an id, costs no crypto and no answer", async () => {
  const { sessions } = setUp();
  const { subtle } = crypto;
  const { decrypt, deriveKey, importKey } = subtle;
  let calls = 0;
  const count = () => {
    calls++;
    return Promise.reject(new Error("counted"));
  };
  Object.assign(subtle, { decrypt: count, deriveKey: count, importKey: count });
  try {
    for (const junk of ["x", idOf("a"), `B${"A".repeat(100)}`, `AQ${"A".repeat(100)}`]) {
      const cookie = `pagi_session=${junk}`;
      assertEquals(await sessions.load(requestWith({ cookie })), undefined);
    }
    assertEquals(calls, 0);
  } finally {
    Object.assign(subtle, { decrypt, deriveKey, importKey });
  }
});

Deno.test("crypto that fails is an error, and never a new session", async () => {
  const { visit, signIn } = setUp();
  const cookie = await signIn();
  const later = setUp();
  const { subtle } = crypto;
  const { importKey } = subtle;
  Object.assign(subtle, { importKey: () => Promise.reject(new Error("no crypto")) });
  try {
    const error = await assertRejects(() => later.visit(cookie)) as SessionError;
    assertEquals([error.code, (error.cause as Error).message], ["ERR_SESSION_STORE", "no crypto"]);
  } finally {
    Object.assign(subtle, { importKey });
  }
  assertEquals((await (await visit(cookie)).json()).user, "ada");
});

Deno.test("a session that does not fit is refused, and the old cookie is as good as before", async () => {
  for (const revocations of [undefined, new MemoryStore()]) {
    const { visit, signIn, load, sessions } = setUp({ revocations });
    const cookie = await signIn();
    const large = await visit(cookie, (session) => session.set("big", "x".repeat(2850)));
    assertEquals((await load(cookieOf(large)))?.user, "ada");
    for (const rotates of [false, true]) {
      // The first would fit a cookie whose name has one letter: that is the State's to tell.
      const text = JSON.stringify({ _created: 1_700_000_000, user: "ada", big: "" });
      for (const size of [2990 - text.length, 3000, 50_000]) {
        const grow = visit(cookie, (session) => {
          session.set("big", "x".repeat(size));
          if (rotates) session.regenerate();
        });
        const error = await assertRejects(() => grow) as SessionError;
        assertEquals([error.code, error.headers], ["ERR_SESSION_TOO_LARGE", []]);
        assertMatch(error.message, /takes? \d{4,} bytes.* 4096/);
        assertEquals(await load(cookie), { user: "ada" });
      }
    }
    const handler = sessions.handler((_request, session) => {
      session.set("big", "x".repeat(5000));
      return new Response("never");
    });
    const error = await assertRejects(() => handler(requestWith())) as SessionError;
    assertEquals(error.code, "ERR_SESSION_TOO_LARGE");
  }
});

Deno.test("a rotation that is too large to send is not noted, whatever the cookie's name", async () => {
  const state = new CookieState({ cookieName: "n".repeat(64) });
  const refused = new Set<boolean>();
  for (let size = 2900; size < 2960; size++) {
    const revocations = new MemoryStore();
    const { visit, signIn, load } = setUp({ revocations }, { state });
    const cookie = await signIn();
    const grow = (session: Session) => session.set("big", "x".repeat(size)).regenerate();
    const error = await visit(cookie, grow).then(() => undefined, (error) => error);
    refused.add(error !== undefined);
    if (error === undefined) continue;
    assertEquals([error.code, revocations.size], ["ERR_SESSION_TOO_LARGE", 0]);
    assertEquals(await load(cookie), { user: "ada" });
  }
  assertEquals(refused.size, 2);
});

Deno.test("a new secret in front takes sessions over one by one", async () => {
  const next = "the next secret, of more than 32 bytes too";
  const before = setUp();
  const cookie = await before.signIn();
  const between = setUp({ secret: [next, secret] });
  const written = cookieOf(await between.visit(cookie, (session) => session.set("n", 1)));
  const after = setUp({ secret: next });
  assertEquals([await after.load(written), await after.load(cookie)], [
    { user: "ada", n: 1 },
    undefined,
  ]);
  assertEquals(await before.load(written), undefined);
});

Deno.test("two purposes share a secret and no session", async () => {
  const cart = setUp({ purpose: "cart" });
  const account = setUp({ purpose: "account" });
  const cookie = await cart.signIn();
  assertEquals([await cart.load(cookie), await account.load(cookie)], [{ user: "ada" }, undefined]);
  const [implied, said] = [setUp(), setUp({ purpose: "session" })];
  assertEquals(await said.load(await implied.signIn()), { user: "ada" });
});

Deno.test("a sealed session travels in a header just as well", async () => {
  const clock = fakeClock();
  const store = new CookieStore({ secret, now: clock.now });
  const state = new HeaderState({ headerName: "X-Session", emit: "X-Session" });
  const sessions = new SessionMiddleware({ secret: "ids", store, state, now: clock.now });
  const response = await sessions.run(requestWith(), (session) => {
    session.set("user", "ada");
    return new Response();
  });
  const value = response.headers.get("x-session")!;
  assertEquals((await sessions.load(requestWith({ "x-session": value })))?.get("user"), "ada");
});

Deno.test("every kind of data comes back from a cookie as from any store", async () => {
  const { visit, load } = setUp();
  const data = {
    text: "Adéle 世 👩‍🚀 \u0000 \ud800",
    list: [1, -0.5, 1e21, null, true, { deep: [[]] }],
    constructor: "no prototype's",
    "": "no name",
  };
  const cookie = cookieOf(await visit(undefined, (session) => session.set(data)));
  assertEquals(await load(cookie), JSON.parse(JSON.stringify(data)));
});

Deno.test("sessions.destroy() of an id fails loudly where nothing can note it", async () => {
  const { sessions, visit, signIn } = setUp();
  const cookie = await signIn();
  const { id } = await (await visit(cookie)).json();
  const error = await assertRejects(() => sessions.destroy(id)) as SessionError;
  assertEquals(error.code, "ERR_SESSION_STORE");
  assertMatch(error.message, /no revocations/);
  assert(!error.message.includes(id));
});

Deno.test("openStore() tells a sealing store by what it can do, and what to say of it", async () => {
  class MySeal {
    open() {
      return undefined;
    }
    seal() {
      return 42 as unknown as string;
    }
    get() {
      return undefined;
    }
    set() {}
    delete() {}
  }
  const face = openStore(new MySeal(), 5);
  assertEquals(face.isVersioned, false);
  assertMatch(face.caveat!, /client's cookie.*copy outlives the logout/);
  assertEquals([face.accepts("anything"), face.accepts("")], [true, false]);
  assertEquals(await face.read("anything"), undefined);
  const lifetime = { lastAccess: 0, ttl: 1 };
  // What is no text is no answer.
  const error = assertThrows(() => face.create("a", "{}", lifetime)) as SessionError;
  assertEquals(error.code, "ERR_SESSION_STORE");
  // Without `end` nothing is compared, and nothing is final.
  const record = { id: idOf("1"), text: "", version: "1", lastAccess: 0 };
  assertEquals([await face.retire(record, idOf("2"), lifetime), await face.delete(record)], [
    true,
    true,
  ]);
  assertMatch(
    openStore({ get: () => undefined, set() {}, delete() {} }, 5).caveat!,
    /get, set and/,
  );
  assertEquals(openStore(new MemoryStore(), 5).caveat, undefined);
});
