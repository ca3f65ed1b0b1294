import {
  assert,
  assertEquals,
  assertFalse,
  assertMatch,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  type App,
  BearerState,
  CallbackState,
  type CallbackStateOptions,
  CookieState,
  type HeaderPair,
  HeaderState,
  type HeaderStateOptions,
  MemoryStore,
  Session,
  SessionMiddleware,
  State,
} from "@pagi/session";
import { call, cookieOf, idOf, requestWith, scopeWith, sentHeader } from "../../_kit/helpers.ts";

const injected = (state: State, id = "abc") => {
  const headers: HeaderPair[] = [];
  state.inject(headers, id, {});
  return headers;
};

Deno.test("State names the class and the method that it must implement", () => {
  class QueryState extends State {}
  const state = new QueryState();
  assertThrows(() => state.extract(scopeWith()), Error, "QueryState must implement extract(scope)");
  assertThrows(() => state.inject([], "hush", {}), Error, "inject(headers, id, options)");
  assertEquals(state.vary, []);
});

Deno.test("State.clear() does nothing when it is not overridden", () => {
  const headers: HeaderPair[] = [["a", "b"]];
  new State().clear(headers);
  assertEquals(headers, [["a", "b"]]);
});

Deno.test("HeaderState.extract() finds the whole value in any case of the name", () => {
  for (const headerName of ["X-Session-ID", "x-session-id", "X-SESSION-ID"]) {
    const state = new HeaderState({ headerName });
    for (const sent of ["X-Session-ID", "x-session-id", "x-SESSION-id"]) {
      assertEquals(state.extract(scopeWith([["host", "x"], [sent, "a b"]])), "a b");
      const request = requestWith({ [sent]: "a b" });
      assertEquals(state.extract({ type: "http", request }), "a b");
    }
  }
});

Deno.test("HeaderState.extract() finds nothing when the header is missing or has a similar name", () => {
  const state = new HeaderState({ headerName: "X-Session" });
  assertEquals(state.extract(scopeWith()), undefined);
  assertEquals(state.extract({ type: "lifespan" }), undefined);
  const alike = scopeWith({ "x-session-id": "a", "xx-session": "b", "x_session": "c" });
  assertEquals(state.extract(alike), undefined);
  assertEquals(state.extract({ type: "http", request: requestWith() }), undefined);
});

Deno.test("HeaderState.extract() joins several headers as a Request does", () => {
  const state = new HeaderState({ headerName: "X-Session" });
  const headers: [string, string][] = [["x-session", "a"], ["X-Session", "b"]];
  assertEquals(state.extract(scopeWith(headers)), "a, b");
  const request = new Request("http://localhost/", { headers });
  assertEquals(state.extract({ type: "http", request }), "a, b");
});

Deno.test("HeaderState.inject() rejects an ID with characters that are not allowed in headers", () => {
  const state = new HeaderState({ headerName: "X-Session", emit: "X-Session" });
  for (const id of ["a\r\nb", "a b", "\0", "é", ""]) {
    assertThrows(() => state.inject([], id), TypeError, "header");
  }
});

Deno.test("HeaderState.extract() finds the first group when there is a pattern", () => {
  const state = new HeaderState({ headerName: "X-Auth", pattern: /^Token ([a-z]+)(?: (.+))?$/ });
  assertEquals(state.extract(scopeWith({ "x-auth": "Token abc" })), "abc");
  assertEquals(state.extract(scopeWith({ "x-auth": "Token abc def" })), "abc");
  assertEquals(state.extract(scopeWith({ "x-auth": "Basic abc" })), undefined);
  assertEquals(state.extract(scopeWith({ "x-auth": "" })), undefined);
});

Deno.test("HeaderState.extract() finds nothing when the match does not include the group", () => {
  const state = new HeaderState({ headerName: "X-Auth", pattern: /^(?:none|Token (.+))$/ });
  assertEquals(state.extract(scopeWith({ "x-auth": "none" })), undefined);
});

for (const flags of ["g", "y", "gy", "gi"]) {
  Deno.test(`HeaderState.extract() finds the same twice when the pattern has the flags ${flags}`, () => {
    const pattern = new RegExp("Token ([a-z]+)", flags);
    const state = new HeaderState({ headerName: "X-Auth", pattern });
    const scope = scopeWith({ "x-auth": "Token abc" });
    assertEquals([1, 2, 3].map(() => state.extract(scope)), ["abc", "abc", "abc"]);
    assertEquals(pattern.lastIndex, 0);
  });
}

Deno.test("HeaderState.extract() keeps the pattern's other flags", () => {
  const state = new HeaderState({ headerName: "X-Auth", pattern: /^token (.)$/giu });
  assertEquals(state.extract(scopeWith({ "x-auth": "TOKEN \u{1f600}" })), "\u{1f600}");
});

