/** Random tokens that tell apart what this package writes. */
import { toHex } from "./hex.ts";

const TOKEN_BYTES = 6;
/** Hex digits of a token. */
export const TOKEN_DIGITS = 2 * TOKEN_BYTES;

/** A new token. */
export function newToken(): string {
  return toHex(crypto.getRandomValues(new Uint8Array(TOKEN_BYTES)));
}
