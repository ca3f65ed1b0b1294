/**
 * A flash message as the header of a record holds it: a token, which makes it unlike every other
 * message; its kind; a colon; its text. Kind and text are percent-encoded, with `+` for a space.
 */
import { newToken, TOKEN_DIGITS } from "./token.ts";

/** The most messages that a session keeps. */
export const MAX_MESSAGES = 16;
/** The most UTF-16 units of a message. */
export const MAX_MESSAGE_LENGTH = 1000;

const ENCODED = "[\\w.!~*'()+%-]*";
/** The pattern of a message. */
export const MESSAGE = `[0-9a-f]{${TOKEN_DIGITS}}${ENCODED}:${ENCODED}`;
const WHOLE = new RegExp(`^${MESSAGE}$`);

/** Makes a message of a kind. */
export function encodeMessage(kind: string, text: string): string {
  return `${newToken()}${encode(kind)}:${encode(text)}`;
}

/** Whether this can be a message. */
export function isMessage(value: unknown): value is string {
  return typeof value === "string" && WHOLE.test(value);
}

/** Whether the message is of this kind. */
export function isOfKind(message: string, kind: string): boolean {
  return message.startsWith(`${encode(kind)}:`, TOKEN_DIGITS);
}

/** The text of a message. */
export function textOf(message: string): string {
  const text = message.slice(message.indexOf(":") + 1).replaceAll("+", " ");
  try {
    return decodeURIComponent(text);
  } catch {
    // Something else has written it.
    return text;
  }
}

function encode(text: string): string {
  // Half of a character, from a text that was cut, has no encoding.
  return encodeURIComponent(text.toWellFormed()).replaceAll("%20", "+");
}
