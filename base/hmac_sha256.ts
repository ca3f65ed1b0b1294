/**
 * HMAC (RFC 2104) with SHA-256 (FIPS 180-4), without a promise: Web Crypto has only an asynchronous
 * one. Its time does not depend on the values of the key and the message, because it has neither
 * branches on them nor tables that they index.
 */

const BLOCK_BYTES = 64;
const ROUNDS = 64;
/** The bytes after a message: one that marks its end, and eight for its length. */
const PADDING_BYTES = 9;

/** The first 32 bits of the fractions of the cube roots of primes, and of their square roots. */
interface Constants {
  readonly rounds: Uint32Array;
  readonly start: Uint32Array;
}

let constants: Constants | undefined;

/** The HMAC of `message` under `key`: 32 bytes. */
export function hmacSha256(key: Uint8Array, message: Uint8Array): Uint8Array<ArrayBuffer> {
  const block = new Uint8Array(BLOCK_BYTES);
  block.set(key.length > BLOCK_BYTES ? digest(key) : key);
  const masked = (mask: number) => block.map((byte) => byte ^ mask);
  return digest(masked(0x5c), digest(masked(0x36), message));
}

/** The SHA-256 of the parts together. */
function digest(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const { rounds, start } = constants ??= findConstants();
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const blocks = Math.ceil((length + PADDING_BYTES) / BLOCK_BYTES);
  const bytes = new Uint8Array(blocks * BLOCK_BYTES);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  bytes[length] = 0x80;
  const view = new DataView(bytes.buffer);
  // No message here has 2^29 bytes, so the number of its bits fits into 32.
  view.setUint32(bytes.length - 4, length * 8);
  const hash = start.slice();
  const words = new Uint32Array(ROUNDS);
  for (let from = 0; from < bytes.length; from += BLOCK_BYTES) {
    for (let word = 0; word < 16; word++) words[word] = view.getUint32(from + 4 * word);
    for (let word = 16; word < ROUNDS; word++) {
      const [old, last] = [words[word - 15]!, words[word - 2]!];
      words[word] = words[word - 16]! + words[word - 7]! +
        (rotated(old, 7) ^ rotated(old, 18) ^ (old >>> 3)) +
        (rotated(last, 17) ^ rotated(last, 19) ^ (last >>> 10));
    }
    mix(hash, words, rounds);
  }
  const result = new DataView(new ArrayBuffer(4 * hash.length));
  hash.forEach((word, at) => result.setUint32(4 * at, word));
  return new Uint8Array(result.buffer);
}

/** Adds one block, as its 64 words, to the hash. */
function mix(hash: Uint32Array, words: Uint32Array, rounds: Uint32Array): void {
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = hash;
  for (let round = 0; round < ROUNDS; round++) {
    const chosen = (e & f) ^ (~e & g);
    const majority = (a & b) ^ (a & c) ^ (b & c);
    const first = h + (rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)) + chosen +
      rounds[round]! + words[round]!;
    const second = (rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)) + majority;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + first) | 0, c, b, a, (first + second) | 0];
  }
  [a, b, c, d, e, f, g, h].forEach((word, at) => hash[at]! += word);
}

function rotated(word: number, bits: number): number {
  return (word >>> bits) | (word << (32 - bits));
}

function findConstants(): Constants {
  const rounds = new Uint32Array(ROUNDS);
  const start = new Uint32Array(8);
  let count = 0;
  for (let number = 2; count < ROUNDS; number++) {
    if (!isPrime(number)) continue;
    if (count < start.length) start[count] = fraction(Math.sqrt(number));
    rounds[count++] = fraction(Math.cbrt(number));
  }
  return { rounds, start };
}

function isPrime(number: number): boolean {
  for (let divisor = 2; divisor * divisor <= number; divisor++) {
    if (number % divisor === 0) return false;
  }
  return true;
}

/** The first 32 bits of the fraction. */
function fraction(number: number): number {
  return (number % 1) * 2 ** 32;
}
