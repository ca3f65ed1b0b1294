/**
 * What in a session its codec does not keep, and where: for the error, once it is known that there is
 * something. The path has the names of keys, and no values.
 */
import { isReserved, MAX_DEPTH, type SessionValues } from "../base/record_text.ts";
import { hasPlainPrototype, hasToJson } from "./json_values.ts";

/** What the search has to know of a codec. */
export interface Keeper {
  /** For the error. */
  readonly name: string;
  /** Whether it keeps a value that nothing is nested in. */
  keeps(value: unknown): boolean;
  /** Whether it keeps Maps and Sets. */
  readonly hasCollections: boolean;
}

/** A value inside another, and how a path names it. */
type Step = [name: string, nested: unknown];

/** How much of a key's name is shown. */
const MAX_NAME = 40;
/** How many names of a path are shown at each end. */
const ENDS = 4;

/** The first fault: "cart.items[2].when is a Date, which JSON would change"; undefined if there is none. */
export function findFault(values: SessionValues, keeper: Keeper): string | undefined {
  if (hasToJson(values)) return "its data has a method toJSON, which JSON would call";
  for (const key of Object.keys(values)) {
    if (isReserved(key) || values[key] === undefined) continue;
    const fault = find(values[key], [nameOf(key)], [values], keeper);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function find(
  value: unknown,
  path: readonly string[],
  outer: readonly object[],
  keeper: Keeper,
): string | undefined {
  const tell = (what: string) => `${written(path)} ${what}`;
  const steps = stepsOf(value, keeper);
  if (steps === undefined) {
    if (keeper.keeps(value)) return undefined;
    return tell(`is ${described(value)}, which ${keeper.name} ${fateOf(value, keeper)}`);
  }
  const at = outer.indexOf(value as object);
  if (at >= 0) {
    const what = at === 0 ? "the session itself" : `${written(path.slice(0, at))} again`;
    return tell(`is ${what}, a cycle`);
  }
  if (outer.length > MAX_DEPTH) return tell(`is nested deeper than ${MAX_DEPTH} levels`);
  if (hasToJson(value as object)) return tell("has a method toJSON, which JSON would call");
  for (const [name, nested] of steps) {
    if (nested === HOLE) return `${written([...path, name])} is an empty slot of a list`;
    const fault = find(nested, [...path, name], [...outer, value as object], keeper);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

const HOLE = Symbol();

/** What is nested in the value; undefined when the codec does not look inside. */
function stepsOf(value: unknown, { hasCollections }: Keeper): Iterable<Step> | undefined {
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
    // One after the other: a list may say that it is very long, and be empty.
    return (function* (): Generator<Step> {
      for (let at = 0; at < value.length; at++) yield [`[${at}]`, at in value ? value[at] : HOLE];
    })();
  }
  // A key without a value is none, in JSON.
  return Object.entries(value)
    .filter(([, nested]) => hasCollections || nested !== undefined)
    .map(([key, nested]): Step => [nameOf(key), nested]);
}

/** How a key is written in a path. */
function nameOf(key: string): string {
  return /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(key) && key.length <= MAX_NAME
    ? `.${key}`
    : `[${quoted(key)}]`;
}

function quoted(key: string): string {
  return JSON.stringify(key.length <= MAX_NAME ? key : `${key.slice(0, MAX_NAME)}…`);
}

function written(path: readonly string[]): string {
  const shown = path.length <= 2 * ENDS
    ? path
    : [...path.slice(0, ENDS), "…", ...path.slice(-ENDS)];
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

function fateOf(value: unknown, { name }: Keeper): string {
  const isChanged = ["object", "number", "undefined"].includes(typeof value);
  return name === "JSON" && isChanged ? "would change" : "cannot carry";
}
