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
  ...inFile(
    "_hex.ts",
    [
      "return code < 58 ? code - 48 : code - 87;",
      "one more",
      "Character 58 is a colon, which is no digit: below or from there it is the same",
    ],
  ),
  ...inFile(
    "store/_seal_base64.ts",
    [
      "for (let from = 0; from < digits; from += 4) {",
      "<= for <",
      "One more group is written beyond the end of the bytes, which is nowhere",
    ],
  ),
  ...inFile(
    "store/_seal_hourly.ts",
    [
      "crypto.getRandomValues(bytes.subarray(HEAD_BYTES, HEAD_BYTES + IV_BYTES));",
      "- for +",
      "Counted from the end it is more than the nonce, and what is sealed is written over the rest",
    ],
  ),
];
