import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { Buffer } from "node:buffer";
import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
import { type SessionHash, SessionMiddleware } from "@pagi/session";
import { CookieStore } from "../../store/cookie.ts";
import { cookieOf, fakeClock, requestWith } from "../_kit/helpers.ts";
import recorded from "./cookie-store.json" with { type: "json" };

const { signal } = new AbortController();
const keyOf = (secret: string) => createHash("sha256").update(secret).digest();

/** What Store::Cookie does, written again from its page. */
function openAsPagi(secret: string, value: string): SessionHash {
  const bytes = Buffer.from(value, "base64");
  const decipher = createDecipheriv("aes-256-gcm", keyOf(secret), bytes.subarray(0, 12));
  decipher.setAuthTag(bytes.subarray(12, 28));
  const plain = Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]);
  return JSON.parse(plain.toString("utf8"));
}

function sealAsPagi(secret: string, hash: SessionHash): string {
  const iv = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", keyOf(secret), iv);
  const sealed = [cipher.update(JSON.stringify(hash), "utf8"), cipher.final()];
  return Buffer.concat([iv, cipher.getAuthTag(), ...sealed]).toString("base64");
}

Deno.test("the recorded values are all there", () => assertEquals(recorded.length, 3));

for (const [at, { secret, blob, data }] of recorded.entries()) {
  Deno.test(`CookieStore opens the Perl module's value ${at}`, async () => {
    const store = new CookieStore({ secret, format: "pagi" });
    assertEquals(store.accepts(blob), true);
    assertEquals(await store.get(blob), data as SessionHash);
    const opened = await store.open(blob, { signal });
    assertEquals([opened?.id, opened?.lastAccess], [data._id, data._last_access ?? 0]);
    // The implementation in this file reads it as well, so it can stand for the Perl one below.
    assertEquals(openAsPagi(secret, blob), data as SessionHash);
  });

  Deno.test(`CookieStore writes value ${at} so that another implementation opens it`, async () => {
    const store = new CookieStore({ secret, format: "pagi" });
    const value = await store.set(data._id, data as SessionHash);
    assertEquals(openAsPagi(secret, value), data as SessionHash);
    assertEquals(await store.get(value), data as SessionHash);
    assertEquals(value.length, blob.length);
    assertMatch(value, /^[A-Za-z0-9+/]+={0,2}$/);
  });

  Deno.test(`CookieStore opens value ${at} under no other secret, and not in its own format`, async () => {
    const other = `${secret}!`;
    for (
      const store of [
        new CookieStore({ secret: other, format: "pagi" }),
        new CookieStore({ secret }),
      ]
    ) {
      assertEquals(await store.get(blob), undefined);
      assertEquals(await store.open(blob, { signal }), undefined);
    }
    const rotated = new CookieStore({ secret: [other, secret], format: "pagi" });
    assertEquals(await rotated.get(blob), data as SessionHash);
  });
}

Deno.test("an app goes on with a session that a Perl app began, and the other way round", async () => {
  const [first] = recorded;
  const { secret, data } = first!;
  const clock = fakeClock(1_700_000_100);
  const store = new CookieStore({ secret, format: "pagi", now: clock.now });
  const sessions = new SessionMiddleware({ secret, store, now: clock.now });
  const handler = sessions.handler((_request, session) => {
    session.set("seen", [...session.get("seen", []) as number[], session.get("user_id") as number]);
    session.set("name", "Adéle 世");
    return new Response(session.id);
  });
  // All that Base64 has, so that a cookie has to carry "+", "/" and "=" back and forth.
  let value = first!.blob;
  for (let round = 1; round <= 30; round++) {
    const response = await handler(requestWith({ cookie: `pagi_session=${value}` }));
    assertEquals(await response.text(), data._id);
    const ours = cookieOf(response).slice("pagi_session=".length);
    const hash = openAsPagi(secret, ours);
    assertEquals(hash, {
      ...data,
      // A use is noted once a minute.
      _last_access: 1_700_000_100,
      name: "Adéle 世",
      seen: Array(2 * round - 1).fill(123),
    });
    // The Perl app's turn.
    value = sealAsPagi(secret, { ...hash, seen: [...hash.seen as number[], 123] });
  }
});

Deno.test("an app gives a Perl app's session a new id, and ends it", async () => {
  const [first] = recorded;
  const { secret, blob, data } = first!;
  const clock = fakeClock(1_700_000_100);
  const store = new CookieStore({ secret, format: "pagi", now: clock.now });
  const sessions = new SessionMiddleware({ secret, store, now: clock.now });
  const cookie = `pagi_session=${blob}`;
  const login = await sessions.run(requestWith({ cookie }), (session) => {
    session.regenerate();
    return new Response();
  });
  const hash = openAsPagi(secret, cookieOf(login).slice("pagi_session=".length));
  assertMatch(String(hash._id), /^[0-9a-f]{64}$/);
  assertEquals([hash._id === data._id, hash.user_id, hash._created], [false, 123, data._created]);
  const logout = await sessions.run(requestWith({ cookie: cookieOf(login) }), (session) => {
    session.destroy();
    return new Response();
  });
  assertMatch(logout.headers.get("set-cookie")!, /^pagi_session=; .*Max-Age=0$/);
});

Deno.test("a Perl app's session expires by its last use, and one that tells no time has expired", async () => {
  // The app updates the last-access time once a minute, so a use may be a minute later.
  const clock = fakeClock(1_700_000_005 + 3660);
  const [timed, , timeless] = recorded;
  const load = (secret: string, blob: string) => {
    const store = new CookieStore({ secret, format: "pagi", now: clock.now });
    const events: string[] = [];
    const onEvent = ({ type }: { type: string }) => void events.push(type);
    const sessions = new SessionMiddleware({ secret, store, now: clock.now, onEvent });
    return sessions.load(requestWith({ cookie: `pagi_session=${blob}` }))
      .then((session) => [session?.get("user_id"), ...events.slice(1)]);
  };
  assertEquals(await load(timed!.secret, timed!.blob), [123]);
  clock.advance(1);
  assertEquals(await load(timed!.secret, timed!.blob), [undefined]);
  assertEquals(await load(timeless!.secret, timeless!.blob), [undefined]);
});

Deno.test("CookieStore reads what Perl may write: times as strings, an own subject, every key", async () => {
  const secret = recorded[0]!.secret;
  const store = new CookieStore({ secret, format: "pagi" });
  const hash = {
    _id: "x",
    _created: "1700000000",
    _last_access: "1700000005.5",
    _subject: "ada",
    _destroyed: 0,
    constructor: 1,
  };
  const value = sealAsPagi(
    secret,
    JSON.parse(`{"__proto__":{"a":1},${JSON.stringify(hash).slice(1)}`),
  );
  const opened = await store.open(value, { signal });
  assertEquals(opened?.lastAccess, 1_700_000_005.5);
  assertEquals(
    opened?.text,
    's1:{"_created":1700000000,"_subject":"ada","__proto__":{"a":1},"constructor":1}',
  );
  assertEquals(await store.open(sealAsPagi(secret, { user: 1 }), { signal }), undefined);
  assertEquals(await store.get(sealAsPagi(secret, { user: 1 })), { user: 1 });
});

Deno.test('CookieStore refuses what format "pagi" cannot keep', () => {
  const secret = recorded[0]!.secret;
  assertThrows(
    () => new CookieStore({ secret, format: "pagi", purpose: "session" }),
    TypeError,
    'format "pagi" cannot bind a purpose',
  );
});
