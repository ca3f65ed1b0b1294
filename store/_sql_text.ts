/**
 * Texts as a column of SQL keeps them. PostgreSQL has no NUL in a text, some clients of SQLite stop
 * at one, and half a surrogate pair has no UTF-8. JSON escapes all of these, so what lifecycle
 * writes is stored as it is; any other text that has them is stored as a JSON string.
 */

const QUOTE = '"';

/** What is stored for `text`. */
export function pack(text: string): string {
  const isPlain = !text.startsWith(QUOTE) && !text.includes("\0") && text.isWellFormed();
  return isPlain ? text : JSON.stringify(text);
}

/** The text that `stored` stands for. */
export function unpack(stored: string): string {
  return stored.startsWith(QUOTE) ? JSON.parse(stored) : stored;
}
