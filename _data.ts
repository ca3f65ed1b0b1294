/**
 * A session's data as the app sees it: its keys, and PAGI's reserved ones. `_id` and `_last_access`
 * are not in the record's text; they stand last, so that data that nobody changed is the text and
 * a tail that is known.
 */
import { encode, type SessionValues, stringify } from "./_codec.ts";

/** The data of a session without keys of the app's. It has no prototype: every key is data. */
export function newData(id: string, created: number): SessionValues {
  const data: SessionValues = Object.create(null);
  data._created = created;
  return identify(data, id, created);
}

/** Puts in what the record's text does not hold. */
export function identify(data: SessionValues, id: string, lastAccess: number): SessionValues {
  data._id = id;
  data._last_access = lastAccess;
  return data;
}

/**
 * The text of data that was made of a record. Where the app has left alone what is ours, that is
 * its JSON without the tail; so a read costs one JSON.stringify and no copy.
 */
export function textOf(
  data: SessionValues,
  { id, created, lastAccess }: { id: string; created: number; lastAccess: number },
): string {
  const json = stringify(data);
  const tail = `,"_id":${JSON.stringify(id)},"_last_access":${lastAccess}}`;
  const isOurs = json.endsWith(tail) && data._created === created &&
    data._regenerated === undefined && data._destroyed === undefined;
  return isOurs
    ? `${json.slice(0, -tail.length)}}`
    : encode(data, created, data._subject as string | undefined);
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

/** Empty data that refuses every write with an error that says why, which a frozen object does not. */
export function refusing(refuse: (verb: string) => Error): SessionValues {
  const fail = (verb: string) => () => {
    throw refuse(verb);
  };
  return new Proxy(Object.freeze(Object.create(null)), {
    set: fail("set"),
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
