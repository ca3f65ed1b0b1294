import { assertEquals, assertFalse, assertStrictEquals, assertThrows } from "@std/assert";
import { Session, SessionError, SessionMiddleware } from "@pagi/session";
import { cookieOf, requestWith } from "../_kit/helpers.ts";

const withKeys = (count: number) =>
  Session.fromData(Object.fromEntries(Array.from({ length: count }, (_, i) => [`key${i}`, i])));

/** Runs a request of a new client, or of the one that has the cookie. */
function visitor() {
  const sessions = new SessionMiddleware({ secret: "s" });
  const visit = async (act: (session: Session) => unknown, cookie?: string) => {
    let result: unknown;
    const response = await sessions.run(requestWith(cookie ? { cookie } : {}), async (session) => {
      result = await act(session);
      return new Response(null);
    });
    return { result, cookies: response.headers.getSetCookie() };
  };
  return visit;
}

Deno.test("Session() takes data that lifecycle made", async () => {
  const sessions = new SessionMiddleware({ secret: "s" });
  let seen: unknown;
  await sessions.run(requestWith(), (session) => {
    const again = new Session(session.data);
    again.set("scope", { "pagi.session": { n: 1 } }).set("pagi.session", { n: 2 });
    seen = new Session(session.data).keys();
    assertStrictEquals(again.data, session.data);
    return new Response();
  });
  assertEquals(seen, ["scope", "pagi.session"]);
});

Deno.test("Session() takes a scope, an object with scope, and one with a method scope", () => {
  const data = { n: 1 };
  const scope = { type: "http", "pagi.session": data };
  class Context {
    inner = scope;
    scope() {
      return this.inner;
    }
  }
  for (const source of [scope, { scope }, { scope: () => scope }, new Context()]) {
    assertStrictEquals(new Session(source).data, data);
  }
});

Deno.test("Session() ignores further arguments", () => {
  const scope = { "pagi.session": { n: 1 } };
  assertEquals(new Session<{ n: number }>(scope, null, "x", { n: 2 }).get("n"), 1);
});

Deno.test("Session() throws and says what it expected when it gets anything else", () => {
  const wrong: unknown[] = [undefined, null, 1, "abc", true, Symbol("s"), [], () => ({})];
  wrong.push({ n: 1 }, { "pagi.session": "abc" }, { "pagi.session": null }, { scope: {} });
  wrong.push({ scope: null }, { scope: () => undefined }, { scope: { scope: {} } });
  wrong.push({ scope: () => Promise.resolve({ "pagi.session": {} }) }, new Map(), requestWith());
  for (const source of wrong) {
    assertThrows(() => new Session(source as object), TypeError, "pagi.session");
  }
});

Deno.test("Session.fromData() throws when it does not get an object", () => {
  for (const wrong of [undefined, null, 1, "abc"]) {
    assertThrows(() => Session.fromData(wrong as unknown as object), TypeError, "fromData");
  }
});

Deno.test("Session.get() returns what is there, whatever it is", () => {
  const values = { zero: 0, empty: "", no: false, nil: null, list: [1] };
  const session = Session.fromData<Record<string, unknown>>(values);
  for (const [key, value] of Object.entries(values)) {
    assertStrictEquals(session.get(key), value);
    assertStrictEquals(session.get(key, "fallback"), value);
  }
});

Deno.test("Session.get() throws ERR_SESSION_KEY when the key is missing or undefined", () => {
  const session = Session.fromData<Record<string, unknown>>({ gone: undefined });
  for (const key of ["gone", "missing", "toString", "constructor", "__proto__", ""]) {
    const error = assertThrows(() => session.get(key), SessionError);
    assertEquals(error.code, "ERR_SESSION_KEY");
  }
});

Deno.test("Session.get() returns the fallback when the key is missing, undefined included", () => {
  const session = Session.fromData<Record<string, unknown>>({ gone: undefined });
  for (const fallback of [undefined, null, 0, "", false, session]) {
    assertStrictEquals(session.get("missing", fallback), fallback);
    assertStrictEquals(session.get("gone", fallback), fallback);
    assertStrictEquals(session.get("toString", fallback), fallback);
  }
});

Deno.test("Session.get() names the keys that exist up to ten, and counts more", () => {
  const message = (count: number) =>
    assertThrows(() => withKeys(count).get("typo"), SessionError, "typo").message;
  assertEquals(message(0).includes("empty"), true);
  for (let i = 0; i < 10; i++) assertEquals(message(10).includes(`key${i}`), true);
  assertFalse(message(11).includes("key1"));
  assertEquals(message(11).includes("11"), true);
  assertFalse(message(3).endsWith("."));
});

Deno.test("Session.get() names neither values nor reserved keys when the key is missing", () => {
  const session = Session.fromData({ _id: "hush", _created: 1, mail: "hush", gone: undefined });
  const { message } = assertThrows(() => session.get("typo" as "mail"), SessionError, "mail");
  for (const secret of ["hush", "_id", "_created", "gone"]) assertFalse(message.includes(secret));
});

