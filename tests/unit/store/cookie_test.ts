import { assert, assertEquals, assertMatch, assertNotEquals, assertRejects } from "@std/assert";
import {
  CookieState,
  HeaderState,
  MemoryStore,
  type Session,
  SessionError,
  SessionMiddleware,
} from "@pagi/session";
import { keyOf } from "../../../base/id.ts";
import { CookieStore } from "../../../store/cookie.ts";
import { failSubtle, withoutCrypto } from "../../_kit/web_crypto.ts";
import { secret, setUp, valueOf } from "../../_kit/cookie_store.ts";
import { call, cookieOf, fakeClock, idOf, requestWith, scopeWith } from "../../_kit/helpers.ts";

const { signal } = new AbortController();

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
  const subject = cookieOf(await visit(rotated, (session) => session.subject = "user-7"));
  const ids = await Promise.all([cookie, rotated, subject].map(idIn));
  assertEquals([new Set(ids).size, new Set(ids.map(keyOf)).size], [3, 1]);
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
  // A session may live for `touchInterval` longer than `expire`.
  clock.advance(3600);
  assertEquals(await load(cookie), { user: "ada" });
  clock.advance(1);
  assertEquals([await load(cookie), await load(touched)], [undefined, { user: "ada" }]);
  clock.advance(60);
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
  const name = "pagi_session";
  const written = { lastAccess: 2e9, ttl: 1e9, name, signal };
  const session = [idOf("1"), 's1:{"_created":1}', written] as const;
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
    const found = [undefined, name].map((name) => store.open(junk, { name, signal }));
    assertEquals(await Promise.all([store.get(junk), ...found]), [undefined, undefined, undefined]);
  }
  assertEquals(answers.size, 1);
  assertEquals(events, ["store-without-guarantees"]);
});

Deno.test("what has no value's form, is an id, or is of no hour that counts, costs no crypto", async () => {
  const { sessions } = setUp();
  await withoutCrypto(async () => {
    for (const junk of ["x", idOf("a"), `B${"A".repeat(100)}`, `AQ${"A".repeat(100)}`]) {
      const cookie = `pagi_session=${junk}`;
      assertEquals(await sessions.load(requestWith({ cookie })), undefined);
    }
  });
});

Deno.test("crypto that fails is an error, and never a new session", async () => {
  const { visit, signIn } = setUp();
  const cookie = await signIn();
  const other = setUp();
  await failSubtle("importKey", async () => {
    const error = await assertRejects(() => other.visit(cookie)) as SessionError;
    assertEquals(error.code, "ERR_SESSION_STORE");
    assertEquals((error.cause as Error).message, "out of order");
  });
  assertEquals((await (await visit(cookie)).json()).user, "ada");
});

Deno.test("a decryption that fails is an error, unless it says that the value was sealed otherwise", async () => {
  for (const format of [undefined, "pagi"] as const) {
    const cookie = await setUp({ format }).signIn();
    const { visit } = setUp({ format });
    await failSubtle("decrypt", async () => {
      const error = await assertRejects(() => visit(cookie)) as SessionError;
      assertEquals(error.code, "ERR_SESSION_STORE");
      assertEquals((error.cause as Error).message, "out of order");
    });
    assertEquals((await (await visit(cookie)).json()).user, "ada");
  }
});

Deno.test("a cookie that comes again is opened without crypto, in each of its requests as it was sent", async () => {
  const { visit, signIn, load } = setUp();
  const cookie = await signIn();
  await withoutCrypto(async () => {
    const answer = async () => await (await visit(cookie, (session) => session.data.user)).json();
    const first = await answer();
    assertEquals([first.user, await answer()], ["ada", first]);
    assertEquals(await load(cookie), { user: "ada" });
  });
  const changed = await visit(cookie, (session) => session.set("user", "bob").set("cart", [1]));
  assertEquals(await load(cookie), { user: "ada" });
  await withoutCrypto(async () => {
    assertEquals(await load(cookieOf(changed)), { user: "bob", cart: [1] });
  });
});

