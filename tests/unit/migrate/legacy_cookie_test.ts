import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { ConnectCookie, LegacyCookie } from "@pagi/session/migrate";
import type { HeaderPair } from "@pagi/session";
import { Signatures } from "../../../migrate/connect_signature.ts";
import { countSubtle, failSubtle } from "../../_kit/web_crypto.ts";
import { requestWith, scopeWith } from "../../_kit/helpers.ts";

/** `abc` signed with "keyboard cat" by cookie-signature 1.2. */
const SIGNED = "s:abc.BpxCrWRpvZMh/wk/djl34N+m+VQEU7K/5WenLwJCgFU";
const secret = "keyboard cat";

const scopeOf = (...values: string[]) =>
  scopeWith({ cookie: values.map((value) => `connect.sid=${value}`).join("; ") });
const read = (cookie: LegacyCookie, ...values: string[]) => cookie.extract(scopeOf(...values));

Deno.test("ConnectCookie.extract() finds a signed ID, percent-encoded or not", async () => {
  const cookie = new ConnectCookie({ secret });
  assertEquals(await read(cookie, encodeURIComponent(SIGNED)), ["abc"]);
  assertEquals(await read(cookie, SIGNED), ["abc"]);
  const request = requestWith({ cookie: `a=b; connect.sid=${encodeURIComponent(SIGNED)}` });
  assertEquals(await cookie.extract({ type: "http", request }), ["abc"]);
});

Deno.test("ConnectCookie.extract() compares signatures in Web Crypto, in constant time", async () => {
  const cookie = new ConnectCookie({ secret });
  for (const [value, isOurs] of [[SIGNED, true], [SIGNED.replace(".B", ".C"), false]] as const) {
    const calls = await countSubtle(async () => {
      assertEquals((await read(cookie, value)).length === 1, isOurs);
    });
    // Nothing is computed here that could be compared letter by letter.
    assertEquals([calls.verify, calls.sign, calls.digest], [1, undefined, undefined]);
  }
});

Deno.test("ConnectCookie.extract() finds nothing when any character differs", async () => {
  const cookie = new ConnectCookie({ secret });
  for (let at = 0; at < SIGNED.length; at++) {
    // V has the bits of the last character, but for those beyond the last byte.
    for (const other of ["A", "V", "9", "+", "."]) {
      if (SIGNED[at] === other) continue;
      const tampered = SIGNED.slice(0, at) + other + SIGNED.slice(at + 1);
      assertEquals(await read(cookie, encodeURIComponent(tampered)), [], tampered);
    }
  }
});

Deno.test("ConnectCookie.extract() finds nothing and does not throw when the value is not signed", async () => {
  const cookie = new ConnectCookie({ secret });
  const signature = SIGNED.slice("s:abc.".length);
  const hostile = [
    "abc",
    "s:abc",
    "s:",
    "",
    "s:abc.",
    `s:${signature}`,
    `s:.${signature}`,
    `j:abc.${signature}`,
    `${SIGNED}=`,
    `${SIGNED}%20`,
    `s:abc. ${signature.slice(1)}`,
    "%",
    "s%3Aabc.%ff",
    "s:abc." + "A".repeat(100_000),
  ];
  for (const value of hostile) assertEquals(await read(cookie, value), [], value.slice(0, 50));
  assertEquals(await cookie.extract(scopeWith()), []);
});

Deno.test("ConnectCookie.extract() accepts every configured secret and no other", async () => {
  const rotated = new ConnectCookie({ secret: ["new", "newer", secret] });
  assertEquals(await read(rotated, SIGNED), ["abc"]);
  assertEquals(await read(new ConnectCookie({ secret: ["new", "newer"] }), SIGNED), []);
});

Deno.test("ConnectCookie.extract() cuts at the last dot", async () => {
  const signed = "s:a.b.c.G8ReS2HiYVtvMBGFvZUGp5RaCauWFLUTjnnTm/EQ2aE";
  assertEquals(await read(new ConnectCookie({ secret }), signed), ["a.b.c"]);
});

