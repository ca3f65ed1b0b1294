import { assert, assertEquals } from "@std/assert";
import { fromStorableText, toAsciiText, toStorableText } from "../../../base/utf8.ts";

const everyUnit = Array.from({ length: 65_536 }, (_, unit) => String.fromCharCode(unit)).join("");
const TEXTS = [
  "",
  " ",
  "a ",
  " a",
  '"',
  '"a"',
  "\\",
  "\0",
  "\n",
  "\x7f",
  "é",
  "𝒳",
  "\ud800",
  everyUnit,
];

Deno.test("toAsciiText() gives printable ASCII, never empty, that does not end with a space", () => {
  for (const text of TEXTS) {
    const stored = toAsciiText(text);
    assert(/^[ -~]+$/.test(stored) && !stored.endsWith(" "), stored.slice(0, 20));
    assertEquals(fromStorableText(stored), text);
  }
});

Deno.test("toAsciiText() leaves the text of a session in ASCII unchanged", () => {
  for (const text of ['s1:{"a":"b\\u00e9"}', "x", " x", "~"]) assertEquals(toAsciiText(text), text);
});

Deno.test("fromStorableText() reads what toStorableText() gave", () => {
  for (const text of TEXTS) assertEquals(fromStorableText(toStorableText(text)), text);
});
