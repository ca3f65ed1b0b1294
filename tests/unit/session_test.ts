import {
  assert,
  assertEquals,
  assertFalse,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { Session, SessionError, SessionMiddleware } from "@pagi/session";
import { keyOf, verifierOf } from "../../base/id.ts";
import { cookieOf, NAVIGATION, requestWith, rig } from "../_kit/helpers.ts";

const withKeys = (count: number) =>
  Session.fromData(Object.fromEntries(Array.from({ length: count }, (_, i) => [`key${i}`, i])));

/** Runs a request of a new client, or of the one that has the cookie. */
function visitor() {
  const sessions = new SessionMiddleware({ secret: "the secret of the tests: 32 bytes or more" });
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
  const sessions = new SessionMiddleware({ secret: "the secret of the tests: 32 bytes or more" });
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
    () => session.regenerate({ authenticated: true }),
    () => session.rotate(),
    () => session.restart(),
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

Deno.test("Session.regenerate() throws and changes nothing when an option is wrong", () => {
  const data: Record<string, unknown> = {};
  const session = Session.fromData(data);
  const wrong: [unknown, string][] = [
    [{ authenticated: 1 }, "authenticated must be true or false"],
    [{ authenticated: null }, "authenticated must be true or false"],
    [{ authenticate: true }, 'there is no option "authenticate"'],
    [true, "options must be an object"],
    [null, "options must be an object"],
  ];
  for (const [options, why] of wrong) {
    assertThrows(
      () => session.regenerate(options as never),
      TypeError,
      `Cannot make the new ID: ${why}`,
    );
  }
  assertEquals(data, {});
  assertStrictEquals(session.regenerate({ authenticated: undefined }), session);
  assertEquals(data, { _regenerated: 1 });
});

Deno.test("Session.regenerate() starts the absolute lifetime again only when the user authenticated", async () => {
  for (const authenticated of [true, false]) {
    const { act, clock, load } = await client({ absoluteExpire: 1000 });
    clock.advance(900);
    await act((session) => session.regenerate({ authenticated }).regenerate());
    clock.advance(101);
    assertEquals((await load()) !== undefined, authenticated);
    clock.advance(899);
    assertEquals((await load()) !== undefined, authenticated);
    clock.advance(1);
    assertEquals(await load(), undefined);
  }
});

Deno.test("Session.subject starts the absolute lifetime again when it changes, and not otherwise", async () => {
  const { act, clock, load } = await client({ absoluteExpire: 1000 });
  clock.advance(900);
  await act((session) => session.subject = "ada");
  clock.advance(900);
  await act((session) => session.subject = "ada");
  clock.advance(100);
  assertEquals((await load())?.subject, "ada");
  clock.advance(1);
  assertEquals(await load(), undefined);
});

/** A client with a session, whose requests send the cookie that it was sent last. */
async function client(options: Parameters<typeof rig>[0] = {}) {
  const base = rig(options);
  const cookies = [await base.signIn()];
  const act = async (
    work: (session: Session) => unknown,
    { cookie = cookies.at(-1)!, page = false } = {},
  ) => {
    const headers: Record<string, string> = page ? { ...NAVIGATION, cookie } : { cookie };
    const response = await base.sessions.run(requestWith(headers), async (session) => {
      await work(session);
      return new Response();
    });
    const sent = response.headers.getSetCookie()[0];
    if (sent !== undefined) cookies.push(cookieOf(sent));
    return sent;
  };
  const load = (cookie = cookies.at(-1)!) => base.sessions.load(requestWith({ cookie }));
  return { ...base, act, cookies, load };
}

/** The ID in a cookie. */
const idIn = (cookie: string) => cookie.split("=")[1]!;
const READ = () => {};

Deno.test("Session.rotate() keeps the key and the data, and the old ID opens the same session", async () => {
  const { act, cookies, load, store } = await client();
  const seen: unknown[] = [];
  await act((session) => {
    assertStrictEquals(session.set("a", 1).rotate(), session);
    seen.push(session.id);
  });
  const [before, after] = cookies.map(idIn) as [string, string];
  assertEquals([seen, keyOf(after)], [[before], keyOf(before)]);
  assertFalse(verifierOf(after) === verifierOf(before));
  for (const cookie of cookies) {
    const session = (await load(cookie))!;
    assertEquals([session.id, session.get("a"), session.absence], [after, 1, undefined]);
  }
  assertEquals(store.size, 1);
});

Deno.test("Session.rotate() rotates although nothing else was written, and twice as once", async () => {
  const { act, cookies } = await client();
  await act((session) => session.rotate().rotate());
  assertEquals(cookies.length, 2);
  await act(READ);
  assertEquals(cookies.length, 2);
});

Deno.test("Session.rotate() leaves the old ID valid for rotateGrace after the client sent the new one", async () => {
  const { act, clock, cookies, load } = await client({ rotateGrace: 50, touchInterval: 0 });
  await act((session) => session.rotate());
  const old = cookies[0]!;
  // A lost response signs nobody out, however late the client comes back.
  for (let request = 0; request < 3; request++) {
    clock.advance(3500);
    await act(READ, { cookie: old });
  }
  await act(READ, { cookie: cookies[1]! });
  clock.advance(170);
  assert(await load(old) !== undefined);
  clock.advance(1);
  assertEquals(await load(old), undefined);
  assert(await load() !== undefined);
});

Deno.test("Session.rotate() does not rotate in a request with the old ID, which is sent the current one", async () => {
  const { act, cookies } = await client();
  await act((session) => session.rotate());
  const [old, current] = cookies as [string, string];
  for (
    const work of [
      READ,
      (session: Session) => session.rotate(),
      (session: Session) => session.set("n", 9),
    ]
  ) {
    assertEquals(cookieOf((await act(work, { cookie: old }))!), current);
  }
  await act((session) => assertEquals(session.get("n"), 9));
});

Deno.test("Session.rotate() ends the grace of the rotation before, so that two IDs are valid at most", async () => {
  const { act, cookies, load } = await client();
  for (let count = 0; count < 3; count++) await act((session) => session.rotate());
  const found = await Promise.all(cookies.map(load));
  assertEquals(found.map((session) => session !== undefined), [false, false, true, true]);
});

Deno.test("Session.regenerate() wins over rotate(), and a regeneration ends a grace", async () => {
  const { act, cookies, load } = await client();
  await act((session) => session.rotate().regenerate());
  assertEquals([await load(cookies[0]!), (await load())?.get("n")], [undefined, 1]);
  await act((session) => session.rotate());
  await act((session) => session.regenerate());
  for (const cookie of cookies.slice(0, -1)) assertEquals(await load(cookie), undefined);
});

Deno.test("a session rotates by itself at a navigation when its ID is older than rotateInterval", async () => {
  const { act, clock, cookies } = await client({ rotateInterval: 1000 });
  clock.advance(999);
  await act(READ, { page: true });
  assertEquals(new Set(cookies).size, 1);
  clock.advance(1);
  await act(READ);
  assertEquals(new Set(cookies).size, 1);
  await act(READ, { page: true });
  assertEquals(new Set(cookies).size, 2);
  assertEquals(keyOf(idIn(cookies.at(-1)!)), keyOf(idIn(cookies[0]!)));
  // The interval starts again, and the grace ends long before it does.
  await act((session) => session.set("n", 2));
  clock.advance(999);
  await act(READ, { page: true });
  assertEquals(new Set(cookies).size, 2);
  clock.advance(1);
  await act((session) => session.set("n", 3), { page: true });
  assertEquals(new Set(cookies).size, 3);
});

Deno.test("a session does not rotate by itself while the grace of a rotation runs", async () => {
  const { act, clock, cookies } = await client({ rotateInterval: 0, rotateGrace: 10 });
  await act(READ, { page: true });
  assertEquals(new Set(cookies).size, 2);
  // The client comes with the new ID, and both are valid for 130 seconds.
  await act((session) => session.set("n", 2), { page: true });
  clock.advance(130);
  await act(READ, { page: true });
  assertEquals(new Set(cookies).size, 2);
  clock.advance(1);
  await act(READ, { page: true });
  assertEquals(new Set(cookies).size, 3);
});

Deno.test("Session.restart() ends the session and goes on with a new one that is empty", async () => {
  const { act, clock, cookies, load, store } = await client();
  await act((session) => session.subject = "ada");
  clock.advance(50);
  const seen: unknown[] = [];
  await act((session) => {
    const { data } = session;
    assertStrictEquals(session.set("old", 1).restart(), session);
    assertThrows(() => data.late = 1, TypeError);
    seen.push(session.id, session.subject, session.keys());
    session.set("new", 2);
    seen.push(session.data._created === clock.seconds());
  });
  assertEquals(seen, [undefined, undefined, [], true]);
  const [before, after] = cookies.slice(-2) as [string, string];
  assertFalse(keyOf(idIn(after)) === keyOf(idIn(before)));
  assertFalse(verifierOf(idIn(after)) === verifierOf(idIn(before)));
  assertEquals([await load(before), (await load(after))?.slice("old", "new")], [undefined, {
    new: 2,
  }]);
  // The session and the list of the one that has ended.
  assertEquals(store.size, 2);
});

Deno.test("Session.restart() removes the cookie when nothing is written to the new session", async () => {
  const { act, load, store } = await client();
  const sent = await act((session) => session.restart());
  assertEquals(sent, "pagi_session=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0");
  assertEquals([await load(), store.size], [undefined, 0]);
});

Deno.test("Session.restart() in a new session starts another one", async () => {
  const { sessions, store } = rig();
  const response = await sessions.run(requestWith(), (session) => {
    session.set("a", 1).restart().set("b", 2);
    return new Response();
  });
  assertEquals(store.size, 1);
  const session = await sessions.load(requestWith({ cookie: cookieOf(response) }));
  assertEquals(session?.slice("a", "b"), { b: 2 });
});

Deno.test("Session.restart() with a replaced ID leaves the user's current session alone", async () => {
  const { act, cookies, load } = await client();
  await act((session) => session.regenerate());
  const [old, current] = cookies as [string, string];
  const seen: unknown[] = [];
  await act((session) => {
    seen.push(session.absence);
    session.restart().set("mine", 1);
  }, { cookie: old });
  const restarted = cookies.at(-1)!;
  assertEquals(seen, ["replaced"]);
  assertEquals((await load(restarted))?.slice("n", "mine"), { mine: 1 });
  assertEquals((await load(current))?.slice("n", "mine"), { n: 1 });
});

Deno.test("Session.destroy() after restart() with a replaced ID ends the new session only", async () => {
  const { act, cookies, load, store } = await client();
  await act((session) => session.regenerate());
  const [old, current] = cookies as [string, string];
  await act((session) => session.restart().set("mine", 1).destroy(), { cookie: old });
  assertEquals([(await load(current))?.get("n"), store.size], [1, 1]);
});

Deno.test("Session.subject starts a new session when it is set with a replaced ID", async () => {
  const { act, cookies, load } = await client();
  await act((session) => session.regenerate());
  const [old, current] = cookies as [string, string];
  const error = await assertRejects(
    () => act((session) => session.set("n", 2), { cookie: old }),
    SessionError,
  );
  assertEquals(error.code, "ERR_SESSION_INTERRUPTED");
  // Nobody is signed out of a session that is not there, so this is a write like any other.
  const unset = act((session) => session.subject = undefined, { cookie: old });
  assertEquals((await assertRejects(() => unset, SessionError)).code, "ERR_SESSION_INTERRUPTED");
  await act((session) => session.subject = "ada", { cookie: old });
  assertEquals([(await load())?.subject, (await load())?.keys()], ["ada", []]);
  assertEquals((await load(current))?.subject, undefined);
});

Deno.test("Session.absence says why a request has no stored session", async () => {
  const { act, clock, cookies, sessions, signIn } = await client();
  const absence = async (cookie: string, page = false) => {
    let seen: unknown;
    await act((session) => void (seen = session.absence), { cookie, page });
    // For reading, there is a session or none.
    const loaded = await sessions.load(requestWith({ cookie }));
    assertEquals(loaded?.absence, undefined);
    return seen;
  };
  const [first] = cookies as [string];
  assertEquals(await absence(first), undefined);
  assertEquals(await absence(""), "none");
  assertEquals(await absence("pagi_session="), "none");
  assertEquals(await absence("other=1"), "none");
  assertEquals(await absence("pagi_session=junk"), "unknown");
  assertEquals(await absence(`pagi_session=${"0".repeat(64)}`), "unknown");
  assertEquals(await absence(`${first}; ${await signIn()}`), "ambiguous");
  await act((session) => session.regenerate(), { cookie: first });
  const current = cookies.at(-1)!;
  assertEquals([await absence(first), await absence(first, true)], ["replaced", "replaced"]);
  clock.advance(131);
  assertEquals(await absence(first, true), "replaced");
  await act((session) => session.destroy(), { cookie: current });
  assertEquals(await absence(current), "unknown");
  const left = await signIn();
  clock.advance(3661);
  assertEquals(await absence(left), "expired");
});

Deno.test("Session.absence counts as a use of the session in the response's Vary", async () => {
  const { sessions } = rig();
  const vary = async (work: (session: Session) => unknown) => {
    const response = await sessions.run(requestWith(), (session) => {
      work(session);
      return new Response();
    });
    return response.headers.get("vary");
  };
  assertEquals([await vary(READ), await vary((session) => session.absence)], [null, "Cookie"]);
});

Deno.test("Session.absence is undefined for data of your own", () => {
  assertEquals(Session.fromData({}).absence, undefined);
});
