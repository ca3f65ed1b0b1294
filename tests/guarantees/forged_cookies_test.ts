/** A forged cookie is not a session, and gets the same response as no cookie. */
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { MemoryStore, SessionMiddleware } from "@pagi/session";
import { CookieStore } from "../../store/cookie.ts";
import { countSubtle } from "../_kit/web_crypto.ts";
import { bitFlips, cuts, SECRET, setUp } from "../_kit/forgeries.ts";
import { cookieOf, idOf, requestWith } from "../_kit/helpers.ts";

const FORMATS = [
  { name: "this package's format", options: {}, alphabet: "base64url" },
  { name: 'format "pagi"', options: { format: "pagi" }, alphabet: "base64" },
] as const;

for (const { name, options, alphabet } of FORMATS) {
  Deno.test(`${name}: a cookie is ignored when one bit differs`, async () => {
    const { seal, outward } = setUp(options);
    const nobody = await outward(undefined);
    // Three lengths, so that the last character has unused bits in two of them.
    for (const pad of ["", "x", "xy"]) {
      const value = await seal({ pad });
      assertNotEquals(await outward(value), nobody);
      for (const forged of bitFlips(value, alphabet)) {
        assertEquals(await outward(forged), nobody, forged);
      }
    }
  });

  Deno.test(`${name}: a cookie is ignored when it was shortened, even by a part of its tag, or extended`, async () => {
    const { seal, outward } = setUp(options);
    const nobody = await outward(undefined);
    for (const pad of ["", "x", "xy"]) {
      for (const forged of cuts(await seal({ pad }), alphabet)) {
        assertEquals(await outward(forged), nobody, forged);
      }
    }
  });

  Deno.test(`${name}: a cookie is ignored when it consists of random bytes`, async () => {
    const { outward, store } = setUp(options);
    const nobody = await outward(undefined);
    const hour = Math.floor(1_700_000_000 / 3600);
    for (let at = 0; at < 2000; at++) {
      const bytes = crypto.getRandomValues(new Uint8Array(30 + at % 300));
      // Every second one has a valid header. Otherwise none would be decrypted.
      if (at % 2 === 0) bytes.set([1, hour >> 16, hour >> 8, hour]);
      const forged = bytes.toBase64({ alphabet, omitPadding: alphabet === "base64url" });
      assert(store.accepts(forged) || at % 2 === 1 || bytes.length < 50, forged);
      assertEquals(await outward(forged), nobody);
    }
  });

  Deno.test(`${name}: a cookie is ignored when its secret, format or name is another`, async () => {
    const { seal, outward, sessions } = setUp(options);
    const nobody = await outward(undefined);
    const value = await seal();
    const others = [
      setUp({ ...options, secret: `${SECRET}!` }),
      setUp({ ...options, secret: SECRET.toUpperCase() }),
      ...FORMATS.filter((other) => other.options !== options).map((other) => setUp(other.options)),
    ];
    for (const other of others) assertEquals(await outward(await other.seal()), nobody);
    for (const name of ["Sid", "sid2", "si", "__Host-sid", "pagi_session"]) {
      const cookie = `${name}=${value}`;
      assertEquals(await sessions.load(requestWith({ cookie })), undefined, name);
    }
  });
}

Deno.test("a cookie is ignored when only its purpose is another", async () => {
  const purposes = [undefined, "admin", "Session", "session ", "", "1 session"];
  const rigs = purposes.map((purpose) => setUp(purpose === undefined ? {} : { purpose }));
  for (const here of rigs) {
    const nobody = await here.outward(undefined);
    for (const there of rigs) {
      const isAccepted = await here.outward(await there.seal()) !== nobody;
      assertEquals(isAccepted, here === there);
    }
  }
});

Deno.test("a cookie is ignored when only its name is another", async () => {
  const names = ["customer", "admin", "Admin", "administrator", "a", "ab"];
  const rigs = names.map((name) => setUp({}, name));
  for (const here of rigs) {
    const nobody = await here.outward(undefined);
    for (const there of rigs) {
      const isAccepted = await here.outward(await there.seal()) !== nobody;
      assertEquals(isAccepted, here === there);
    }
  }
});

