/**
 * What a thief makes of a store's dump: everything that a store was handed, and a search in it for
 * ids and words, however they are written. Asserts nothing, so that every suite can use it.
 */
import type { VersionedStore } from "../../store/store.ts";

/** Bytes of each half of an ID: the verifier and the key. */
const HALF_BYTES = 16;
const CALLS = ["read", "create", "replace", "touch", "delete"] as const;

/** Wraps a store and records every argument of its calls. */
export function tap(store: VersionedStore): { store: VersionedStore; dump: string[] } {
  const dump: string[] = [];
  const tapped: Partial<VersionedStore> = {};
  for (const name of CALLS) {
    Object.assign(tapped, {
      [name]: (...args: unknown[]) => {
        dump.push(...stringsIn(args));
        return (store[name] as (...args: unknown[]) => unknown)(...args);
      },
    });
  }
  return { store: tapped as VersionedStore, dump };
}

/** Returns every string in a value: values and keys, also under symbols. */
export function stringsIn(value: unknown): string[] {
  if (value instanceof AbortSignal) return [];
  if (value instanceof Uint8Array) return [lettersOf(value)];
  if (typeof value !== "object" || value === null) return [String(value)];
  return Reflect.ownKeys(value).flatMap((key) => [
    String(key),
    ...stringsIn((value as Record<PropertyKey, unknown>)[key]),
  ]);
}

/** The values that a thief looks for. */
export interface Wanted {
  /** IDs. One is found if both of its halves are. */
  ids?: readonly string[];
  /** Halves of IDs. */
  halves?: readonly string[];
  words?: readonly string[];
}

/** Returns a line for each ID, for each word, and for each way to find half of an ID. */
export function search(dump: readonly string[], wanted: Wanted): string[] {
  const { ids = [], halves = [], words = [] } = wanted;
  const strings = [...new Set(dump)];
  const all = strings.flatMap(decodings).flatMap((text) => [text, reversed(text)]).join("\n");
  const lower = all.toLowerCase();
  const values = new Set(strings.flatMap(decodings).flatMap(halvesWideIn));
  const basis = new Basis(strings.flatMap(hexValues));
  const waysTo = (half: string) => {
    const bytes = fromHex(half);
    const ways: string[] = [];
    if (lower.includes(half)) ways.push("as hex");
    if (all.includes(bytes)) ways.push("as bytes");
    if ([...values].some((value) => values.has(xor(value, bytes)))) {
      ways.push("as the XOR of two values");
    }
    if (basis.spans(bytes)) ways.push("as an XOR of any number of hex values");
    return ways;
  };
  const found: string[] = [];
  for (const [at, id] of ids.entries()) {
    const both = [id.slice(0, 2 * HALF_BYTES), id.slice(2 * HALF_BYTES)];
    if (both.every((half) => waysTo(half).length > 0)) found.push(`id ${at}`);
  }
  for (const [at, half] of halves.entries()) {
    found.push(...waysTo(half).map((way) => `half ${at} ${way}`));
  }
  for (const word of words) {
    if (lower.includes(word.toLowerCase())) found.push(`the word ${word}`);
  }
  return found;
}

/** Returns the XOR of two IDs, in hex. */
export function xorIds(a: string, b: string): string {
  return toHex(xor(fromHex(a), fromHex(b)));
}

/** Returns a text and its decoded hex and base64, with bytes as characters up to 255. */
function decodings(text: string): string[] {
  const found = [text];
  for (const [digits] of text.matchAll(/[\da-f]{16,}/gi)) {
    for (const from of [0, 1]) found.push(fromHex(digits.slice(from)));
  }
  for (const [letters] of text.matchAll(/[\w+/-]{8,}/g)) {
    const base64 = letters.replaceAll("-", "+").replaceAll("_", "/");
    for (const from of [0, 1, 2, 3]) {
      const length = base64.length - from;
      found.push(atob(base64.slice(from, length % 4 === 1 ? -1 : undefined)));
    }
  }
  return found;
}

/** Returns every part of a text that is as long as the bytes of half an ID. */
function halvesWideIn(text: string): string[] {
  const stretches: string[] = [];
  for (let at = 0; at + HALF_BYTES <= text.length; at++) {
    stretches.push(text.slice(at, at + HALF_BYTES));
  }
  return stretches;
}

/** Returns the halves in every run of hex digits that is as long as some of them, as bytes. */
function hexValues(text: string): string[] {
  const runs = text.matchAll(/(?<![\da-f])(?:[\da-f]{32})+(?![\da-f])/gi);
  return [...runs].flatMap(([digits]) => digits.match(/.{32}/g)!).map(fromHex);
}

/** The values that XOR can compute from others, by Gaussian elimination over bits. */
class Basis {
  /** Values by their highest bit. */
  readonly #values = new Map<number, bigint>();

  constructor(values: readonly string[]) {
    for (const value of values) {
      const rest = this.#reduce(numberOf(value));
      if (rest !== 0n) this.#values.set(bitLength(rest), rest);
    }
    // As many values as bits can compute everything, so such a search means nothing.
    if (this.#values.size > HALF_BYTES * 4) throw new Error("Too many values to search their XORs");
  }

  spans(value: string): boolean {
    return this.#reduce(numberOf(value)) === 0n;
  }

  #reduce(value: bigint): bigint {
    while (value !== 0n) {
      const other = this.#values.get(bitLength(value));
      if (other === undefined) return value;
      value ^= other;
    }
    return value;
  }
}

function numberOf(bytes: string): bigint {
  return BigInt(`0x${toHex(bytes)}`);
}

function bitLength(value: bigint): number {
  return value.toString(2).length;
}

function xor(a: string, b: string): string {
  let bytes = "";
  for (let at = 0; at < a.length; at++) {
    bytes += String.fromCharCode(a.charCodeAt(at) ^ b.charCodeAt(at));
  }
  return bytes;
}

function fromHex(digits: string): string {
  return digits.replace(/../g, (pair) => String.fromCharCode(parseInt(pair, 16)));
}

function toHex(bytes: string): string {
  return bytes.replace(/[^]/g, (byte) => byte.charCodeAt(0).toString(16).padStart(2, "0"));
}

function lettersOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

function reversed(text: string): string {
  return Array.from(text).reverse().join("");
}
