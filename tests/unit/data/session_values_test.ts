/** What may be in a session: what JSON would change in silence is refused, with its path. */
import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { Session, SessionError } from "@pagi/session";
import { runInNewContext } from "node:vm";
import { keyOf } from "../../../base/id.ts";
import { setUp } from "../../_kit/tabs.ts";

/** The message that a request is refused with for its data. */
async function fault(request: Promise<unknown>): Promise<string> {
  const { code, message } = await assertRejects(() => request, SessionError);
  assertEquals(code, "ERR_SESSION_DATA");
  return message.replace("Cannot save the session: ", "");
}

class Money {
  amount = 1;
}

const circle: Record<string, unknown> = { a: { b: {} } };
(circle.a as Record<string, unknown>).b = { back: circle.a };

/** A name as long as one is shown whole. */
const K40 = "k".repeat(40);

/** `depth` lists in each other, around a value. */
const nested = (depth: number, value: unknown = "in") => {
  for (let level = 0; level < depth; level++) value = [value];
  return value;
};

const REFUSED: [value: unknown, message: string][] = [
  [new Date(0), "v is a Date, which JSON would change"],
  [{ items: [1, 2, { when: new Date(0) }] }, "v.items[2].when is a Date, which JSON would change"],
  [new Map([[1, 2]]), "v is a Map, which JSON would change"],
  [[new Set()], "v[0] is a Set, which JSON would change"],
  [new Money(), "v is a Money, which JSON would change"],
  [new (class {})(), "v is an object of a class, which JSON would change"],
  [Object.create({ inherited: 1 }), "v is an object of a class, which JSON would change"],
  [new URL("http://x/"), "v is a URL, which JSON would change"],
  [/x/, "v is a RegExp, which JSON would change"],
  [new Error("secret"), "v is an Error, which JSON would change"],
  [new Uint8Array(2), "v is a Uint8Array, which JSON would change"],
  [new ArrayBuffer(2), "v is an ArrayBuffer, which JSON would change"],
  [Object("boxed"), "v is a String, which JSON would change"],
  [{ n: Object(1) }, "v.n is a Number, which JSON would change"],
  [{ toJSON: () => 1 }, "v has a method toJSON, which JSON would call"],
  [
    Object.defineProperty({}, "toJSON", { value: () => 1 }),
    "v has a method toJSON, which JSON would call",
  ],
  [
    Object.assign([1], { toJSON: () => 1 }),
    "v has a method toJSON, which JSON would call",
  ],
  [new (class Stack extends Array {})(), "v is a Stack, which JSON would change"],
  [[1, undefined], "v[1] is undefined, which JSON would change"],
  // deno-lint-ignore no-sparse-arrays
  [[1, , 3], "v[1] is an empty slot of a list"],
  [NaN, "v is NaN, which JSON would change"],
  [{ n: [-Infinity] }, "v.n[0] is -Infinity, which JSON would change"],
  [1n, "v is a bigint, which JSON cannot carry"],
  [() => 1, "v is a function, which JSON cannot carry"],
  [{ f() {} }, "v.f is a function, which JSON cannot carry"],
  [Symbol("s"), "v is a symbol, which JSON cannot carry"],
  [circle, "v.a.b.back is v.a again, a cycle"],
  [{ "a key": { "": NaN } }, 'v["a key"][""] is NaN, which JSON would change'],
  [
    { ["k".repeat(100)]: NaN },
    `v["${"k".repeat(40)}…"] is NaN, which JSON would change`,
  ],
  [
    { a: { b: { c: { d: { e: { f: { g: { h: NaN } } } } } } } },
    "v.a.b.c….e.f.g.h is NaN, which JSON would change",
  ],
  [{ [K40]: NaN }, `v.${K40} is NaN, which JSON would change`],
  [{ [`${K40} `]: NaN }, `v["${K40}…"] is NaN, which JSON would change`],
  [{ [`-${K40.slice(1)}`]: NaN }, `v["-${K40.slice(1)}"] is NaN, which JSON would change`],
  [{ "-": { b: NaN } }, 'v["-"].b is NaN, which JSON would change'],
  [
    { b: { c: { d: { e: { f: { g: { h: NaN } } } } } } },
    "v.b.c.d.e.f.g.h is NaN, which JSON would change",
  ],
  [Object.create(Object.create(null)), "v is an object of a class, which JSON would change"],
  [nested(200, NaN), "v[0][0][0]…[0][0][0][0] is NaN, which JSON would change"],
  [nested(201), "v[0][0][0]…[0][0][0][0] is nested deeper than 200 levels"],
];

