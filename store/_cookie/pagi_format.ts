/**
 * The format of PAGI's Store::Cookie: Base64 of a nonce of 12 bytes, the authentication tag of 16
 * bytes and the ciphertext. The cipher is AES-256-GCM, its key the SHA-256 of the secret, without
 * associated data. The plaintext is the JSON of the session's plain data, with its reserved keys.
 */
import { decryptWithAny, IV_BYTES, TAG_BYTES } from "../../base/aes_gcm.ts";
import { Base64 } from "../../base/base64.ts";
import { isObject } from "../../base/check_options.ts";
import { MAX_VALUE_BYTES } from "../../base/limits.ts";
import { stringifyValues, toPlainData } from "../../base/record_text.ts";
import { isSubject } from "../../base/subject.ts";
import { recordFromPlainData } from "../_plain_methods.ts";
import type { SessionHash } from "../store.ts";
import {
  checkSize,
  type CookieFormat,
  type CookieFormatOptions,
  type CookieSession,
} from "./format.ts";
import { FIRST } from "./generations.ts";

const HEAD_BYTES = IV_BYTES + TAG_BYTES;
const encoding = new Base64("base64");
const VALUE = /^[A-Za-z0-9+/]+={0,2}$/;
const MIN_SIZE = encoding.lengthOf(HEAD_BYTES);

/** Encrypts sessions as the Perl module does. */
export class PagiFormat implements CookieFormat {
  readonly #keys: readonly (() => Promise<CryptoKey>)[];
  readonly #maxSize: number;

  constructor({ secrets, maxSize }: CookieFormatOptions) {
    this.#keys = secrets.map(keySource);
    this.#maxSize = maxSize;
  }

  accepts(value: string): boolean {
    return value.length >= MIN_SIZE && value.length <= MAX_VALUE_BYTES && value.length % 4 === 0 &&
      VALUE.test(value);
  }

  async decrypt(value: string): Promise<CookieSession | undefined> {
    const data = await this.decryptPlain(value);
    if (typeof data?._id !== "string") return undefined;
    if (data._subject !== undefined && !isSubject(data._subject)) return undefined;
    // The format has no expiry. Data without a time counts as last used in 1970, so it has expired.
    const record = recordFromPlainData(data, { id: data._id, now: 0 });
    return { ...record, lifetime: Infinity, generation: FIRST };
  }

  async encrypt(session: CookieSession, _name?: string, maxSize?: number): Promise<string> {
    const data = toPlainData(session);
    if (data !== undefined) return await this.#encrypt(session.id, data, maxSize);
    throw new TypeError("Cannot seal the session: its text is no session's");
  }

  async decryptPlain(value: string): Promise<SessionHash | undefined> {
    const bytes = value.length > MAX_VALUE_BYTES ? undefined : encoding.decode(value);
    if (bytes === undefined || bytes.length < HEAD_BYTES) return undefined;
    // Web Crypto expects the tag at the end.
    const sealed = new Uint8Array(bytes.length - IV_BYTES);
    sealed.set(bytes.subarray(HEAD_BYTES));
    sealed.set(bytes.subarray(IV_BYTES, HEAD_BYTES), bytes.length - HEAD_BYTES);
    const parameters = { name: "AES-GCM", iv: bytes.subarray(0, IV_BYTES) };
    const plain = await decryptWithAny(this.#keys, parameters, sealed);
    return plain && parseObject(plain);
  }

  encryptPlain(id: string, data: SessionHash): Promise<string> {
    return this.#encrypt(id, data);
  }

  async #encrypt(id: string, data: SessionHash, maxSize = this.#maxSize): Promise<string> {
    const text = stringifyValues({ _id: id, ...data });
    const plain = new TextEncoder().encode(text);
    checkSize(encoding.lengthOf(HEAD_BYTES + plain.length), maxSize, text);
    const bytes = new Uint8Array(HEAD_BYTES + plain.length);
    const iv = crypto.getRandomValues(bytes.subarray(0, IV_BYTES));
    const key = await this.#keys[0]!();
    const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, plain);
    bytes.set(new Uint8Array(sealed, plain.length), IV_BYTES);
    bytes.set(new Uint8Array(sealed, 0, plain.length), HEAD_BYTES);
    return encoding.encode(bytes);
  }
}

/** The key of a secret, imported at the first call. */
function keySource(secret: string): () => Promise<CryptoKey> {
  let imported: Promise<CryptoKey> | undefined;
  const importKey = async () => {
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(secret));
    return await crypto.subtle.importKey("raw", digest, "AES-GCM", false, ["encrypt", "decrypt"]);
  };
  return () =>
    imported ??= importKey().catch((error) => {
      // The next call tries again.
      imported = undefined;
      throw error;
    });
}

/**
 * The object in a plaintext. Other programs with the same secret may have encrypted something else.
 */
function parseObject(plain: Uint8Array): SessionHash | undefined {
  try {
    const data: unknown = JSON.parse(new TextDecoder().decode(plain));
    return isObject(data) && !Array.isArray(data) ? data : undefined;
  } catch {
    return undefined;
  }
}
