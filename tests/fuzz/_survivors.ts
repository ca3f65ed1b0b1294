/** Mutations that no test can see, and why. */
export interface Survivor {
  file: string;
  /** The line that is mutated, without its indentation. */
  line: string;
  /** What is done to it. */
  mutation: string;
  why: string;
}

/** Survivors of one file. */
function inFile(file: string, ...survivors: [line: string, mutation: string, why: string][]) {
  return survivors.map(([line, mutation, why]): Survivor => ({ file, line, mutation, why }));
}

const AT_END = "At the end of a pair stands a semicolon or nothing, which is no blank";

export const SURVIVORS: readonly Survivor[] = [
  ...inFile(
    "state/_cookie_header.ts",
    ["while (start < header.length) {", "<= for <", "Behind the end there is no pair to find"],
    [
      "while (start < end && isBlank(header.charCodeAt(start))) start++;",
      "<= for <",
      AT_END,
    ],
    ["while (at < end && isBlank(header.charCodeAt(at))) at++;", "<= for <", AT_END],
    [
      "if (at >= end || header.charCodeAt(at) !== EQUALS) return undefined;",
      "> for >=",
      "At the end of a pair stands a semicolon or nothing, which is no equals sign",
    ],
    [
      "while (end > at && isBlank(header.charCodeAt(end - 1))) end--;",
      ">= for >",
      "The end of an empty value may pass its start: it is empty all the same",
    ],
  ),
];
