/** IDs that the server did not issue leave no record and are never adopted, even in thousands. */
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { CallbackState, MemoryStore, SessionMiddleware, type VersionedStore } from "@pagi/session";
import { HashedStore } from "../../store/hashed.ts";
import { SealedStore } from "../../store/sealed.ts";
import { tap } from "../_kit/dump.ts";
import { call, keyOf, requestWith, respond, scopeWith } from "../_kit/helpers.ts";
import { WAYS } from "../_kit/entry_points.ts";
import { CALLS } from "../_kit/stores.ts";

const secret = "a secret of thirty-two bytes or so";

const invented = () => crypto.getRandomValues(new Uint8Array(32)).toHex();

/** A store that counts its calls. */
function counted(store: VersionedStore): { store: VersionedStore; calls: string[] } {
  const calls: string[] = [];
  const counting = Object.fromEntries(CALLS.map((name) => [name, (...args: unknown[]) => {
    calls.push(name);
    return (store[name] as (...args: unknown[]) => unknown)(...args);
  }]));
  return { store: counting as unknown as VersionedStore, calls };
}

const ID = "0123456789abcdef".repeat(4);
const MALFORMED = [
  "x",
  "0",
  // The second half alone, which is the key in the store.
  ID.slice(32),
  ID.slice(1),
  `${ID}0`,
  `0${ID}`,
  ID + ID,
  ID.toUpperCase(),
  `${ID.slice(1)}F`,
  `${ID.slice(1)}g`,
  `${ID.slice(2)}0x`,
  `0x${ID.slice(2)}`,
  `"${ID}"`,
  `${ID.slice(1)}%`,
  `${ID.slice(3)}%30`,
  `${ID.slice(1)}٠`,
  `${ID.slice(1)}０`,
  `${ID.slice(1)}а`,
  `${ID}\u00a0`,
  `${ID}\u2028`,
  `\ufeff${ID}`,
  `${ID.slice(1)}\0`,
  `${ID}\n`,
  `${ID}.${ID}`,
  `${ID},${ID}`,
  "__proto__",
  "constructor",
  "toString",
  "../../../etc/passwd",
  "' OR 1=1 --",
  "{}",
  "null",
  "undefined",
  "[object Object]",
  "eyJhbGciOiJub25lIn0.e30.",
  "a".repeat(65_536),
];

for (const way of WAYS) {
  Deno.test(`${way.name}: run() calls no store and does not fail when the text cannot be an ID`, async () => {
    for (
      const wrap of [
        (store: VersionedStore) => store,
        (store: VersionedStore) => new HashedStore(store),
        (store: VersionedStore) => new SealedStore(store, { secret }),
      ]
    ) {
      const { store, calls } = counted(new MemoryStore());
      const sessions = new SessionMiddleware({ secret, store: wrap(store), state: way.state });
      const app = sessions.wrap(respond);
      for (const malformed of MALFORMED) {
        // A scope accepts values that a Request would refuse.
        const scope = scopeWith(way.present(malformed));
        const headers = Object.entries(way.present(malformed)).map(([name, value]) =>
          [name.toLowerCase(), value] as [string, string]
        );
        assertEquals((await call(app, { ...scope, headers })).length, 2);
        assertEquals(await sessions.load({ ...scope, headers }), undefined);
        assertEquals(calls, [], JSON.stringify(malformed.slice(0, 80)));
      }
    }
  });
}

Deno.test("CallbackState starts a new session when its callback returns an invalid ID", async () => {
  const { store, calls } = counted(new MemoryStore());
  let text = "";
  const state = new CallbackState({ extract: () => JSON.parse(text) });
  const sessions = new SessionMiddleware({ secret, store, state });
  const junk = [
    "5",
    "true",
    "null",
    "{}",
    '{"id":5}',
    '{"mustInject":true}',
    '{"id":[]}',
    "[[]]",
    "[5]",
  ];
  for (text of junk) {
    assertEquals(await sessions.load(requestWith()), undefined);
    assertEquals((await sessions.run(requestWith(), () => new Response())).status, 200);
  }
  assertEquals(calls, []);
});

Deno.test("2,000 unknown IDs are never adopted, and leave no record when nothing is written", async () => {
  const inner = new MemoryStore();
  const { store, calls } = counted(inner);
  const sessions = new SessionMiddleware({ secret, store });
  for (let visit = 0; visit < 2000; visit++) {
    const planted = invented();
    const cookie = `pagi_session=${planted}`;
    const response = await sessions.run(requestWith({ cookie }), (session) => {
      assertNotEquals(session.id, planted);
      assertEquals(session.keys(), []);
      return new Response();
    });
    assertEquals(response.headers.getSetCookie(), []);
  }
  assertEquals([inner.size, calls.length, new Set(calls)], [0, 2000, new Set(["read"])]);
});

Deno.test("500 unknown IDs are replaced by new ones when their requests write", async () => {
  const inner = new MemoryStore();
  const sessions = new SessionMiddleware({ secret, store: inner });
  const planted = Array.from({ length: 500 }, invented);
  const told = new Set<string>();
  for (const id of planted) {
    const response = await sessions.run(
      requestWith({ cookie: `pagi_session=${id}` }),
      (session) => (session.set("n", 1), new Response()),
    );
    told.add(response.headers.getSetCookie()[0]!.split(/[=;]/)[1]!);
  }
  assertEquals([inner.size, told.size], [500, 500]);
  for (const id of planted) assert(!told.has(id) && inner.read(keyOf(id)) === undefined);
});

Deno.test("2,000 visitors leave no record and get no cookie when nothing is written", async () => {
  const { store, dump } = tap(new MemoryStore());
  const sessions = new SessionMiddleware({ secret, store });
  const handler = sessions.handler((_request, session) =>
    new Response(`${session.get("user", "nobody")} ${session.exists("cart")} ${session.keys()}`)
  );
  const app = sessions.wrap(respond);
  for (let visit = 0; visit < 1000; visit++) {
    const response = await handler(requestWith());
    assertEquals(response.headers.get("set-cookie"), null);
    const [start] = await call(app);
    assertEquals(start!.headers, []);
  }
  assertEquals(dump, []);
});
