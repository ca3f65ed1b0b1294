/**
 * Finds a place in the sources by a pattern of code, so that it is found again after a rename, a move
 * to another file or a reformatting.
 *
 * A mutant must know where to put its mistake. An exact line of a named file is lost with every
 * rename. A marker comment in the source is noise for its readers, and the edit beside it would still
 * spell the names. A pattern needs neither: the code itself is the marker, and its names are left open.
 *
 * | in a pattern | matches |
 * | --- | --- |
 * | `$name` | one identifier, `#private` ones too; the same one wherever `$name` occurs again |
 * | `"..."` | one string literal, whatever its quotes and text |
 * | a space or line break | nothing, or any whitespace and line comments |
 * | anything else | itself; a trailing comma before a closing bracket is optional |
 *
 * Spell out what a rename cannot change: names of the platform and of the public API, header names,
 * operators. Leave every other name open, and the text of messages too. A pattern must match once in
 * all sources: extend it by the code around it until it does, or say what else is in the same file.
 */

/** A place that a pattern matches. */
export interface Place {
  file: string;
  start: number;
  end: number;
  /** The identifier that each `$name` of the pattern has matched. */
  names: Readonly<Record<string, string>>;
}

const ATOM = /\s+|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|\$[a-zA-Z]\w*|#?\w+|./gsu;
const GAP = String.raw`(?:\s|\/\/[^\n]*\n)*`;
const IDENTIFIER = String.raw`#?[A-Za-z_]\w*`;
const ANY_STRING = String.raw`(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|${"`"}[^${"`"}]*${"`"})`;

/** Every place in `sources`, texts by file name, that the pattern matches. */
export function placesOf(pattern: string, sources: ReadonlyMap<string, string>): Place[] {
  const expression = expressionOf(pattern);
  return [...sources].flatMap(([file, source]) =>
    [...source.matchAll(expression)].map(({ 0: { length }, index, groups = {} }): Place => {
      return { file, start: index, end: index + length, names: groups };
    })
  );
}

/**
 * Puts the names that a pattern has matched into the text that replaces it.
 *
 * @throws {Error} When the pattern has no such `$name`.
 */
export function withNames(replacement: string, names: Place["names"]): string {
  return replacement.replace(/\$([a-zA-Z]\w*)/g, (all, name: string) => {
    const found = names[name];
    if (found === undefined) throw new Error(`The pattern has no ${all}`);
    return found;
  });
}

function expressionOf(pattern: string): RegExp {
  const seen = new Set<string>();
  const parts = (pattern.match(ATOM) ?? [])
    .filter((atom) => atom.trim() !== "")
    .map((atom) => partOf(atom, seen));
  return new RegExp(parts.join(GAP), "gsu");
}

function partOf(atom: string, seen: Set<string>): string {
  if (atom === '"..."') return ANY_STRING;
  if (/^[)\]}]$/.test(atom)) return `,?${GAP}${RegExp.escape(atom)}`;
  if (/^\$\w/.test(atom)) {
    const name = atom.slice(1);
    const part = seen.has(name) ? String.raw`\k<${name}>` : `(?<${name}>${IDENTIFIER})`;
    seen.add(name);
    return asWord(part);
  }
  return /^#?\w+$/.test(atom) ? asWord(RegExp.escape(atom)) : RegExp.escape(atom);
}

/** Keeps an identifier from matching a part of a longer one. */
function asWord(part: string): string {
  return String.raw`(?<![\w$#])${part}(?![\w$])`;
}
