/**
 * One secret's keys, a new one every hour, so that none ever seals the 2^32 times after which random
 * nonces of 96 bits are no longer safe (NIST SP 800-38D, section 8.3).
 */
import type { Awaitable } from "../base/awaitable.ts";

/** Bound into every key: keys made of the same secret for something else are others. */
const LABEL = "@pagi/session sealed session 1";
/** More hours than a value can be old; each key takes some 200 bytes. */
const MAX_KEYS = 10_000;

const bytesOf = (text: string) => new TextEncoder().encode(text);

/** The keys of one secret for one purpose. Nothing is derived before it is asked for. */
export class HourlyKeys {
  readonly #secret: string;
  readonly #purpose: string;
  readonly #keys = new Map<number, Awaitable<CryptoKey>>();
  #base: Promise<CryptoKey> | undefined;

  constructor(secret: string, purpose: string) {
    this.#secret = secret;
    this.#purpose = purpose;
  }

  /** The key of an hour, counted from 1970; at once where it is known. */
  at(hour: number): Awaitable<CryptoKey> {
    return this.#keys.get(hour) ?? this.#make(hour);
  }

  async #make(hour: number): Promise<CryptoKey> {
    const pending = this.#derive(hour);
    // At once: many requests may wait for the first key of an hour.
    this.#keys.set(hour, pending);
    while (this.#keys.size > MAX_KEYS) this.#keys.delete(this.#keys.keys().next().value!);
    try {
      const key = await pending;
      this.#keys.set(hour, key);
      return key;
    } catch (error) {
      this.#keys.delete(hour);
      this.#base = undefined;
      throw error;
    }
  }

  /** HKDF (RFC 5869) of the secret; `info` is the hour and the purpose. */
  async #derive(hour: number): Promise<CryptoKey> {
    const { subtle } = crypto;
    this.#base ??= subtle.importKey("raw", bytesOf(this.#secret), "HKDF", false, ["deriveKey"]);
    const info = bytesOf(`${hour} ${this.#purpose}`);
    return await subtle.deriveKey(
      { name: "HKDF", hash: "SHA-256", salt: bytesOf(LABEL), info },
      await this.#base,
      { name: "AES-GCM", length: 256 },
      false,
      ["encrypt", "decrypt"],
    );
  }
}
