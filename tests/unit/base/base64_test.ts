import { assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { Base64 } from "../../../base/base64.ts";

/** What `work` gives where the engine has no Base64 for bytes. */
function withoutNativeBase64<T>(work: () => T): T {
  const { fromBase64 } = Uint8Array;
  const { toBase64 } = Uint8Array.prototype;
  Object.assign(Uint8Array, { fromBase64: undefined });
  Object.assign(Uint8Array.prototype, { toBase64: undefined });
  try {
    return work();
  } finally {
    Object.assign(Uint8Array, { fromBase64 });
    Object.assign(Uint8Array.prototype, { toBase64 });
  }
}

for (
  const [where, run] of [
    ["with the engine's", <T>(work: () => T) => work()],
    ["with its own code", withoutNativeBase64],
  ] as const
) {
  Deno.test(`Base64 reads and writes what node:buffer does, ${where}`, () => {
    for (const alphabet of ["base64", "base64url"] as const) {
      const base64 = new Base64(alphabet);
      for (let length = 0; length < 100; length++) {
        const bytes = Uint8Array.from({ length }, (_, at) => (at * 89 + length * 7) & 255);
        const text = Buffer.from(bytes).toString(alphabet);
        run(() => {
          assertEquals(base64.encode(bytes), text);
          assertEquals(base64.decode(text), bytes);
        });
        assertEquals(base64.lengthOf(length), text.length);
      }
    }
  });

  Deno.test(`Base64.decode() takes no second text for the same bytes, ${where}`, () => {
    const padded = [
      "AB==",
      "AAB=",
      "AA",
      "AA=",
      "AAA",
      "A===",
      "====",
      "=",
      "AA==AA==",
      "AA A",
      "A",
    ];
    const unpadded = [
      "AB",
      "AAB",
      "AA==",
      "AAA=",
      "A",
      "A A A",
      "AAAA\n",
      "+/+/",
      "AAÁ",
      "AAA\u0100",
    ];
    run(() => {
      const found = [
        ...padded.map((text) => new Base64("base64").decode(text)),
        ...unpadded.map((text) => new Base64("base64url").decode(text)),
        new Base64("base64").decode("-_-_"),
      ];
      assertEquals(found.filter((bytes) => bytes !== undefined), []);
    });
  });
}
