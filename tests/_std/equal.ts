/**
 * Deep equality as `@std/assert` defines it, for plain data.
 *
 * `node:assert` does not fit: it tells `0` from `-0`, and an object with a null prototype, such as
 * session data, from a plain object. Values of unknown classes throw, so that neither `assertEquals`
 * nor `assertNotEquals` can pass on a guess.
 *
 * @module
 */

/** Returns whether `a` and `b` are deeply equal. */
export function equal(a: unknown, b: unknown, seen: Map<unknown, unknown> = new Map()): boolean {
  if (a === b || Object.is(a, b)) return true;
  if (!isObject(a) || !isObject(b)) return false;
  if (a instanceof Date && b instanceof Date) return Object.is(a.getTime(), b.getTime());

  const kind = prototypeOf(a);
  if (kind !== prototypeOf(b)) return false;
  if (a instanceof Uint8Array && b instanceof Uint8Array) {
    return a.length === b.length && a.every((byte, i) => byte === b[i]);
  }
  if (seen.get(a) === b) return true;
  seen.set(a, b);
  // Of a pattern or a Map, too: it can have properties of its own.
  if (Object.keys(a).length !== Object.keys(b).length) return false;

  if (kind === Object.prototype || kind === Array.prototype) {
    return Reflect.ownKeys({ ...a, ...b }).every((key) =>
      key in a && key in b && equal(Reflect.get(a, key), Reflect.get(b, key), seen)
    );
  }
  if (comparedAsText.has(kind)) return String(a) === String(b);
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

/**
 * Returns whether `actual` has everything that `expected` has, deeply.
 *
 * `expected` is plain data. The real function compares instances of other classes by their own
 * properties alone, or in part, so this one refuses them. At the top level it refuses dates and
 * patterns, too: there, the real function compares properties such as `lastIndex`.
 */
export function contains(actual: unknown, expected: unknown): boolean {
  if (!isObject(actual) || !isObject(expected)) {
    throw new TypeError("Cannot match a value that is not an object");
  }
  if (isLeaf(actual) || isLeaf(expected)) {
    throw new TypeError("Cannot match a date or a pattern offline: match plain data instead");
  }
  return containsPart(actual, expected, new Map());
}

function containsPart(actual: unknown, expected: unknown, seen: Pairs): boolean {
  if (!isObject(expected) || isLeaf(expected) || !isObject(actual) || isLeaf(actual)) {
    return equal(actual, expected);
  }
  const kind = prototypeOf(expected);
  if (kind !== Object.prototype && kind !== Array.prototype) {
    throw new TypeError(
      `Cannot match a value of ${kind.constructor?.name} offline: match plain data instead`,
    );
  }
  // The real function filters each pair once, and compares it as a whole where it stands again.
  const partners = seen.get(actual) ?? new Set();
  if (partners.has(expected)) return equal(actual, expected);
  seen.set(actual, partners.add(expected));

  if (Array.isArray(actual) !== Array.isArray(expected)) return false;
  const keys = new Set(Reflect.ownKeys(expected));
  // A hole in `expected` has no key of its own, but the real function compares it.
  if (Array.isArray(expected)) { for (const i of expected.keys()) keys.add(String(i)); }
  // The length is a key, too: the real function accepts a longer array below the top level.
  return [...keys].every((key) =>
    Object.hasOwn(actual, key) &&
    containsPart(Reflect.get(actual, key), Reflect.get(expected, key), seen)
  );
}

/** The values of `expected` that each part of `actual` was compared with. */
type Pairs = Map<object, Set<object>>;

/** Returns whether the real function compares `value` as a whole, even in a partial match. */
function isLeaf(value: object): boolean {
  return value instanceof Date || value instanceof RegExp;
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
