/**
 * Finds the value in a session that its codec cannot hold, for the error message. The message names
 * the path of keys to the value, and no values.
 */
import { isReserved, MAX_DEPTH, type SessionValues } from "../base/record_text.ts";
import { hasPlainPrototype, hasToJson } from "./json_values.ts";

/** Which values a codec allows. */
export interface ValueRule {
  /** The codec's name in the message. */
  readonly name: string;
  /** Whether the codec can hold a value that contains no others. */
  allows(value: unknown): boolean;
  /** Whether the codec can hold Maps and Sets. */
  readonly hasCollections: boolean;
}

/** A nested value, and its name in a path. */
type Step = [name: string, nested: unknown];

/** Characters of a key that are shown. */
const MAX_NAME = 40;
/** Names that are shown at each end of a path. */
const NAMES_AT_ENDS = 4;

/**
 * The first value that the codec cannot hold, for example "cart.items[2].when is a Date, which JSON
 * would change"; `undefined` if it can hold all of them.
 */
export function findUnsupportedValue(values: SessionValues, rule: ValueRule): string | undefined {
  if (hasToJson(values)) return "its data has a method toJSON, which JSON would call";
  for (const key of Object.keys(values)) {
    if (isReserved(key) || values[key] === undefined) continue;
    const found = find(values[key], [nameOf(key)], [values], rule);
    if (found !== undefined) return found;
  }
  return undefined;
}

function find(
  value: unknown,
  path: readonly string[],
  outer: readonly object[],
  rule: ValueRule,
): string | undefined {
  const describe = (what: string) => `${pathText(path)} ${what}`;
  const steps = stepsOf(value, rule);
  if (steps === undefined) {
    if (rule.allows(value)) return undefined;
    return describe(`is ${described(value)}, which ${rule.name} ${effectOn(value, rule)}`);
  }
  const at = outer.indexOf(value as object);
  if (at >= 0) {
    const what = at === 0 ? "the session itself" : `${pathText(path.slice(0, at))} again`;
    return describe(`is ${what}, a cycle`);
  }
  if (outer.length > MAX_DEPTH) return describe(`is nested deeper than ${MAX_DEPTH} levels`);
  if (hasToJson(value as object)) return describe("has a method toJSON, which JSON would call");
  for (const [name, nested] of steps) {
    if (nested === HOLE) return `${pathText([...path, name])} is an empty slot of a list`;
    const found = find(nested, [...path, name], [...outer, value as object], rule);
    if (found !== undefined) return found;
  }
  return undefined;
}

const HOLE = Symbol();

/** The values nested in `value`; `undefined` if the codec does not look inside. */
function stepsOf(value: unknown, { hasCollections }: ValueRule): Iterable<Step> | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const prototype = Object.getPrototypeOf(value);
  if (hasCollections && value instanceof Map && prototype === Map.prototype) {
    return [...value].flatMap(([key, nested]): Step[] => [
      [".keys()", key],
      [typeof key === "string" ? `.get(${quoted(key)})` : ".get(…)", nested],
    ]);
  }
  if (hasCollections && value instanceof Set && prototype === Set.prototype) {
    return [...value].map((nested): Step => [".values()", nested]);
  }
  if (!hasPlainPrototype(value)) return undefined;
  if (Array.isArray(value)) {
    // A generator, because an array can have a huge length and be empty.
    return (function* (): Generator<Step> {
      for (let at = 0; at < value.length; at++) yield [`[${at}]`, at in value ? value[at] : HOLE];
    })();
  }
  // JSON leaves out keys whose value is undefined.
  return Object.entries(value)
    .filter(([, nested]) => hasCollections || nested !== undefined)
    .map(([key, nested]): Step => [nameOf(key), nested]);
}

/** A key as a path shows it. */
function nameOf(key: string): string {
  return /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(key) && key.length <= MAX_NAME
    ? `.${key}`
    : `[${quoted(key)}]`;
}

function quoted(key: string): string {
  return JSON.stringify(key.length <= MAX_NAME ? key : `${key.slice(0, MAX_NAME)}…`);
}

function pathText(path: readonly string[]): string {
  const shown = path.length <= 2 * NAMES_AT_ENDS
    ? path
    : [...path.slice(0, NAMES_AT_ENDS), "…", ...path.slice(-NAMES_AT_ENDS)];
  return shown.join("").replace(/^\./, "");
}

function described(value: unknown): string {
  if (typeof value === "number" || value === undefined) return String(value);
  const name = typeof value === "object" ? classOf(value!) : typeof value;
  return `${/^[AEIO]/i.test(name) ? "an" : "a"} ${name}`;
}

function classOf(value: object): string {
  const name: unknown = Object.getPrototypeOf(value)?.constructor?.name;
  return typeof name === "string" && name !== "" && name !== "Object"
    ? name.slice(0, MAX_NAME)
    : "object of a class";
}

function effectOn(value: unknown, { name }: ValueRule): string {
  if (value instanceof Promise) return "cannot hold. Await it first";
  const isChanged = ["object", "number", "undefined"].includes(typeof value);
  return name === "JSON" && isChanged ? "would change" : "cannot carry";
}
