/** The check of the language: what it reads of a file, and what each pattern finds. */
import { assertEquals } from "@std/assert";
import { compare, countsOf, findIn } from "../.ci/language.ts";
import { MAX_WORDS, PATTERNS } from "../.ci/language_patterns.ts";
import { sentencesOf } from "../.ci/prose.ts";

// language: off

const textsOf = (path: string, source: string) =>
  sentencesOf(path, source).map(({ text }) => text.replace(/\s+/g, " ").trim());

for (const { name, bad, good, areas = ["docs"] } of PATTERNS) {
  Deno.test(`findIn() finds "${name}" in a bad sentence and not in a good one`, () => {
    const namesIn = (text: string) =>
      findIn(`${areas[0]}/a.md`, text).map(({ pattern }) => pattern);
    assertEquals(namesIn(bad).includes(name), true, bad);
    assertEquals(namesIn(good).includes(name), false, good);
    // In the middle of a paragraph, over two lines.
    assertEquals(namesIn(`It is so.\n${bad.replace(" ", "\n")} It is.`).includes(name), true);
  });
}

Deno.test("findIn() confines a pattern to its areas", () => {
  assertEquals(findIn("docs/a.md", "A lane."), []);
  assertEquals(findIn("bench/a.md", "A lane.").map(({ pattern }) => pattern), ["lane"]);
});

Deno.test("findIn() finds sentences of too many words", () => {
  const words = "Word".padEnd(5 * MAX_WORDS - 1, " word");
  assertEquals(findIn("a.md", `${words}. ${words}.\n\n- ${words}\n- ${words}\n`), []);
  assertEquals(
    findIn("a.md", `Short.\n${words} \`code\`.`).map(({ pattern, line }) => [pattern, line]),
    [
      ["long sentence", 2],
    ],
  );
});

Deno.test("findIn() names the line, the pattern and a replacement", () => {
  assertEquals(findIn("core/a.ts", "/**\n * A session.\n *\n * Writes all at\n * once.\n */"), [{
    path: "core/a.ts",
    line: 4,
    pattern: "at once",
    instead: '"immediately", or "at the same time"',
    excerpt: "Writes all at once.",
  }]);
});

Deno.test("sentencesOf() splits Markdown into sentences, items and cells without code", () => {
  const source = `# A title
Text with \`at once\` and
[a link](https://at/once). Another one? <b>Yes</b>, e.g. this.

\`\`\`ts
const at = once;
\`\`\`
<!-- a comment -->
- An item
- Item 1.5 of two

| Head | \`x|y\` |
| --- | --- |
| Cell one. Cell two | https://at.once/ is |
`;
  assertEquals(textsOf("a.md", source), [
    "A title",
    "Text with □ and a link .",
    "Another one?",
    "Yes , e.g. this.",
    "An item",
    "Item 1.5 of two",
    "Head",
    "Cell one.",
    "Cell two",
    "□ is",
  ]);
});

Deno.test("sentencesOf() reads comments and messages of TypeScript, and no code", () => {
  const source = `/**
 * Says a thing, see {@linkcode Thing}.
 *
 * @param options.at Some words.
 * @throws {TypeError} When it fails.
 * @default {all of them}
 *
 * @example A title
 * \`\`\`ts
 * at(once);
 * \`\`\`
 */
// One comment
// of two lines.
import { at } from "./at_once.ts"; // deno-lint-ignore no-explicit-any
const meanwhile = at("once", 'word', "SELECT a FROM at once WHERE b");
throw new Error("Cannot do this: " + \`the \${"inner words"} failed\` +
  "; try it\\nagain");
const pattern = /at once/;
`;
  assertEquals(
    textsOf("a.ts", source),
    [
      "Says a thing, see □ .",
      "Some words.",
      "When it fails.",
      "all of them}",
      "A title",
      "One comment of two lines.",
      "at once.ts",
      "Cannot do this: the □",
      "inner words",
      "failed ; try it again",
    ].filter((text) => text !== "at once.ts"),
  );
});

Deno.test("sentencesOf() reads the descriptions of deno.json only", () => {
  const source =
    `{ "name": "at once", "tasks": { "a": { "description": "Run it", "command": "at once" } } }`;
  assertEquals(textsOf("deno.json", source), ["Run it"]);
});

Deno.test("findIn() leaves out what a marker exempts", () => {
  assertEquals(
    findIn("a.md", "<!-- language: off -->\nWrite at once.\n<!-- language: on -->\n\nDoor.")
      .map(({ pattern }) => pattern),
    ["door"],
  );
  assertEquals(
    findIn("a.ts", `// language: ${"off"}\n// Write at once.\n// language: ${"on"}\n// A door.`)
      .map(({ pattern }) => pattern),
    ["door"],
  );
});

Deno.test("countsOf() counts by area and pattern", () => {
  const files = {
    "mod.ts": "// At once.",
    "core/a.ts": "// At once. A door.",
    "core/b.ts": "// A door.",
  };
  const findings = Object.entries(files).flatMap(([path, source]) => findIn(path, source));
  assertEquals(countsOf(findings), { core: { "at once": 1, door: 2 }, root: { "at once": 1 } });
});

Deno.test("compare() reports each number that differs from the baseline", () => {
  const baseline = { core: { door: 2, told: 1 }, docs: { door: 1 } };
  assertEquals(compare(baseline, baseline), []);
  assertEquals(compare({ core: { door: 3, told: 1 }, store: { door: 1 } }, baseline), [
    { area: "core", pattern: "door", was: 2, is: 3 },
    { area: "store", pattern: "door", was: 0, is: 1 },
    { area: "docs", pattern: "door", was: 1, is: 0 },
  ]);
});
