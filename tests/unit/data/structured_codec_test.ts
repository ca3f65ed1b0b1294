/** The codec "structured": what it keeps, how that is written, and what it refuses. */
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { MemoryStore, type Session, SessionError, SessionMiddleware } from "@pagi/session";
import { keyOf, verifierOf } from "../../../base/id.ts";
import { MAX_DEPTH } from "../../../base/record_text.ts";
import { fromTagged, hasTag, toTagged } from "../../../data/structured_codec.ts";
import { refused, setUp } from "../../_kit/tabs.ts";

const CODEC = { codec: "structured" } as const;
const NOW = { now: () => 1_700_000_000_000 };

const buffer = Uint8Array.from([1, 0, 255, 128, 7, 7, 7, 7]).buffer;

/** Values, and what is written for them. */
const WRITTEN: [value: unknown, json: string][] = [
  ["$date", '"$date"'],
  [[1, "$"], '[1,"$"]'],
  [["a", "$"], '["a","$"]'],
  [[true, false, null], "[true,false,null]"],
  [["$"], '["$","$"]'],
  [["$date", 5], '["$","$date",5]'],
  [["$5", ["$", NaN]], '["$","$5",["$","$",["$number","NaN"]]]'],
  [{ "$date": 1 }, '{"$date":1}'],
  [undefined, '["$undefined"]'],
  [{ a: undefined, b: [undefined] }, '{"a":["$undefined"],"b":[["$undefined"]]}'],
  [
    [NaN, Infinity, -Infinity, -0, 0],
    '[["$number","NaN"],["$number","Infinity"],' +
    '["$number","-Infinity"],["$number","-0"],0]',
  ],
  [-(2n ** 70n), '["$bigint","-1180591620717411303424"]'],
  [new Date(1.7e12), '["$date",1700000000000]'],
  [new Date(NaN), '["$date",null]'],
  [new Map<unknown, unknown>([["a", 1], [["$"], new Map()]]), '["$map","a",1,["$","$"],["$map"]]'],
  [new Set([1n, "x"]), '["$set",["$bigint","1"],"x"]'],
  [new URL("https://example.org/a?b#c"), '["$url","https://example.org/a?b#c"]'],
  [new Uint8Array(buffer, 2, 2), '["$bytes","Uint8Array","/4A="]'],
  [buffer, '["$bytes","ArrayBuffer","AQD/gAcHBwc="]'],
  [new DataView(Uint8Array.from([1]).buffer), '["$bytes","DataView","AQ=="]'],
  ...[Int8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, Float32Array]
    .map((Type): [unknown, string] => [
      new Type(buffer),
      `["$bytes","${Type.name}","AQD/gAcHBwc="]`,
    ]),
  ...[Float64Array, BigInt64Array, BigUint64Array].map((Type): [unknown, string] => [
    new Type(buffer),
    `["$bytes","${Type.name}","AQD/gAcHBwc="]`,
  ]),
  [Object.assign(Object.create(null), { x: new Date(0) }), '{"x":["$date",0]}'],
  [JSON.parse('{"__proto__":{"x":[]},"constructor":1}'), '{"__proto__":{"x":[]},"constructor":1}'],
];

for (const [value, json] of WRITTEN) {
  Deno.test(`structured: ${json} is read as it was written`, () => {
    assertEquals(JSON.stringify(toTagged(value)), json);
    const read = fromTagged(JSON.parse(json));
    assertEquals(Deno.inspect(read), Deno.inspect(value).replace("[Object: null prototype] ", ""));
    assertEquals(JSON.stringify(toTagged(read)), json);
  });
}

Deno.test("hasTag() finds a list that is a tag, wherever it is nested", () => {
  const tag = ["$date", 1];
  for (const value of [tag, [tag], { a: { b: [1, tag] } }]) assertEquals(hasTag(value), true);
  for (const value of [null, 1, "$date", [], [1, "$date"], { 0: "$date" }, { $date: [1] }]) {
    assertEquals(hasTag(value), false);
  }
});

