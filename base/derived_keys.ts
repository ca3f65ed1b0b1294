/**
 * AES keys derived from one secret with HKDF (RFC 5869), each for one context: the ID of a record,
 * or an hour and a purpose.
 *
 * A random nonce of 96 bits is safe for 2^32 encryptions under one key (NIST SP 800-38D, section
 * 8.3). So every context gets a key of its own, and callers choose contexts that stay far below
 * that number. No key reveals anything about another key or about the secret.
 */
import { toUtf8 } from "./utf8.ts";
import type { Awaitable } from "./awaitable.ts";
import { BoundedCache } from "./bounded_cache.ts";

/** The keys of one secret. Nothing is derived before the first call. */
export class DerivedKeys {
  readonly #secret: string;
  readonly #label: string;
  readonly #keys: BoundedCache<Awaitable<CryptoKey>>;
  #root: Promise<CryptoKey> | undefined;

  /**
   * @param label Names what the keys are for. The same secret has other keys under another label.
   * @param capacity Number of keys to keep at least, about 2 KB each; at times twice as many are
   * kept.
   */
  constructor(secret: string, label: string, capacity: number) {
    this.#secret = secret;
    this.#label = label;
    this.#keys = new BoundedCache(capacity);
  }

  /** The key for a context; without a promise if it is cached. */
  for(context: string): Awaitable<CryptoKey> {
    const cached = this.#keys.get(context);
    if (cached !== undefined) return cached;
    const pending = this.#derive(context);
    // Stored before it is ready, so that simultaneous calls wait for the same derivation.
    this.#keys.setCopied(context, pending);
    pending.then((key) => this.#keys.setCopied(context, key), () => {
      // The next call tries again.
      this.#keys.delete(context);
      this.#root = undefined;
    });
    return pending;
  }

  async #derive(context: string): Promise<CryptoKey> {
    const { subtle } = crypto;
    this.#root ??= subtle.importKey("raw", toUtf8(this.#secret), "HKDF", false, ["deriveKey"]);
    return await subtle.deriveKey(
      { name: "HKDF", hash: "SHA-256", salt: toUtf8(this.#label), info: toUtf8(context) },
      await this.#root,
      { name: "AES-GCM", length: 256 },
      false,
      ["encrypt", "decrypt"],
    );
  }
}
