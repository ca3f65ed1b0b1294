/**
 * The codec "structured": JSON with tags for values that JSON cannot hold. A tag is an array whose
 * first item is a string that starts with "$":
 *
 * | text | value |
 * | --- | --- |
 * | `["$undefined"]` | undefined, in arrays and objects; a key of the session itself is left out |
 * | `["$number", "NaN"]`, `"Infinity"`, `"-Infinity"`, `"-0"` | the numbers that JSON lacks |
 * | `["$bigint", "123"]` | a bigint, in decimal |
 * | `["$date", 1700000000000]`, `["$date", null]` | a Date, in Unix milliseconds; an invalid Date |
 * | `["$map", key, value, key, value, …]` | a Map, in its order |
 * | `["$set", value, …]` | a Set, in its order |
 * | `["$url", "https://example.org/"]` | a URL |
 * | `["$bytes", "Uint8Array", "AQID"]` | an ArrayBuffer, a DataView or a typed array: its kind, and its bytes in memory (little-endian) as Base64 |
 * | `["$", …]` | an array of the app that starts with such a string; the rest is that array |
 *
 * Tags nest: items, keys and values follow the same rules. Everything else is written as JSON. A
 * text that contains tags says so with `"_codec":"structured"` in front of the app's keys. A text
 * without tags is the text that the codec "json" writes, and nothing in it is taken for a tag.
 */
import { Base64 } from "../base/base64.ts";
import { isReserved, MAX_DEPTH, type SessionValues, STRUCTURED } from "../base/record_text.ts";
import { put } from "./session_values.ts";
import { hasPlainPrototype, hasToJson } from "./json_values.ts";

/** How values of one kind are written and read. */
interface Kind {
  /**
   * The items of the tag. `undefined` if the value is not what its prototype says, or if it
   * contains a value without a tag.
   */
  write(value: never, depth: number): unknown[] | undefined;
  /** The value. Throws if the items are not valid. */
  read(items: unknown[]): unknown;
}

const SPECIAL_NUMBERS = new Map<unknown, number>([
  ["NaN", NaN],
  ["Infinity", Infinity],
  ["-Infinity", -Infinity],
  ["-0", -0],
]);

const encoding = new Base64("base64");

const BUFFERS = new Map<string, { new (buffer: ArrayBuffer): object; prototype: object }>(
  [
    DataView,
    Int8Array,
    Uint8Array,
    Uint8ClampedArray,
    Int16Array,
    Uint16Array,
    Int32Array,
    Uint32Array,
    Float32Array,
    Float64Array,
    BigInt64Array,
    BigUint64Array,
  ].map((type) => [type.name, type]),
);

const KINDS: Record<string, Kind> = {
  $: {
    write: (value: unknown[], depth) => toTaggedItems(value, depth),
    read: fromTaggedItems,
  },
  $undefined: {
    write: () => [],
    read: () => undefined,
  },
  $number: {
    write: (value: number) => [Object.is(value, -0) ? "-0" : String(value)],
    read: ([name]) => SPECIAL_NUMBERS.get(name) ?? fail(),
  },
  $bigint: {
    write: (value: bigint) => [String(value)],
    read: ([digits]) => BigInt(typeof digits === "string" ? digits : fail()),
  },
  $date: {
    write: (value: Date) => [jsonNumber(Date.prototype.getTime.call(value))],
    read: ([time]) => new Date(typeof time === "number" ? time : time === null ? NaN : fail()),
  },
  $map: {
    write: (value: Map<unknown, unknown>, depth) => toTaggedItems([...value].flat(), depth),
    read: (items) => new Map(pairs(fromTaggedItems(items))),
  },
  $set: {
    write: (value: Set<unknown>, depth) => toTaggedItems([...value], depth),
    read: (items) => new Set(fromTaggedItems(items)),
  },
  $url: {
    write: (value: URL) => [value.href],
    read: ([href]) => new URL(typeof href === "string" ? href : fail()),
  },
  $bytes: {
    write: (value: ArrayBuffer | ArrayBufferView<ArrayBuffer>) => [
      kindOfBuffer(value),
      encoding.encode(
        ArrayBuffer.isView(value)
          ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
          : new Uint8Array(ArrayBuffer.prototype.slice.call(value, 0)),
      ),
    ],
    read([name, text]) {
      const { buffer } = Uint8Array.from(
        atob(typeof text === "string" ? text : fail()),
        (letter) => letter.charCodeAt(0),
      );
      if (name === ArrayBuffer.name) return buffer;
      const Type = BUFFERS.get(String(name)) ?? fail();
      return new Type(buffer);
    },
  },
};

/** The tag of each prototype. An object of a derived class would come back as something else. */
const TAGS = new Map<object, string>([
  [Date.prototype, "$date"],
  [Map.prototype, "$map"],
  [Set.prototype, "$set"],
  [URL.prototype, "$url"],
  [ArrayBuffer.prototype, "$bytes"],
  ...[...BUFFERS.values()].map(({ prototype }): [object, string] => [prototype, "$bytes"]),
]);

