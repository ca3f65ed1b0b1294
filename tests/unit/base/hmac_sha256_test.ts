import { assertEquals } from "@std/assert";
import { toHex } from "../../../base/hex.ts";
import { hmacSha256 } from "../../../base/hmac_sha256.ts";
import { toUtf8 } from "../../../base/utf8.ts";

/** RFC 4231, sections 4.2 to 4.4, 4.7 and 4.8: key, message, and HMAC-SHA-256. */
const VECTORS: [key: Uint8Array, message: string, mac: string][] = [
  [
    new Uint8Array(20).fill(0x0b),
    "Hi There",
    "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
  ],
  [
    toUtf8("Jefe"),
    "what do ya want for nothing?",
    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
  ],
  [
    new Uint8Array(131).fill(0xaa),
    "Test Using Larger Than Block-Size Key - Hash Key First",
    "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
  ],
  [
    new Uint8Array(131).fill(0xaa),
    "This is a test using a larger than block-size key and a larger than block-size data. The key " +
    "needs to be hashed before being used by the HMAC algorithm.",
    "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
  ],
];

Deno.test("hmacSha256() returns the values of RFC 4231", () => {
  for (const [key, message, mac] of VECTORS) {
    assertEquals(toHex(hmacSha256(key, toUtf8(message))), mac);
  }
});

Deno.test("hmacSha256() agrees with Web Crypto for every length of key and message", async () => {
  const bytes = crypto.getRandomValues(new Uint8Array(200));
  const { subtle } = crypto;
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  for (let length = 1; length < bytes.length; length++) {
    const [key, message] = [bytes.slice(0, length), bytes.slice(length)];
    const imported = await subtle.importKey("raw", key, algorithm, false, ["sign"]);
    const expected = new Uint8Array(await subtle.sign("HMAC", imported, message));
    assertEquals(toHex(hmacSha256(key, message)), toHex(expected), String(length));
  }
});
