/**
 * A record's text as `SealedStore` has it kept: base64url, without padding, of
 *
 * | bytes | what |
 * | --- | --- |
 * | 1 | the version, 1 |
 * | 12 | the nonce, random |
 * | … | the text under AES-256-GCM |
 * | 16 | the tag |
 *
 * The key is derived from the secret and the id; version and id are bound as associated data too.
 */
import { RecordKeys } from "./derived_keys.ts";
import { Base64 } from "./base64.ts";
import { decryptWithAny, IV_BYTES, TAG_BYTES } from "../store/_cookie/format.ts";
import { pack, unpack } from "../store/_sql_text.ts";

const VERSION = 1;
const HEAD_BYTES = 1 + IV_BYTES;

const encoding = new Base64("base64url");
const encoder = new TextEncoder();
// A mark in front is a letter of the text like any other.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Seals texts with the first of its secrets, and opens them with all. */
export class RecordSeal {
  readonly #keys: readonly RecordKeys[];

  constructor(secrets: readonly string[]) {
    this.#keys = secrets.map((secret) => new RecordKeys(secret));
  }

  /** The text, sealed for the record under `id`. */
  async seal(id: string, text: string): Promise<string> {
    const key = await this.#keys[0]!.of(id);
    // As in SQL: half a surrogate pair has no UTF-8.
    const plain = encoder.encode(pack(text));
    const bytes = new Uint8Array(HEAD_BYTES + plain.length + TAG_BYTES);
    bytes[0] = VERSION;
    crypto.getRandomValues(bytes.subarray(1, HEAD_BYTES));
    const sealed = await crypto.subtle.encrypt(parameters(id, bytes), key, plain);
    bytes.set(new Uint8Array(sealed), HEAD_BYTES);
    return encoding.encode(bytes);
  }

  /** The text in `sealed`; undefined unless all of it was sealed here, for this id. */
  async open(id: string, sealed: string): Promise<string | undefined> {
    const bytes = encoding.decode(sealed);
    if (bytes === undefined || bytes.length < HEAD_BYTES + TAG_BYTES) return undefined;
    if (bytes[0] !== VERSION) return undefined;
    const plain = await decryptWithAny(
      this.#keys.map((keys) => () => keys.of(id)),
      parameters(id, bytes),
      bytes.subarray(HEAD_BYTES),
    );
    return plain && unpack(decoder.decode(plain));
  }
}

function parameters(id: string, bytes: Uint8Array<ArrayBuffer>): AesGcmParams {
  const additionalData = encoder.encode(`${VERSION} ${id}`);
  return { name: "AES-GCM", iv: bytes.subarray(1, HEAD_BYTES), additionalData };
}