Deno.test("HeaderState() throws when an option is missing or has the wrong type", () => {
  const make = (options: unknown) => () => new HeaderState(options as HeaderStateOptions);
  for (const headerName of [undefined, "", "a b", "a:", "a\r\nb", 1]) {
    assertThrows(make({ headerName }), TypeError, "headerName");
  }
  for (const pattern of [/^Token .+$/, /^(?:a)$/, /\(a\)/, /[(a)]/, "(a)", null, {}]) {
    assertThrows(make({ headerName: "x", pattern }), TypeError, "pattern");
  }
  for (const emit of ["", "a b", "a\n", true, 1]) {
    assertThrows(make({ headerName: "x", emit }), TypeError, "emit");
  }
  assertThrows(make({ headerName: "x", header: "y" }), TypeError, '"header"');
  assertThrows(make(undefined), TypeError, "options");
  for (const pattern of [/(?<id>a)/, /a|(b)/, /(?=(a))/v]) make({ headerName: "x", pattern })();
});

Deno.test("HeaderState.inject() sends the id only when emit names a header", () => {
  assertEquals(injected(new HeaderState({ headerName: "X-Session-ID" })), []);
  const state = new HeaderState({ headerName: "X-Session-ID", emit: "X-New-ID" });
  assertEquals(injected(state), [["X-New-ID", "abc"]]);
  assertEquals(state.vary, ["X-Session-ID"]);
});

Deno.test("BearerState.extract() finds the token in any case of the scheme", () => {
  const state = new BearerState();
  for (const scheme of ["Bearer", "bearer", "BEARER", "bEaReR"]) {
    assertEquals(state.extract(scopeWith({ authorization: `${scheme} abc` })), "abc");
    const request = requestWith({ authorization: `${scheme} abc` });
    assertEquals(state.extract({ type: "http", request }), "abc");
  }
  assertEquals(state.extract(scopeWith({ authorization: "Bearer   abc" })), "abc");
});

Deno.test("BearerState.extract() accepts only the b64token of RFC 6750", () => {
  const state = new BearerState();
  for (const token of [idOf("a"), "AZaz09-._~+/", "abc=", "abc==", "="]) {
    const expected = token === "=" ? undefined : token;
    assertEquals(state.extract(scopeWith({ authorization: `Bearer ${token}` })), expected);
  }
  const bad = ["Bearer", "Bearer ", "Bearerabc", "Basic abc", "Bearer a b", "Bearer a,b", "abc"];
  const worse = ["Bearer a=b", 'Bearer "a"', "Bearer é", "Bearer a\n", "x Bearer a", "Bearer:a"];
  for (const authorization of [...bad, ...worse, "Bearer\u00a0abc", "Bearer a\u00a0", ""]) {
    assertEquals(state.extract(scopeWith({ authorization })), undefined, authorization);
  }
});

Deno.test("BearerState.extract() finds nothing in a megabyte that is almost a token", () => {
  // A pattern that backtracks from every position takes minutes.
  const state = new BearerState();
  for (const text of ["=".repeat(2 ** 20), "a".repeat(2 ** 20) + "!", " ".repeat(2 ** 20) + "!"]) {
    assertEquals(state.extract(scopeWith({ authorization: `Bearer ${text}` })), undefined);
  }
});

Deno.test("BearerState.inject() sends the id only when emit names a header", () => {
  assertEquals(injected(new BearerState()), []);
  assertEquals(injected(new BearerState({ emit: "X-Session-ID" })), [["X-Session-ID", "abc"]]);
  assertEquals(new BearerState().vary, ["Authorization"]);
  assertThrows(() => new BearerState({ emit: "a b" }), TypeError, "emit");
  const unknown = () => new BearerState({ pattern: /(a)/ } as never);
  assertThrows(unknown, TypeError, 'BearerState: there is no option "pattern"');
});

Deno.test("HeaderState sends the new ID after regenerate() when emit is set", async () => {
  const state = new HeaderState({ headerName: "X-Session-ID", emit: "X-Session-ID" });
  const sessions = new SessionMiddleware({
    secret: "the secret of the tests: 32 bytes or more",
    state,
  });
  const visit = (headers = {}) =>
    sessions.run(requestWith(headers), (session) => {
      if (session.exists("n")) session.regenerate();
      return new Response(String(session.update("n", (n) => Number(n ?? 0) + 1).get("n")));
    });
  const id = (await visit()).headers.get("x-session-id")!;
  const newId = (await visit({ "x-session-id": id })).headers.get("x-session-id")!;
  assertMatch(newId, /^[0-9a-f]{64}$/);
  assert(newId !== id);
  assertEquals(await (await visit({ "x-session-id": newId })).text(), "3");
});

Deno.test("CallbackState.extract() passes the scope on and returns the result of the callback", async () => {
  const scope = scopeWith();
  const state = new CallbackState({
    extract: async (given) => await Promise.resolve(given === scope ? "abc" : undefined),
  });
  assertEquals(await state.extract(scope), "abc");
  const failing = new CallbackState({ extract: () => Promise.reject(new Error("directory down")) });
  await assertRejects(() => Promise.resolve(failing.extract(scope)), Error, "directory down");
});

