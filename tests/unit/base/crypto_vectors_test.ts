/**
 * The primitives as this package uses them, on vectors that others made: NIST's for AES-256-GCM with a
 * nonce of 96 bits and the whole tag (CAVP, gcmDecrypt256), RFC 5869's for HKDF-SHA-256, RFC 4231's for
 * HMAC-SHA-256; and what cookie-signature 1.2.2 signs.
 */
import { assert, assertEquals } from "@std/assert";
import { Signatures } from "../../../migrate/connect_signature.ts";
import { decryptWithAny } from "../../../base/aes_gcm.ts";
import vectors from "./crypto_vectors.json" with { type: "json" };

const hex = (text: string) => Uint8Array.fromHex(text);

/** What the formats make of a vector. */
async function open({ key, iv, additional }: typeof vectors.aesGcm[number], sealed: Uint8Array) {
  const made = await crypto.subtle.importKey("raw", hex(key), "AES-GCM", false, ["decrypt"]);
  const parameters = { name: "AES-GCM", iv: hex(iv), additionalData: hex(additional) };
  const plain = await decryptWithAny([() => made], parameters, Uint8Array.from(sealed));
  return plain?.toHex();
}

Deno.test("decryptWithAny() opens NIST's vectors that are sealed well, and none of the others", async () => {
  const counts = { opened: 0, refused: 0 };
  for (const vector of vectors.aesGcm) {
    assertEquals(await open(vector, hex(vector.sealed)), vector.plain ?? undefined);
    counts[vector.plain === null ? "refused" : "opened"]++;
  }
  assert(counts.opened >= 20 && counts.refused >= 20, JSON.stringify(counts));
});

Deno.test("decryptWithAny() opens no vector with another tag, nonce, key, associated data or part of a tag", async () => {
  for (const vector of vectors.aesGcm.filter(({ plain }) => plain !== null)) {
    const sealed = hex(vector.sealed);
    for (let bit = 0; bit < 128; bit++) {
      const changed = sealed.slice();
      changed[changed.length - 1 - (bit >> 3)]! ^= 1 << (bit & 7);
      assertEquals(await open(vector, changed), undefined);
    }
    for (const fill of [0, 255]) {
      const changed = sealed.slice();
      assertEquals(await open(vector, changed.fill(fill, -16)), undefined);
    }
    for (let missing = 1; missing <= 16; missing++) {
      assertEquals(await open(vector, sealed.slice(0, -missing)), undefined);
    }
    for (const name of ["key", "iv"] as const) {
      const changed = hex(vector[name]);
      changed[0]! ^= 1;
      assertEquals(await open({ ...vector, [name]: changed.toHex() }, sealed), undefined);
    }
    const additional = `${vector.additional}00`;
    assertEquals(await open({ ...vector, additional }, sealed), undefined);
  }
});

Deno.test("HKDF gives the keys of RFC 5869", async () => {
  assertEquals(vectors.hkdf.length, 3);
  for (const { secret, salt, info, key } of vectors.hkdf) {
    const base = await crypto.subtle.importKey("raw", hex(secret), "HKDF", false, ["deriveBits"]);
    const parameters = { name: "HKDF", hash: "SHA-256", salt: hex(salt), info: hex(info) };
    const bits = await crypto.subtle.deriveBits(parameters, base, key.length * 4);
    assertEquals(new Uint8Array(bits).toHex(), key);
  }
});

/** A signature as it stands in a cookie. */
const inCookie = (tag: Uint8Array) => tag.toBase64({ omitPadding: true });
/** The tag of a signed cookie, and what stands before it. */
function taken(signed: string) {
  const dot = signed.lastIndexOf(".");
  const tag = Uint8Array.fromBase64(`${signed.slice(dot + 1)}=`);
  return { tag, signedWith: (other: Uint8Array) => `s:${signed.slice(0, dot)}.${inCookie(other)}` };
}

Deno.test("Signatures.verify() takes RFC 4231's tags where key and data are texts, and no shortened one", async () => {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const text = (digits: string) => new TextDecoder("utf-8", { fatal: true }).decode(hex(digits));
  const counts = { texts: 0, bytes: 0 };
  for (const { key, data, tag } of vectors.hmac) {
    const isWhole = tag.length === 64;
    const made = await crypto.subtle.importKey("raw", hex(key), algorithm, false, ["verify"]);
    assertEquals(await crypto.subtle.verify(algorithm, made, hex(tag), hex(data)), isWhole);
    try {
      text(key + data);
    } catch {
      counts.bytes++;
      continue;
    }
    const opened = await new Signatures(text(key)).verify(`s:${text(data)}.${inCookie(hex(tag))}`);
    assertEquals(opened, isWhole ? text(data) : undefined);
    counts.texts++;
  }
  assertEquals(counts, { texts: 3, bytes: 4 });
});

Deno.test("Signatures.verify() opens what cookie-signature signed", async () => {
  assertEquals(vectors.signed.length, 7);
  for (const { secret, value, signed } of vectors.signed) {
    assertEquals(await new Signatures(secret).verify(`s:${signed}`), value);
    assertEquals(await new Signatures(["other", secret]).verify(`s:${signed}`), value);
    assertEquals(await new Signatures("other").verify(`s:${signed}`), undefined);
  }
});

Deno.test("Signatures.verify() opens nothing with another tag, part of one, or another value", async () => {
  for (const { secret, value, signed } of vectors.signed) {
    const signatures = new Signatures(secret);
    const { tag, signedWith } = taken(signed);
    const tags = Array.from({ length: 256 }, (_, bit) => {
      const changed = tag.slice();
      changed[bit >> 3]! ^= 1 << (bit & 7);
      return changed;
    });
    tags.push(new Uint8Array(32), new Uint8Array(32).fill(255), tag.map((byte) => byte ^ 128));
    for (let length = 0; length < 32; length++) tags.push(tag.slice(0, length));
    tags.push(new Uint8Array([...tag, 0]), new Uint8Array([0, ...tag]));
    for (const other of tags) assertEquals(await signatures.verify(signedWith(other)), undefined);
    for (let length = 0; length < 43; length++) {
      assertEquals(await signatures.verify(`s:${signed.slice(0, length - 43)}`), undefined);
    }
    for (const other of [`${value}0`, `0${value}`, value.toUpperCase()]) {
      if (other === value) continue;
      assertEquals(await signatures.verify(`s:${other}.${inCookie(tag)}`), undefined);
    }
    for (
      const text of [signed, `S:${signed}`, `xs:${signed}`, inCookie(tag), `s:${inCookie(tag)}`]
    ) {
      assertEquals(await signatures.verify(text), undefined);
    }
  }
});
