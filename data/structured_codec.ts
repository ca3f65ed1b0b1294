/**
 * The codec "structured": JSON with tags, for what JSON does not carry. A tag is a list whose first
 * item is a string that starts with "$":
 *
 * | text | value |
 * | --- | --- |
 * | `["$undefined"]` | undefined, in lists and in objects; a key of the session itself is left out |
 * | `["$number", "NaN"]`, `"Infinity"`, `"-Infinity"`, `"-0"` | the numbers that JSON lacks |
 * | `["$bigint", "123"]` | a bigint, in decimal |
 * | `["$date", 1700000000000]`, `["$date", null]` | a Date, in Unix milliseconds; one that is invalid |
 * | `["$map", key, value, key, value, …]` | a Map, in its order |
 * | `["$set", value, …]` | a Set, in its order |
 * | `["$url", "https://example.org/"]` | a URL |
 * | `["$bytes", "Uint8Array", "AQID"]` | an ArrayBuffer, a DataView or a typed array: its kind, and Base64 of its bytes as they are in memory, little-endian |
 * | `["$", …]` | a list of the app's own that starts with such a string; what follows is that list |
 *
 * Tags nest: items, keys and values are written by the same rules. All else is written as JSON has it.
 * A text with a tag in it says so, by `"_codec":"structured"` in front of the app's keys. One without
 * is the text that the codec "json" writes, and is read as such: nothing in it is taken for a tag.
 */
import { Base64 } from "../base/base64.ts";
import { isReserved, MAX_DEPTH, type SessionValues, STRUCTURED } from "../base/record_text.ts";
import { put } from "./session_values.ts";
import { hasPlainPrototype, hasToJson } from "./json_values.ts";