Deno.test("a cookie that comes again is still looked up where logouts are noted", async () => {
  const { visit, signIn, load } = setUp({ revocations: new MemoryStore() });
  const cookie = await signIn();
  assertEquals(await load(cookie), { user: "ada" });
  await visit(cookie, (session) => session.destroy());
  assertEquals(await load(cookie), undefined);
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
        assertMatch(
          error.message,
          / \d+ bytes more than the \d{4} that its cookies hold; its largest key is "big" with \d+ bytes/,
        );
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
  for (let size = 2860; size < 2920; size++) {
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
  const sessions = new SessionMiddleware({
    secret: "the secret for IDs: 32 bytes or more",
    store,
    state,
    now: clock.now,
  });
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

Deno.test("sessions.update() fails on a session that is in its client's cookie", async () => {
  const sessions = new SessionMiddleware({ secret, store: new CookieStore({ secret }) });
  const response = await sessions.run(new Request("http://localhost/"), (session) => {
    session.set("a", 1);
    return new Response();
  });
  const value = response.headers.getSetCookie()[0]!.split(/[=;]/)[1]!;
  const error = await assertRejects(() => sessions.update(value, () => {}), SessionError);
  assertEquals(error.code, "ERR_SESSION_STORE");
});

Deno.test("of two values of one session the newer counts, as where the cookie's path was changed", async () => {
  const { visit, signIn, clock, events } = setUp();
  const old = await signIn();
  clock.advance(100);
  const written = cookieOf(await visit(old, (session) => session.set("n", 1)));
  for (const cookie of [`${old}; ${written}`, `${written}; ${old}`]) {
    const { n } = await (await visit(cookie)).json();
    assertEquals(n, 1);
  }
  const other = await signIn();
  assertEquals((await (await visit(`${written}; ${other}`)).json()).n, undefined);
  assertEquals(events, ["store-without-guarantees", "ambiguous"]);
});

Deno.test("of two values of one session the newer counts, although regenerate() has changed the id", async () => {
  const { visit, signIn, clock, events } = setUp();
  const old = await signIn();
  clock.advance(100);
  const next = cookieOf(await visit(old, (session) => session.regenerate().set("n", 1)));
  for (const cookie of [`${old}; ${next}`, `${next}; ${old}`]) {
    assertEquals((await (await visit(cookie)).json()).n, 1);
  }
  assertEquals(events, ["store-without-guarantees"]);
});

Deno.test("a sign-in starts the absolute lifetime again in a cookie, too", async () => {
  for (const revocations of [undefined, new MemoryStore()]) {
    const { visit, signIn, load, clock } = setUp({ revocations }, { absoluteExpire: 1000 });
    const cookie = await signIn();
    clock.advance(900);
    const signedIn = cookieOf(await visit(cookie, (session) => session.subject = "user-7"));
    clock.advance(900);
    const used = cookieOf(await visit(signedIn, (session) => session.set("n", 1)));
    clock.advance(100);
    assertEquals(await load(used), { user: "ada", n: 1 });
    clock.advance(1);
    assertEquals(await load(used), undefined);
  }
});

Deno.test("rotate() has no grace in a cookie: it is like regenerate()", async () => {
  const { visit, signIn, load } = setUp({ revocations: new MemoryStore() }, { rotateInterval: 0 });
  const cookie = await signIn();
  const rotated = cookieOf(await visit(cookie, (session) => session.rotate()));
  assertEquals([await load(cookie), await load(rotated)], [undefined, { user: "ada" }]);
});

Deno.test("of two values of one session and one second the first counts, as browsers sort them", async () => {
  const { visit, signIn } = setUp();
  const one = await signIn();
  const two = cookieOf(await visit(one, (session) => session.set("n", 1)));
  assertEquals((await (await visit(`${one}; ${two}`)).json()).n, undefined);
  assertEquals((await (await visit(`${two}; ${one}`)).json()).n, 1);
});
