/** What a sealed cookie holds: between plain data, the text of a session, and bytes. */
import { assertEquals } from "@std/assert";
import { toPlainData } from "../../../../base/record_text.ts";
import { recordFromPlainData } from "../../../../store/_plain_methods.ts";
import { decodePayload, encodePayload } from "../../../../store/_cookie/payload.ts";
import { idOf } from "../../../_kit/helpers.ts";

const session = {
  id: idOf("5"),
  text: 's1:{"_created":1,"a":2}',
  lastAccess: 3,
  lifetime: 60,
  generation: "",
};
const defaults = { id: "new", now: 9 };

Deno.test("toPlainData() puts the id and the last use beside what the text says", () => {
  assertEquals(toPlainData(session), { _id: idOf("5"), _created: 1, a: 2, _last_access: 3 });
  assertEquals(toPlainData({ ...session, text: "ended:" }), undefined);
});

Deno.test("recordFromPlainData() takes times as numbers and as Perl's strings, and no others", () => {
  const times: [created: unknown, lastAccess: unknown, expected: [number, number]][] = [
    [1, 3, [1, 3]],
    ["1", "3", [1, 3]],
    [1, undefined, [1, 1]],
    [undefined, 3, [3, 3]],
    [undefined, undefined, [9, 9]],
    ["", "", [9, 9]],
    ["soon", NaN, [9, 9]],
    [{}, true, [9, 9]],
    [Infinity, "0x", [9, 9]],
  ];
  for (const [_created, _last_access, [created, lastAccess]] of times) {
    const made = recordFromPlainData({ _created, _last_access, a: 2 }, defaults);
    assertEquals(made, { id: "new", text: `s1:{"_created":${created},"a":2}`, lastAccess });
  }
  const signedIn = recordFromPlainData({ _created: 1, _signed_in: 2 }, defaults);
  assertEquals(signedIn, { id: "new", text: 's1: a2{"_created":1}', lastAccess: 1 });
  for (const [_id, id] of [["own", "own"], [5, "new"]] as const) {
    assertEquals(recordFromPlainData({ _id }, defaults).id, id);
  }
});

Deno.test("encodePayload() keeps a lifetime to the second, and as many as four bytes hold", () => {
  const most = 4_294_967_295;
  const lifetimes = [[0, 0], [1.5, 2], [most, most], [most + 6, most], [Infinity, most]] as const;
  for (const [lifetime, kept] of lifetimes) {
    assertEquals(decodePayload(encodePayload({ ...session, lifetime })), {
      ...session,
      lifetime: kept,
    });
  }
});

Deno.test("encodePayload() leaves the room that is asked for, empty, whatever the text takes", () => {
  for (const text of ["", "x", "é世👩‍🚀", "\ud800"]) {
    const alone = encodePayload({ ...session, text });
    const bytes = encodePayload({ ...session, text }, { before: 3, after: 2 });
    assertEquals([...bytes], [0, 0, 0, ...alone, 0, 0]);
    assertEquals(decodePayload(bytes.subarray(3, -2)), { ...session, text: text.toWellFormed() });
  }
});