for (const [value, message] of REFUSED) {
  Deno.test(`a session is not saved when ${message}`, async () => {
    const { tab, stored } = await setUp();
    assertEquals(await fault(tab((session) => session.set("v", value))), message);
    assertEquals(await stored(), { n: 0, a: 1, b: 1 });
  });
}

Deno.test("what JSON carries is kept: plain data of every realm, shared, and 200 levels deep", async () => {
  const { tab, stored } = await setUp();
  const shared = { s: [1] };
  const foreign = runInNewContext("({ list: [1, { deep: null }] })");
  const plain = Object.assign(Object.create(null), { x: 1, toJSON: "a key" });
  const deep = nested(200);
  await tab((session) => {
    session.set({ foreign, plain, deep, left: shared, right: shared, zero: -0, none: undefined });
    session.set("inner", { none: undefined, some: "😀\ud800" });
  });
  await tab((session) => {
    assertEquals(session.keys().includes("none"), false);
    assertEquals(Object.keys(session.get("inner") as object), ["some"]);
  });
  const { deep: kept, ...rest } = await stored();
  assertEquals(JSON.stringify(kept), JSON.stringify(deep));
  assertEquals(rest, {
    ...{ n: 0, a: 1, b: 1, zero: 0, left: shared, right: shared },
    foreign: { list: [1, { deep: null }] },
    plain: { x: 1, toJSON: "a key" },
    inner: { some: "😀\ud800" },
  });
});

/** Sessions whose client visits through the fetch door, where only the accessor is at hand. */
async function door() {
  const { sessions, cookie, stored } = await setUp();
  const visit = (act: (session: Session) => unknown) =>
    sessions.run(new Request("http://localhost/", { headers: { cookie } }), (session) => {
      act(session);
      return new Response();
    });
  return { visit, stored };
}

Deno.test("a fault is seen where the text stays as it was", async () => {
  const { visit, stored } = await door();
  const when = "1970-01-01T00:00:00.000Z";
  await visit((session) => session.set({ list: [null], o: { when } }));
  const before = await stored();
  const got = visit((session) => {
    (session.get("list") as unknown[])[0] = NaN;
  });
  assertEquals(await fault(got), "list[0] is NaN, which JSON would change");
  const sliced = visit((session) => {
    (session.slice("list").list as unknown[])[0] = undefined;
  });
  assertEquals(await fault(sliced), "list[0] is undefined, which JSON would change");
  const held = visit((session) => {
    (session.data.o as Record<string, unknown>).when = new Date(when);
  });
  assertEquals(await fault(held), "o.when is a Date, which JSON would change");
  const written = visit((session) => session.set("f", () => 1));
  assertEquals(await fault(written), "f is a function, which JSON cannot carry");
  const updated = visit((session) =>
    session.update("o", (o) => {
      (o as Record<string, unknown>).f = Symbol();
      return o;
    })
  );
  assertEquals(await fault(updated), "o.f is a symbol, which JSON cannot carry");
  assertEquals(await stored(), before);
});

Deno.test("a fault is seen in the data itself, and not in what is this package's own", async () => {
  const { tab, stored } = await setUp();
  const self = tab((session) => {
    session.data.self = session.data;
  });
  assertEquals(await fault(self), "self is the session itself, a cycle");
  const method = tab((session) => {
    session.data.toJSON = () => ({});
  });
  assertEquals(await fault(method), "its data has a method toJSON, which JSON would call");
  await tab((session) => {
    Object.assign(session.data, { _id: new Date(), _last_access: NaN, _codec: "structured", c: 1 });
  });
  assertEquals((await stored()).c, 1);
});

