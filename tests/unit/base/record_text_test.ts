/** The text of a record: what a session's contains, and what each kind of text is taken for. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { SessionError } from "@pagi/session";
import {
  decodeSession,
  encodeEmptySession,
  encodeEnded,
  encodeSession,
  fromPlainData,
  isEnded,
  isReserved,
  isSubjectIndex,
  MAX_DEPTH,
  stringifyValues,
  toPlainData,
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
  _signed_in: 7,
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
    encodeEnded(idOf("a")),
    `s1:${idOf("a")}{"_created":1}`,
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

const VERIFIER = "a".repeat(32);

Deno.test("fromPlainData() writes the text that toPlainData() reads, with every reserved key", () => {
  const data = { _created: 5, _subject: "ada", _signed_in: 6, _mine: 1, a: { b: [2] } };
  for (const verifier of ["", VERIFIER]) {
    const text = fromPlainData({ ...data, _id: "x", _last_access: 8, _destroyed: 1 }, 5, verifier);
    assertEquals(text, `s1:${verifier} a6{"_created":5,"_subject":"ada","_mine":1,"a":{"b":[2]}}`);
    const read = toPlainData({ id: "y", text, lastAccess: 9 });
    assertEquals(read, { _id: "y", ...data, _last_access: 9 });
  }
  const { _signed_in, ...anonymous } = data;
  const text = fromPlainData(anonymous, 5);
  assert(text.startsWith("s1:{"));
  assertEquals(toPlainData({ id: "y", text, lastAccess: 9 })?._signed_in, undefined);
});

Deno.test("fromPlainData() ignores a time of the sign-in that no header can hold", () => {
  for (const time of ["6", -1, 1.5, 1e300, NaN, null, {}]) {
    assertEquals(fromPlainData({ _signed_in: time }, 5), 's1:{"_created":5}', String(time));
  }
});

Deno.test("toPlainData() finds no session in a text of another kind", () => {
  const json = '{"_created":1}';
  const texts = ["", json, `s1:${VERIFIER}`, `s1:${VERIFIER}{}`, `s1:${VERIFIER} r${json}`];
  texts.push(encodeEnded("t"), `subject:${json}`, `s2:${VERIFIER}${json}`);
  for (const text of texts) {
    assertEquals(toPlainData({ id: "x", text, lastAccess: 1 }), undefined, text);
  }
});

Deno.test("a text is a session, the marker of an end, an index, or none of them", () => {
  const marker = encodeEnded("0123456789ab");
  assertEquals(marker, "ended:0123456789ab");
  const kindsOf = (text: unknown) => [isEnded(text), isSubjectIndex(text)];
  assertEquals(kindsOf(marker), [true, false]);
  assertEquals(kindsOf('subject:{"epoch":"e","entries":[]}'), [false, true]);
  for (
    const text of [fromPlainData({}, 1), "", " ended:", "Ended:", "ended", null, undefined, 5, {}]
  ) {
    assertEquals(kindsOf(text), [false, false], String(text));
  }
});
