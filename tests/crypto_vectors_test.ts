/**
 * The primitives as this package uses them, on vectors that others made: NIST's for AES-256-GCM with a
 * nonce of 96 bits and the whole tag (CAVP, gcmDecrypt256), and RFC 5869's for HKDF-SHA-256.
 */
import { assert, assertEquals } from "@std/assert";
import { decryptWithAny } from "../store/_seal_format.ts";
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
