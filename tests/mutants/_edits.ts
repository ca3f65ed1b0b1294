/** Turns mutants into changed files, and refuses those that no longer fit the sources. */
import { type Place, placesOf, withNames } from "./_code_pattern.ts";
import { type Files, PackageCopy } from "./_copies.ts";
import type { Mutant } from "./_mutant.ts";

/** A file with a mutant's mistake in it. */
export interface Edit {
  file: string;
  text: string;
}

/** Errors of the type checker about a name or a member that does not exist. */
const UNKNOWN_NAMES = new Set([2304, 2339, 2503, 2551, 2552, 2663, 18004]);
const TIMEOUT_MS = 300_000;

/** The files that mutants may change: the library, not the tools that test it. */
export function sourcesIn(files: Files): Files {
  return new Map([...files].filter(([path]) => /^(?!tests\/|testing\/).*\.ts$/.test(path)));
}

/**
 * Makes the mutant's mistake.
 *
 * @throws {Error} When the mutant's pattern matches no place, or more than one.
 */
export function editOf(mutant: Mutant, sources: Files): Edit {
  const { file, start, end, names } = placeOf(mutant, sources);
  const source = sources.get(file)!;
  const text = source.slice(0, start) + withNames(mutant.replace, names) + source.slice(end);
  return { file, text };
}

function placeOf({ find, beside }: Mutant, sources: Files): Place {
  const places = placesOf(find, sources).flatMap((place): Place[] => {
    if (beside === undefined) return [place];
    const [other] = placesOf(beside, new Map([[place.file, sources.get(place.file)!]]));
    return other === undefined ? [] : [{ ...place, names: { ...other.names, ...place.names } }];
  });
  if (places.length === 1) return places[0]!;
  const lines = places.map(({ file, start }) => {
    return `${file}:${sources.get(file)!.slice(0, start).split("\n").length}`;
  });
  const found = lines.length === 0 ? "nothing" : lines.join(", ");
  throw new Error(`its pattern must match one place and matches ${found}: ${find}`);
}

/**
 * Finds edits that use a name which does not exist. Such a mutant fails every test, whatever its
 * mistake: usually its replacement has a name from before a rename. Resolves to the type checker's
 * message for each of these edits.
 */
export async function unknownNames<E extends Edit>(
  edits: readonly E[],
  files: Files,
): Promise<Map<E, string>> {
  await using copy = await PackageCopy.make(files);
  // Beside the original, so that imports resolve: one run of the checker does for all.
  const paths = edits.map(({ file }, at) => file.replace(/\.ts$/, `.mutant${at}.ts`));
  for (const [at, { text }] of edits.entries()) await copy.write(paths[at]!, text);
  const { code, output } = await copy.deno(["check", "--quiet", "--no-lock", ...paths], TIMEOUT_MS);
  const found = new Map<E, string>();
  if (code === 0) return found;
  const errors = [...output.matchAll(/TS(\d+) \[ERROR\]: (.*?)$.*?\.mutant(\d+)\.ts:\d+/gms)];
  if (errors.length === 0) throw new Error(`Cannot check the mutants: ${output}`);
  for (const [, number, message, at] of errors) {
    // Code that a mistake makes unreachable has values of the type never.
    const isUnknown = UNKNOWN_NAMES.has(Number(number)) && !message!.includes("type 'never'");
    if (isUnknown) found.set(edits[Number(at)]!, message!);
  }
  return found;
}
