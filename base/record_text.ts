/**
 * The text that a store keeps, and the data that an app sees. The text is the JSON of the app's
 * keys with `_created` and `_subject` in front; the id is the record's key and the time of the last
 * use stands beside the text, so that a touch encodes nothing and a dump holds no id twice.
 */
import { SessionError } from "../errors.ts";
import { fromHex, toHex } from "./hex.ts";
import { ID_DIGITS } from "../core/id_source.ts";

/** A session's data. What an app gets to hold has no prototype: every key is data. */
export type SessionValues = Record<string, unknown>;

/** The keys that are this package's own; every other belongs to the app. */
const RESERVED = [
  "_id",
  "_created",
  "_last_access",
  "_regenerated",
  "_destroyed",
  "_subject",
  "_codec",
];

/** The `_codec` of a text that has tags in it (`data/structured_codec.ts`); one that has none says nothing. */
export const STRUCTURED = "structured";

/** Whether `key` is this package's own. */
export function isReserved(key: string): boolean {
  // Few keys start with an underscore; the list is looked at for those alone.
  return key.charCodeAt(0) === 0x5f && RESERVED.includes(key);
}

/** Whether `value` is an object, of any kind. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/**
 * The text of a session; `values` may hold reserved keys, which are left out.
 *
 * @param codec `STRUCTURED` when the values have tags in them.
 */
export function encode(
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
  return stringify(fields);
}

/** The text of a session without any key of the app's. */
export function encodeEmpty(created: number): string {
  return `{"_created":${created}}`;
}

/**
 * The JSON of `values`.
 *
 * @throws {SessionError} `ERR_SESSION_DATA` when JSON cannot carry them.
 */
export function stringify(values: SessionValues): string {
  try {
    // As data it would be left out, but JSON.stringify calls it.
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
 * The session that `text` holds, as JSON has it: its keys with `_created` and, if it has them,
 * `_subject` and `_codec`. Undefined when it is not the text of a session.
 */
export function decode(text: unknown): SessionValues | undefined {
  // Nothing else starts so: no tombstone and no other JSON is parsed in vain.
  if (typeof text !== "string" || !text.startsWith("{")) return undefined;
  let values: SessionValues;
  try {
    values = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { _created, _subject, _codec } = values;
  // JSON has numbers that are too large for one: a session made at such a time would never be too old.
  if (!Number.isFinite(_created)) return undefined;
  if (_subject !== undefined && typeof _subject !== "string") return undefined;
  // Of another codec, or of a later release: what it means cannot be known.
  if (_codec !== undefined && _codec !== STRUCTURED) return undefined;
  if (hasManyLevels(text) && !isShallow(values, MAX_DEPTH)) return undefined;
  // Never written by this package; found in a record, they would act.
  if (values._regenerated !== undefined) delete values._regenerated;
  if (values._destroyed !== undefined) delete values._destroyed;
  return values;
}

/**
 * How deep a session's values may be nested in each other: 200 lists and objects. JSON.parse takes any
 * depth, but what walks through it afterwards does not.
 */
export const MAX_DEPTH = 200;

/** Whether `text` closes so many lists and objects that some may be nested too deep. */
function hasManyLevels(text: string): boolean {
  // What is closed was opened: a small session has no room for so many.
  if (text.length <= 2 * MAX_DEPTH) return false;
  // Most sessions have a handful, and looking for the next one is the engine's work.
  let left = MAX_DEPTH;
  for (const sign of ["]", "}"]) {
    for (let at = text.indexOf(sign); at >= 0; at = text.indexOf(sign, at + 1)) {
      if (--left < 0) return true;
    }
  }
  return false;
}

/** Whether there are at most `depth` levels in `value`, which is JSON. */
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

/** Whether two JSON values are the same; the order of keys does not count, as in PAGI. */
export function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (!isObject(a) || !isObject(b) || Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && isSame(a[key], b[key]));
}

// A JSON text of an object starts with "{": no tombstone is ever taken for a session.
const TOMBSTONE = "moved:";

/**
 * What stays under `oldId` after a rotation. It names the new id in the digits of both ids XORed:
 * whoever holds the old id can follow it, and a dump of a store that hides its keys shows neither.
 */
export function encodeTombstone(oldId: string, newId: string): string {
  return TOMBSTONE + xorHex(oldId, newId);
}

/** The id that the tombstone under `oldId` names, or undefined when `text` is no tombstone. */
export function decodeTombstone(oldId: string, text: string): string | undefined {
  if (!text.startsWith(TOMBSTONE) || text.length !== TOMBSTONE.length + ID_DIGITS) return undefined;
  return xorHex(oldId, text.slice(TOMBSTONE.length));
}

/** `key` need not be an id: a client may present something else, of which the beginning counts. */
function xorHex(key: string, digits: string): string {
  const bytes = fromHex(digits);
  const mask = fromHex(key.slice(0, ID_DIGITS));
  for (let at = 0; at < mask.length; at++) bytes[at]! ^= mask[at]!;
  return toHex(bytes);
}
