import { assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { fromHex, toHex, writeHex } from "../../../base/hex.ts";

const BYTES = Uint8Array.from({ length: 256 }, (_, at) => at);

Deno.test("toHex() writes every byte as node:buffer does, with the engine's and with its own code", () => {
  const digits = Buffer.from(BYTES).toString("hex");
  assertEquals(toHex(BYTES), digits);
  const { toHex: native } = Uint8Array.prototype;
  Object.assign(Uint8Array.prototype, { toHex: undefined });
  try {
    assertEquals([toHex(BYTES), toHex(BYTES.subarray(0, 0))], [digits, ""]);
  } finally {
    Object.assign(Uint8Array.prototype, { toHex: native });
  }
});

Deno.test("fromHex() reads every byte that toHex() writes", () => {
  assertEquals(fromHex(toHex(BYTES)), BYTES);
  assertEquals(fromHex("ff00"), Uint8Array.of(255, 0));
  assertEquals(fromHex(""), new Uint8Array(0));
});

Deno.test("writeHex() writes where it is told, and nowhere else", () => {
  const bytes = new Uint8Array(5).fill(7);
  writeHex(bytes, 1, "ff00");
  assertEquals([...bytes], [7, 255, 0, 7, 7]);
});
