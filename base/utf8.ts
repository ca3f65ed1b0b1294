/** Texts as UTF-8: their size, and texts that UTF-8 or a database cannot hold as they are. */

/** The most bytes that UTF-8 takes for one UTF-16 code unit. */
export const MAX_BYTES_PER_UNIT = 3;

const encoder = new TextEncoder();

/** The UTF-8 of a text. */
export function toUtf8(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text);
}

const QUOTE = '"';

/**
 * `text` in a form that every database and UTF-8 itself can hold. PostgreSQL has no NUL in a text,
 * some SQLite clients stop at one, and a lone surrogate has no UTF-8. Texts that contain them
 * become a JSON string. The JSON of a session never contains them, so it is stored unchanged.
 */
export function toStorableText(text: string): string {
  const isStorable = !text.startsWith(QUOTE) && !text.includes("\0") && text.isWellFormed();
  return isStorable ? text : JSON.stringify(text);
}

/** A text of printable ASCII that is stored unchanged. */
const PLAIN_ASCII = /^(?!")[ -~]+(?<! )$/;

/**
 * `text` in ASCII alone. A database or its client may convert texts to another character set, and
 * many lose or replace characters in the process; ASCII is the same in all of them. Some column
 * types also drop spaces at the end, and some databases take an empty text for NULL. Any other text
 * becomes a JSON string.
 */
export function toAsciiText(text: string): string {
  if (PLAIN_ASCII.test(text)) return text;
  // language: off
  return JSON.stringify(text).replace(/[\x7f-\uffff]/g, (unit) => {
    return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
  // language: on
}

/** The text that `toStorableText` or `toAsciiText` was given. */
export function fromStorableText(stored: string): string {
  return stored.startsWith(QUOTE) ? JSON.parse(stored) : stored;
}
