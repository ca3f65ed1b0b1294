/**
 * Strict Base64 (RFC 4648): every sequence of bytes has exactly one text, so that no change of the
 * text goes unnoticed. Uses the engine's own methods if they exist, because they are much faster.
 */

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/** Base64 with one of its two alphabets. */
export class Base64 {
  readonly #alphabet: "base64" | "base64url";
  readonly #isPadded: boolean;
  /** The character code of each digit. */
  readonly #codes: Uint8Array<ArrayBuffer>;
  /** The value of each digit, by its character code. */
  readonly #values = new Uint8Array(128);
  readonly #decoder = new TextDecoder();

  /**
   * @param alphabet `base64` is section 4, with padding; `base64url` is section 5, without padding.
   */
  constructor(alphabet: "base64" | "base64url") {
    this.#alphabet = alphabet;
    this.#isPadded = alphabet === "base64";
    this.#codes = new TextEncoder().encode(LETTERS + (this.#isPadded ? "+/" : "-_"));
    this.#codes.forEach((code, value) => this.#values[code] = value);
  }

  /** The number of characters in the text of this many bytes. */
  lengthOf(bytes: number): number {
    return this.#isPadded ? Math.ceil(bytes / 3) * 4 : Math.ceil(bytes * 4 / 3);
  }

  /** The text of these bytes. */
  encode(bytes: Uint8Array): string {
    return typeof bytes.toBase64 === "function"
      ? bytes.toBase64({ alphabet: this.#alphabet, omitPadding: !this.#isPadded })
      : this.#encode(bytes);
  }

  /** The bytes of this text; `undefined` if `encode` would not produce exactly this text. */
  decode(text: string): Uint8Array<ArrayBuffer> | undefined {
    try {
      const bytes = typeof Uint8Array.fromBase64 === "function"
        ? Uint8Array.fromBase64(text, { alphabet: this.#alphabet })
        : this.#decode(text);
      // Other texts can decode to the same bytes: with spaces, padding, or bits after the last
      // byte.
      return this.encode(bytes) === text ? bytes : undefined;
    } catch {
      return undefined;
    }
  }

  #encode(bytes: Uint8Array): string {
    const codes = this.#codes;
    const text = new Uint8Array(Math.ceil(bytes.length * 4 / 3));
    let at = 0;
    for (let from = 0; from < bytes.length; from += 3) {
      const group = (bytes[from]! << 16) | ((bytes[from + 1] ?? 0) << 8) | (bytes[from + 2] ?? 0);
      // Writes beyond the end of a typed array are ignored.
      text[at++] = codes[group >> 18]!;
      text[at++] = codes[(group >> 12) & 63]!;
      text[at++] = codes[(group >> 6) & 63]!;
      text[at++] = codes[group & 63]!;
    }
    return this.#decoder.decode(text).padEnd(this.lengthOf(bytes.length), "=");
  }

  /** Accepts any text. Characters outside the alphabet are caught by the comparison in `decode`. */
  #decode(text: string): Uint8Array<ArrayBuffer> {
    const values = this.#values;
    const digits = text.length - (text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0);
    const bytes = new Uint8Array(Math.floor(digits * 3 / 4));
    let at = 0;
    for (let from = 0; from < digits; from += 4) {
      let group = 0;
      for (let next = from; next < from + 4; next++) {
        group = (group << 6) | (next < digits ? values[text.charCodeAt(next) & 127]! : 0);
      }
      bytes[at++] = group >> 16;
      bytes[at++] = group >> 8;
      bytes[at++] = group;
    }
    return bytes;
  }
}
