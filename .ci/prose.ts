/**
 * Finds the English in a file: Markdown, comments, and the strings that are messages.
 *
 * @module
 */

import { scan, type Token } from "./scan.ts";

/** Separates paragraphs, table cells, list items, comments and strings. */
const BREAK = "¶";
/** Stands for inline code, a link's address or an expression: one word of a sentence. */
const CODE = "□";

/** A sentence, a heading, or the text of a table cell. */
export interface Sentence {
  /** As it is written, with □ for code and spaces for signs that are not English. */
  readonly text: string;
  /** Offset in the source. */
  readonly start: number;
}

/** The sentences of a Markdown, TypeScript or deno.json file. */
export function sentencesOf(path: string, source: string): Sentence[] {
  if (path.endsWith(".md")) return split(maskMarkdown(source));
  if (path.endsWith(".json")) return split(maskDescriptions(source));
  return split(maskCode(source));
}

/** Splits masked text, which is as long as its source, so that offsets stay the same. */
function split(masked: string): Sentence[] {
  const sentences: Sentence[] = [];
  for (const { 0: paragraph, index: offset } of masked.matchAll(/[^¶]+/g)) {
    for (
      const { 0: sentence, index } of paragraph.matchAll(
        /\S[^]*?(?:[.!?]["')\]]*(?=\s+["'([]*[A-Z□])|$)/g,
      )
    ) {
      if (!/[A-Za-z]/.test(sentence)) continue;
      sentences.push({ text: sentence.trimEnd(), start: offset + index });
    }
  }
  return sentences;
}

/** Spaces as many as there were characters; with `first` in the place of the first one. */
const blank = (text: string, first = " ") => first + " ".repeat(text.length - 1);
const blankAll = (text: string) => blank(text);
const blankToBreak = (text: string) => blank(text, BREAK);
const blankToCode = (text: string) => blank(text, CODE);

function maskMarkdown(source: string): string {
  return source
    .replace(/<!-- language: off -->[^]*?(?:<!-- language: on -->|$)/g, blankToBreak)
    .replace(/^([ \t>]*)(`{3,}|~{3,})[^]*?(?:^[ \t>]*\2.*$|(?![^]))/gm, blankToBreak)
    .replace(/<!--[^]*?-->/g, blankToBreak)
    .replace(/(`+)[^`](?:[^]*?[^`])??\1(?!`)/g, blankToCode)
    .replace(/\{@link(?:code|plain)? [^}]*\}/g, blankToCode)
    .replace(/<\/?[a-z][^>]*>/gi, blankAll)
    .replace(/\]\([^)\s]*\)/g, blankAll)
    .replace(/^\[[^\]]+\]:.*$/gm, blankToBreak)
    .replace(/https?:\/\/[^\s)>]+/g, blankToCode)
    .replace(/^[ \t>]*(?:[-*+]|\d+\.) |\n[ \t>]*(?=\n)|\|/gm, blankToBreak)
    .replace(/^[ \t]*#+ (.*)\n?/gm, (line, title: string) => {
      return BREAK + title.padStart(line.length - 2) + BREAK;
    })
    .replace(/[*>[\]]/g, " ");
}

/** The descriptions of tasks; nothing else of a deno.json is English. */
function maskDescriptions(source: string): string {
  return source.replace(
    /("description": ")([^"]*)|[^]/g,
    (_, key?: string, text?: string) => key === undefined ? " " : blankToBreak(key) + text,
  );
}

/** Two words in a row: anything less is a name or a value. */
const WORDS = /[A-Za-z]{2,}[,:;]?\s+(?:□\s+)?[a-z]{2,}/;
/** SQL, Lua, HTTP, and source text in the strings of tests. */
const FOREIGN = new RegExp(
  "\\b(?:SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|WHERE|SET|GET|POST)\\b.*[\\w*(]|" +
    "[;{]$|\\w\\) \\{|\\bthis\\.|\\?\\.\\w|=> |[=!]== |&& |\\blocal \\w+ =|\\b(?:const|let) \\w+ =|" +
    "\\b(?:import|export)\\b.*\\bfrom\\b|\\bawait |\\breturn \\w",
);
const DIRECTIVE = /^\/\/ (?:deno-|@ts-)/;

/** Keeps comments and messages, and blanks the rest of a TypeScript source. */
function maskCode(source: string): string {
  const masked = new Array<string>(source.length).fill(" ");
  const write = (text: string, at: number) => {
    for (let index = 0; index < text.length; index++) masked[at + index] = text[index]!;
  };
  let isOff = false;
  let end = 0;
  for (const token of scan(source).sort((a, b) => a.start - b.start)) {
    const { text, start } = token;
    const isOn = text === "// language: on";
    isOff = !isOn && (isOff || text === "// language: off");
    if (isOn || isOff) continue;
    const prose = proseOf(token);
    if (prose === undefined) continue;
    const isContinued = start >= end && isJoint(token, source.slice(end, start));
    write(isContinued ? " " + prose.slice(1) : BREAK + prose.slice(1), start);
    // Inside a template's hole: what follows the hole is another sentence.
    if (start < end) write(BREAK, start + text.length - 1);
    end = Math.max(end, start + text.length);
  }
  return masked.join("");
}

/** Whether a token continues the one before, with `gap` in between. */
function isJoint({ text }: Token, gap: string): boolean {
  return text.startsWith("//") ? /^[ \t]*\r?\n[ \t]*$/.test(gap) : /^\s*\+\s*$/.test(gap);
}

/** Blanks everything in a token that is not English, or returns undefined if nothing is. */
function proseOf({ kind, text, start, holes = [] }: Token): string | undefined {
  if (kind === "comment") {
    if (text.startsWith("//")) {
      return DIRECTIVE.test(text) ? undefined : maskMarkdown(`  ${text.slice(2)}`);
    }
    return maskMarkdown(maskTags(text.replace(/^\/\*+|\*+\/$|^[ \t]*\*(?!\/)/gm, blankAll)));
  }
  if (kind !== "string" && kind !== "template") return undefined;
  let literal = text;
  for (const [from, to] of holes) {
    literal = literal.slice(0, from - start) +
      blankToCode(literal.slice(from - start, to - start)) +
      literal.slice(to - start);
  }
  if (!WORDS.test(literal) || FOREIGN.test(literal.slice(1, -1))) return undefined;
  return literal
    .replace(/^.|.$|\\[^]/g, blankAll)
    .replace(/<\/?[a-z][^>]*>/gi, blankToBreak)
    .replace(/`[^`]+`|https?:\/\/\S+/g, blankToCode);
}

/** Blanks the tags of JSDoc, with their types and parameter names. */
function maskTags(comment: string): string {
  return comment
    .replace(/^\s*@(?:param|template|typeParam)\s+\S+/gm, blankToBreak)
    .replace(/^\s*@default\s+\{/gm, blankToBreak)
    .replace(/^\s*@\w+(?:\s+\{[^}]*\})?/gm, blankToBreak);
}
