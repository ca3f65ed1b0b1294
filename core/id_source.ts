/**
 * Generates session IDs. An ID is 32 fresh random bytes XORed with 32 bytes of a stream that is
 * derived from the secret. The stream is AES-256 in counter mode (NIST SP 800-38A) under a key from
 * HKDF (RFC 5869). Either part alone makes an ID that cannot be guessed. If the random generator is
 * broken, the secret remains; if a virtual machine was cloned, the random bytes differ. There is no
 * fallback: if randomness or Web Crypto throws, so does this class.
 */

import { after, type Awaitable, isPromise } from "../base/awaitable.ts";
import { toHex } from "../base/hex.ts";
import { ID_BYTES } from "../base/id.ts";
import { toUtf8 } from "../base/utf8.ts";

/**
 * IDs for which one derivation suffices. One request in so many waits for the next derivation.
 * Deriving ahead would leave work behind that nobody awaits.
 */
const IDS_PER_STREAM = 2048;

/** The sources of IDs. */
export interface IdOptions {
  secret: string;
  /** Generates IDs instead of randomness and the secret. */
  generateId: (() => string | Promise<string>) | undefined;
}

/** Generates IDs. Its constructor draws no randomness, which some runtimes forbid at start-up. */
export class IdSource {
  readonly #options: IdOptions;
  readonly #isValid: (id: string) => boolean;
  readonly #random = new Uint8Array(ID_BYTES);
  #blocks = new Uint8Array(0);
  #nextBlock = 0;
  #refill: Promise<void> | undefined;

  /** @param isValid Says which IDs the store accepts. */
  constructor(options: IdOptions, isValid: (id: string) => boolean) {
    this.#options = options;
    this.#isValid = isValid;
  }

  /**
   * Generates an ID of 64 lowercase hex digits.
   *
   * @throws {TypeError} If `generateId` returns an ID that the store does not accept.
   */
  next(): Awaitable<string> {
    return after(this.reserve(), (draw) => draw());
  }

  /**
   * Reserves an ID. Resolves to a function that draws it, to be called once at most. Most visitors
   * without a session never need their ID, and drawing it is a large part of such a request's cost.
   *
   * @throws {TypeError} If `generateId` returns an ID that the store does not accept.
   */
  reserve(): Awaitable<() => string> {
    const { generateId } = this.#options;
    if (generateId !== undefined) {
      return after(generateId(), (id) => {
        const checked = this.#check(id);
        return () => checked;
      });
    }
    const blocks = this.#blocks;
    const at = this.#nextBlock;
    if (at < blocks.length) {
      this.#nextBlock = at + ID_BYTES;
      return () => this.#draw(blocks, at);
    }
    this.#refill ??= this.#derive().finally(() => this.#refill = undefined);
    // Starts over, because others may have used up this refill.
    return this.#refill.then(() => this.reserve());
  }

  /**
   * Generates an ID without a promise. If it would have to wait for a derivation, the ID consists of
   * random bytes alone.
   *
   * @throws {TypeError} If `generateId` is asynchronous, or its ID is not accepted.
   */
  nextNow(): string {
    const isReady = this.#nextBlock < this.#blocks.length;
    if (!isReady && this.#options.generateId === undefined) {
      return toHex(crypto.getRandomValues(this.#random));
    }
    const id = this.next();
    if (!isPromise(id)) return id;
    id.catch(() => {});
    throw new TypeError(
      "Cannot know the session's new ID yet: generateId is asynchronous. Call await session.save() first",
    );
  }

  #check(id: string): string {
    if (this.#isValid(id)) return id;
    throw new TypeError(
      "Cannot start a session: generateId must make 64 lowercase hex digits (for a store with get, " +
        "set and delete only, any string that is not empty)",
    );
  }

  #draw(blocks: Uint8Array, start: number): string {
    const bytes = crypto.getRandomValues(this.#random);
    for (let at = 0; at < ID_BYTES; at++) bytes[at]! ^= blocks[start + at]!;
    return toHex(bytes);
  }

  async #derive(): Promise<void> {
    const { subtle } = crypto;
    const root = await subtle.importKey("raw", toUtf8(this.#options.secret), "HKDF", false, [
      "deriveKey",
    ]);
    // The time is part of the salt in case the random generator is broken.
    const fresh = crypto.getRandomValues(new Uint8Array(ID_BYTES));
    const salt = toUtf8(`${fresh.join()} ${Date.now()} ${performance.now()}`);
    const key = await subtle.deriveKey(
      { name: "HKDF", hash: "SHA-256", salt, info: toUtf8("@pagi/session id") },
      root,
      { name: "AES-CTR", length: 256 },
      false,
      ["encrypt"],
    );
    // Each key encrypts a single stream, so the counter can start at 0.
    const counter = { name: "AES-CTR", counter: new Uint8Array(16), length: 64 };
    const zeros = new Uint8Array(IDS_PER_STREAM * ID_BYTES);
    this.#blocks = new Uint8Array(await subtle.encrypt(counter, key, zeros));
    this.#nextBlock = 0;
  }
}