Deno.test("a cookie is ignored when it combines parts of two cookies", async () => {
  const { seal, outward, clock } = setUp();
  const nobody = await outward(undefined);
  const values = [await seal({ role: "user" }), await seal({ role: "root" })];
  clock.advance(3600);
  values.push(await seal({ role: "user" }));
  const bytes = values.map((value) => Uint8Array.fromBase64(value, { alphabet: "base64url" }));
  for (const one of bytes) {
    for (const other of bytes) {
      if (one === other) continue;
      // Version and hour, nonce, session, tag.
      for (const [from, to] of [[0, 4], [4, 16], [16, -16], [-16, undefined]] as const) {
        const mixed = one.slice();
        const part = other.slice(from, to);
        mixed.set(part, from < 0 ? mixed.length + from : from);
        if (mixed.toHex() === one.toHex()) continue;
        const forged = mixed.toBase64({ alphabet: "base64url", omitPadding: true });
        assertEquals(await outward(forged), nobody);
      }
    }
  }
});

Deno.test("a cookie is ignored when it has expired, and not decrypted when the key of its hour is gone", async () => {
  const { seal, outward, clock } = setUp();
  const nobody = await outward(undefined);
  const [value, unseen, old] = [await seal(), await seal(), await seal()];
  clock.advance(3600);
  assertNotEquals(await outward(value), nobody);
  clock.advance(1);
  for (const over of [value, unseen]) assertEquals(await outward(over), nobody);
  clock.advance(400 * 86_400);
  const calls = await countSubtle(async () => void assertEquals(await outward(old), nobody));
  assertEquals([calls.deriveKey, calls.decrypt], [undefined, undefined]);
});

Deno.test("a copy of a cookie is ignored after a logout or a new ID when revocations are on", async () => {
  for (const act of ["destroy", "regenerate"] as const) {
    const revocations = new MemoryStore();
    const store = new CookieStore({ secret: SECRET, revocations });
    const sessions = new SessionMiddleware({
      secret: "the secret for IDs: 32 bytes or more",
      store,
    });
    const visit = (cookie: string, act: "set" | "destroy" | "regenerate") =>
      sessions.run(requestWith({ cookie }), (session) => {
        if (act === "set") session.set("user", "ada");
        else session[act]();
        return new Response();
      });
    const copy = cookieOf(await visit("", "set"));
    assertEquals((await sessions.load(requestWith({ cookie: copy })))?.get("user"), "ada");
    await visit(copy, act);
    assertEquals(await sessions.load(requestWith({ cookie: copy })), undefined);
  }
});

Deno.test("seal() never repeats a nonce, within an hour or across hours", async () => {
  const { seal, clock } = setUp();
  const nonces = new Set<string>();
  for (let at = 0; at < 2000; at++) {
    if (at % 500 === 0) clock.advance(3600);
    const bytes = Uint8Array.fromBase64(await seal(), { alphabet: "base64url" });
    nonces.add(bytes.subarray(4, 16).toHex());
  }
  assertEquals(nonces.size, 2000);
});

Deno.test("a cookie is ignored when it is an ID, a session's text or a token of another library", async () => {
  const { seal, outward } = setUp();
  const nobody = await outward(undefined);
  const value = await seal();
  for (
    const forged of [
      idOf("5"),
      btoa('{"_id":"1","_created":1700000000,"user":"ada"}'),
      "eyJhbGciOiJub25lIn0.eyJ1c2VyIjoiYWRhIn0.",
      `Fe26.2**${value}`,
      `s:${value}`,
      `s%3A${value}`,
      encodeURIComponent(value + "="),
      `"${value}"`,
      value.toLowerCase(),
      value.split("").reverse().join(""),
      "A".repeat(value.length),
      `AQ${"A".repeat(3000)}`,
      `${value},${value}`,
    ]
  ) {
    assertEquals(await outward(forged), nobody, forged);
  }
});
