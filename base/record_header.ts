/**
 * The header in front of the JSON in a session's text: what the rules have to know about a session
 * and its app need not see. It starts with `s1:` and the verifier of the current ID. Fields follow,
 * each a space, a letter and a value; times are Unix seconds in base 36:
 *
 * | field | meaning |
 * | --- | --- |
 * | `r` | how often the ID was regenerated |
 * | `u` | how often the subject changed |
 * | `a` | when the user last signed in |
 * | `c` | when the ID was last replaced |
 * | `p` | when a write first confirmed that the client has the current ID, if `rotate` made it |
 * | `o` | when the ID was last sent to the client, if not when it was made |
 * | `x` | a verifier that was replaced, by `g` (regenerate) or `r` (rotate), and when |
 * | `l` | the session's own lifetime (`lifetime.ts`) |
 * | `f` | a flash message (`flash_message.ts`) |
 * | `w` | the token of a write, and when it was written |
 *
 * Fields of later releases are kept as they are.
 */
import { MESSAGE } from "./flash_message.ts";
import { HALF_DIGITS } from "./id.ts";
import { decodeLifetime, encodeLifetime, LIFETIME, type SessionLifetime } from "./lifetime.ts";
import { TOKEN_DIGITS } from "./token.ts";

/** A verifier that was replaced. */
export interface ReplacedVerifier {
  readonly verifier: string;
  /** Whether `rotate` replaced it, which leaves it valid for a while. */
  readonly isRotated: boolean;
  readonly at: number;
}

/** Marks the text of a write, so that its writer recognizes it. */
export interface WriteToken {
  readonly token: string;
  readonly at: number;
}

/** The header of a session's record. Times are Unix seconds. */
export interface RecordHeader {
  /** The first half of the current ID; empty if the record's key is the whole ID. */
  readonly verifier: string;
  readonly regenerations: number;
  readonly subjectChanges: number;
  /** Empty if the session has had the same subject, or none, since it was created. */
  readonly signedInAt: number | undefined;
  /** Empty if the ID was never replaced. */
  readonly replacedAt: number | undefined;
  readonly presentedAt: number | undefined;
  readonly sentAt: number | undefined;
  /** The session's own lifetime, in place of the middleware's. */
  readonly lifetime: SessionLifetime | undefined;
  /** The oldest first. */
  readonly replaced: readonly ReplacedVerifier[];
  /** Flash messages that no response has shown yet, the oldest first. */
  readonly messages: readonly string[];
  /** The oldest first. */
  readonly tokens: readonly WriteToken[];
  /** Fields that this release does not know. */
  readonly others: readonly string[];
}

const PREFIX = "s1:";
const JSON_START = "{";
/** Where the JSON begins after a header without fields. */
const SHORTEST = PREFIX.length + HALF_DIGITS;
/** A number of eight digits at most. Times have six or seven. */
const NUMBER = "[0-9a-z]{1,8}";
const MAX_NUMBER = 36 ** 8 - 1;
/** All fields of a header. An unknown one starts with another letter. */
const FIELDS = new RegExp(
  `^(?: (?:[ruacpo]${NUMBER}|x[0-9a-f]{32}[gr]${NUMBER}|w[0-9a-f]{12}${NUMBER}` +
    `|l${LIFETIME}|f${MESSAGE}|[^ruacpoxwfl ][^ ]*))*$`,
);
const NONE: readonly never[] = [];

/** The header of a session that was just created. */
export function newHeader(verifier: string): RecordHeader {
  return {
    verifier,
    regenerations: 0,
    subjectChanges: 0,
    signedInAt: undefined,
    replacedAt: undefined,
    presentedAt: undefined,
    sentAt: undefined,
    lifetime: undefined,
    replaced: NONE,
    messages: NONE,
    tokens: NONE,
    others: NONE,
  };
}

/** Where the JSON begins in a session's text; -1 if the text is not a session. */
export function findJson(text: unknown): number {
  return typeof text === "string" && text.startsWith(PREFIX) ? text.indexOf(JSON_START) : -1;
}

