/**
 * One secret's keys, each for the record of one id.
 *
 * A random nonce of 96 bits is safe for 2^32 seals under one key (NIST SP 800-38D, section 8.3). A key
 * here seals the writes that are tried on one session under one id, and a thousand a second, day and
 * night, take seven weeks to be so many. Whoever does that to his own session endangers that session
 * alone: no key tells anything of another, or of the secret.
 */
import { RecentValues } from "./bounded_cache.ts";

/** Bound into every key: keys made of the same secret for something else are others. */
const LABEL = "@pagi/session sealed record 1";
/** How many ids' keys are remembered at least, some 2 KB each; twice as many at most. */
const REMEMBERED = 2000;

const bytesOf = (text: string) => new TextEncoder().encode(text);

/** The keys of one secret. Nothing is derived before it is asked for. */
export class RecordKeys {
  readonly #secret: string;
  readonly #keys = new RecentValues<Promise<CryptoKey>>(REMEMBERED);
  #base: Promise<CryptoKey> | undefined;

  constructor(secret: string) {
    this.#secret = secret;
  }

  /** The key for the record under `id`. */
  of(id: string): Promise<CryptoKey> {
    return this.#keys.get(id) ?? this.#make(id);
  }

  #make(id: string): Promise<CryptoKey> {
    const key = this.#derive(id);
    // At once: who reads, writes and is not alone waits for the same one.
    this.#keys.setCopied(id, key);
    key.catch(() => {
      // It may work the next time.
      this.#keys.delete(id);
      this.#base = undefined;
    });
    return key;
  }

  /** HKDF (RFC 5869) of the secret; `info` is the id. */
  async #derive(id: string): Promise<CryptoKey> {
    const { subtle } = crypto;
    this.#base ??= subtle.importKey("raw", bytesOf(this.#secret), "HKDF", false, ["deriveKey"]);
    return await subtle.deriveKey(
      { name: "HKDF", hash: "SHA-256", salt: bytesOf(LABEL), info: bytesOf(id) },
      await this.#base,
      { name: "AES-GCM", length: 256 },
      false,
      ["encrypt", "decrypt"],
    );
  }
}
