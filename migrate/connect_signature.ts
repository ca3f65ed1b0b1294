/**
 * The signed cookies of Connect: `s:`, the value, a dot, and the HMAC-SHA-256 of the value in
 * Base64.
 */
import { toUtf8 } from "../base/utf8.ts";
import { optionError } from "../base/check_options.ts";
import { Base64 } from "../base/base64.ts";

const PREFIX = "s:";
/** Characters of 32 bytes in Base64, without the padding. */
const SIGNATURE_LENGTH = 43;
const HMAC = { name: "HMAC", hash: "SHA-256" };
const encoding = new Base64("base64");

/** Verifies signatures that were created with any of several secrets. */
export class Signatures {
  readonly #secrets: readonly string[];
  #keys: Promise<CryptoKey[]> | undefined;

  /** @throws {TypeError} If there is no secret, or an empty one. */
  constructor(secret: string | readonly string[]) {
    const secrets = typeof secret === "string" ? [secret] : secret;
    if (
      !Array.isArray(secrets) || secrets.length === 0 ||
      !secrets.every((one) => typeof one === "string" && one !== "")
    ) {
      throw optionError("ConnectCookie", "secret must be a string that is not empty, or several");
    }
    this.#secrets = [...secrets];
  }

  /** The signed value; `undefined` if it is not signed with one of the secrets. */
  async verify(text: string): Promise<string | undefined> {
    const dot = text.lastIndexOf(".");
    const unpadded = text.slice(dot + 1);
    // Without a dot, `unpadded` is the whole text with its prefix, and a signature contains no
    // colon.
    if (!text.startsWith(PREFIX) || unpadded.length !== SIGNATURE_LENGTH) return undefined;
    const signature = encoding.decode(`${unpadded}=`);
    if (signature === undefined) return undefined;
    const value = text.slice(PREFIX.length, dot);
    this.#keys ??= this.#importKeys();
    for (const key of await this.#keys) {
      // Takes the same time wherever the signatures differ.
      if (await crypto.subtle.verify(HMAC, key, signature, toUtf8(value))) return value;
    }
    return undefined;
  }

  async #importKeys(): Promise<CryptoKey[]> {
    try {
      return await Promise.all(
        this.#secrets.map((secret) =>
          crypto.subtle.importKey("raw", toUtf8(secret), HMAC, false, ["verify"])
        ),
      );
    } catch (error) {
      this.#keys = undefined;
      throw error;
    }
  }
}
