/**
 * Which values JSON can hold unchanged. Every request that may have changed its session checks
 * this, because a function or a NaN leaves no trace in the JSON. So the check only says yes or no;
 * `unsupported_value.ts` finds out where the value is.
 */
import { isObject } from "../base/check_options.ts";
import { isReserved, MAX_DEPTH, type SessionValues } from "../base/record_text.ts";

const { getPrototypeOf, prototype: OBJECT } = Object;
const ARRAY = Array.prototype;

/** Whether JSON can hold all of the app's keys. A key whose value is `undefined` does not exist. */
export function arePlain(values: SessionValues): boolean {
  if (hasToJson(values)) return false;
  for (const key in values) {
    const value = values[key];
    if (value !== undefined && !isPlain(value, MAX_DEPTH) && !isReserved(key)) return false;
  }
  return true;
}

/**
 * Whether JSON can hold `value`.
 *
 * @param depth Levels of arrays and objects allowed, which also ends a cycle.
 */
export function isPlain(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case "string":
    case "boolean":
      return true;
    case "number":
      return Number.isFinite(value);
    case "object":
      return value === null || (depth > 0 && isPlainObject(value, depth - 1));
    default:
      return false;
  }
}

function isPlainObject(value: object, depth: number): boolean {
  if (!hasPlainPrototype(value) || hasToJson(value)) return false;
  if (Array.isArray(value)) {
    // every() would skip empty slots.
    for (let at = 0; at < value.length; at++) {
      if (!isPlain(value[at], depth)) return false;
    }
    return true;
  }
  // Object.keys() would allocate an array for every object.
  for (const key in value) {
    const nested = (value as SessionValues)[key];
    if (nested !== undefined && !isPlain(nested, depth)) return false;
  }
  return true;
}

/** Whether `value` is an array or a literal-like object, of any realm, or has no prototype. */
export function hasPlainPrototype(value: object): boolean {
  const prototype = getPrototypeOf(value);
  if (Array.isArray(value)) return prototype === ARRAY || Array.isArray(prototype);
  if (prototype === OBJECT || prototype === null) return true;
  return getPrototypeOf(prototype) === null && Object.hasOwn(prototype, "isPrototypeOf");
}

/** Whether JSON.stringify would call `toJSON` instead of looking inside, enumerable or not. */
export function hasToJson(value: object): boolean {
  return typeof (value as SessionValues).toJSON === "function";
}

/** Whether two JSON values are equal. The order of keys does not count, as in PAGI. */
export function isSameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (!isObject(a) || !isObject(b) || Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && isSameJson(a[key], b[key]));
}