Deno.test("CallbackState does nothing in inject() and clear() without such callbacks", () => {
  const state = new CallbackState({ extract: () => undefined });
  const headers = injected(state);
  state.clear(headers);
  assertEquals(headers, []);
  assertEquals(state.vary, []);
});

Deno.test("CallbackState calls inject and clear with its own arguments", () => {
  const calls: unknown[][] = [];
  const state = new CallbackState({
    extract: () => undefined,
    inject: (...args) => void calls.push(args),
    clear: (...args) => void calls.push(args),
    vary: ["X-Key"],
  });
  const headers: HeaderPair[] = [];
  const options = { expire: 5 };
  state.inject(headers, "abc", options);
  state.clear(headers);
  assertEquals(calls.length, 2);
  assertStrictEquals(calls[0]![0], headers);
  assertEquals(calls[0]!.slice(1), ["abc", options]);
  assertStrictEquals(calls[1]![0], headers);
  assertEquals(state.vary, ["X-Key"]);
});

Deno.test("CallbackState() throws and names an option of the wrong type", () => {
  const make = (options: unknown) => () => new CallbackState(options as CallbackStateOptions);
  const extract = () => undefined;
  for (const wrong of [undefined, null, "abc", {}]) {
    assertThrows(make({ extract: wrong }), TypeError, "extract");
  }
  for (const wrong of [null, "abc", {}]) {
    assertThrows(make({ extract, inject: wrong }), TypeError, "inject");
    assertThrows(make({ extract, clear: wrong }), TypeError, "clear");
  }
  assertThrows(make({ extract, eject: extract }), TypeError, '"eject"');
  assertThrows(make(undefined), TypeError, "options");
});

Deno.test("CallbackState() throws when vary is not an array of header names", () => {
  for (const vary of ["Cookie", 5, ["a b"], [5], ["a\r\nb"]]) {
    const options = { extract: () => undefined, vary } as unknown as CallbackStateOptions;
    assertThrows(() => new CallbackState(options), TypeError, "vary");
  }
});

/** PAGI's recipe for web and API clients: a bearer token, or else the cookie. */
function mixed() {
  const cookie = new CookieState({ cookieName: "pagi_session", expire: 3600 });
  const bearer = new BearerState();
  const state = new CallbackState({
    extract: (scope) => bearer.extract(scope) ?? cookie.extract(scope),
    inject: (headers, id, options) => cookie.inject(headers, id, options),
    clear: (headers) => cookie.clear(headers),
  });
  const store = new MemoryStore();
  const sessions = new SessionMiddleware({
    secret: "the secret of the tests: 32 bytes or more",
    state,
    store,
  });
  const counter: App = async (scope, _receive, send) => {
    const session = new Session(scope);
    if (scope.path === "/logout") session.destroy();
    else session.update("n", (n) => Number(n ?? 0) + 1);
    const body = String(session.get("n", "none"));
    await send({ type: "http.response.start", status: 200, headers: [] });
    await send({ type: "http.response.body", body });
  };
  const app = sessions.wrap(counter);
  const visit = async (headers: Record<string, string> = {}, path = "/") => {
    const events = await call(app, { ...scopeWith(headers), path });
    return { n: events[1]!.body, cookies: sentHeader(events, "set-cookie") };
  };
  return { visit, store };
}

Deno.test("SessionMiddleware.wrap() shares one session between cookie and bearer in PAGI's recipe", async () => {
  const { visit, store } = mixed();
  const first = await visit();
  assertEquals(first.n, "1");
  const cookie = cookieOf(first.cookies[0]!);
  const id = cookie.split("=")[1]!;
  assertEquals((await visit({ cookie })).n, "2");
  assertEquals((await visit({ authorization: `Bearer ${id}` })).n, "3");
  assertEquals(store.size, 1);
});

Deno.test("SessionMiddleware.wrap() prefers the bearer token to the cookie in PAGI's recipe", async () => {
  const { visit, store } = mixed();
  const cookie = cookieOf((await visit()).cookies[0]!);
  const other = cookieOf((await visit()).cookies[0]!).split("=")[1]!;
  await visit({ cookie });
  assertEquals((await visit({ cookie, authorization: `Bearer ${other}` })).n, "2");
  assertEquals((await visit({ cookie, authorization: "Basic abc" })).n, "3");
  const out = await visit({ authorization: `Bearer ${other}` }, "/logout");
  assertMatch(out.cookies[0]!, /^pagi_session=; .*Max-Age=0$/);
  assertEquals(store.size, 1);
  const unknown = await visit({ authorization: `Bearer ${idOf("0")}` });
  assertEquals(unknown.n, "1");
  assertFalse(unknown.cookies[0]!.includes(idOf("0")));
});
