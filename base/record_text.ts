/**
 * The text of a record, as a store keeps it. There are three kinds, told apart by how they start:
 *
 * - a session: a header (`record_header.ts`), then the JSON of the app's keys, with `_created` and
 *   `_subject` in front. The last-access time lies beside the text, so a touch encodes nothing.
 * - the marker of a session that has ended.
 * - the index of a subject's sessions.
 */
import { SessionError } from "../errors.ts";
import { isObject } from "./check_options.ts";
import { isMessage } from "./flash_message.ts";
import { readLifetime } from "./lifetime.ts";
import { decodeHeader, encodeHeader, findJson, isHeaderTime, newHeader } from "./record_header.ts";
import { checkSubject, isSubject } from "./subject.ts";

/** The values of a session. The object that an app receives has no prototype: every key is data. */
export type SessionValues = Record<string, unknown>;

/** The keys that belong to this package. Every other key belongs to the app. */
const RESERVED = [
  "_id",
  "_created",
  "_last_access",
  "_regenerated",
  "_destroyed",
  "_subject",
  "_codec",
  "_signed_in",
  "_sent",
  "_flash",
  "_lifetime",
];

/**
 * The `_codec` of a text with tagged values (`data/structured_codec.ts`). Other texts have none.
 */
export const STRUCTURED = "structured";

/** Whether `key` belongs to this package. */
export function isReserved(key: string): boolean {
  // Few keys start with an underscore. Only those are looked up in the list.
  return key.charCodeAt(0) === 0x5f && RESERVED.includes(key);
}

/**
 * The JSON of a session. Reserved keys in `values` are left out.
 *
 * @param codec `STRUCTURED` if the values contain tags.
 */
export function encodeSession(
  values: SessionValues,
  created: number,
  subject: string | undefined,
  codec?: unknown,
): string {
  const fields: SessionValues = Object.create(null);
  fields._created = created;
  fields._subject = subject;
  fields._codec = codec;
  for (const key of Object.keys(values)) {
    if (!isReserved(key)) fields[key] = values[key];
  }
  return stringifyValues(fields);
}

/** The JSON of a session without any key of the app. */
export function encodeEmptySession(created: number): string {
  return `{"_created":${created}}`;
}

/**
 * The JSON of `values`.
 *
 * @throws {SessionError} `ERR_SESSION_DATA` if JSON cannot hold them.
 */
export function stringifyValues(values: SessionValues): string {
  try {
    // JSON.stringify would call it instead of leaving it out.
    if (typeof values.toJSON === "function") throw new TypeError("toJSON is a function");
    return JSON.stringify(values);
  } catch (cause) {
    throw new SessionError(
      "ERR_SESSION_DATA",
      "Cannot save the session: its data has a value that JSON cannot carry",
      { cause },
    );
  }
}

/**
 * The session in its JSON: its keys with `_created` and, if present, `_subject` and
 * `_codec`. `undefined` if it is not the JSON of a session.
 */
export function decodeSession(text: unknown): SessionValues | undefined {
  // Only a session starts like this, so no other JSON is parsed for nothing.
  if (typeof text !== "string" || !text.startsWith("{")) return undefined;
  let values: SessionValues;
  try {
    values = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { _created, _subject, _codec } = values;
  // JSON can hold numbers that parse as Infinity. A session created then would never be too old.
  if (!Number.isFinite(_created)) return undefined;
  if (_subject !== undefined && !isSubject(_subject)) return undefined;
  // The text comes from another codec or a later release: its meaning is unknown.
  if (_codec !== undefined && _codec !== STRUCTURED) return undefined;
  if (mayBeTooDeep(text) && !isShallow(values, MAX_DEPTH)) return undefined;
  // This package never stores them. If something else did, they would act on the session.
  if (values._regenerated !== undefined) delete values._regenerated;
  if (values._destroyed !== undefined) delete values._destroyed;
  return values;
}

/**
 * Levels of arrays and objects that a session's values may have. JSON.parse accepts any depth, but
 * code that walks through the values afterwards does not.
 */
export const MAX_DEPTH = 200;

/** Whether `text` closes so many arrays and objects that some may be nested too deeply. */
function mayBeTooDeep(text: string): boolean {
  // Every closed level was opened, and a small session has no room for so many.
  if (text.length <= 2 * MAX_DEPTH) return false;
  // Most sessions have a handful, and indexOf() finds the next one natively.
  let left = MAX_DEPTH;
  for (const sign of ["]", "}"]) {
    for (let at = text.indexOf(sign); at >= 0; at = text.indexOf(sign, at + 1)) {
      if (--left < 0) return true;
    }
  }
  return false;
}

/** Whether `value`, which is JSON, has at most `depth` levels. */
function isShallow(value: object, depth: number): boolean {
  const isDeep = (nested: unknown) => {
    return isObject(nested) && (depth === 0 || !isShallow(nested, depth - 1));
  };
  if (Array.isArray(value)) return !value.some(isDeep);
  for (const key in value) {
    if (isDeep((value as SessionValues)[key])) return false;
  }
  return true;
}

/**
 * A record in the form of PAGI's plain stores: the session's values with all of its reserved keys.
 */
export function toPlainData(
  { id, text, lastAccess }: { id: string; text: string; lastAccess: number },
): SessionValues | undefined {
  const start = findJson(text);
  const values = start < 0 ? undefined : decodeSession(text.slice(start));
  const header = values && decodeHeader(text, start);
  if (header === undefined) return undefined;
  const data: SessionValues = { _id: id, ...values, _last_access: lastAccess };
  if (header.signedInAt !== undefined) data._signed_in = header.signedInAt;
  if (header.sentAt !== undefined) data._sent = header.sentAt;
  if (header.lifetime !== undefined) data._lifetime = header.lifetime;
  if (header.messages.length > 0) data._flash = header.messages;
  return data;
}

/**
 * The text of plain data.
 *
 * @param verifier The first half of the ID; empty if the record's key is the whole ID.
 * @throws {SessionError} `ERR_SESSION_DATA` if JSON cannot hold them.
 * @throws {TypeError} If their `_subject` cannot be a subject.
 */
export function fromPlainData(data: SessionValues, created: number, verifier = ""): string {
  const { _signed_in, _sent, _flash, _lifetime, _subject, _codec } = data;
  // Without them, the creation counts, which is earlier.
  const signedInAt = isHeaderTime(_signed_in) ? _signed_in : undefined;
  const sentAt = isHeaderTime(_sent) ? _sent : undefined;
  const lifetime = readLifetime(_lifetime);
  const messages = Array.isArray(_flash) ? _flash.filter(isMessage) : [];
  if (_subject !== undefined) checkSubject("save the session", _subject);
  const json = encodeSession(data, created, _subject, _codec);
  return encodeHeader({ ...newHeader(verifier), signedInAt, sentAt, lifetime, messages }) + json;
}

const ENDED_PREFIX = "ended:";

/**
 * The text that replaces the record of a session for a while after its end. A late write cannot
 * create the record again, because the key is taken. The token identifies the call that ended the
 * session.
 */
export function encodeEnded(token: string): string {
  return ENDED_PREFIX + token;
}

/** Whether `text` marks a session that has ended. */
export function isEnded(text: unknown): boolean {
  return typeof text === "string" && text.startsWith(ENDED_PREFIX);
}

/** How the text of a subject's index starts. */
export const SUBJECT_INDEX_PREFIX = "subject:";

/** Whether `text` is the index of a subject's sessions. */
export function isSubjectIndex(text: unknown): boolean {
  return typeof text === "string" && text.startsWith(SUBJECT_INDEX_PREFIX);
}