Deno.test("what cannot be read is ERR_SESSION_DATA too: a getter that throws, a revoked proxy", async () => {
  const { tab } = await setUp();
  const thrower = {
    get x() {
      throw new RangeError("mine");
    },
  };
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  for (const value of [thrower, proxy]) {
    assertEquals(await fault(tab((session) => session.set("v", value))), "its data cannot be read");
  }
});

Deno.test("a function of update() that returns what JSON would change is refused, in the merge too", async () => {
  const { tab, stored } = await setUp();
  const now = tab((session) => session.update("n", () => 1n));
  assertEquals(await fault(now), "n is a bigint, which JSON cannot carry");
  let calls = 0;
  const later = tab(async (session) => {
    session.update("n", () => ({ at: calls++ === 0 ? 1 : new Date(0) }));
    await tab((other) => other.set("n", 5));
  });
  assertEquals(await fault(later), "n.at is a Date, which JSON would change");
  assertEquals(await stored(), { n: 5, a: 1, b: 1 });
});

Deno.test("update() of a value that is not kept is no fault when the function makes one that is", async () => {
  const { tab, stored } = await setUp();
  await tab((session) => {
    session.set("n", new Set([1]));
    session.update("n", (set) => [...set as Set<number>]);
  });
  assertEquals((await stored()).n, [1]);
});

Deno.test("sessions.update() refuses what JSON would change, and leaves the session as it is", async () => {
  const { sessions, stored, id } = await setUp();
  const change = sessions.update(id, (data) => {
    data.when = { at: new Date(0) };
  });
  assertEquals(await fault(change), "when.at is a Date, which JSON would change");
  assertEquals(await stored(), { n: 0, a: 1, b: 1 });
});

Deno.test("a session of which the app got no more than texts and numbers is not searched", async () => {
  const { visit } = await door();
  await visit((session) => session.set("list", [1]));
  // Were it searched, what a prototype has would be seen.
  Object.defineProperty(Array.prototype, "toJSON", { value: () => 1, configurable: true });
  try {
    await visit(() => {});
    await visit((session) => [session.get("n"), session.exists("list"), session.keys()]);
    const held = visit((session) => session.get("list"));
    assertEquals(await fault(held), "list has a method toJSON, which JSON would call");
  } finally {
    Reflect.deleteProperty(Array.prototype, "toJSON");
  }
});

Deno.test("Session.fromData() takes what it is given", () => {
  const session = Session.fromData<Record<string, unknown>>({ when: new Date(0) });
  assertEquals(session.update("when", () => 1n).get("when"), 1n);
});

Deno.test("a path that starts with a key in quotes keeps its dots", async () => {
  const { tab } = await setUp();
  const message = await fault(tab((session) => session.set("a key", { b: NaN })));
  assertEquals(message, '["a key"].b is NaN, which JSON would change');
});

Deno.test("a fault is looked for behind keys without a value, and behind this package's own", async () => {
  const { tab } = await setUp();
  const values = { gone: undefined, _codec: () => 1, bad: () => 1 };
  const message = await fault(tab((session) => Object.assign(session.data, values)));
  assertEquals(message, "bad is a function, which JSON cannot carry");
});

Deno.test("numbers that are too large for one may stay where a record came with them", async () => {
  const { tab, store, id } = await setUp();
  const key = keyOf(id);
  const { text, version } = store.read(key)!;
  const huge = text.replace('"a":1', '"a":1e999,"c":-1e999');
  const { signal } = new AbortController();
  const write = { version, lastAccess: Math.floor(Date.now() / 1000), ttl: 60, signal };
  store.replace(key, huge, write);
  await tab((session) => session.set("b", 2));
  assertEquals((await store.get(id))?.b, 2);
  store.replace(key, huge, { ...write, version: store.read(key)!.version });
  const message = await fault(tab((session) => session.set("b", NaN)));
  assertEquals(message, "b is NaN, which JSON would change");
});

Deno.test("the cause says what a getter threw", async () => {
  const { tab } = await setUp();
  const own = new Error("not today");
  const get = () => {
    throw own;
  };
  const values = Object.defineProperty({}, "a", { get, enumerable: true });
  const error = await assertRejects(() => tab((session) => session.set("v", values)), SessionError);
  assertStrictEquals(error.cause, own);
});
