/** Typical mistakes with a Session: each throws and says what to do, and no log shows its values. */
import { assert, assertEquals, assertFalse, assertRejects, assertThrows } from "@std/assert";
import { runInNewContext } from "node:vm";
import { BearerState, CookieState, CookieStore, MemoryStore, SealedStore } from "@pagi/session";
import { Session, type SessionOptions } from "@pagi/session";
import { cookieOf, requestWith, rig } from "../_kit/helpers.ts";
import { SECRET, slow } from "../_kit/stores.ts";

type Shop = Record<string, unknown>;

/** Opens a session of a visitor who has stored a word. */
async function stored(options: Partial<SessionOptions> = {}) {
  const { sessions, ...rest } = rig({ secret: SECRET, ...options });
  const response = await sessions.run(requestWith(), (session) => {
    session.set({ cart: "canary" }).subject = "canary-user";
    return new Response();
  });
  const cookie = cookieOf(response);
  const open = await sessions.open(requestWith({ cookie }));
  return { ...rest, sessions, cookie, session: open.session, open };
}

Deno.test("an assignment to a property of a Session throws and names set()", async () => {
  const { session } = await stored();
  for (const one of [session, Session.fromData<Shop>({})]) {
    assertFalse(Object.isExtensible(one));
    assertThrows(
      () => Object.assign(one, { user: "ada" }),
      TypeError,
      'Cannot set the property user of a session: its data is behind methods. Use session.set("user", value)',
    );
    assertThrows(() => Object.defineProperty(one, "user", { value: "ada" }), TypeError);
  }
  // Sloppy mode, in which JavaScript ignores an assignment to an object that cannot be extended.
  const sloppy = new Function("session", "session.user = 'ada'");
  assertThrows(() => sloppy(session), TypeError, "session.set(");
});

Deno.test("a property of a Session throws and names get() when the session has such a key", async () => {
  const { session } = await stored();
  const read = (key: string) => (session as unknown as Shop)[key];
  assertThrows(
    () => read("cart"),
    TypeError,
    'Cannot get the property cart of a session: its data is behind methods. Use session.get("cart")',
  );
  assertEquals([read("missing"), read("constructor"), read("toString")], [
    undefined,
    Session,
    Object.prototype.toString,
  ]);
  // An object with a method `then` would be taken for a promise.
  session.set("then", 1);
  assertEquals((await session).get("then"), 1);
  assertEquals(String(session), "[object Object]");
});

Deno.test("a key that is named like a method of every object keeps that method", async () => {
  const { session } = await stored();
  session.set({ toString: 1, valueOf: 1, hasOwnProperty: 1, toLocaleString: 1, constructor: 1 });
  assertEquals([`${session}`, session.valueOf()], ["[object Object]", session]);
  assertEquals(session.get("toString"), 1);
});

Deno.test("a Proxy around a Session finds no property, and no private one", async () => {
  const { session } = await stored();
  const around = new Proxy(session, {}) as unknown as Shop;
  assertEquals([around.missing, around.cart], [undefined, undefined]);
});

Deno.test("a subclass of Session may have properties of its own", () => {
  class Cart extends Session<Shop> {
    total = 3;
    declare tax: number;
  }
  const cart = new Cart(Session.fromData<Shop>({ n: 1 }).data);
  cart.tax = 1;
  assertEquals([cart.total, cart.tax, cart.get("n")], [3, 1, 1]);
  assertEquals(Object.keys(cart), ["total", "tax"]);
});

for (const verb of ["regenerate", "rotate", "restart", "destroy", "clear"] as const) {
  Deno.test(`${verb}() throws and changes nothing when it gets a callback`, async () => {
    const { session, sessions, open, cookie } = await stored({
      store: slow(new MemoryStore()),
    });
    const { id } = session;
    const method = session[verb] as (...args: unknown[]) => unknown;
    for (const args of [[() => {}], [undefined, () => {}], [{}, async () => {}]]) {
      assertThrows(
        () => method.apply(session, args),
        TypeError,
        `Cannot ${verb} with a callback: it would never be called. Continue on the next line`,
      );
    }
    await open.commit(new Headers());
    const loaded = await sessions.load(requestWith({ cookie }));
    assertEquals([loaded?.id, loaded?.get("cart")], [id, "canary"]);
  });
}