Deno.test("structured: a value that needs no tag is not copied", () => {
  const plain = { a: [1, { b: null }], s: "$" };
  assertEquals(toTagged(plain) === plain, true);
});

Deno.test("structured: a session comes back with what was put in, and its record says so", async () => {
  const { store, tab, id } = await setUp({ ...CODEC, ...NOW });
  const when = new Date(0);
  const header = `s1:${verifierOf(id)}`;
  const textOf = () => store.read(keyOf(id))!.text;
  const plain = textOf();
  assertEquals(plain, `${header}{"_created":1700000000,"n":0,"a":1,"b":1}`);
  await tab((session) => {
    session.set({ when, prices: new Map([["tea", { at: when, cents: 250n }]]), none: undefined });
  });
  const text = header + '{"_created":1700000000,"_codec":"structured","n":0,"a":1,"b":1,' +
    '"when":["$date",0],"prices":["$map","tea",{"at":["$date",0],"cents":["$bigint","250"]}]}';
  assertEquals(textOf(), text);
  await tab((session, scope) => {
    assertEquals(session.keys(), ["n", "a", "b", "when", "prices"]);
    assertEquals("_codec" in scope["pagi.session"], false);
    assertEquals(session.get("when"), when);
    const prices = session.get("prices") as Map<string, { at: Date; cents: bigint }>;
    assertEquals([prices.size, prices.get("tea")], [1, { at: when, cents: 250n }]);
  });
  assertEquals(textOf(), text);
  // PAGI's methods show what is written, and write it.
  const hash = (await store.get(id))!;
  assertEquals([hash._codec, hash.when], ["structured", ["$date", 0]]);
  await store.set(id, hash);
  assertEquals(textOf(), text);
  await tab((session) => session.delete("when", "prices"));
  assertEquals(textOf(), plain);
});

Deno.test("structured: an equal value is no change, and a change inside one is seen", async () => {
  const { store, tab, id } = await setUp(CODEC);
  await tab((session) => session.set({ when: new Date(5), set: new Set([1]) }));
  const { version } = store.read(keyOf(id))!;
  await tab((session) => session.set({ when: new Date(5), set: new Set([1]) }));
  assertEquals(store.read(keyOf(id))!.version, version);
  await tab((session) => (session.get("set") as Set<number>).add(2));
  await tab((session) => assertEquals([...session.get("set") as Set<number>], [1, 2]));
  await tab((session) => (session.get("when") as Date).setTime(6));
  await tab((session) => assertEquals(session.get("when"), new Date(6)));
});

Deno.test("structured: two tabs that add to one Set by update() both keep what they added", async () => {
  const { tab, stored } = await setUp(CODEC);
  const seen: unknown[] = [];
  const add = (item: string) => (session: Session) =>
    session.update("tags", (tags) => {
      seen.push(tags);
      return new Set([...(tags as Set<string> | undefined) ?? [], item]);
    });
  await tab((session) => session.set({ tags: new Set(["first"]), when: new Date(0) }));
  await tab(async (session) => {
    await tab(add("theirs"));
    add("mine")(session);
    session.set("own", new Date(1));
  });
  assertEquals(seen.every((tags) => tags instanceof Set), true);
  const { tags, own, when } = await stored();
  assertEquals([tags, own, when], [
    ["$set", "first", "theirs", "mine"],
    ["$date", 1],
    ["$date", 0],
  ]);
});

Deno.test("structured: what one tab writes beside an equal Date of another's is merged", async () => {
  const { tab, stored } = await setUp(CODEC);
  await tab((session) => session.set({ when: new Date(0) }));
  await tab(async (session) => {
    await tab((other) => other.set("when", new Date(1)));
    // The same as was loaded: no change of ours.
    session.set({ when: new Date(0), n: 2 });
  });
  const { when, n } = await stored();
  assertEquals([when, n], [["$date", 1], 2]);
});

