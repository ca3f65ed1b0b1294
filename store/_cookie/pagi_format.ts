/**
 * The format of PAGI's Store::Cookie: Base64 of a nonce of 12 bytes, the tag of 16 and the
 * ciphertext; AES-256-GCM under SHA-256 of the secret, without associated data. Inside is the JSON of
 * the session's hash, reserved keys and all.
 */
import { isObject } from "../../base/check_options.ts";
import { stringifyValues } from "../../base/record_text.ts";
import { hashOf, sessionOf } from "../_cookie_hash.ts";
import { Base64 } from "../../base/base64.ts";
import {
  checkSize,
  MAX_COOKIE_BYTES,
  type SealedSession,
  type SealFormat,
  type SealFormatOptions,
} from "./format.ts";
import { decryptWithAny, IV_BYTES, TAG_BYTES } from "../../base/aes_gcm.ts";
import type { SessionHash } from "../store.ts";

const HEAD_BYTES = IV_BYTES + TAG_BYTES;
const encoding = new Base64("base64");
const FORM = /^[A-Za-z0-9+/]+={0,2}$/;
const MIN_SIZE = encoding.lengthOf(HEAD_BYTES);

/** Seals sessions as the Perl module does. */
export class PagiSeal implements SealFormat {
  readonly #keys: readonly (() => Promise<CryptoKey>)[];
  readonly #maxSize: number;

  constructor({ secrets, maxSize }: SealFormatOptions) {
    this.#keys = secrets.map(keyOf);
    this.#maxSize = maxSize;
  }

  accepts(value: string): boolean {
    return value.length >= MIN_SIZE && value.length <= MAX_COOKIE_BYTES && value.length % 4 === 0 &&
      FORM.test(value);
  }

  async open(value: string): Promise<SealedSession | undefined> {
    const hash = await this.openHash(value);
    if (typeof hash?._id !== "string") return undefined;
    // There is no expiry in it, and one that says nothing of its time has expired.
    return { ...sessionOf(hash, { id: hash._id, now: 0 }), lifetime: Infinity };
  }

  async seal(session: SealedSession): Promise<string> {
    const hash = hashOf(session);
    if (hash !== undefined) return await this.sealHash(session.id, hash);
    throw new TypeError("Cannot seal the session: its text is no session's");
  }

  async openHash(value: string): Promise<SessionHash | undefined> {
    const bytes = value.length > MAX_COOKIE_BYTES ? undefined : encoding.decode(value);
    if (bytes === undefined || bytes.length < HEAD_BYTES) return undefined;
    // Web Crypto has the tag at the end.
    const sealed = new Uint8Array(bytes.length - IV_BYTES);
    sealed.set(bytes.subarray(HEAD_BYTES));
    sealed.set(bytes.subarray(IV_BYTES, HEAD_BYTES), bytes.length - HEAD_BYTES);
    const parameters = { name: "AES-GCM", iv: bytes.subarray(0, IV_BYTES) };
    const plain = await decryptWithAny(this.#keys, parameters, sealed);
    return plain && parse(plain);
  }

  async sealHash(id: string, hash: SessionHash): Promise<string> {
    const plain = new TextEncoder().encode(stringifyValues({ _id: id, ...hash }));
    checkSize(encoding.lengthOf(HEAD_BYTES + plain.length), this.#maxSize);
    const bytes = new Uint8Array(HEAD_BYTES + plain.length);
    const iv = crypto.getRandomValues(bytes.subarray(0, IV_BYTES));
    const key = await this.#keys[0]!();
    const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, plain);
    bytes.set(new Uint8Array(sealed, plain.length), IV_BYTES);
    bytes.set(new Uint8Array(sealed, 0, plain.length), HEAD_BYTES);
    return encoding.encode(bytes);
  }
}

/** A secret's key, made when it is first asked for. */
function keyOf(secret: string): () => Promise<CryptoKey> {
  let made: Promise<CryptoKey> | undefined;
  const make = async () => {
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(secret));
    return await crypto.subtle.importKey("raw", digest, "AES-GCM", false, ["encrypt", "decrypt"]);
  };
  return () =>
    made ??= make().catch((error) => {
      made = undefined;
      throw error;
    });
}

/** The hash in what was sealed; whoever has the secret may have sealed something else. */
function parse(plain: Uint8Array): SessionHash | undefined {
  try {
    const hash: unknown = JSON.parse(new TextDecoder().decode(plain));
    return isObject(hash) && !Array.isArray(hash) ? hash : undefined;
  } catch {
    return undefined;
  }
}
