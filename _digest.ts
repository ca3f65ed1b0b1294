/** SHA-256, as the stores' keys have it. */

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));
const encoder = new TextEncoder();

/** The SHA-256 of a text's UTF-8: 64 lowercase hex digits. */
export async function sha256(text: string): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", encoder.encode(text)));
  let digits = "";
  for (const byte of hash) digits += HEX[byte];
  return digits;
}
