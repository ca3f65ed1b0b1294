/**
 * Session ids: 32 fresh random bytes each, XORed with 32 bytes of a stream derived from the secret:
 * AES-256 in counter mode (NIST SP 800-38A) under a key that HKDF (RFC 5869) makes of the secret.
 * Either alone makes an id that cannot be guessed: a broken generator still leaves the secret, and a
 * cloned machine still has fresh bytes. There is no fallback: where randomness or Web Crypto throws,
 * so does this.
 */

import { after, type Awaitable } from "../base/awaitable.ts";
import { toHex } from "../base/hex.ts";
import { ID_BYTES } from "../base/id.ts";

/**
 * Three calls of Web Crypto make so many ids: 0.1 µs an id, where one call an id would be 30. One
 * request in so many waits for them; making them ahead would leave work behind that nobody awaits.
 */
const IDS_PER_STREAM = 2048;

/** What ids are made from. */
export interface IdOptions {
  secret: string;
  /** Makes ids in the place of randomness and the secret. */
  generateId: (() => string | Promise<string>) | undefined;
}

/** Makes ids. Its constructor draws no randomness: some runtimes forbid that at start-up. */
export class IdSource {
  readonly #options: IdOptions;
  readonly #isValid: (id: string) => boolean;
  readonly #random = new Uint8Array(ID_BYTES);
  #stream = new Uint8Array(0);
  #used = 0;
  #refill: Promise<void> | undefined;

  /** `isValid` tells which ids the store takes. */
  constructor(options: IdOptions, isValid: (id: string) => boolean) {
    this.#options = options;
    this.#isValid = isValid;
  }

  /**
   * A new id: 64 lowercase hex digits.
   *
   * @throws {TypeError} When `generateId` makes what the store does not take.
   */
  next(): Awaitable<string> {
    return after(this.reserve(), (draw) => draw());
  }

  /**
   * What makes a new id, and is to be called once. Most visitors without a session get none, and an id
   * is a fifth of what such a request costs on Deno, two thirds on Node.
   *
   * @throws {TypeError} When `generateId` makes what the store does not take.
   */
  reserve(): Awaitable<() => string> {
    const { generateId } = this.#options;
    if (generateId !== undefined) {
      return after(generateId(), (id) => {
        const checked = this.#check(id);
        return () => checked;
      });
    }
    const stream = this.#stream;
    const at = this.#used;
    if (at < stream.length) {
      this.#used = at + ID_BYTES;
      return () => this.#draw(stream, at);
    }
    this.#refill ??= this.#derive().finally(() => this.#refill = undefined);
    // Again from the start: many may have waited for this refill.
    return this.#refill.then(() => this.reserve());
  }

  #check(id: string): string {
    if (this.#isValid(id)) return id;
    throw new TypeError(
      "Cannot start a session: generateId must make 64 lowercase hex digits (for a store with get, " +
        "set and delete only, any string that is not empty)",
    );
  }

  #draw(stream: Uint8Array, start: number): string {
    const bytes = crypto.getRandomValues(this.#random);
    for (let at = 0; at < ID_BYTES; at++) bytes[at]! ^= stream[start + at]!;
    return toHex(bytes);
  }

  async #derive(): Promise<void> {
    const { subtle } = crypto;
    const bytes = (text: string) => new TextEncoder().encode(text);
    const root = await subtle.importKey("raw", bytes(this.#options.secret), "HKDF", false, [
      "deriveKey",
    ]);
    // The time is in the salt for the generator that has stopped being random.
    const fresh = crypto.getRandomValues(new Uint8Array(ID_BYTES));
    const salt = bytes(`${fresh.join()} ${Date.now()} ${performance.now()}`);
    const key = await subtle.deriveKey(
      { name: "HKDF", hash: "SHA-256", salt, info: bytes("@pagi/session id") },
      root,
      { name: "AES-CTR", length: 256 },
      false,
      ["encrypt"],
    );
    // A key makes one stream and no more, so each can start at 0.
    const counter = { name: "AES-CTR", counter: new Uint8Array(16), length: 64 };
    const zeros = new Uint8Array(IDS_PER_STREAM * ID_BYTES);
    this.#stream = new Uint8Array(await subtle.encrypt(counter, key, zeros));
    this.#used = 0;
  }
}
