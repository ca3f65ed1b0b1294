/**
 * The form of a session ID. The last half is the session's key, under which a store keeps its
 * record. The first half is the verifier: a client has to know it, and each new ID has a new one.
 */

/** Bytes of a session ID. */
export const ID_BYTES = 32;
/** Hex digits of a session ID. */
export const ID_DIGITS = 2 * ID_BYTES;
/** Hex digits of each half of a session ID. */
export const HALF_DIGITS: number = ID_DIGITS / 2;

const NOT_A_HEX_DIGIT = /[^0-9a-f]/;

/** Whether `text` has the form of an ID that this package generates: 64 lowercase hex digits. */
export function isId(text: string): boolean {
  // Searching for one wrong character is faster than matching 64 right ones.
  return typeof text === "string" && text.length === ID_DIGITS && !NOT_A_HEX_DIGIT.test(text);
}

/** The key of the session with this ID. It stays the same for the session's life. */
export function keyOf(id: string): string {
  return id.slice(-HALF_DIGITS);
}

/** The verifier in an ID: everything before the key. */
export function verifierOf(id: string): string {
  return id.slice(0, -HALF_DIGITS);
}

/**
 * Whether two keys are of one session. Some stores have whole IDs as keys, and a new ID of a session
 * ends as the old one does.
 */
export function isSameSession(a: string, b: string): boolean {
  return a === b || (isId(a) && isId(b) && keyOf(a) === keyOf(b));
}

/** Whether `text` can be an ID in a store that accepts any string: it is not empty. */
export function isNonEmptyString(text: unknown): boolean {
  return typeof text === "string" && text !== "";
}
