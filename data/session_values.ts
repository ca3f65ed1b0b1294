/** What is done with a session's data: its keys, and how it is made read-only. */
import type { SessionValues } from "../base/record_text.ts";

/** Whether the key exists: one whose value is undefined does not, as it will not be saved. */
export function has(data: SessionValues, key: string): boolean {
  return Object.hasOwn(data, key) && data[key] !== undefined;
}

/** Writes a key, whatever its name and whatever the data's prototype. */
export function put(data: SessionValues, key: string, value: unknown): void {
  if (key !== "__proto__") data[key] = value;
  else {
    Object.defineProperty(data, key, {
      value,
      writable: true,
      enumerable: true,
      configurable: true,
    });
  }
}

/** The app's keys. */
export function userKeys(data: SessionValues): string[] {
  return Object.keys(data).filter((key) => !key.startsWith("_") && data[key] !== undefined);
}

/**
 * Empty data that refuses every write with an error that says why, which a frozen object does not.
 *
 * @param destroy Tries to end the session, when `_destroyed` is set; whether that could be.
 */
export function refusing(refuse: (verb: string) => Error, destroy: () => boolean): SessionValues {
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
 * Makes `value` read-only through and through, as far as the language can: not what a Date, a Map or a
 * buffer holds.
 */
export function deepFreeze(value: object): void {
  // These refuse to be frozen.
  if (ArrayBuffer.isView(value)) return;
  const isCollection = value instanceof Map || value instanceof Set;
  const nested = isCollection ? [...value.entries()].flat() : Object.values(value);
  for (const one of nested) {
    if (typeof one === "object" && one !== null) deepFreeze(one);
  }
  Object.freeze(value);
}
