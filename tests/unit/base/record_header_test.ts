/** The header in front of a session's JSON: what it keeps, how short it is, and when it is damaged. */
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import {
  decodeHeader,
  encodeHeader,
  findJson,
  isHeaderTime,
  isSameVerifier,
  newHeader,
  type RecordHeader,
} from "../../../base/record_header.ts";
import { newToken } from "../../../base/token.ts";
import { keyOf } from "../../../base/id.ts";
import { cookieOf, requestWith, rig } from "../../_kit/helpers.ts";

const NOW = 1_700_000_000;
const A = "a".repeat(32);
const B = "b".repeat(32);
const C = "c".repeat(32);
const TOKEN = "0123456789ab";
const JSON_TEXT = '{"_created":1700000000,"note":"a b"}';

/** A header with a value in every field. */
const FULL: RecordHeader = {
  verifier: A,
  regenerations: 35,
  subjectChanges: 36,
  signedInAt: NOW,
  replacedAt: NOW + 1,
  presentedAt: NOW + 2,
  sentAt: NOW + 3,
  replaced: [
    { verifier: B, isRotated: false, at: NOW - 9 },
    { verifier: C, isRotated: true, at: NOW + 1 },
  ],
  lifetime: { idle: 36, absolute: 7200, persistent: true },
  messages: [`${TOKEN}info:Saved+it`, `${TOKEN}%7B:%20`],
  tokens: [{ token: TOKEN, at: NOW }, { token: "f".repeat(12), at: NOW + 4 }],
  others: ["z9", "B", "?a:b"],
};

/** Decodes the header in front of some JSON. */
const decode = (header: string) => decodeHeader(header + JSON_TEXT, header.length);

Deno.test("decodeHeader() returns every field that encodeHeader() has written", () => {
  assertEquals(decode(encodeHeader(FULL)), FULL);
  for (const [name, value] of Object.entries(FULL)) {
    const one = { ...newHeader(B), [name]: value };
    assertEquals(decode(encodeHeader(one)), one, name);
    if (name !== "verifier") assertNotEquals(encodeHeader(one), encodeHeader(newHeader(B)), name);
  }
});

Deno.test("encodeHeader() writes the documented letters, and times in base 36", () => {
  assertEquals(
    encodeHeader(FULL),
    `s1:${A} rz u10 as44we8 cs44we9 ps44wea os44web l10.5k0.1 x${B}gs44wdz x${C}rs44we9 ` +
      `f${TOKEN}info:Saved+it f${TOKEN}%7B:%20 w${TOKEN}s44we8 w${"f".repeat(12)}s44wec z9 B ?a:b`,
  );
});

Deno.test("encodeHeader() keeps a time of 0 and leaves out a time that is missing", () => {
  const times = { signedInAt: 0, replacedAt: 0, presentedAt: 0, sentAt: 0 };
  const header = { ...newHeader(A), ...times };
  assertEquals(encodeHeader(header), `s1:${A} a0 c0 p0 o0`);
  assertEquals(decode(encodeHeader(header)), header);
});

Deno.test("encodeHeader() keeps the fields of a later release, in their order", () => {
  const text = `s1:${A} r2 z ybc {`.slice(0, -2);
  assertEquals(decode(text), { ...newHeader(A), regenerations: 2, others: ["z", "ybc"] });
  assertEquals(encodeHeader(decode(text)!), text);
});

