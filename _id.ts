/**
 * Session ids: 32 fresh random bytes each, XORed with 32 bytes of a stream derived from the secret
 * (HKDF, RFC 5869). Either alone makes an id that cannot be guessed: a broken generator still leaves
 * the secret, and a cloned machine still has fresh bytes. There is no fallback: where randomness or
 * Web Crypto throws, so does this.
 */

import { after, type Awaitable } from "./_awaitable.ts";

const ID_BYTES = 32;
/** The most that one HKDF-SHA-256 call yields: 255 blocks, so 255 ids. */
const STREAM_BYTES = 255 * ID_BYTES;

/** The character codes of the hex digits. */
const DIGITS = Array.from("0123456789abcdef", (digit) => digit.charCodeAt(0));
const ID = /^[0-9a-f]{64}$/;

/** Whether `text` has the form of an id. */
export function isId(text: string): boolean {
  return ID.test(text);
}

/** Whether `text` may be an id of a store that takes any. */
export function isNotEmpty(text: string): boolean {
  return typeof text === "string" && text !== "";
}

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
  readonly #codes: number[] = new Array(2 * ID_BYTES).fill(0);
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
    const { generateId } = this.#options;
    if (generateId !== undefined) return after(generateId(), (id) => this.#check(id));
    if (this.#used < this.#stream.length) return this.#draw();
    this.#refill ??= this.#derive().finally(() => this.#refill = undefined);
    // Again from the start: many may have waited for this refill, and it is 255 ids.
    return this.#refill.then(() => this.next());
  }

  #check(id: string): string {
    if (this.#isValid(id)) return id;
    throw new TypeError(
      "Cannot start a session: generateId must make 64 lowercase hex digits (for a store with get, " +
        "set and delete only, any string that is not empty)",
    );
  }

  #draw(): string {
    crypto.getRandomValues(this.#random);
    const codes = this.#codes;
    for (let at = 0; at < ID_BYTES; at++) {
      const byte = this.#random[at]! ^ this.#stream[this.#used++]!;
      codes[2 * at] = DIGITS[byte >> 4]!;
      codes[2 * at + 1] = DIGITS[byte & 15]!;
    }
    // In one piece: a string put together digit by digit is flattened at its first look-up.
    return String.fromCharCode(...codes);
  }

  async #derive(): Promise<void> {
    const bytes = (text: string) => new TextEncoder().encode(text);
    const key = await crypto.subtle.importKey("raw", bytes(this.#options.secret), "HKDF", false, [
      "deriveBits",
    ]);
    // The time is in the salt for the generator that has stopped being random.
    const fresh = crypto.getRandomValues(new Uint8Array(ID_BYTES));
    const salt = bytes(`${fresh.join()} ${Date.now()} ${performance.now()}`);
    const bits = await crypto.subtle.deriveBits(
      { name: "HKDF", hash: "SHA-256", salt, info: bytes("@pagi/session id") },
      key,
      STREAM_BYTES * 8,
    );
    this.#stream = new Uint8Array(bits);
    this.#used = 0;
  }
}
