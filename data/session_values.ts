/** A session's values in memory: their keys, and how they become read-only. */
import type { SessionValues } from "../base/record_text.ts";

/** Whether the key exists. A key whose value is `undefined` does not: it would not be saved. */
export function has(values: SessionValues, key: string): boolean {
  return Object.hasOwn(values, key) && values[key] !== undefined;
}

/** Writes a key, whatever its name and whatever the prototype of the values. */
export function put(values: SessionValues, key: string, value: unknown): void {
  if (key !== "__proto__") values[key] = value;
  else {
    Object.defineProperty(values, key, {
      value,
      writable: true,
      enumerable: true,
      configurable: true,
    });
  }
}

/** The keys of the app: all that do not start with `_`. */
export function userKeys(values: SessionValues): string[] {
  return Object.keys(values).filter((key) => !key.startsWith("_") && values[key] !== undefined);
}

/**
 * Empty values that refuse every write with an error that says why. A frozen object does not say
 * why.
 *
 * @param refuse Makes the error.
 * @param destroy Called when `_destroyed` is set. Returns whether the session can be ended.
 */
export function refusingValues(
  refuse: (verb: string) => Error,
  destroy: () => boolean,
): SessionValues {
  const fail = (verb: string) => () => {
    throw refuse(verb);
  };
  return new Proxy(Object.freeze(Object.create(null)), {
    set: (_, key) => (key === "_destroyed" && destroy()) || fail("set")(),
    defineProperty: fail("set"),
    deleteProperty: fail("delete"),
  });
}

/**
 * Freezes `value` and everything nested in it. The language has no way to freeze the content of a
 * Date, a Map, a Set or a buffer.
 */
export function deepFreeze(value: object): void {
  // Views of buffers cannot be frozen.
  if (ArrayBuffer.isView(value)) return;
  const isCollection = value instanceof Map || value instanceof Set;
  const nested = isCollection ? [...value.entries()].flat() : Object.values(value);
  for (const one of nested) {
    if (typeof one === "object" && one !== null) deepFreeze(one);
  }
  Object.freeze(value);
}