Deno.test("structured: sessions.update() and load() have values as they were put in", async () => {
  const { sessions, id, cookie } = await setUp(CODEC);
  const bytes = Uint8Array.from([1, 2]);
  const saved = await sessions.update(id, (data) => {
    Object.assign(data, { bytes, map: new Map([[new Set([{ a: 1 }]), bytes]]) });
  });
  const loaded = await sessions.load(new Request("http://x/", { headers: { cookie } }));
  for (const session of [saved, loaded!]) {
    assertEquals(session.get("bytes"), bytes);
    const map = session.get("map") as Map<Set<Record<string, number>>, Uint8Array>;
    const [key, value] = [...map][0]!;
    assertEquals([[...key], value], [[{ a: 1 }], bytes]);
    assertThrows(() => [...key][0]!.a = 2, TypeError);
  }
  await sessions.update(id, (data) => assertEquals(data.bytes, bytes));
});

Deno.test('structured: what "json" wrote is read as it was meant, tag or no tag, and merged so', async () => {
  const { store, tab, id } = await setUp();
  await tab((session) => session.set({ paid: ["$5", "$date"], date: ["$date", 5] }));
  const structured = new SessionMiddleware({
    secret: "the secret of the tests: 32 bytes or more",
    store,
    ...CODEC,
  });
  const cookie = `pagi_session=${id}`;
  const visit = (act: (session: Session) => unknown) =>
    structured.run(new Request("http://x/", { headers: { cookie } }), async (session) => {
      await act(session);
      return new Response();
    });
  await visit(async (session) => {
    await tab((other) => other.set("date", ["$date", 6]));
    assertEquals(session.get("date"), ["$date", 5]);
    session.set("when", new Date(0));
  });
  assertEquals(
    store.read(keyOf(id))!.text.replace(/^s1:[0-9a-f]{32}|"_created":\d+/g, ""),
    '{,"_codec":"structured","n":0,"a":1,"b":1,"paid":["$","$5","$date"],' +
      '"date":["$","$date",6],"when":["$date",0]}',
  );
  await visit((session) => assertEquals(session.get("paid"), ["$5", "$date"]));
});

Deno.test('structured: a record with tags is no session to "json", and one without is', async () => {
  const { store, tab, cookie } = await setUp(CODEC);
  const events: string[] = [];
  const onEvent = ({ type }: { type: string }) => void events.push(type);
  const json = new SessionMiddleware({
    secret: "the secret of the tests: 32 bytes or more",
    store,
    onEvent,
  });
  const load = () => json.load(new Request("http://x/", { headers: { cookie } }));
  assertEquals((await load())?.get("n"), 0);
  await tab((session) => session.set("when", new Date(0)));
  assertEquals([await load(), events], [undefined, ["record-corrupt"]]);
});

class Cart extends Map {}
const cycle = new Map<string, unknown>();
cycle.set("self", [cycle]);
let deep: unknown = NaN;
for (let level = 0; level < MAX_DEPTH; level++) deep = [deep];

const REFUSED: [value: unknown, message: string][] = [
  [() => 1, "v is a function, which the codec cannot carry"],
  [{ a: [Symbol()] }, "v.a[0] is a symbol, which the codec cannot carry"],
  [new Cart(), "v is a Cart, which the codec cannot carry"],
  [/x/, "v is a RegExp, which the codec cannot carry"],
  [new Map([["a b", /x/]]), 'v.get("a b") is a RegExp, which the codec cannot carry'],
  [new Map([[/x/, 1]]), "v.keys() is a RegExp, which the codec cannot carry"],
  [new Map([[1, /x/]]), "v.get(…) is a RegExp, which the codec cannot carry"],
  [new Set([/x/]), "v.values() is a RegExp, which the codec cannot carry"],
  [Object.assign(new Date(0), { zone: "UTC" }), "v is a Date, which the codec cannot carry"],
  [Object.create(Date.prototype), "v is a Date, which the codec cannot carry"],
  [Object.create(ArrayBuffer.prototype), "v is an ArrayBuffer, which the codec cannot carry"],
  // deno-lint-ignore no-sparse-arrays
  [[, 1], "v[0] is an empty slot of a list"],
  [cycle, 'v.get("self")[0] is v again, a cycle'],
  [{ toJSON: () => 1 }, "v has a method toJSON, which JSON would call"],
  [{ deep }, "v.deep[0][0]…[0][0][0][0] is nested deeper than 200 levels"],
];

