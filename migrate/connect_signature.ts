/** Signed cookies as Connect has them: `s:`, the value, a dot, and its HMAC-SHA-256 in Base64. */
import { Base64 } from "../base/base64.ts";

const PREFIX = "s:";
/** Of 32 bytes, without the padding. */
const SIGNATURE_LENGTH = 43;
const HMAC = { name: "HMAC", hash: "SHA-256" };
const encoding = new Base64("base64");
const bytesOf = (text: string) => new TextEncoder().encode(text);

/** Verifies what was signed with any of some secrets. */
export class Signatures {
  readonly #secrets: readonly string[];
  #keys: Promise<CryptoKey[]> | undefined;

  /** @throws {TypeError} When there is no secret, or an empty one. */
  constructor(secret: string | readonly string[]) {
    const secrets = typeof secret === "string" ? [secret] : secret;
    if (
      !Array.isArray(secrets) || secrets.length === 0 ||
      !secrets.every((one) => typeof one === "string" && one !== "")
    ) {
      throw new TypeError(
        "Cannot make ConnectCookie: secret must be a string that is not empty, or several",
      );
    }
    this.#secrets = [...secrets];
  }

  /** The value that was signed; undefined when it was not, or not with one of the secrets. */
  async open(text: string): Promise<string | undefined> {
    const dot = text.lastIndexOf(".");
    const unpadded = text.slice(dot + 1);
    // Without a dot it begins with the prefix, whose colon is in no signature.
    if (!text.startsWith(PREFIX) || unpadded.length !== SIGNATURE_LENGTH) return undefined;
    const signature = encoding.decode(`${unpadded}=`);
    if (signature === undefined) return undefined;
    const value = text.slice(PREFIX.length, dot);
    this.#keys ??= this.#importKeys();
    for (const key of await this.#keys) {
      // It takes the same time wherever they differ.
      if (await crypto.subtle.verify(HMAC, key, signature, bytesOf(value))) return value;
    }
    return undefined;
  }

  async #importKeys(): Promise<CryptoKey[]> {
    try {
      return await Promise.all(
        this.#secrets.map((secret) =>
          crypto.subtle.importKey("raw", bytesOf(secret), HMAC, false, ["verify"])
        ),
      );
    } catch (error) {
      this.#keys = undefined;
      throw error;
    }
  }
}
