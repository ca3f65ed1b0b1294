/** The two halves of a session ID, and what has the form of one. */
import { assert, assertEquals } from "@std/assert";
import {
  HALF_DIGITS,
  ID_BYTES,
  ID_DIGITS,
  isId,
  isNonEmptyString,
  keyOf,
  verifierOf,
} from "../../../base/id.ts";

const VERIFIER = "0123456789abcdef".repeat(2);
const KEY = "fedcba9876543210".repeat(2);

Deno.test("an ID is a verifier of 32 digits, then a key of 32 digits", () => {
  assertEquals([ID_BYTES, ID_DIGITS, HALF_DIGITS], [32, 64, 32]);
  assertEquals([verifierOf(VERIFIER + KEY), keyOf(VERIFIER + KEY)], [VERIFIER, KEY]);
});

Deno.test("verifierOf() and keyOf() divide any text, so that no two texts have both in common", () => {
  for (const text of ["", "a", KEY, `a${KEY}`, VERIFIER + VERIFIER + KEY]) {
    assertEquals(verifierOf(text) + keyOf(text), text);
  }
  // A key alone has no verifier.
  assertEquals([verifierOf(KEY), keyOf(KEY)], ["", KEY]);
});

Deno.test("isId() accepts 64 lowercase hex digits and nothing else", () => {
  assert(isId(VERIFIER + KEY));
  const digits = VERIFIER + KEY;
  const others = ["", KEY, digits.slice(1), `${digits}0`, digits.toUpperCase(), `${digits}\n`];
  for (let at = 0; at < ID_DIGITS; at++) {
    for (const letter of ["g", "G", "/", ":", "`", " ", "-", "\0", "é"]) {
      others.push(digits.slice(0, at) + letter + digits.slice(at + 1));
    }
  }
  for (const other of others) assert(!isId(other), other);
  for (const other of [undefined, null, 5, {}, [digits], { length: 64 }]) {
    assert(!isId(other as string), String(other));
  }
});

Deno.test("isNonEmptyString() accepts any text but the empty one", () => {
  assertEquals(["a", " ", VERIFIER].map(isNonEmptyString), [true, true, true]);
  const others = ["", undefined, null, 1, ["a"], { length: 1 }];
  assertEquals(others.map(isNonEmptyString), others.map(() => false));
});