for (const [value, message] of REFUSED) {
  Deno.test(`structured: a session is not saved when ${message}`, async () => {
    const { tab, stored } = await setUp(CODEC);
    const error = await assertRejects(
      () => tab((session) => session.set("v", value)),
      SessionError,
    );
    assertEquals([error.code, error.message], [
      "ERR_SESSION_DATA",
      `Cannot save the session: ${message}`,
    ]);
    assertEquals(await stored(), { n: 0, a: 1, b: 1 });
  });
}

Deno.test("structured: what is nested to the limit comes back, be it a tag", async () => {
  const { tab } = await setUp(CODEC);
  const deepest = (deep as unknown[])[0];
  await tab((session) => session.set("deep", deepest));
  await tab((session) => assertEquals(session.get("deep"), deepest));
});

Deno.test("structured: what update()'s replay makes is refused like all else", async () => {
  const { tab } = await setUp(CODEC);
  let calls = 0;
  const late = tab(async (session) => {
    session.update("n", () => calls++ === 0 ? new Date(0) : /x/);
    await tab((other) => other.set("n", 1));
  });
  assertEquals(await refused(late), "ERR_SESSION_DATA");
});

const MALFORMED = [
  '["$dates",1]',
  '["$constructor"]',
  '["$__proto__"]',
  '["$date","1970"]',
  '["$date"]',
  '["$number","1"]',
  '["$number"]',
  '["$bigint",1]',
  '["$bigint","x"]',
  '["$map",1]',
  '["$url","x"]',
  '["$url"]',
  '["$bytes","Uint8Array","€"]',
  '["$bytes","Uint8Array"]',
  '["$bytes","Array","AQ=="]',
  '["$bytes","Uint16Array","AQ=="]',
  '["$set",["$x"]]',
];

Deno.test("structured: a record with a tag that nobody wrote is no session, and an event", async () => {
  for (const codec of ["structured", "other", 1]) {
    for (const json of codec === "structured" ? MALFORMED : ["1"]) {
      const events: string[] = [];
      const store = new MemoryStore();
      const onEvent = ({ type }: { type: string }) => void events.push(type);
      const sessions = new SessionMiddleware({
        secret: "the secret of the tests: 32 bytes or more",
        store,
        ...CODEC,
        onEvent,
      });
      const id = "0".repeat(64);
      const _codec = JSON.stringify(codec);
      const text = `s1:${verifierOf(id)}{"_created":${
        Math.floor(Date.now() / 1000)
      },"_codec":${_codec},"v":{"x":${json}}}`;
      const { signal } = new AbortController();
      store.create(keyOf(id), text, { lastAccess: Math.floor(Date.now() / 1000), ttl: 60, signal });
      const headers = { cookie: `pagi_session=${id}` };
      const loaded = await sessions.load(new Request("http://x/", { headers }));
      assertEquals([loaded, events], [undefined, ["record-corrupt"]], json);
    }
  }
});

Deno.test("codec is json or structured", () => {
  const make = () =>
    new SessionMiddleware({
      secret: "the secret of the tests: 32 bytes or more",
      codec: "superjson" as never,
    });
  assertThrows(make, TypeError, 'codec must be "json" or "structured"');
});
