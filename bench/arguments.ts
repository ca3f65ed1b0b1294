/** Reads the command line. */
import { type StoreName, STORES } from "./contenders/contender.ts";
import { type Runtime, RUNTIMES } from "./runtimes.ts";
import { type Scenario, SCENARIOS } from "./scenarios.ts";

/** The options of the programs. */
export interface Options {
  /** How often to measure everything. */
  repeat?: number;
  /** How many processes measure each kind of request. */
  processes?: number;
  runtimes: readonly Runtime[];
  stores: readonly StoreName[];
  scenarios: readonly Scenario[];
  /** The names of the libraries, if not all. */
  libraries?: readonly string[];
}

type Name = "repeat" | "processes" | "runtime" | "store" | "scenario" | "library";

/**
 * Reads options like `--runtime=deno,bun`.
 *
 * @throws {TypeError} If an option is not among `allowed`, or has an unknown value.
 */
export function readOptions(
  args: readonly string[],
  allowed: readonly Name[],
): Options {
  const found = new Map<string, string>();
  for (const arg of args) {
    const [, name, value] = /^--(\w+)=(.+)$/.exec(arg) ?? [];
    if (name === undefined || !(allowed as readonly string[]).includes(name)) {
      const names = allowed.map((one) => `--${one}=`).join(", ");
      throw new TypeError(`Cannot read "${arg}": use ${names}`);
    }
    found.set(name, value!);
  }
  return {
    repeat: countIn(found, "repeat"),
    processes: countIn(found, "processes"),
    runtimes: someOf(RUNTIMES, found.get("runtime")),
    stores: someOf(STORES, found.get("store")),
    scenarios: someOf(SCENARIOS, found.get("scenario")),
    libraries: found.get("library")?.split(","),
  };
}

function countIn(found: ReadonlyMap<string, string>, name: string): number | undefined {
  const text = found.get(name);
  if (text === undefined) return undefined;
  if (!/^[1-9]\d*$/.test(text)) throw new TypeError(`Cannot read --${name}=${text}: not a count`);
  return Number(text);
}

/** The names in a list with commas, in their usual order; all of them if there is no list. */
function someOf<Name extends string>(all: readonly Name[], list: string | undefined): Name[] {
  const names = list?.split(",") ?? all;
  const unknown = names.find((name) => !(all as readonly string[]).includes(name));
  if (unknown !== undefined) {
    throw new TypeError(`Cannot measure "${unknown}": choose from ${all.join(", ")}`);
  }
  return all.filter((name) => names.includes(name));
}
