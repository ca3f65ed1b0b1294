/** What is done with a session's data: its keys, its text, and how it is made read-only. */
import { encode, type SessionValues, stringify } from "./_codec.ts";
import type { Control, Shown } from "./_control.ts";

/**
 * The text of data that was made of a record. Where the app has left alone what is ours it is the
 * data's JSON, without the tail that the app is shown; so a read costs one JSON.stringify.
 */
export function textOf(
  { data, isExposed }: Control,
  created: number,
  shown: Shown,
): string {
  const isOurs = data._created === created && data._regenerated === undefined &&
    data._destroyed === undefined;
  if (isOurs) {
    const json = stringify(data);
    if (!isExposed) return json;
    const tail = `,"_id":${JSON.stringify(shown.id)},"_last_access":${shown.lastAccess}}`;
    if (json.endsWith(tail)) return `${json.slice(0, -tail.length)}}`;
  }
  return encode(data, created, data._subject as string | undefined);
}

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

/** Makes `value` read-only through and through. */
export function deepFreeze<T extends object>(value: T): T {
  for (const nested of Object.values(value)) {
    if (typeof nested === "object" && nested !== null) deepFreeze(nested);
  }
  return Object.freeze(value);
}
