/**
 * Splits TypeScript into tokens, for checks that must not mistake a comment or a string for code.
 *
 * @module
 */

/** A piece of source text. */
export interface Token {
  /** `mark` is a single character of punctuation. */
  readonly kind: "comment" | "string" | "template" | "regex" | "word" | "mark";
  /** The text as it is written, with quotes and comment signs. */
  readonly text: string;
  /** Offset in the source. */
  readonly start: number;
  /** Of a template: the offsets of each `${` and of the character after its `}`. */
  readonly holes?: readonly Hole[];
}

type Hole = readonly [start: number, end: number];

const SPACE = /\s+/y;
const COMMENT = /\/\/[^\n]*|\/\*[^]*?\*\//y;
const STRING = /"(?:[^"\\\n]|\\[^])*"|'(?:[^'\\\n]|\\[^])*'/y;
const WORD = /[\w$#\u00a1-\uffff]+/y;
const REGEX = /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y;
/** A slash after one of these words starts a regular expression; after any other word, it divides. */
const BEFORE_REGEX = new Set(
  [
    "return",
    "typeof",
    "case",
    "in",
    "of",
    "void",
    "delete",
    "throw",
    "await",
    "yield",
    "else",
    "do",
  ],
);

/**
 * The tokens of a TypeScript source. The tokens inside a template literal's `${}` precede the token
 * of the template.
 *
 * @throws {SyntaxError} If a comment, string or template does not end.
 */
export function scan(source: string): Token[] {
  const tokens: Token[] = [];
  const end = scanUntil(source, 0, tokens, false);
  if (end < source.length) throw unexpected(source, end);
  return tokens;
}

/** The line of an offset, counted from 1. */
export function lineOf(source: string, offset: number): number {
  let line = 1;
  for (let at = source.indexOf("\n"); at >= 0 && at < offset; at = source.indexOf("\n", at + 1)) {
    line++;
  }
  return line;
}

/** Scans to the end of the source or, in a template's `${}`, to the brace that closes it. */
function scanUntil(source: string, from: number, tokens: Token[], inTemplate: boolean): number {
  let depth = 0;
  let at = from;
  let previous: Token | undefined;
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(source)?.[0];
  };
  const push = (kind: Token["kind"], text: string, holes?: readonly Hole[]) => {
    const token: Token = { kind, text, start: at, ...(holes && { holes }) };
    tokens.push(token);
    if (kind !== "comment") previous = token;
    at += text.length;
  };
  while (at < source.length) {
    const char = source[at]!;
    const space = match(SPACE);
    if (space !== undefined) {
      at += space.length;
      continue;
    }
    if (char === "/") {
      const comment = match(COMMENT);
      if (comment !== undefined) {
        push("comment", comment);
        continue;
      }
      if (source[at + 1] === "*") throw unexpected(source, at);
      const regex = startsRegex(previous) ? match(REGEX) : undefined;
      if (regex === undefined) push("mark", char);
      else push("regex", regex);
      continue;
    }
    if (char === '"' || char === "'") {
      const string = match(STRING);
      if (string === undefined) throw unexpected(source, at);
      push("string", string);
      continue;
    }
    if (char === "`") {
      const holes: Hole[] = [];
      const end = scanTemplate(source, at, tokens, holes);
      push("template", source.slice(at, end), holes);
      continue;
    }
    const word = match(WORD);
    if (word !== undefined) {
      push("word", word);
      continue;
    }
    if (char === "{") depth++;
    if (char === "}" && depth-- === 0 && inTemplate) return at;
    push("mark", char);
  }
  return at;
}

/** Scans from a backtick to the offset after the one that closes it. */
function scanTemplate(source: string, start: number, tokens: Token[], holes: Hole[]): number {
  let at = start + 1;
  while (at < source.length) {
    if (source[at] === "`") return at + 1;
    if (source.startsWith("${", at)) {
      const close = scanUntil(source, at + 2, tokens, true);
      holes.push([at, close + 1]);
      at = close;
    } else if (source[at] === "\\") at++;
    at++;
  }
  throw unexpected(source, start);
}

function startsRegex(previous: Token | undefined): boolean {
  if (previous === undefined) return true;
  if (previous.kind === "mark") return previous.text !== ")" && previous.text !== "]";
  return previous.kind === "word" && BEFORE_REGEX.has(previous.text);
}

function unexpected(source: string, at: number): SyntaxError {
  const line = lineOf(source, at);
  return new SyntaxError(
    `Cannot scan line ${line}: ${source.slice(at, at + 20)} does not end here`,
  );
}