Deno.test("Session.set() writes a key or an object's keys, and chains with the others", () => {
  const session = Session.fromData<Record<string, unknown>>({ a: 1, b: 2 });
  const returned = session.set("c", 3).set({ d: 4, e: 5 }).delete("a", "nosuch").delete("b", "e")
    .update("c", (c) => Number(c) + 1).regenerate();
  assertStrictEquals(returned, session);
  assertEquals(session.slice("a", "b", "c", "d", "e"), { c: 4, d: 4 });
  assertStrictEquals(session.clear(), session);
  assertEquals(session.keys(), []);
  assertStrictEquals(session.destroy(), session);
});

Deno.test("Session.set() writes nothing when one of the keys is reserved", () => {
  const session = Session.fromData<Record<string, unknown>>({});
  assertThrows(() => session.set({ a: 1, _id: "x" }), TypeError, "_id");
  assertEquals(session.keys(), []);
});

Deno.test("Session.set() throws when its first argument is neither a key nor an object", () => {
  const session = Session.fromData<Record<string, unknown>>({});
  for (const wrong of [undefined, null, 5, true, Symbol("a"), ["a"], () => ({})]) {
    assertThrows(() => session.set(wrong as never, 1), TypeError, "set");
  }
});

Deno.test("Session.update() hands on the value, or undefined when there is none", () => {
  const session = Session.fromData<Record<string, unknown>>({ a: 1 });
  const seen: unknown[] = [];
  for (const key of ["a", "b", "toString", "constructor"]) {
    session.update(key, (value) => (seen.push(value), "new"));
  }
  assertEquals(seen, [1, undefined, undefined, undefined]);
  assertEquals(session.slice("a", "b", "toString").b, "new");
});

Deno.test("Session.update() leaves the key as it was when the function throws or is async", () => {
  const session = Session.fromData<Record<string, unknown>>({ a: 1 });
  const fails = () => {
    throw new RangeError("mine");
  };
  assertThrows(() => session.update("a", fails), RangeError, "mine");
  assertThrows(() => session.update("a", () => Promise.resolve(2)), TypeError, "async");
  assertEquals(session.get("a"), 1);
});

Deno.test("Session.exists(), keys() and slice() agree on what is there", () => {
  const data: Record<string, unknown> = { _id: "x", _mine: 1, a: 1, nil: null, gone: undefined };
  const session = Session.fromData(data);
  assertEquals(session.keys(), ["a", "nil"]);
  assertEquals(session.slice("a", "gone", "missing", "toString"), { a: 1 });
  assertEquals(Object.keys(session.slice("gone")), []);
  assertEquals(["a", "nil"].map((key) => session.exists(key)), [true, true]);
  for (const key of ["gone", "missing", "toString", "constructor", "__proto__"]) {
    assertFalse(session.exists(key), key);
  }
  assertEquals(session.slice(), {});
});

Deno.test("Session.clear() removes the app's keys and keeps the reserved ones", () => {
  const data: Record<string, unknown> = { _id: "x", _created: 1, a: 1, b: null };
  Session.fromData(data).clear();
  assertEquals(data, { _id: "x", _created: 1 });
});

Deno.test("Session refuses to write reserved keys", () => {
  const session = Session.fromData<Record<string, unknown>>({ _id: "x" });
  for (const key of ["_id", "_created", "_last_access", "_regenerated", "_destroyed", "_subject"]) {
    assertThrows(() => session.set(key, 1), TypeError, key);
    assertThrows(() => session.update(key, () => 1), TypeError, key);
    assertThrows(() => session.delete("a", key), TypeError, key);
  }
  assertEquals(session.data, { _id: "x" });
  assertEquals(session.get("_id"), "x");
});

Deno.test("Session keeps constructor, toString and length like any other key", async () => {
  const visit = visitor();
  const keys = ["constructor", "toString", "hasOwnProperty", "length", "then", "toJSON", "", "0"];
  const { cookies } = await visit((session) => {
    assertEquals(keys.filter((key) => session.exists(key)), []);
    for (const key of keys) session.set(key, `of ${key}`);
  });
  const { result } = await visit((session) => {
    const found = session.slice(...keys);
    session.delete("toString");
    assertFalse(session.exists("toString"));
    return found;
  }, cookieOf(cookies[0]!));
  assertEquals(result, Object.fromEntries(keys.map((key) => [key, `of ${key}`])));
});

Deno.test("Session keeps __proto__ like any other key", async () => {
  const visit = visitor();
  const { cookies } = await visit((session) => session.set("__proto__", { admin: true }));
  const { result } = await visit((session) => {
    assertEquals(session.get("admin", "none"), "none");
    return session.get("__proto__");
  }, cookieOf(cookies[0]!));
  assertEquals(result, { admin: true });
  assertEquals(({} as { admin?: boolean }).admin, undefined);
});