/** Whether a header can hold `value` as a time. */
export function isHeaderTime(value: unknown): value is number {
  return Number.isInteger(value) && value as number >= 0 && value as number <= MAX_NUMBER;
}

/**
 * The header in a session's text; `undefined` if it is damaged. A time that cannot be read must not
 * count as one: the session might never end.
 *
 * @param end Where the JSON begins.
 */
export function decodeHeader(text: string, end: number): RecordHeader | undefined {
  // Most sessions have no field. A space within the JSON comes after its start. Without a verifier,
  // the fields can happen to be as long as one.
  const isShortest = end === SHORTEST && text.charAt(PREFIX.length) !== " ";
  const space = isShortest ? -1 : text.indexOf(" ");
  const hasFields = space >= 0 && space < end;
  const verifier = text.slice(PREFIX.length, hasFields ? space : end);
  if (verifier.length !== HALF_DIGITS && verifier !== "") return undefined;
  if (!hasFields) return newHeader(verifier);
  if (!FIELDS.test(text.slice(space, end))) return undefined;
  const header = {
    ...newHeader(verifier),
    replaced: [] as ReplacedVerifier[],
    messages: [] as string[],
    tokens: [] as WriteToken[],
    others: [] as string[],
  };
  for (const field of text.slice(space + 1, end).split(" ")) {
    const value = field.slice(1);
    switch (field.charAt(0)) {
      case "r":
        header.regenerations = fromBase36(value);
        break;
      case "u":
        header.subjectChanges = fromBase36(value);
        break;
      case "a":
        header.signedInAt = fromBase36(value);
        break;
      case "c":
        header.replacedAt = fromBase36(value);
        break;
      case "p":
        header.presentedAt = fromBase36(value);
        break;
      case "o":
        header.sentAt = fromBase36(value);
        break;
      case "x": {
        const mark = value.search(/[gr]/);
        header.replaced.push({
          verifier: value.slice(0, mark),
          isRotated: value.charAt(mark) === "r",
          at: fromBase36(value.slice(mark + 1)),
        });
        break;
      }
      case "l":
        header.lifetime = decodeLifetime(value);
        break;
      case "f":
        header.messages.push(value);
        break;
      case "w":
        header.tokens.push({
          token: value.slice(0, TOKEN_DIGITS),
          at: fromBase36(value.slice(TOKEN_DIGITS)),
        });
        break;
      default:
        header.others.push(field);
    }
  }
  return header;
}

/** The header as text, to be followed by the JSON. */
export function encodeHeader(header: RecordHeader): string {
  let text = PREFIX + header.verifier;
  if (header.regenerations > 0) text += ` r${toBase36(header.regenerations)}`;
  if (header.subjectChanges > 0) text += ` u${toBase36(header.subjectChanges)}`;
  if (header.signedInAt !== undefined) text += ` a${toBase36(header.signedInAt)}`;
  if (header.replacedAt !== undefined) text += ` c${toBase36(header.replacedAt)}`;
  if (header.presentedAt !== undefined) text += ` p${toBase36(header.presentedAt)}`;
  if (header.sentAt !== undefined) text += ` o${toBase36(header.sentAt)}`;
  if (header.lifetime !== undefined) text += ` l${encodeLifetime(header.lifetime)}`;
  for (const { verifier, isRotated, at } of header.replaced) {
    text += ` x${verifier}${isRotated ? "r" : "g"}${toBase36(at)}`;
  }
  for (const message of header.messages) text += ` f${message}`;
  for (const { token, at } of header.tokens) text += ` w${token}${toBase36(at)}`;
  for (const field of header.others) text += ` ${field}`;
  return text;
}

/** Compares two verifiers in a time that does not depend on where they differ. */
export function isSameVerifier(a: string, b: string): boolean {
  let difference = a.length ^ b.length;
  for (let at = 0; at < a.length; at++) difference |= a.charCodeAt(at) ^ b.charCodeAt(at);
  return difference === 0;
}

function toBase36(value: number): string {
  return value.toString(36);
}

function fromBase36(text: string): number {
  return parseInt(text, 36);
}
