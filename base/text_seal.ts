/**
 * Encrypted texts, each bound to the ID of its record. A sealed text is base64url, without padding,
 * of
 *
 * | bytes | content |
 * | --- | --- |
 * | 1 | the version, 1 |
 * | 12 | the nonce, random |
 * | … | the text under AES-256-GCM |
 * | 16 | the authentication tag |
 *
 * The key is derived from the secret and the ID. Version and ID are also bound as associated data.
 */
import { decryptWithAny, IV_BYTES, TAG_BYTES } from "./aes_gcm.ts";
import { Base64 } from "./base64.ts";
import { DerivedKeys } from "./derived_keys.ts";
import { fromStorableText, toStorableText } from "./utf8.ts";

const VERSION = 1;
const HEAD_BYTES = 1 + IV_BYTES;

/**
 * The context of a key is the ID of one record. Even a thousand writes a second to one session take
 * seven weeks to reach the limit of a key, and endanger that session alone.
 */
const KEY_LABEL = "@pagi/session sealed record 1";
const CACHED_KEYS = 2000;

const encoding = new Base64("base64url");
const encoder = new TextEncoder();
// A byte order mark at the start belongs to the text.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Seals texts with the first of its secrets, and unseals texts sealed with any of them. */
export class TextSeal {
  readonly #keys: readonly DerivedKeys[];

  constructor(secrets: readonly string[]) {
    this.#keys = secrets.map((secret) => new DerivedKeys(secret, KEY_LABEL, CACHED_KEYS));
  }

  /** Encrypts a text for the record under `id`. */
  async seal(id: string, text: string): Promise<string> {
    const key = await this.#keys[0]!.for(id);
    const plain = encoder.encode(toStorableText(text));
    const bytes = new Uint8Array(HEAD_BYTES + plain.length + TAG_BYTES);
    bytes[0] = VERSION;
    crypto.getRandomValues(bytes.subarray(1, HEAD_BYTES));
    const sealed = await crypto.subtle.encrypt(parameters(id, bytes), key, plain);
    bytes.set(new Uint8Array(sealed), HEAD_BYTES);
    return encoding.encode(bytes);
  }

  /**
   * The text in `sealed`; `undefined` unless it was sealed under one of the secrets for this ID.
   */
  async unseal(id: string, sealed: string): Promise<string | undefined> {
    const bytes = encoding.decode(sealed);
    if (bytes === undefined || bytes.length < HEAD_BYTES + TAG_BYTES) return undefined;
    if (bytes[0] !== VERSION) return undefined;
    const plain = await decryptWithAny(
      this.#keys.map((keys) => () => keys.for(id)),
      parameters(id, bytes),
      bytes.subarray(HEAD_BYTES),
    );
    return plain && fromStorableText(decoder.decode(plain));
  }
}

function parameters(id: string, bytes: Uint8Array<ArrayBuffer>): AesGcmParams {
  const additionalData = encoder.encode(`${VERSION} ${id}`);
  return { name: "AES-GCM", iv: bytes.subarray(1, HEAD_BYTES), additionalData };
}
