/** SHA-256 of texts. */
import { toHex } from "./hex.ts";

const encoder = new TextEncoder();

/** The SHA-256 of a text's UTF-8: 64 lowercase hex digits. */
export async function sha256(text: string): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", encoder.encode(text))));
}
