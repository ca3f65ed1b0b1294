/** What can be said on the command line. */
import type { Narrowing } from "./groups.ts";
import { type Runtime, RUNTIMES } from "./runtimes.ts";

/** The parts of the benchmark; `report` measures nothing, and the others end with it, too. */
export const PARTS = ["in-process", "http", "scale", "redis", "profile", "report"] as const;

/** The name of a part. */
export type Part = typeof PARTS[number];

/** What a run is to be. */
export interface Arguments {
  parts: readonly Part[];
  runtimes: readonly Runtime[];
  narrowing: Narrowing;
  /** Whether less is measured of a part than there is. */
  isNarrowed: boolean;
  rounds: number | undefined;
}

const OPTION = /^--(runtime|store|scenario|bytes|contender|rounds)=(.+)$/;

/**
 * Reads the command line: names of parts, and options that narrow a run, each a list with commas.
 *
 * @throws {TypeError} When something in it is unknown.
 */
export function parseArguments(args: readonly string[]): Arguments {
  const options = new Map<string, string[]>();
  const parts: Part[] = [];
  for (const arg of args) {
    const [, name, value] = OPTION.exec(arg) ?? [];
    if (name !== undefined) options.set(name, value!.split(","));
    else if (isOneOf(PARTS, arg)) parts.push(arg);
    else throw new TypeError(`Cannot run "${arg}": the parts are ${PARTS.join(", ")}`);
  }
  const runtimes = options.get("runtime");
  const rounds = options.get("rounds")?.[0];
  return {
    parts: parts.length > 0 ? parts : PARTS,
    runtimes: RUNTIMES.filter((runtime) => runtimes?.includes(runtime) ?? true),
    narrowing: {
      stores: options.get("store"),
      scenarios: options.get("scenario"),
      payloads: options.get("bytes")?.map(Number),
      contenders: options.get("contender"),
    },
    isNarrowed: [...options.keys()].some((name) => name !== "runtime"),
    rounds: rounds === undefined ? undefined : Number(rounds),
  };
}

function isOneOf<Name extends string>(names: readonly Name[], name: string): name is Name {
  return (names as readonly string[]).includes(name);
}
