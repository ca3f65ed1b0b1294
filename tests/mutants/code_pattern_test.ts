import { assertEquals, assertThrows } from "@std/assert";
import { placesOf, withNames } from "./_code_pattern.ts";

/** The texts that the pattern matches in a source. */
function found(pattern: string, source: string): string[] {
  return placesOf(pattern, new Map([["a.ts", source]]))
    .map(({ start, end }) => source.slice(start, end));
}

Deno.test("placesOf() finds a place in any file, with its names", () => {
  const sources = new Map([["a.ts", "let a;"], ["b/c.ts", "let b;\nreturn box.get(this.#key);"]]);
  assertEquals(placesOf("return $map.get(this.$key)", sources), [
    { file: "b/c.ts", start: 7, end: 32, names: { map: "box", key: "#key" } },
  ]);
});

Deno.test("placesOf() finds every place that a pattern matches", () => {
  assertEquals(found("if ($a)", "if (one) if (two) if (f())"), ["if (one)", "if (two)"]);
});

Deno.test("placesOf() matches the same name when a $name occurs again", () => {
  assertEquals(found("$a + $a", "x + y; y + yy; z + z"), ["z + z"]);
});

Deno.test("placesOf() matches whole identifiers only", () => {
  assertEquals(found("is($a)", "this(a); is(a)"), ["is(a)"]);
  assertEquals(found("key = $a", "this.#key = b; monkey = b; key = c"), ["key = c"]);
});

Deno.test("placesOf() ignores formatting and line comments", () => {
  const source = "f(\n  one, // The first.\n  two,\n);";
  assertEquals(found("f($a, $b);", source), [source]);
});

Deno.test('placesOf() matches any string literal when the pattern has "..."', () => {
  const source = "f(\"a\"); f('b'); f(`c ${d}`); f(e);";
  assertEquals(found('f("...")', source), ['f("a")', "f('b')", "f(`c ${d}`)"]);
  assertEquals(found('f("a")', source), ['f("a")']);
});

Deno.test("placesOf() takes regular expressions literally", () => {
  assertEquals(found("= /^a[$-z]*$/;", "A = /^a[$-z]*$/;"), ["= /^a[$-z]*$/;"]);
});

Deno.test("withNames() inserts the names and throws when one is unknown", () => {
  assertEquals(withNames('$a.$b /x$/ "$1"', { a: "one", b: "#two" }), 'one.#two /x$/ "$1"');
  assertThrows(() => withNames("$c", { a: "one" }), Error, "$c");
});