Deno.test("ConnectCookie.clear() repeats the attributes that the cookie was set with", () => {
  const cookie = new ConnectCookie({
    secret,
    cookieName: "sid",
    cookieOptions: { domain: "example.com", path: "/app", secure: true, sameSite: false },
  });
  const headers: HeaderPair[] = [];
  cookie.clear(headers);
  assertEquals(headers, [
    ["set-cookie", "sid=; Path=/app; Domain=example.com; HttpOnly; Secure; Max-Age=0"],
  ]);
});

Deno.test("ConnectCookie() throws without quoting a secret when one is missing", () => {
  for (const wrong of [undefined, "", [], ["hush", ""], ["hush", 1]]) {
    const error = assertThrows(
      () => new ConnectCookie({ secret: wrong as string }),
      TypeError,
      "secret must be",
    );
    assertEquals(error.message.includes("hush"), false);
  }
});

Deno.test("LegacyCookie.extract() decodes percent signs and then calls decode", async () => {
  const cookie = new LegacyCookie({ cookieName: "connect.sid" });
  assertEquals(await read(cookie, "a%2Fb"), ["a/b"]);
  const decode = (value: string) => {
    if (value === "bad") throw new Error("bad seal");
    return value === "none" ? undefined : value.toUpperCase();
  };
  const decoding = new LegacyCookie({ cookieName: "connect.sid", decode });
  assertEquals(await read(decoding, "abc", "bad", "none", ""), ["ABC"]);
});

Deno.test("LegacyCookie.extract() reads up to four cookies of the name, and none when there are more", async () => {
  let decoded = 0;
  const decode = (value: string) => {
    decoded++;
    return value;
  };
  const cookie = new LegacyCookie({ cookieName: "connect.sid", decode });
  assertEquals(await read(cookie, "a", "b", "a", "c", "d"), ["a", "b", "c", "d"]);
  assertEquals(decoded, 4);
  assertEquals(await read(cookie, "a", "b", "c", "d", "e"), []);
  assertEquals(decoded, 4);
});

Deno.test("LegacyCookie() throws and names the option when it is wrong", () => {
  const wrong: [object, string][] = [
    [{}, "cookieName"],
    [{ cookieName: "a b" }, "cookieName"],
    [{ cookieName: "a", decode: "x" }, "decode"],
    [{ cookieName: "a", secret: "the secret of the tests: 32 bytes or more" }, '"secret"'],
    [{ cookieName: "a", cookieOptions: { sameSite: "None" } }, "sameSite"],
  ];
  for (const [options, named] of wrong) {
    const error = assertThrows(
      () => new LegacyCookie(options as { cookieName: string }),
      TypeError,
    );
    assertStringIncludes(error.message, named);
  }
  const unknown = { cookieName: "a", secret, name: "b" };
  assertThrows(() => new LegacyCookie(unknown), TypeError, "Cannot make LegacyCookie: there is no");
  assertThrows(
    () => new ConnectCookie(unknown),
    TypeError,
    "Cannot make ConnectCookie: there is no",
  );
});

Deno.test("LegacyCookie.extract() finds the cookie in any of several headers", async () => {
  const headers: HeaderPair[] = [["cookie", "a=1"], ["cookie", "connect.sid=abc"]];
  const cookie = new LegacyCookie({ cookieName: "connect.sid" });
  assertEquals(await cookie.extract(scopeWith(headers)), ["abc"]);
});

Deno.test("Signatures.verify() fails when its key cannot be imported, and works the next time", async () => {
  const signatures = new Signatures(secret);
  await failSubtle("importKey", async () => {
    await assertRejects(() => signatures.verify(SIGNED), Error, "out of order");
  });
  assertEquals(await signatures.verify(SIGNED), "abc");
});
