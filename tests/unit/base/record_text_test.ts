/** The text of a session: what is in it, what is taken for one, and what stands under an old id. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { SessionError } from "@pagi/session";
import {
  decodeSession,
  decodeTombstone,
  encodeEmptySession,
  encodeSession,
  encodeTombstone,
  isReserved,
  MAX_DEPTH,
  stringifyValues,
} from "../../../base/record_text.ts";
import { isSameJson } from "../../../data/json_values.ts";
import { idOf } from "../../_kit/helpers.ts";

const OWN = {
  _id: "x",
  _created: 5,
  _last_access: 6,
  _regenerated: true,
  _destroyed: true,
  _subject: "eve",
  _codec: "other",
};

Deno.test("encode() leaves out every reserved key, and no other that starts like one", () => {
  assertEquals(
    encodeSession({ ...OWN, _mine: 1, a: 2 }, 1, undefined),
    '{"_created":1,"_mine":1,"a":2}',
  );
  assertEquals(
    encodeSession(OWN, 1, "ada", "structured"),
    '{"_created":1,"_subject":"ada","_codec":"structured"}',
  );
  assertEquals(encodeSession(OWN, 1, undefined), encodeEmptySession(1));
  assert(Object.keys(OWN).every(isReserved));
});

Deno.test("stringify() throws ERR_SESSION_DATA where JSON would call something, or gives up", () => {
  for (const values of [{ toJSON: () => ({}) }, { big: 1n }]) {
    const error = assertThrows(() => stringifyValues(values), SessionError);
    assertEquals(error.code, "ERR_SESSION_DATA");
    assert(error.cause instanceof TypeError);
  }
});

Deno.test("decode() finds no session in what is no text of one, and never throws", () => {
  const texts = [
    undefined,
    null,
    5,
    {},
    "",
    "null",
    "5",
    "true",
    '"text"',
    "[]",
    "{",
    "{}",
    "moved:" + idOf("a"),
    '{"_created":"1"}',
    '{"_created":1e999}',
    '{"_created":1,"_subject":1}',
    '{"_created":1,"_codec":"other"}',
  ];
  for (const text of texts) assertEquals(decodeSession(text), undefined, String(text));
});

Deno.test("decode() gives what the text says, with what is this package's own", () => {
  const text = '{"_created":1,"_subject":"ada","_codec":"structured","a":[["$date",1]]}';
  const values = { _created: 1, _subject: "ada", _codec: "structured", a: [["$date", 1]] };
  assertEquals(decodeSession(text), values);
});

Deno.test("decode() drops what nobody wrote and would act", () => {
  const text = '{"_created":1,"_regenerated":true,"_destroyed":true,"a":1}';
  assertEquals(decodeSession(text), { _created: 1, a: 1 });
});

const listed = (levels: number) => "[".repeat(levels) + "]".repeat(levels);
const nested = (levels: number) => '{"a":'.repeat(levels) + "1" + "}".repeat(levels);

Deno.test("decode() takes values nested as deep as a session may hold, and none deeper", () => {
  const makers = [
    listed,
    nested,
    (levels: number) => `[{"a":${listed(levels - 2)}}]`,
    (levels: number) => `[1,{"a":1,"b":${nested(levels - 2)}}]`,
  ];
  for (const make of makers) {
    const inSession = (levels: number) =>
      decodeSession(`{"_created":1,"first":2,"v":${make(levels)}}`);
    assert(inSession(MAX_DEPTH) !== undefined);
    assertEquals(inSession(MAX_DEPTH + 1), undefined);
  }
  assertEquals(MAX_DEPTH, 200);
  for (const many of ["[]", "{}", "[[]]", '{"a":{}}']) {
    const text = `{"_created":1,"v":[${Array(1000).fill(many)}]}`;
    assertEquals((decodeSession(text)?.v as unknown[]).length, 1000);
  }
});

Deno.test("isSame() looks at values, whatever the order of keys", () => {
  const value = { a: 1, b: [1, { c: null }] };
  assert(isSameJson(value, { b: [1, { c: null }], a: 1 }));
  const others = [{ ...value, d: 1 }, { a: 1 }, { a: 1, c: value.b }, [], null, "a"];
  for (const other of [...others, { ...value, b: { 0: 1, 1: { c: null } } }]) {
    assert(!isSameJson(value, other) && !isSameJson(other, value));
  }
});

Deno.test("encodeTombstone() shows the new id to who has the old one, in digits that are neither", () => {
  const [old, next] = [idOf("5"), "0123456789abcdef".repeat(4)];
  assertEquals(encodeTombstone(idOf("f"), idOf("0")), "moved:" + idOf("f"));
  assertEquals(encodeTombstone(old, next), "moved:" + "54761032dcfe98ba".repeat(4));
  assertEquals(decodeTombstone(old, encodeTombstone(old, next)), next);
  // What a client presents may be longer.
  assertEquals(decodeTombstone(`${old}55`, encodeTombstone(old, next)), next);
  for (
    const text of ["moved:", "moved:" + idOf("a") + "a", "moveD:" + idOf("a"), '{"_created":1}']
  ) {
    assertEquals(decodeTombstone(old, text), undefined);
  }
});
