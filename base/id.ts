/** The form of a session ID. */

/** Bytes of a session ID. */
export const ID_BYTES = 32;
/** Hex digits of a session ID. */
export const ID_DIGITS = 2 * ID_BYTES;

const NOT_A_HEX_DIGIT = /[^0-9a-f]/;

/** Whether `text` has the form of an ID that this package generates: 64 lowercase hex digits. */
export function isId(text: string): boolean {
  // Searching for one wrong character is faster than matching 64 right ones.
  return typeof text === "string" && text.length === ID_DIGITS && !NOT_A_HEX_DIGIT.test(text);
}

/** Whether `text` can be an ID in a store that accepts any string: it is not empty. */
export function isNonEmptyString(text: unknown): boolean {
  return typeof text === "string" && text !== "";
}