/** What a kind of object is written as, and read from. */
interface Kind {
  /** The tag's items; undefined when the object is not what its prototype says, or holds what has no tag. */
  pack(value: never, depth: number): unknown[] | undefined;
  /** The value. Throws when the items are not such. */
  unpack(items: unknown[]): unknown;
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
    pack: (value: unknown[], depth) => packAll(value, depth),
    unpack: unpackItems,
  },
  $undefined: {
    pack: () => [],
    unpack: () => undefined,
  },
  $number: {
    pack: (value: number) => [Object.is(value, -0) ? "-0" : String(value)],
    unpack: ([name]) => SPECIAL_NUMBERS.get(name) ?? fail(),
  },
  $bigint: {
    pack: (value: bigint) => [String(value)],
    unpack: ([digits]) => BigInt(typeof digits === "string" ? digits : fail()),
  },
  $date: {
    pack: (value: Date) => [jsonNumber(Date.prototype.getTime.call(value))],
    unpack: ([time]) => new Date(typeof time === "number" ? time : time === null ? NaN : fail()),
  },
  $map: {
    pack: (value: Map<unknown, unknown>, depth) => packAll([...value].flat(), depth),
    unpack: (items) => new Map(pairs(unpackItems(items))),
  },
  $set: {
    pack: (value: Set<unknown>, depth) => packAll([...value], depth),
    unpack: (items) => new Set(unpackItems(items)),
  },
  $url: {
    pack: (value: URL) => [value.href],
    unpack: ([href]) => new URL(typeof href === "string" ? href : fail()),
  },
  $bytes: {
    pack: (value: ArrayBuffer | ArrayBufferView<ArrayBuffer>) => [
      kindOfBuffer(value),
      encoding.encode(
        ArrayBuffer.isView(value)
          ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
          : new Uint8Array(ArrayBuffer.prototype.slice.call(value, 0)),
      ),
    ],
    unpack([name, text]) {
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

/** By its prototype: an object of a derived class would come back as something else. */
const TAGS = new Map<object, string>([
  [Date.prototype, "$date"],
  [Map.prototype, "$map"],
  [Set.prototype, "$set"],
  [URL.prototype, "$url"],
  [ArrayBuffer.prototype, "$bytes"],
  ...[...BUFFERS.values()].map(({ prototype }): [object, string] => [prototype, "$bytes"]),
]);

/**
 * The app's values as JSON; `values` themselves where no tag is needed. Undefined when something in
 * them has no tag.
 */
export function packValues(values: SessionValues): SessionValues | undefined {
  if (hasToJson(values)) return undefined;
  let packed = values;
  for (const key of Object.keys(values)) {
    const value = values[key];
    if (value === undefined || isReserved(key)) continue;
    const one = pack(value);
    if (one === undefined) return undefined;
    if (one === value) continue;
    if (packed === values) packed = { ...values };
    put(packed, key, one);
  }
  return packed;
}

/**
 * `value` as JSON; itself where no tag is needed. Undefined when it has no tag.
 *
 * @param depth How many lists and objects may be nested in each other: that ends a cycle too.
 */
export function pack(value: unknown, depth: number = MAX_DEPTH): unknown {
  if (typeof value === "string" || typeof value === "boolean" || value === null) return value;
  if (Number.isFinite(value) && !Object.is(value, -0)) return value;
  // From here on it is a list or an object in the text.
  if (depth === 0) return undefined;
  switch (typeof value) {
    case "number":
      return tagged("$number", value, depth);
    case "undefined":
      return tagged("$undefined", value, depth);
    case "bigint":
      return tagged("$bigint", value, depth);
    case "object":
      return packObject(value!, depth - 1);
    default:
      return undefined;
  }
}

function packObject(value: object, depth: number): unknown {
  if (!hasPlainPrototype(value)) return packSpecial(value, depth);
  if (hasToJson(value)) return undefined;
  if (Array.isArray(value)) return isTag(value) ? tagged("$", value, depth) : packAll(value, depth);
  let packed = value as SessionValues;
  for (const [key, nested] of Object.entries(value)) {
    const one = pack(nested, depth);
    if (one === undefined) return undefined;
    if (one === nested) continue;
    if (packed === value) packed = { ...packed };
    put(packed, key, one);
  }
  return packed;
}

/** An object with a tag of its own; one that the app has hung something on would lose that. */
function packSpecial(value: object, depth: number): unknown {
  const tag = TAGS.get(Object.getPrototypeOf(value));
  if (tag === undefined) return undefined;
  const isBare = ArrayBuffer.isView(value) || Object.keys(value).length === 0;
  return isBare ? tagged(tag, value, depth) : undefined;
}

function tagged(tag: string, value: unknown, depth: number): unknown[] | undefined {
  try {
    const items = KINDS[tag]!.pack(value as never, depth);
    return items && [tag, ...items];
  } catch {
    // It has the prototype and nothing else of its kind.
    return undefined;
  }
}

/** The list itself where no item needs a tag. */
function packAll(items: unknown[], depth: number): unknown[] | undefined {
  let packed = items;
  for (let at = 0; at < items.length; at++) {
    if (!(at in items)) return undefined;
    const one = pack(items[at], depth);
    if (one === undefined) return undefined;
    if (one === items[at]) continue;
    if (packed === items) packed = [...items];
    packed[at] = one;
  }
  return packed;
}

function isTag(list: unknown[]): boolean {
  return typeof list[0] === "string" && list[0].startsWith("$");
}

/** Whether there is a tag in `value`, which is JSON. */
export function hasTag(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return (Array.isArray(value) && isTag(value)) || Object.values(value).some(hasTag);
}

/** Whether the text of these values has tags in it. */
export function isMarked(values: SessionValues): boolean {
  return values._codec === STRUCTURED;
}

/**
 * What `value`, which `pack` has made, stands for; changes `value`.
 *
 * @throws {Error} When it has a tag that `pack` does not make.
 */
export function unpack(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    if (!isTag(value)) return unpackItems(value);
    const [tag, ...items] = value;
    return Object.hasOwn(KINDS, tag) ? KINDS[tag]!.unpack(items) : fail();
  }
  const values = value as SessionValues;
  for (const key of Object.keys(values)) put(values, key, unpack(values[key]));
  return values;
}

function unpackItems(items: unknown[]): unknown[] {
  for (let at = 0; at < items.length; at++) items[at] = unpack(items[at]);
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