Deno.test("a write keeps the fields of a later release", async () => {
  const { answer, signIn, store } = rig();
  const cookie = await signIn();
  const id = cookie.split("=")[1]!;
  const key = keyOf(id);
  const { text, version, lastAccess } = store.read(key)!;
  const { signal } = new AbortController();
  const start = findJson(text);
  const later = `${text.slice(0, start)} zabc Y1${text.slice(start)}`;
  store.replace(key, later, { version, lastAccess, ttl: 3600, signal });
  await answer(new Response(), { cookie });
  assert(/^s1:[0-9a-f]{32} zabc Y1\{/.test(store.read(key)!.text));
});

Deno.test("a header takes 35 bytes in a session that was only written to", async () => {
  const { answer, signIn, store } = rig();
  const cookie = await signIn();
  await answer(new Response(), { cookie });
  const id = cookie.split("=")[1]!;
  assertEquals(store.read(keyOf(id))!.text, `s1:${id.slice(0, 32)}{"_created":1700000000,"n":2}`);
  assertEquals(encodeHeader(newHeader(A)).length, 35);
});

Deno.test("a header takes 104 bytes more when two users have signed in, one after the other", async () => {
  const { sessions, signIn, store } = rig();
  let cookie = await signIn();
  for (const subject of ["ada", "bob"]) {
    cookie = cookieOf(
      await sessions.run(requestWith({ cookie }), (session) => {
        session.subject = subject;
        return new Response();
      }),
    );
  }
  const { text } = store.read(keyOf(cookie.split("=")[1]!))!;
  // Two counts, two times, and two verifiers with their times.
  assertEquals(findJson(text), 35 + 2 * 3 + 2 * 8 + 2 * 41);
});

Deno.test("decodeHeader() does not look for fields behind the start of the JSON", () => {
  assertEquals(decode(`s1:${A}`), newHeader(A));
  assertEquals(decode("s1:"), newHeader(""));
  const text = `s1:${A}{"_created":1,"a":" r5 x"}`;
  assertEquals(decodeHeader(text, findJson(text)), newHeader(A));
});

Deno.test("findJson() returns where the JSON begins, and -1 if the text is not a session", () => {
  assertEquals(findJson(`s1:${A} r1${JSON_TEXT}`), 38);
  assertEquals(findJson("s1:{{"), 3);
  for (
    const text of ["", "{}", JSON_TEXT, `s2:${A}{}`, `s1:${A} r1`, " s1:{", null, undefined, 7]
  ) {
    assertEquals(findJson(text), -1, String(text));
  }
});

/** Fields that a header cannot have. */
const DAMAGED = [
  ...["r", "u", "a", "c", "p", "o"].flatMap((letter) =>
    ["", "-1", "1.5", "NaN", "Infinity", "A", "1 ", "123456789", "é", "\0"].map((value) =>
      letter + value
    )
  ),
  ...[
    A + "g",
    `${A}1`,
    `${A}x1`,
    `${A}g-1`,
    `${A}g123456789`,
    `${A.slice(1)}g1`,
    `${A}ag1`,
    "g1",
    "",
  ]
    .map((value) => `x${value}`),
  ...[TOKEN, `${TOKEN}-1`, `${TOKEN}123456789`, `g${TOKEN.slice(1)}1`, ""].map((value) =>
    `w${value}`
  ),
  ...[TOKEN, `${TOKEN}info`, `g${TOKEN.slice(1)}a:b`, `${TOKEN}a:b:c`, `${TOKEN}a:é`, ""].map(
    (value) => `f${value}`,
  ),
  ...["", "1", "1.2", "..2", "1..1x", "-1..", "123456789..", "...", "A.."].map(
    (value) => `l${value}`,
  ),
  ...["", " ", "  r1"],
];

Deno.test("decodeHeader() returns no header when a field is damaged", () => {
  for (const field of DAMAGED) {
    for (const text of [`s1:${A} ${field}`, `s1:${A} r1 ${field} z`, `s1:${A} z ${field}`]) {
      assertEquals(decode(text), undefined, JSON.stringify(text));
    }
  }
});

Deno.test("decodeHeader() returns no header when the verifier has another length", () => {
  for (const verifier of [A.slice(1), `${A}a`, `\ufeff${A}`, "a", A + A]) {
    for (const fields of ["", " r1"]) assertEquals(decode(`s1:${verifier}${fields}`), undefined);
  }
  assertEquals(decode("s1: r1"), { ...newHeader(""), regenerations: 1 });
});

Deno.test("a session is new and an event says why when its header is damaged", async () => {
  for (const field of [...DAMAGED, "r2"]) {
    const { events, sessions, signIn, store } = rig();
    const cookie = await signIn();
    const id = cookie.split("=")[1]!;
    const { text, version, lastAccess } = store.read(keyOf(id))!;
    const { signal } = new AbortController();
    const damaged = text.replace("{", ` ${field}{`);
    store.replace(keyOf(id), damaged, { version, lastAccess, ttl: 3600, signal });
    const found = await sessions.load(requestWith({ cookie }));
    const isSound = field === "r2";
    assertEquals(
      [found !== undefined, events],
      [isSound, isSound ? [] : ["record-corrupt"]],
      field,
    );
    await sessions.run(requestWith({ cookie }), (session) => {
      assertEquals([session.absence, session.id === id], [
        isSound ? undefined : "unknown",
        isSound,
      ]);
      return new Response();
    });
  }
});

Deno.test("isHeaderTime() accepts whole numbers that a header has room for", () => {
  for (const value of [0, NOW, 36 ** 8 - 1]) {
    assert(isHeaderTime(value));
    assertEquals(decode(encodeHeader({ ...newHeader(A), sentAt: value }))?.sentAt, value);
  }
  for (const value of [-1, 1.5, NaN, Infinity, 36 ** 8, "1", null, undefined]) {
    assert(!isHeaderTime(value), String(value));
  }
});

Deno.test("newToken() makes twelve hex digits that differ each time", () => {
  const tokens = Array.from({ length: 100 }, newToken);
  assert(tokens.every((token) => /^[0-9a-f]{12}$/.test(token)));
  assertEquals(new Set(tokens).size, 100);
});

Deno.test("isSameVerifier() is true only for the same text", () => {
  assert(isSameVerifier(A, "a".repeat(32)) && isSameVerifier("", ""));
  for (const other of [B, A.slice(1), A + "a", "", `b${A.slice(1)}`, `${A.slice(1)}b`]) {
    assert(!isSameVerifier(A, other), other);
    assert(!isSameVerifier(other, A), other);
  }
});