Deno.test("Session.data keeps a raw __proto__ through the store, and pollutes nothing", async () => {
  const visit = visitor();
  const nested = JSON.parse('{"__proto__":{"admin":true},"a":1}');
  const { cookies } = await visit((session) => {
    session.data["__proto__"] = { admin: true };
    session.set("nested", nested);
  });
  const { result } = await visit((session) => {
    assertEquals(session.get("admin", "none"), "none");
    assertEquals(Object.getPrototypeOf(session.data), null);
    assertEquals(Object.keys(session.slice("__proto__", "gone")), ["__proto__"]);
    return [session.data["__proto__"], JSON.stringify(session.get("nested"))];
  }, cookieOf(cookies[0]!));
  assertEquals(result, [{ admin: true }, JSON.stringify(nested)]);
});

Deno.test("Session shares its data with the object and with other Sessions", () => {
  const data: Record<string, unknown> = { list: [1] };
  const session = Session.fromData(data);
  const other = new Session({ "pagi.session": data });
  data.raw = 1;
  other.set("b", 2);
  (session.get("list") as number[]).push(2);
  assertStrictEquals(session.data, data);
  assertEquals(other.slice("raw", "b", "list"), { raw: 1, b: 2, list: [1, 2] });
  assertEquals(data.b, 2);
});

Deno.test("Session.id and data cannot be assigned", () => {
  const session = Session.fromData<Record<string, unknown>>({ _id: "x" });
  assertEquals(session.id, "x");
  assertThrows(() => Object.assign(session, { id: "y" }), TypeError);
  assertThrows(() => Object.assign(session, { data: {} }), TypeError);
  assertEquals(Session.fromData({}).id, undefined);
});

Deno.test("Session.regenerate() and destroy() set PAGI's flags", () => {
  const data: Record<string, unknown> = {};
  Session.fromData(data).regenerate();
  assertEquals(data._regenerated, 1);
  Session.fromData(data).destroy();
  assertEquals(data._destroyed, 1);
});

Deno.test("Session.subject gives a stored session a new id when it changes", async () => {
  const visit = visitor();
  const anonymous = cookieOf((await visit((session) => session.set("cart", 1))).cookies[0]!);
  const login = await visit((session) => void (session.subject = "ada"), anonymous);
  const known = cookieOf(login.cookies[0]!);
  assertFalse(known === anonymous);
  const same = await visit((session) => void (session.subject = "ada"), known);
  assertEquals(same.cookies, []);
  const { result } = await visit((session) => [session.subject, session.keys()], known);
  assertEquals(result, ["ada", ["cart"]]);
  const other = await visit((session) => void (session.subject = undefined), known);
  const { result: after } = await visit((s) => s.subject, cookieOf(other.cookies[0]!));
  assertEquals(after, undefined);
});

Deno.test("Session.subject throws when it is set to what is no name", () => {
  const session = Session.fromData({});
  for (const wrong of ["", 5, null, {}]) {
    assertThrows(() => void (session.subject = wrong as string), TypeError, "subject");
  }
  assertEquals(session.subject, undefined);
});

Deno.test("Session throws on every write, and on none that reads, when it was committed", async () => {
  const visit = visitor();
  let late: Session | undefined;
  await visit((session) => late = session.set({ a: 1 }));
  const session = late!;
  const writes: (() => unknown)[] = [
    () => session.set("a", 2),
    () => session.set({}),
    () => session.update("a", () => 2),
    () => session.delete("a"),
    () => session.clear(),
    () => session.regenerate(),
    () => session.destroy(),
    () => session.subject = "ada",
  ];
  for (const write of writes) {
    assertEquals(assertThrows(write, SessionError).code, "ERR_SESSION_COMMITTED");
  }
  assertThrows(() => session.data.a = 2, TypeError);
  assertEquals([session.get("a"), session.keys(), session.exists("a")], [1, ["a"], true]);
});

Deno.test("Session tells of reserved keys the same before and after its data was looked at", async () => {
  const visit = visitor();
  const { result } = await visit((session) => {
    const before = [session.exists("_id"), Object.keys(session.slice("_id", "_created"))];
    session.data;
    return [before, [session.exists("_id"), Object.keys(session.slice("_id", "_created"))]];
  });
  assertEquals(result, [[true, ["_id", "_created"]], [true, ["_id", "_created"]]]);
});

Deno.test("Session.get() puts no line break into its message, whoever wrote the key", () => {
  const session = Session.fromData<Record<string, unknown>>({ "a\nb": 1, "c d": 2, e: 3, "": 4 });
  const { message } = assertThrows(() => session.get("x\r\nERROR forged"), SessionError);
  assertEquals(
    message,
    'Cannot get "x\\r\\nERROR forged": no such key; the session has "", "a\\nb", "c d", e',
  );
});

Deno.test("Session() takes data that fromData() has seen", () => {
  const data = { a: 1 };
  Session.fromData(data);
  assertEquals(new Session(data).get("a"), 1);
});
