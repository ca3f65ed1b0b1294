/**
 * A session as bytes, before it is encrypted:
 *
 * | bytes | content |
 * | --- | --- |
 * | 1 | 0 if the ID is 64 hex digits, 255 if a generation follows it; otherwise the number of bytes of the ID |
 * | 8 | when the session was last used, in Unix seconds, as a double |
 * | 4 | the lifetime from then on, in seconds |
 * | 32 … | the ID: the 32 bytes that its hex digits stand for, or its UTF-8 |
 * | 0 or 6 | the generation: the bytes that its hex digits stand for (see `generations.ts`) |
 * | … | the text, as UTF-8 |
 */
import { toHex, writeHex } from "../../base/hex.ts";
import { ID_BYTES, isId } from "../../base/id.ts";
import { MAX_BYTES_PER_UNIT } from "../../base/utf8.ts";
import type { CookieSession } from "./format.ts";
import { FIRST } from "./generations.ts";

const FIXED_BYTES = 13;
const MAX_ID_BYTES = 254;
/** Stands for an ID of 64 hex digits and a generation. */
const WITH_GENERATION = 255;
const GENERATION_BYTES = 6;
const MAX_SECONDS = 2 ** 32 - 1;

const encoder = new TextEncoder();
// A byte order mark at the start belongs to the text.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * The bytes of a session, with `before` and `after` bytes of free space around them. The caller
 * fills that space, so nothing is copied into a second array.
 *
 * @throws {TypeError} If the ID is empty or takes more than 254 bytes.
 */
export function encodePayload(
  { id, text, lastAccess, lifetime, generation }: CookieSession,
  { before = 0, after = 0 } = {},
): Uint8Array<ArrayBuffer> {
  const customId = isId(id) ? undefined : encoder.encode(id);
  if (customId !== undefined && (customId.length === 0 || customId.length > MAX_ID_BYTES)) {
    throw new TypeError("Cannot seal the session: its id must take 1 to 254 bytes");
  }
  // Sessions with custom IDs have none.
  const hasGeneration = customId === undefined && generation !== FIRST;
  const start = before + FIXED_BYTES;
  const idEnd = start + (customId?.length ?? ID_BYTES);
  const end = idEnd + (hasGeneration ? GENERATION_BYTES : 0);
  const bytes = new Uint8Array(end + text.length * MAX_BYTES_PER_UNIT + after);
  const view = new DataView(bytes.buffer, before);
  view.setUint8(0, hasGeneration ? WITH_GENERATION : customId?.length ?? 0);
  view.setFloat64(1, lastAccess);
  view.setUint32(9, Math.min(Math.ceil(lifetime), MAX_SECONDS));
  if (customId === undefined) writeHex(bytes, start, id);
  else bytes.set(customId, start);
  if (hasGeneration) writeHex(bytes, idEnd, generation);
  const { written } = encoder.encodeInto(text, bytes.subarray(end));
  return bytes.subarray(0, end + written + after);
}

/** The session in bytes that `encodePayload` returned. */
export function decodePayload(bytes: Uint8Array<ArrayBuffer>): CookieSession {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const kind = bytes[0]!;
  const isHex = kind === 0 || kind === WITH_GENERATION;
  const idEnd = FIXED_BYTES + (isHex ? ID_BYTES : kind);
  const idBytes = bytes.subarray(FIXED_BYTES, idEnd);
  const end = idEnd + (kind === WITH_GENERATION ? GENERATION_BYTES : 0);
  return {
    id: isHex ? toHex(idBytes) : decoder.decode(idBytes),
    text: decoder.decode(bytes.subarray(end)),
    generation: toHex(bytes.subarray(idEnd, end)),
    lastAccess: view.getFloat64(1),
    lifetime: view.getUint32(9),
  };
}