/**
 * The app's values as JSON with tags; `values` itself if no tag is needed. `undefined` if a value
 * in them has no tag.
 */
export function toTaggedValues(values: SessionValues): SessionValues | undefined {
  if (hasToJson(values)) return undefined;
  let tree = values;
  for (const key of Object.keys(values)) {
    const value = values[key];
    if (value === undefined || isReserved(key)) continue;
    const one = toTagged(value);
    if (one === undefined) return undefined;
    if (one === value) continue;
    if (tree === values) tree = { ...values };
    put(tree, key, one);
  }
  return tree;
}

/**
 * `value` as JSON with tags; `value` itself if no tag is needed. `undefined` if it has no tag.
 *
 * @param depth Levels of arrays and objects allowed, which also ends a cycle.
 */
export function toTagged(value: unknown, depth: number = MAX_DEPTH): unknown {
  if (typeof value === "string" || typeof value === "boolean" || value === null) return value;
  if (Number.isFinite(value) && !Object.is(value, -0)) return value;
  // Every other value becomes an array or an object in the text.
  if (depth === 0) return undefined;
  switch (typeof value) {
    case "number":
      return tagged("$number", value, depth);
    case "undefined":
      return tagged("$undefined", value, depth);
    case "bigint":
      return tagged("$bigint", value, depth);
    case "object":
      return toTaggedObject(value!, depth - 1);
    default:
      return undefined;
  }
}

function toTaggedObject(value: object, depth: number): unknown {
  if (!hasPlainPrototype(value)) return toTaggedSpecial(value, depth);
  if (hasToJson(value)) return undefined;
  if (Array.isArray(value)) {
    return isTag(value) ? tagged("$", value, depth) : toTaggedItems(value, depth);
  }
  let tree = value as SessionValues;
  for (const [key, nested] of Object.entries(value)) {
    const one = toTagged(nested, depth);
    if (one === undefined) return undefined;
    if (one === nested) continue;
    if (tree === value) tree = { ...tree };
    put(tree, key, one);
  }
  return tree;
}

/** An object with a tag of its own. An object with extra properties would lose them. */
function toTaggedSpecial(value: object, depth: number): unknown {
  const tag = TAGS.get(Object.getPrototypeOf(value));
  if (tag === undefined) return undefined;
  const isBare = ArrayBuffer.isView(value) || Object.keys(value).length === 0;
  return isBare ? tagged(tag, value, depth) : undefined;
}

function tagged(tag: string, value: unknown, depth: number): unknown[] | undefined {
  try {
    const items = KINDS[tag]!.write(value as never, depth);
    return items && [tag, ...items];
  } catch {
    // The value has the prototype, but not the internals of its kind.
    return undefined;
  }
}

/** The array itself if no item needs a tag. */
function toTaggedItems(items: unknown[], depth: number): unknown[] | undefined {
  let tree = items;
  for (let at = 0; at < items.length; at++) {
    if (!(at in items)) return undefined;
    const one = toTagged(items[at], depth);
    if (one === undefined) return undefined;
    if (one === items[at]) continue;
    if (tree === items) tree = [...items];
    tree[at] = one;
  }
  return tree;
}

function isTag(list: unknown[]): boolean {
  return typeof list[0] === "string" && list[0].startsWith("$");
}

/** Whether `value`, which is JSON, contains a tag. */
export function hasTag(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return (Array.isArray(value) && isTag(value)) || Object.values(value).some(hasTag);
}

/** Whether the text of these values contains tags. */
export function isTagged(values: SessionValues): boolean {
  return values._codec === STRUCTURED;
}

/**
 * The value that JSON with tags stands for. Changes `value`.
 *
 * @throws {Error} If it contains an unknown or malformed tag.
 */
export function fromTagged(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    if (!isTag(value)) return fromTaggedItems(value);
    const [tag, ...items] = value;
    return Object.hasOwn(KINDS, tag) ? KINDS[tag]!.read(items) : fail();
  }
  const values = value as SessionValues;
  for (const key of Object.keys(values)) put(values, key, fromTagged(values[key]));
  return values;
}

function fromTaggedItems(items: unknown[]): unknown[] {
  for (let at = 0; at < items.length; at++) items[at] = fromTagged(items[at]);
  return items;
}

function pairs(items: unknown[]): [unknown, unknown][] {
  if (items.length % 2 !== 0) fail();
  return Array.from({ length: items.length / 2 }, (_, at) => [items[2 * at], items[2 * at + 1]]);
}

const jsonNumber = (number: number) => Number.isNaN(number) ? null : number;

function kindOfBuffer(value: object): string {
  return Object.getPrototypeOf(value).constructor.name;
}

function fail(): never {
  throw new TypeError("The text has a tag that is not one of this codec");
}
