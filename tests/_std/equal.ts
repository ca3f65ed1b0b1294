/**
 * Deep equality as `@std/assert` has it, for plain data.
 *
 * `node:assert` is no use here: to it `0` and `-0` differ, and so do an object with a null prototype
 * (session data) and a plain one. What this does not know it refuses, so that neither assertEquals
 * nor assertNotEquals can pass on a guess.
 *
 * @module
 */

/** Whether `a` and `b` are equal, deeply. */
export function equal(a: unknown, b: unknown, seen: Map<unknown, unknown> = new Map()): boolean {
  if (a === b || Object.is(a, b)) return true;
  if (!isObject(a) || !isObject(b)) return false;
  if (a instanceof Date && b instanceof Date) return Object.is(a.getTime(), b.getTime());

  const kind = prototypeOf(a);
  if (kind !== prototypeOf(b)) return false;
  if (seen.get(a) === b) return true;
  seen.set(a, b);

  if (kind === Object.prototype || kind === Array.prototype) {
    return Object.keys(a).length === Object.keys(b).length &&
      Reflect.ownKeys({ ...a, ...b }).every((key) =>
        key in a && key in b && equal(Reflect.get(a, key), Reflect.get(b, key), seen)
      );
  }
  if (comparedAsText.has(kind)) return String(a) === String(b);
  if (a instanceof Uint8Array && b instanceof Uint8Array) {
    return a.length === b.length && a.every((byte, i) => byte === b[i]);
  }
  if (a instanceof Set && b instanceof Set && ![...a].some(isObject)) {
    return a.size === b.size && a.isSubsetOf(b);
  }
  if (a instanceof Map && b instanceof Map && ![...a.keys()].some(isObject)) {
    return a.size === b.size &&
      [...a].every(([key, value]) => b.has(key) && equal(value, b.get(key), seen));
  }
  throw new TypeError(
    `Cannot compare two values of ${kind.constructor?.name} offline: compare plain data instead`,
  );
}

/** Whether `actual` has all that `expected` has, deeply. */
export function contains(actual: unknown, expected: unknown): boolean {
  if (Array.isArray(expected)) {
    // Stricter than the real one, which takes a longer array below the top level.
    return Array.isArray(actual) && actual.length === expected.length &&
      [...expected].every((item, i) => i in actual && contains(actual[i], item));
  }
  if (isObject(expected) && prototypeOf(expected) === Object.prototype) {
    return isObject(actual) && !Array.isArray(actual) && !(actual instanceof RegExp) &&
      Reflect.ownKeys(expected).every((key) =>
        Object.hasOwn(actual, key) && contains(Reflect.get(actual, key), Reflect.get(expected, key))
      );
  }
  return equal(actual, expected);
}

const comparedAsText = new Set<object>([
  RegExp.prototype,
  URL.prototype,
  URLSearchParams.prototype,
]);

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function prototypeOf(value: object): object {
  return Object.getPrototypeOf(value) ?? Object.prototype;
}