Deno.test("the middleware's methods reject, and do nothing, when they get a callback", async () => {
  const { sessions, cookie, session } = await stored({ store: slow(new MemoryStore()) });
  const request = requestWith({ cookie });
  const calls: [keyof typeof sessions, unknown[]][] = [
    ["open", [request]],
    ["load", [request]],
    ["update", [session, (data: Shop) => void (data.cart = "changed")]],
    ["destroy", [session]],
    ["list", ["canary-user"]],
    ["destroyAll", ["canary-user"]],
    ["destroyListed", ["canary-user", "hash"]],
  ];
  for (const [name, args] of calls) {
    const method = sessions[name] as (...args: unknown[]) => Promise<unknown>;
    await assertRejects(
      () => method.apply(sessions, [...args, () => {}]),
      TypeError,
      `Cannot ${name} with a callback: it would never be called. Await the promise`,
    );
  }
  assertEquals((await sessions.load(request))?.get("cart"), "canary");
});

Deno.test("a method that takes keys throws when it gets a function", async () => {
  const { session } = await stored();
  for (const verb of ["get", "exists", "slice", "set", "delete"] as const) {
    assertThrows(() => (session[verb] as (key: unknown) => unknown)(() => {}), TypeError);
  }
});

Deno.test("set() throws when the content of an object is not in its keys", async () => {
  const { session } = await stored();
  const set = (values: unknown) => session.set(values as Shop);
  const form = new FormData();
  form.set("a", "1");
  const wrong = {
    FormData: form,
    Map: new Map([["a", 1]]),
    Date: new Date(),
    Headers: new Headers(),
  };
  for (const [name, values] of Object.entries(wrong)) {
    assertThrows(() => set(values), TypeError, `an object of them; it got a ${name}`);
  }
  assertThrows(() => set(Promise.resolve({ a: 1 })), TypeError, "must be awaited");
  class Row {
    id = 7;
  }
  // An object of another realm is not an `instanceof Object`.
  for (const values of [{}, Object.create(null), new Row(), runInNewContext("({})")]) set(values);
  assertEquals(session.keys(), ["cart", "id"]);
});

/** What a log shows of a value. */
const shown = (value: unknown) => [
  Deno.inspect(value),
  Deno.inspect({ nested: [value] }),
  JSON.stringify(value),
  String(value),
];

Deno.test("a log of a Session shows its state and keys, and neither values nor its ID", async () => {
  const { sessions, session, open, cookie } = await stored();
  const id = session.id!;
  const note = (one: Session) => {
    const [text, nested, json] = shown(one);
    assertEquals([text, nested], [`Session ${json}`, `{ nested: [ Session ${json} ] }`]);
    for (const word of ["canary", id.slice(0, 8), id.slice(-8)]) {
      assertFalse(shown(one).join().includes(word), word);
    }
    return json;
  };
  assertEquals(note(session), '{"state":"writable","keys":["cart"]}');
  await open.commit();
  assertEquals(note(session), '{"state":"committed","keys":["cart"]}');
  assertEquals(
    note((await sessions.load(requestWith({ cookie })))!),
    '{"state":"readOnly","keys":["cart"]}',
  );
  const fresh = await sessions.open(requestWith());
  assertEquals(note(fresh.session), '{"state":"writable","absence":"none","keys":[]}');
  const ending = await sessions.open(requestWith({ cookie }));
  assertEquals(note(ending.session.destroy()), '{"state":"destroyed","keys":["cart"]}');
  const both = await sessions.open(
    requestWith({ cookie: `${cookie}; ${(await stored()).cookie}` }),
  );
  assert(note(both.session)!.startsWith('{"state":"'));
});

Deno.test("a log of a session does not make the response depend on it", async () => {
  const { sessions, cookie } = await stored();
  const response = await sessions.run(requestWith({ cookie }), (session) => {
    JSON.stringify(session);
    return new Response();
  });
  assertEquals(response.headers.get("vary"), null);
});

Deno.test("a log of a middleware, a store or a State shows no secret", async () => {
  const { sessions, store } = await stored();
  const parts = [
    sessions,
    store,
    new CookieStore({ secret: SECRET }),
    new SealedStore(new MemoryStore(), { secret: SECRET }),
    new CookieState(),
    new BearerState(),
  ];
  for (const part of parts) {
    for (const text of [...shown(part), Deno.inspect(part, { showHidden: true, depth: 9 })]) {
      assertFalse(text.includes(SECRET.slice(0, 12)) || text.includes("canary"));
    }
  }
});
