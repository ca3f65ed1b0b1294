/**
 * Bytes as lowercase hex digits. Uses the engine's own method if it exists, which is much faster.
 */

/** The character codes of the hex digits. */
const DIGITS = Array.from("0123456789abcdef", (digit) => digit.charCodeAt(0));

/** The hex digits of these bytes. */
export function toHex(bytes: Uint8Array): string {
  return typeof bytes.toHex === "function" ? bytes.toHex() : digitsOf(bytes);
}

/** The bytes that an even number of lowercase hex digits stand for. */
export function fromHex(digits: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(digits.length / 2);
  writeHex(bytes, 0, digits);
  return bytes;
}

/** Writes the bytes that `digits` stand for into `bytes`, from `start` on. */
export function writeHex(bytes: Uint8Array, start: number, digits: string): void {
  for (let at = 0; at < digits.length; at += 2) {
    const high = valueOf(digits.charCodeAt(at));
    bytes[start + at / 2] = (high << 4) | valueOf(digits.charCodeAt(at + 1));
  }
}

function digitsOf(bytes: Uint8Array): string {
  const codes = new Array<number>(2 * bytes.length);
  for (let at = 0; at < bytes.length; at++) {
    codes[2 * at] = DIGITS[bytes[at]! >> 4]!;
    codes[2 * at + 1] = DIGITS[bytes[at]! & 15]!;
  }
  // Built in one call: engines flatten a concatenated string when it is first used as a key.
  return String.fromCharCode(...codes);
}

/** The value of a digit, by its character code: from "0", or from "a", which is 10. */
function valueOf(code: number): number {
  return code < 58 ? code - 48 : code - 87;
}
