/** Records that this package would not have written: they are a session or none, and never throw. */
import { assertEquals } from "@std/assert";
import { KINDS, type Outcome, sessionOf, visitStored } from "../../../_kit/stored_record.ts";

const lists = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
const objects = (depth: number) => '{"a":'.repeat(depth) + "1" + "}".repeat(depth);
const mixed = (depth: number) => '[{"a":'.repeat(depth / 2) + "1" + "}]".repeat(depth / 2);

/** What versioned stores make of each text. */
const TEXTS: [name: string, text: string, outcome: Outcome][] = [
  ["200 lists", sessionOf(lists(200)), "a session"],
  ["201 lists", sessionOf(lists(201)), "no session"],
  ["200 objects", sessionOf(objects(200)), "a session"],
  ["201 objects", sessionOf(objects(201)), "no session"],
  ["200 of both", sessionOf(mixed(200)), "a session"],
  ["202 of both", sessionOf(mixed(202)), "no session"],
  ["300 lists beside each other", sessionOf(`[${Array(300).fill("[]")}]`), "a session"],
  ["10,000 lists", sessionOf(lists(10_000)), "no session"],
  ["20,000 objects", sessionOf(objects(20_000)), "no session"],
  ["50,000 lists that do not end", sessionOf("[".repeat(50_000)), "no session"],
  ["50,000 objects that do not end", '{"":'.repeat(50_000), "no session"],
  ["numbers too large for a number", sessionOf("[1e999,-1e999]"), "a session"],
  ["a creation too large for a number", '{"_created":1e999}', "no session"],
  ["keys of prototypes", sessionOf('{"__proto__":{"a":1},"constructor":2}'), "a session"],
  ["a prototype of its own", '{"_created":1700000000,"__proto__":{"x":1}}', "a session"],
  ["toJSON", '{"_created":1700000000,"toJSON":{"toJSON":1}}', "a session"],
  ["a key twice", '{"_created":1700000000,"v":1,"v":[2]}', "a session"],
  ["orders of ours", '{"_created":1700000000,"_destroyed":1,"_regenerated":1}', "a session"],
  ["half of a letter", sessionOf('"\\ud800"'), "a session"],
  ["a byte order mark", `\ufeff${sessionOf("1")}`, "no session"],
  ["nothing", "", "no session"],
  ["a list", '[{"_created":1700000000}]', "no session"],
  ["a creation that is text", '{"_created":"1700000000"}', "no session"],
  ["a subject that is none", '{"_created":1700000000,"_subject":1}', "no session"],
  ["an unknown codec", '{"_created":1700000000,"_codec":"x"}', "no session"],
];

for (const codec of ["json", "structured"] as const) {
  for (const [name, text, outcome] of TEXTS) {
    Deno.test(`the codec ${codec} finds ${outcome} when a record contains ${name}`, async () => {
      for (const kind of Object.keys(KINDS)) {
        const found = await visitStored(kind, text, codec);
        const isText = ["memory", "hashed", "sealed"].includes(kind);
        assertEquals(isText ? found : outcome, outcome, kind);
      }
    });
  }
}
