/** What a sealed cookie holds: between PAGI's hash, a session's text, and bytes. */
import { assertEquals } from "@std/assert";
import { hashOf, sessionOf } from "../../../../store/_cookie_hash.ts";
import { pack, unpack } from "../../../../store/_cookie/payload.ts";
import { idOf } from "../../../_kit/helpers.ts";

const session = { id: idOf("5"), text: '{"_created":1,"a":2}', lastAccess: 3, lifetime: 60 };
const defaults = { id: "new", now: 9 };

Deno.test("hashOf() puts the id and the last use beside what the text says", () => {
  assertEquals(hashOf(session), { _id: idOf("5"), _created: 1, a: 2, _last_access: 3 });
  assertEquals(hashOf({ ...session, text: "moved:" }), undefined);
});

Deno.test("sessionOf() takes times as numbers and as Perl's strings, and no others", () => {
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
    const made = sessionOf({ _created, _last_access, a: 2 }, defaults);
    assertEquals(made, { id: "new", text: `{"_created":${created},"a":2}`, lastAccess });
  }
  for (const [_id, id] of [["own", "own"], [5, "new"]] as const) {
    assertEquals(sessionOf({ _id }, defaults).id, id);
  }
});

Deno.test("pack() keeps a lifetime to the second, and as many as four bytes hold", () => {
  const most = 4_294_967_295;
  const lifetimes = [[0, 0], [1.5, 2], [most, most], [most + 6, most], [Infinity, most]] as const;
  for (const [lifetime, kept] of lifetimes) {
    assertEquals(unpack(pack({ ...session, lifetime })), { ...session, lifetime: kept });
  }
});

Deno.test("pack() leaves the room that is asked for, empty, whatever the text takes", () => {
  for (const text of ["", "x", "é世👩‍🚀", "\ud800"]) {
    const alone = pack({ ...session, text });
    const bytes = pack({ ...session, text }, { before: 3, after: 2 });
    assertEquals([...bytes], [0, 0, 0, ...alone, 0, 0]);
    assertEquals(unpack(bytes.subarray(3, -2)), { ...session, text: text.toWellFormed() });
  }
});
