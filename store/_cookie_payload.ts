/**
 * A session in bytes, as it is sealed:
 *
 * | bytes | what |
 * | --- | --- |
 * | 1 | 0, or how many bytes the id takes when it is no 64 hex digits |
 * | 8 | when it was last used, in Unix seconds, a double |
 * | 4 | for how long from then, in seconds |
 * | 32 … | the id: what its hex digits stand for, or its letters |
 * | … | the text |
 */
import { fromHex, toHex } from "../_hex.ts";
import { isId } from "../_id.ts";
import type { SealedSession } from "./_seal_format.ts";

const FIXED_BYTES = 13;
const ID_BYTES = 32;
const MAX_LETTERS = 255;
const MAX_SECONDS = 2 ** 32 - 1;

const encoder = new TextEncoder();
// A text may begin with what is a byte order mark elsewhere.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * The bytes of a session.
 *
 * @throws {TypeError} When its id is empty, or takes more than 255 bytes.
 */
export function pack({ id, text, lastAccess, lifetime }: SealedSession): Uint8Array<ArrayBuffer> {
  const isHex = isId(id);
  const idBytes = isHex ? fromHex(id) : encoder.encode(id);
  if (idBytes.length === 0 || idBytes.length > MAX_LETTERS) {
    throw new TypeError("Cannot seal the session: its id must take 1 to 255 bytes");
  }
  const textBytes = encoder.encode(text);
  const bytes = new Uint8Array(FIXED_BYTES + idBytes.length + textBytes.length);
  const view = new DataView(bytes.buffer);
  bytes[0] = isHex ? 0 : idBytes.length;
  view.setFloat64(1, lastAccess);
  view.setUint32(9, Math.min(Math.ceil(lifetime), MAX_SECONDS));
  bytes.set(idBytes, FIXED_BYTES);
  bytes.set(textBytes, FIXED_BYTES + idBytes.length);
  return bytes;
}

/** The session in bytes that `pack` made. */
export function unpack(bytes: Uint8Array<ArrayBuffer>): SealedSession {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const letters = bytes[0]!;
  const end = FIXED_BYTES + (letters === 0 ? ID_BYTES : letters);
  const idBytes = bytes.subarray(FIXED_BYTES, end);
  return {
    id: letters === 0 ? toHex(idBytes) : decoder.decode(idBytes),
    text: decoder.decode(bytes.subarray(end)),
    lastAccess: view.getFloat64(1),
    lifetime: view.getUint32(9),
  };
}
